"""Bands that do not lie on each other.

That an object's centroid is elsewhere in one band tells nothing: the blue arcs
of a lens, a companion or a knot do the same. But what such light changes is
not what a shift changes. So an object in one band is fitted by the same object
in the others, shifted and not, and the shift has to explain what is different.
"""

from __future__ import annotations

import numpy as np

from lensdetect.search.quality.binning import smooth
from lensdetect.search.quality.planes import Planes

#: Half the side of the window in which an object is compared between bands, and standard deviation of its weights.
_HALF_PIX, _WEIGHT_PIX = 4, 2.4

#: Farthest that a first guess moves the others by, in whole pixels.
_MOST_PIX = 2

#: Centroid in a band less that in all, from which the middle is worth a second look, in pixels and in standard
#: deviations: a shifted object is moved less in a window that stays.
_SUSPECT_PIX, _SUSPECT_NOISE = 0.18, 3.0

#: Light of nine pixels over all bands, in sigma of one pixel of the mean, from which something is an object, and
#: the most of them that are compared.
_OBJECT_SIGMA, _MOST_OBJECTS = 2.0, 8

#: Largest error of a shift that is a fault, and its least length over three errors, in pixels.
_CLEAR_PIX, _SHIFT_PIX = 0.2, 0.43

#: Part that the shift explains of what is different beyond noise. The noise that pixels of one object have in common
#: is taken off by half: it is known that badly. Of simulated lenses without a fault 4 in 1800 reach 0.85 (two images
#: of a point, one of them blended with the deflector), and 1 reaches 0.9.
_EXPLAINED, _NOISE_SHARE = 0.9, 0.5

#: Largest error of a shift that has a vote; two agree that differ by less than half of the fault or by three errors,
#: which are no smaller than what the shapes of galaxies do.
_VOTE_PIX, _FLOOR_PIX = 0.35, 0.15

_AXIS = np.arange(-_HALF_PIX, _HALF_PIX + 1)
_WEIGHT = np.exp(-0.5 * (_AXIS[:, None] ** 2 + _AXIS**2) / _WEIGHT_PIX**2).ravel()


def find_misaligned(planes: Planes) -> np.ndarray:
    """Cutouts in one band of which an object is shifted, and no others say that it is not.

    Parameters
    ----------
    planes : Planes

    Returns
    -------
    ndarray
        bool ``(n,)``; False where no object is bright enough to tell.
    """
    found = np.zeros(len(planes.sky), bool)
    if planes.sky.shape[1] < 2:
        return found
    rows = np.flatnonzero(_centroids_differ(planes))
    if len(rows):
        z = planes.over_sky(rows)
        numbers, y, x = _objects(z, _gone(planes, rows))
        if len(numbers):
            shift, error, explained = _shifts(_windows(z, numbers, y, x))
            for number in np.unique(numbers):
                here = numbers == number
                found[rows[number]] = _has_moved(shift[here], error[here], explained[here])
    return found


def _centroids_differ(planes: Planes) -> np.ndarray:
    """Whether what is in the middle has its centroid elsewhere in some band."""
    half = _HALF_PIX + 2
    axis = np.arange(-half, half + 1)
    z = planes.middle(half).reshape(*planes.sky.shape, -1)
    weight = np.exp(-0.5 * (axis[:, None] ** 2 + axis**2) / _WEIGHT_PIX**2)
    moments = np.stack([weight, weight * axis, weight * axis[:, None]], axis=-1).reshape(-1, 3).astype(np.float32)
    light = z @ moments
    light = np.concatenate([light, light.sum(axis=1, keepdims=True)], axis=1)
    total = np.maximum(light[..., :1], 1e-6)
    centre = light[..., 1:] / total
    away = np.hypot(*np.moveaxis(centre[:, :-1] - centre[:, -1:], -1, 0))
    noise = np.sqrt(np.sum(moments[:, 1] ** 2)) / total[:, :-1, 0]
    return (away > np.maximum(_SUSPECT_PIX, _SUSPECT_NOISE * noise)).any(axis=1)


def _gone(planes: Planes, rows: np.ndarray) -> np.ndarray:
    """Where a band has no pixel that has some elsewhere ``(rows, height, width)``."""
    missing = np.zeros((len(rows), *planes.pixels.shape[2:]), bool)
    for number in np.flatnonzero((planes.holed & planes.live)[rows].any(axis=1)):
        bands = planes.live[rows[number]]
        missing[number] = ~np.isfinite(planes.pixels[rows[number], bands]).all(axis=0)
    return missing


def _objects(z: np.ndarray, gone: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Number of the cutout, row and column of the brightest peaks of each, away from edges and gaps."""
    nine = smooth(z.mean(axis=1))
    edge = _HALF_PIX + _MOST_PIX + 1
    bright = np.zeros(nine.shape, bool)
    bright[:, edge:-edge, edge:-edge] = nine[:, edge:-edge, edge:-edge] > _OBJECT_SIGMA
    numbers, y, x = np.nonzero(bright)
    here = nine[numbers, y, x]
    peak = np.ones(len(here), bool)
    for down, right in ((-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1)):
        peak &= here >= nine[numbers, y + down, x + right]
    order = np.flatnonzero(peak)
    order = order[np.lexsort((-here[order], numbers[order]))]
    kept: list[int] = []
    for one in order:
        window = gone[numbers[one], y[one] - edge + 1 : y[one] + edge, x[one] - edge + 1 : x[one] + edge]
        others = [two for two in kept if numbers[two] == numbers[one]]
        # of two whose windows overlap the brighter
        near = any(max(abs(y[one] - y[two]), abs(x[one] - x[two])) <= 2 * _HALF_PIX for two in others)
        if len(others) < _MOST_OBJECTS and not near and not window.any():
            kept.append(int(one))
    return numbers[kept], y[kept], x[kept]


def _windows(z: np.ndarray, numbers: np.ndarray, y: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Pixels around objects ``(object, band, side, side)``, with those that a shift brings in."""
    reach = _HALF_PIX + _MOST_PIX + 1
    axis = np.arange(-reach, reach + 1)
    rows, columns = y[:, None] + axis, x[:, None] + axis
    return z[numbers[:, None, None], :, rows[:, :, None], columns[:, None, :]].transpose(0, 3, 1, 2).astype(float)


def _shifts(windows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Shift of each object in each band against the sum of the others.

    To first order a shifted image is the other less the shift times its slope,
    so that both follow from a linear fit, which is made again where the others
    are moved by what it gives in whole pixels.

    Parameters
    ----------
    windows : ndarray
        ``(object, band, side, side)``, in sigma.

    Returns
    -------
    shift : ndarray
        ``(object, band, 2)``, along y and x, in pixels.
    error : ndarray
        ``(object, band)``, in pixels; infinite where the band shows nothing.
    explained : ndarray
        ``(object, band)``: part of what is different beyond noise that is not without the shift.
    """
    count, bands, side, _ = windows.shape
    others = (windows.sum(axis=1, keepdims=True) - windows).reshape(-1, side, side)
    margin = _MOST_PIX + 1
    image = windows[..., margin:-margin, margin:-margin].reshape(count * bands, -1, 1)
    moved = np.zeros((len(others), 2), int)
    design = _design(others, moved)
    left_alone = _fit(design[:, :3], image)[2]
    guess, error, _, _ = _moved_by(design, image, moved)
    moved = np.where(np.isfinite(error)[:, None], np.clip(np.rint(guess), -_MOST_PIX, _MOST_PIX), 0.0).astype(int)
    shift, error, left, ratio = _moved_by(_design(others, moved), image, moved)
    noise = _NOISE_SHARE * _WEIGHT.sum() * (1.0 + (bands - 1) * ratio**2)
    # a third of it is a difference even where noise is larger
    explained = (left_alone - left) / np.maximum(left_alone - noise, 0.3 * left_alone + 1e-9)
    return shift.reshape(count, bands, 2), error.reshape(count, bands), explained.reshape(count, bands)


def _design(others: np.ndarray, moved: np.ndarray) -> np.ndarray:
    """Images moved by whole pixels, their curvatures, a constant, and their slopes ``(image, 5, pixel)``."""
    middle = _HALF_PIX + _MOST_PIX + 1
    images = np.arange(len(others))[:, None, None]
    rows = (middle + _AXIS)[None, :, None] - moved[:, 0, None, None]
    columns = (middle + _AXIS)[None, None, :] - moved[:, 1, None, None]
    here, down, up = (others[images, rows + step, columns] for step in (0, -1, 1))
    left, right = (others[images, rows, columns + step] for step in (-1, 1))
    # seeing that differs between bands changes the curvature
    curved = down + up + left + right - 4.0 * here
    parts = [here, curved, np.ones_like(here), 0.5 * (up - down), 0.5 * (right - left)]
    return np.stack(parts, axis=1).reshape(len(others), len(parts), -1)


def _fit(design: np.ndarray, image: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Weighted least squares: factors, their covariances and what is left."""
    weighted = design * _WEIGHT
    normal = weighted @ design.swapaxes(-1, -2)
    normal += 1e-8 * np.trace(normal, axis1=-2, axis2=-1)[:, None, None] * np.eye(design.shape[1])
    normal += 1e-12 * np.eye(design.shape[1])
    inverse = np.linalg.inv(normal)
    factors = inverse @ (weighted @ image)
    left = (image - design.swapaxes(-1, -2) @ factors)[..., 0]
    return factors[..., 0], inverse, (_WEIGHT * left**2).sum(axis=-1)


def _moved_by(design: np.ndarray, image: np.ndarray, moved: np.ndarray) -> tuple[np.ndarray, ...]:
    """Shift, error, what is left, and flux over that of the others."""
    factors, inverse, left = _fit(design, image)
    known = factors[:, 0] > 1e-6
    ratio = np.where(known, factors[:, 0], 1.0)
    error = np.sqrt(2.0 * np.maximum(inverse[:, 3, 3], inverse[:, 4, 4])) / ratio
    return moved - factors[:, 3:] / ratio[:, None], np.where(known, error, np.inf), left, ratio


def _has_moved(shift: np.ndarray, error: np.ndarray, explained: np.ndarray) -> bool:
    """Whether the clearest shift of a cutout's objects is a fault: no more objects are against it than for it."""
    length = np.hypot(shift[..., 0], shift[..., 1])
    clear = (error < _CLEAR_PIX) & (explained > _EXPLAINED) & (length < _MOST_PIX + 1.0)
    length = np.where(clear, length - 3.0 * np.where(clear, error, 0.0), 0.0)
    one, band = np.unravel_index(length.argmax(), length.shape)
    if length[one, band] < _SHIFT_PIX:
        return False
    votes = error[:, band] < _VOTE_PIX
    shift, error = shift[votes, band] - shift[one, band], np.hypot(error[votes, band], _FLOOR_PIX)
    agree = np.hypot(*shift.T) <= np.maximum(0.5 * length[one, band], 3.0 * error)
    return bool(np.count_nonzero(~agree) < np.count_nonzero(agree))
