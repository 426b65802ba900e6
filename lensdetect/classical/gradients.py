"""Histograms of oriented gradients of each band, as ALL-star takes them.

Avestruz+ 2019 (ApJ 877, 58) and Metcalf+ 2019 (A&A 625 A119). The settings for
each band are those of the entry itself, read from the configuration that its
authors published with it (github.com/cavestruz/ALLPipeline, ground-based
submission ``Band-all-avg-mask-train-on-all``).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lensdetect.classical.blanks import fill_blanks
from lensdetect.classical.extra import image_module


@dataclass(frozen=True)
class HogSettings:
    """How the gradients of one band are counted.

    Parameters
    ----------
    orientations : int
        Bins of direction.
    cell_pix : int
        Side of a cell.
    block_cells : int
        Side of a block, in cells, within which a histogram is normalised.
    """

    orientations: int
    cell_pix: int
    block_cells: int


HOG_SETTINGS = {
    "r": HogSettings(6, 16, 1),
    "i": HogSettings(5, 16, 4),
    "g": HogSettings(6, 8, 3),
    "u": HogSettings(6, 16, 3),
}
#: For bands that the challenge did not have.
_OTHER_BAND = HogSettings(6, 16, 3)


def band_gradients(cutouts: np.ndarray, bands: tuple[str, ...]) -> np.ndarray:
    """Features of ALL-star: the histograms of all bands, one after the other.

    Parameters
    ----------
    cutouts : ndarray
        ``(n, height, width, band)``, NaN where bad; 16 pixels or more a side.
    bands : tuple of str
        Names of the bands, in order.

    Returns
    -------
    ndarray
        float32 ``(n, feature)``.
    """
    filled = fill_blanks(cutouts)
    rows = []
    for image in filled:
        planes = (
            _histogram(image[..., number], HOG_SETTINGS.get(name, _OTHER_BAND)) for number, name in enumerate(bands)
        )
        rows.append(np.concatenate(list(planes)))
    return np.asarray(rows, np.float32)


def _histogram(image: np.ndarray, settings: HogSettings) -> np.ndarray:
    hog = image_module("skimage.feature").hog
    cell = settings.cell_pix
    # Images smaller than the challenge's have fewer cells than a block.
    block = min(settings.block_cells, *(side // cell for side in image.shape))
    return hog(
        _contrast(image),
        orientations=settings.orientations,
        pixels_per_cell=(cell, cell),
        cells_per_block=(block, block),
        # scikit-image's own default when the entry was made.
        block_norm="L1",
    )


def _contrast(image: np.ndarray) -> np.ndarray:
    """Clip below, normalise, take the logarithm, scale to a maximum of 1."""
    clipped = np.maximum(image, image.mean() - image.std(), dtype=np.float64)
    # Not np.linalg.norm: of so many pixels it asks BLAS, whose threads wait for each other for milliseconds.
    length = np.sqrt(np.square(clipped).sum())
    if length == 0:
        return clipped
    logarithm = np.log1p(clipped / length)
    return logarithm / np.abs(logarithm).max()
