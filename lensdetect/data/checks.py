"""Bad pixels, false colours and blank cutouts: what every block is checked for."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from lensdetect.data.frame import Frame, Notes
from lensdetect.images.nodata import erase_no_data
from lensdetect.images.plausible import MOST_SIGMA, absurd, may_be_absurd

#: Share of the pixels of a band that may be bad without a flag.
MASKED_SHARE = 0.05


def check(block: np.ndarray, notes: Notes, *, frame: Frame) -> None:
    """Turn bad pixels into NaN and note what is wrong with each cutout.

    The rule for two bands with the same bytes: nothing in the file tells which
    of the two is true, so neither is taken away. The cutout is kept and scored,
    with colours that are false, flagged ``identical_bands``, and its reason
    names the bands.

    No data are NaN and infinity, the survey's masked value, and what is absurd
    (``lensdetect.images.plausible``): the last flags a cutout from the first pixel on.

    Parameters
    ----------
    block : ndarray
        float32 ``(n, band, size, size)``, changed in place. Refused cutouts
        become NaN in all bands.
    notes : Notes
        Notes on the block, added to.
    frame : Frame
        Form of the cutouts.
    """
    block[notes.refused] = np.nan
    good = np.flatnonzero(~notes.refused)
    masked = _mask(block, frame.survey.masked_value, notes=notes, frame=frame) - notes.outside
    given = frame.size**2 - notes.outside
    gone = masked == given
    for row in good[gone[good].all(axis=1)]:
        notes.add(row, "blank", text="no data in any band: NaN, or one value throughout")
    for row, plane in np.argwhere((masked > MASKED_SHARE * given) & ~notes.refused[:, None]):
        share = 100 * masked[row, plane] / given[row, plane]
        notes.add(row, "masked", text=f"{frame.names([plane])}: {share:.1f} % of the pixels are masked or not finite")
        if gone[row, plane]:
            notes.add(row, "missing_band", text=f"{frame.names([plane])}: no data")
    _find_identical(block, notes, frame=frame, usable=masked < given)


def _mask(block: np.ndarray, masked_value: float | None, *, notes: Notes, frame: Frame) -> np.ndarray:
    # Number of NaN in each plane, (n, band). The range of the pixels tells most planes clean without a
    # second look: neither endless nor absurd, nor with a 0, nor all alike.
    with np.errstate(invalid="ignore"):
        low, high = block.min(axis=(2, 3)), block.max(axis=(2, 3))
    suspicious = may_be_absurd(block, np.maximum(-low, high)) | _have_zeros(block) | (low == high)
    if masked_value is not None:
        suspicious |= (low <= masked_value) & (masked_value <= high)
    counts = np.zeros(block.shape[:2], np.int64)
    places = np.nonzero(suspicious)
    images = block[places]
    images[~np.isfinite(images)] = np.nan
    erase_no_data(images, masked_value=masked_value)
    # what was masked may have made the peak: only what is left tells
    for number in np.flatnonzero(may_be_absurd(images, np.fmax.reduce(np.abs(images), axis=(1, 2)))):
        wild = absurd(images[number])
        if wild.any():
            images[number][wild] = np.nan
            row, plane = places[0][number], places[1][number]
            text = f"{frame.names([plane])}: {np.count_nonzero(wild)} pixels beyond {MOST_SIGMA:.0e} times the noise"
            notes.add(row, "masked", text=text)
    block[places] = images
    counts[places] = [np.count_nonzero(bad) for bad in np.isnan(images)]
    return counts


def _have_zeros(block: np.ndarray) -> np.ndarray:
    # Which planes hold one, (n, band); a cutout at a time, which stays in the processor's caches.
    zero = np.empty(block.shape[1:], bool)
    return np.array([np.equal(planes, 0.0, out=zero).any(axis=(1, 2)) for planes in block]).reshape(block.shape[:2])


def _find_identical(block: np.ndarray, notes: Notes, *, frame: Frame, usable: np.ndarray) -> None:
    # Compared as bytes, NaN too. Equal planes have equal middle rows: only where
    # those agree is the whole looked at.
    pairs = np.array(list(combinations(range(block.shape[1]), 2)), int).reshape(-1, 2)
    bits = block.view(np.uint32)
    middle = bits[:, :, frame.size // 2]
    alike = (middle[:, pairs[:, 0]] == middle[:, pairs[:, 1]]).all(axis=-1) & usable[:, pairs].all(axis=-1)
    for row, pair in np.argwhere(alike & ~notes.refused[:, None]):
        one, other = pairs[pair]
        if np.array_equal(bits[row, one], bits[row, other]):
            notes.add(row, "identical_bands", text=f"{frame.names([one, other])} hold the same bytes")
