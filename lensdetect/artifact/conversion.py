"""Cutouts as they come to cutouts as a detector takes them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from lensdetect.artifact.card import Card
from lensdetect.errors import InputError
from lensdetect.images.properties import PIXEL_SCALE_TOLERANCE, ImageProperties


@dataclass(frozen=True)
class Conversion:
    """How the bands of some images become those of a detector.

    Parameters
    ----------
    source_bands : tuple of str
        Bands of the images, in array order.
    places : tuple of int
        Band of the detector for each band of the images.
    num_bands : int
        Number of bands of the detector.
    flux_factors : ndarray
        float32 ``(len(source_bands),)``; flux is multiplied by it.
    """

    source_bands: tuple[str, ...]
    places: tuple[int, ...]
    num_bands: int
    flux_factors: np.ndarray

    @property
    def is_identity(self) -> bool:
        """Whether the images can be used as they are."""
        return self.places == tuple(range(self.num_bands)) and bool(np.all(self.flux_factors == 1))

    def fill(self, out: np.ndarray, cutouts: np.ndarray) -> None:
        """Put cutouts at the start of an array, each band in its place.

        Parameters
        ----------
        out : ndarray
            float32 ``(rows, height, width, num_bands)``; bands that the cutouts
            do not have are left as they are.
        cutouts : ndarray
            ``(n, height, width, len(source_bands))``, ``n <= rows``.
        """
        if self.is_identity:
            out[: len(cutouts)] = cutouts
            return
        for source, (place, factor) in enumerate(zip(self.places, self.flux_factors, strict=True)):
            np.multiply(cutouts[..., source], factor, out=out[: len(cutouts), ..., place], casting="same_kind")


def plan_conversion(
    card: Card,
    *,
    bands: Iterable[str] | None = None,
    zero_points_mag: float | Sequence[float] | None = None,
    pixel_scale_arcsec: float | None = None,
) -> Conversion:
    """Compare what is known of some images with a card.

    Parameters
    ----------
    card : Card
        Of the detector.
    bands : iterable of str, optional
        Bands of the images, in array order; those of the card by default.
    zero_points_mag : float or sequence of float, optional
        AB magnitude of one flux unit, one for all bands or one for each. By
        default the images are in the card's flux unit.
    pixel_scale_arcsec : float, optional
        Side of a pixel of the images; by default it is the card's.

    Returns
    -------
    Conversion

    Raises
    ------
    InputError
        If a band is not on the card or named twice, the pixel scale is another,
        or the zero points are not one a band.
    """
    names = card.band_names if bands is None else tuple(bands)
    _check_bands(names, card)
    _check_pixel_scale(pixel_scale_arcsec, card)
    places = tuple(card.band_names.index(name) for name in names)
    return Conversion(names, places, len(card.bands), _flux_factors(names, zero_points_mag, card))


def _check_bands(names: tuple[str, ...], card: Card) -> None:
    if not names or len(set(names)) < len(names):
        raise InputError(f"bands must be some of {', '.join(card.band_names)}, each once, got {list(names)}")
    if not set(names) <= set(card.band_names):
        raise InputError(
            f"detector {card.name} takes the bands {', '.join(card.band_names)} or some of them, "
            f"got {', '.join(names)}: train one for these bands"
        )


def _check_pixel_scale(pixel_scale_arcsec: float | None, card: Card) -> None:
    if pixel_scale_arcsec is None:
        return
    if not abs(pixel_scale_arcsec / card.pixel_scale_arcsec - 1) <= PIXEL_SCALE_TOLERANCE:
        raise InputError(
            f"detector {card.name} takes pixels of {card.pixel_scale_arcsec} arcsec, got {pixel_scale_arcsec} arcsec: "
            "resample the images, or train one for this scale"
        )


def _flux_factors(names: tuple[str, ...], zero_points_mag, card: Card) -> np.ndarray:
    if zero_points_mag is None:
        return np.ones(len(names), np.float32)
    zero_points_mag = np.asarray(zero_points_mag, dtype=float)
    if zero_points_mag.shape not in ((), (len(names),)) or not np.all(np.isfinite(zero_points_mag)):
        raise InputError(
            f"zero points must be one finite number, or one for each of {', '.join(names)}, "
            f"got {zero_points_mag.tolist()}"
        )
    own = [card.bands[card.band_names.index(name)].zero_point_mag for name in names]
    given = np.broadcast_to(zero_points_mag, len(names)).tolist()
    return ImageProperties(names, tuple(given), card.pixel_scale_arcsec).flux_factors(own)


def missing_bands(card: Card, bands: Iterable[str]) -> tuple[str, ...]:
    """Bands of the card that some images do not have.

    Parameters
    ----------
    card : Card
        Of the detector.
    bands : iterable of str
        Bands of the images.

    Returns
    -------
    tuple of str
        In the card's order.
    """
    bands = set(bands)
    return tuple(name for name in card.band_names if name not in bands)


def check_cutouts(cutouts, *, size: int, bands: tuple[str, ...]) -> np.ndarray:
    """Cutouts as an array of numbers of the right shape.

    Parameters
    ----------
    cutouts : array
        Any numbers.
    size : int
        Height and width that they must have, in pixels.
    bands : tuple of str
        Bands that they must have.

    Returns
    -------
    ndarray
        ``(n, size, size, band)``, of the type that came.

    Raises
    ------
    InputError
        If the shape is another, or they are no numbers.
    """
    cutouts = np.asarray(cutouts)
    if cutouts.ndim != 4 or cutouts.shape[1:] != (size, size, len(bands)):
        raise InputError(
            f"cutouts must be (n, {size}, {size}, {len(bands)}) in the bands {', '.join(bands)}, got {cutouts.shape}: "
            "crop or pad them, and name their bands"
        )
    if cutouts.dtype.kind not in "iuf":
        raise InputError(f"cutouts must be real numbers, got {cutouts.dtype}: convert them to float32")
    return cutouts
