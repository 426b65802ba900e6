"""A detector with the weights of a trained one: to score, or to train further."""

from __future__ import annotations

from pathlib import Path

import keras

from lensdetect import network
from lensdetect.artifact.card import load_card
from lensdetect.artifact.integrity import verify
from lensdetect.artifact.shipped import find_detector
from lensdetect.artifact.weights import assign_weights, read_weights
from lensdetect.survey import Band


def restore(model: keras.Model, folder: Path | str, *, parts: str | tuple[str, ...] = "all") -> None:
    """Give a model the weights of a saved detector.

    Parameters
    ----------
    model : keras.Model
        From ``build_detector``; changed in place, and only if all fits.
    folder : path
        A folder that ``save_detector`` wrote.
    parts : str or tuple of str
        "all", or those of "stem", "encoder" and "head" that shall be restored;
        the rest stays fresh.

    Raises
    ------
    ArtifactError
        If the folder has been altered, or does not go with the model within
        the parts; the message lists every name and shape.
    """
    verify(folder)
    assign_weights(model, read_weights(folder), source=str(folder), parts=parts)


def build_detector(
    name_or_spec: str | network.DetectorSpec,
    bands: tuple[Band | str, ...] | None = None,
    *,
    size: int = 101,
    weights: Path | str | None = None,
    parts: str | tuple[str, ...] = "all",
) -> keras.Model:
    """Build a detector, fresh or with the weights of a trained one.

    Parameters
    ----------
    name_or_spec : str or DetectorSpec
        A key of ``network.DETECTORS``, or a spec of your own.
    bands : tuple of Band or of str, optional
        Bands of the cutouts, in order; names are those of the survey
        ``bologna``. By default those of the trained detector if it is restored
        whole, else the four of ``bologna``.
    size : int
        Height and width of the cutouts, in pixels.
    weights : str or path, optional
        A trained detector, as ``find_detector`` takes it.
    parts : str or tuple of str
        What of it to restore: "all", or some of "stem", "encoder" and "head".

    Returns
    -------
    keras.Model
        Functional model: raw flux ``(n, size, size, band)``, NaN where bad, to
        float32 logits ``(n, 1)``.

    Raises
    ------
    InputError
        If a name is unknown, or the parts do not fit together.
    ArtifactError
        If the weights do not fit the model.
    """
    if weights is None:
        return network.build_detector(name_or_spec, bands, size=size)
    folder = find_detector(weights)
    if bands is None and parts == "all":
        bands = load_card(folder).bands
    model = network.build_detector(name_or_spec, bands, size=size)
    restore(model, folder, parts=parts)
    return model
