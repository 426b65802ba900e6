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
    # Number of NaN in each plane, (n, band). The range of the sizes of its pixels tells most planes clean without a
    # second look: neither endless nor absurd, nor 0, nor all alike.
    sizes = np.abs(block)
    low, high = sizes.min(axis=(2, 3)), sizes.max(axis=(2, 3))
    suspicious = may_be_absurd(block, high) | (low == 0.0) | (low == high)
    if masked_value is not None:
        suspicious |= (low <= abs(masked_value)) & (abs(masked_value) <= high)
    counts = np.zeros(block.shape[:2], np.int64)
    for row, plane in np.argwhere(suspicious):
        image = block[row, plane]
        image[~np.isfinite(image)] = np.nan
        erase_no_data(image[None], masked_value=masked_value)
        wild = absurd(image)
        if wild.any():
            image[wild] = np.nan
            text = f"{frame.names([plane])}: {np.count_nonzero(wild)} pixels beyond {MOST_SIGMA:.0e} times the noise"
            notes.add(row, "masked", text=text)
        counts[row, plane] = np.count_nonzero(np.isnan(image))
    return counts


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
