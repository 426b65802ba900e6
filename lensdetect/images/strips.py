"""Many cutouts of one image, strip of rows by strip of rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lensdetect.images.pixels import Rows

#: Rows of a strip, beside those that its cutouts reach beyond it.
_STRIP_ROWS = 1024


@dataclass(frozen=True)
class Place:
    """Where cutouts are in the tile's frame.

    Parameters
    ----------
    left, bottom : ndarray
        int64 ``(n,)``: first column and row; may lie outside.
    size : int
        Side in pixels.
    """

    left: np.ndarray
    bottom: np.ndarray
    size: int

    @classmethod
    def around(cls, x_pix: np.ndarray, y_pix: np.ndarray, *, size: int) -> Place:
        """Cutouts with a position in their middle pixel (of an even size: at its lower left corner's)."""
        return cls(*(np.floor(value - 0.5 * (size - 1) + 0.5).astype(np.int64) for value in (x_pix, y_pix)), size)

    def __len__(self) -> int:
        """Number of cutouts."""
        return len(self.left)


def cut_plane(rows: Rows, place: Place, *, fill: float, dtype: type = np.float32) -> tuple[np.ndarray, np.ndarray]:
    """Cut one image.

    Parameters
    ----------
    rows : Rows
    place : Place
    fill : float
        Value of pixels outside the image.
    dtype : type
        Of the result; float32 holds no bits from 24 on.

    Returns
    -------
    planes : ndarray
        ``(n, size, size)``, in the order of ``place``.
    inside : ndarray
        float ``(n,)``: part of each cutout that lies in the image.
    """
    height, width = rows.image.shape
    left, bottom, size = place.left - rows.image.x_offset_pix, place.bottom - rows.image.y_offset_pix, place.size
    order = np.argsort(bottom, kind="stable")
    strips = np.split(order, np.flatnonzero(np.diff(bottom[order] // _STRIP_ROWS)) + 1) if len(order) else []
    inside = _inside(left, width, size) * _inside(bottom, height, size)
    # cut in the bytes of the disk, so that they are turned around once and not pixel by pixel
    raw: np.ndarray | None = None
    for members in strips:
        first, stop = max(int(bottom[members[0]]), 0), min(int(bottom[members[-1]]) + size, height)
        if first >= stop:
            continue
        strip = rows.read(first, stop)
        if raw is None:
            raw = np.empty((len(place), size, size), strip.dtype)
            raw[inside < 1.0] = 0
        _cut_strip(strip, raw, members, left=left, bottom=bottom - first)
    planes = np.empty((len(place), size, size), dtype)
    planes[...] = fill if raw is None else raw
    # only now: an image of whole numbers has no NaN
    for row in np.flatnonzero(inside < 1.0):
        planes[row, _outside(bottom[row], height, size)] = fill
        planes[row, :, _outside(left[row], width, size)] = fill
    return planes, inside


def _cut_strip(strip: np.ndarray, out: np.ndarray, members: np.ndarray, *, left: np.ndarray, bottom: np.ndarray):
    """Copy the pixels of some cutouts out of a strip, whose first row is row 0."""
    height, width = strip.shape
    size = out.shape[1]
    for number, x, y in zip(members.tolist(), left[members].tolist(), bottom[members].tolist(), strict=True):
        if x >= 0 and y >= 0 and x + size <= width and y + size <= height:
            out[number] = strip[y : y + size, x : x + size]
            continue
        low_x, high_x, low_y, high_y = max(x, 0), min(x + size, width), max(y, 0), min(y + size, height)
        if low_x < high_x and low_y < high_y:
            out[number, low_y - y : high_y - y, low_x - x : high_x - x] = strip[low_y:high_y, low_x:high_x]


def _inside(first: np.ndarray, length: int, size: int) -> np.ndarray:
    """Part of a span of pixels that lies within a side."""
    return np.clip(np.minimum(first + size, length) - np.maximum(first, 0), 0, size) / size


def _outside(first: int, length: int, size: int) -> np.ndarray:
    """Which pixels of a span are beyond a side."""
    pixels = np.arange(first, first + size)
    return (pixels < 0) | (pixels >= length)
