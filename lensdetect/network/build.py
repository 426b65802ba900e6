"""Assemble a detector from its spec."""

from __future__ import annotations

import keras

from lensdetect.errors import InputError, unknown_name
from lensdetect.network.assembly import chain_parts, merge_branches
from lensdetect.network.fronts import build_front
from lensdetect.network.spec import DetectorSpec, MergedSpec
from lensdetect.network.zoo import DETECTORS
from lensdetect.survey import SURVEYS, Band


def get_spec(name_or_spec: str | DetectorSpec | MergedSpec) -> DetectorSpec | MergedSpec:
    """Spec of a named detector; a spec is returned as it is.

    Parameters
    ----------
    name_or_spec : str, DetectorSpec or MergedSpec
        A key of ``DETECTORS``, or a spec of your own.

    Returns
    -------
    DetectorSpec or MergedSpec

    Raises
    ------
    InputError
        If there is no such detector; the message holds the nearest names.
    """
    if isinstance(name_or_spec, (DetectorSpec, MergedSpec)):
        return name_or_spec
    if name_or_spec not in DETECTORS:
        raise unknown_name("detector", str(name_or_spec), DETECTORS)
    return DETECTORS[name_or_spec]


def build_detector(
    name_or_spec: str | DetectorSpec | MergedSpec, bands: tuple[Band | str, ...] | None = None, *, size: int = 101
) -> keras.Model:
    """Build a detector with fresh weights.

    Parameters
    ----------
    name_or_spec : str, DetectorSpec or MergedSpec
        A key of ``DETECTORS``, or a spec of your own.
    bands : tuple of Band or of str, optional
        Bands of the cutouts, in order; names are those of the survey
        ``bologna``. All four of ``bologna`` by default.
    size : int
        Height and width of the cutouts, in pixels.

    Returns
    -------
    keras.Model
        Functional model: raw flux ``(n, size, size, band)``, NaN where bad, to
        float32 logits ``(n, 1)``.

    Raises
    ------
    InputError
        If the name is unknown, a band is, the size is no size, or the parts do
        not fit together.
    """
    if size < 1:
        raise InputError(f"cutouts must have at least one pixel, got a size of {size}")
    spec = get_spec(name_or_spec)
    name = name_or_spec if isinstance(name_or_spec, str) else "custom_detector"
    bands = resolve_bands(bands)
    cutouts = keras.Input((size, size, len(bands)), dtype="float32", name="cutouts")
    images, bad = build_front(spec.front, cutouts, bands=bands)
    assemble = merge_branches if isinstance(spec, MergedSpec) else chain_parts
    return keras.Model(cutouts, assemble(spec, images, bad=bad), name=name)


def resolve_bands(bands: tuple[Band | str, ...] | None) -> tuple[Band, ...]:
    """Bands as rows, from rows or names.

    Parameters
    ----------
    bands : tuple of Band or of str, or None
        Names are those of the survey ``bologna``; None is all of them.

    Returns
    -------
    tuple of Band

    Raises
    ------
    InputError
        If there is no band, an unknown name, or the same band twice.
    """
    bologna = SURVEYS["bologna"]
    if bands is None:
        return bologna.bands
    rows = tuple(band if isinstance(band, Band) else bologna.select([band])[0] for band in bands)
    names = [row.name for row in rows]
    if not names or len(set(names)) < len(names):
        raise InputError(f"a detector needs at least one band and each only once, got {names}")
    return rows


def attention_maps(detector: keras.Model) -> keras.Model:
    """Model that gives the attention weights of every encoder block.

    Parameters
    ----------
    detector : keras.Model
        From ``build_detector``.

    Returns
    -------
    keras.Model
        Raw flux to a dict of layer name -> weights
        ``(n, head, query token, key token)``; each row of keys sums to 1.

    Raises
    ------
    InputError
        If the detector has no attention.
    """
    attentions = [layer for layer in detector.layers if isinstance(layer, keras.layers.MultiHeadAttention)]
    if not attentions:
        raise InputError(f"attention weights need a detector with encoder blocks, {detector.name} has none")
    return keras.Model(detector.input, {layer.name: layer.output[1] for layer in attentions}, name="attention_maps")
