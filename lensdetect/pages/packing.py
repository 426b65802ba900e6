"""Cutouts packed for a browser: as exact as their noise deserves, and a fifth of their size."""

from __future__ import annotations

import struct
import zlib

import numpy as np

from lensdetect.errors import InputError

#: Steps of the packed values in one sigma of the noise.
STEPS_PER_SIGMA = 8
_MAGIC = b"LDC1"
_HEADER = struct.Struct("<4sHHHH")
#: Bytes of one code in the body.
_CODE_BYTES = 4
#: Of the brightest pixel, where there is no noise to be measured.
_STEPS_WITHOUT_NOISE = 2.0**16
#: No value is more steps than this from 0, so that its code fits.
_MOST_STEPS = 2.0**29
#: Longest side of a cutout that the header holds.
_MOST_PIXELS = 65_535


def pack_cutout(cutout) -> bytes:
    """Pack a cutout for ``viewer.js``.

    Each band is rounded to whole steps of an eighth of its noise, so a value is
    off by at most a sixteenth of sigma, and the noise of what is unpacked is
    0.07 % larger (a uniform error adds step**2 / 12 to the variance). Noise is
    measured as 1.4826 times the median of the absolute differences of neighbours
    in a row, over the square root of 2: galaxies hardly touch it, and noise that
    is correlated makes it, and with it the error, only smaller. Where the
    brightest pixel is above 2**29 steps, the step is that part of it, less than
    float32 resolves. NaN stays NaN; infinities become NaN.

    Parameters
    ----------
    cutout : array_like
        ``(height, width, band)`` in any unit of flux.

    Returns
    -------
    bytes
        ``LDC1``, then height, width, bands and 0 as little-endian uint16, the
        step of each band as little-endian float32, and the codes, deflated in
        the format of zlib. Codes are uint32, 0 for NaN, else 1 + 2 k for k and
        2 |k| for -|k| steps; of each band in turn first the lowest bytes of
        all pixels, row by row, then the next lowest, and so on.

    Raises
    ------
    InputError
        If it is no array of three axes, or larger than 65,535 along one.
    """
    cutout = np.asarray(cutout, dtype=np.float32)
    if cutout.ndim != 3 or max(cutout.shape) > _MOST_PIXELS or not cutout.size:
        raise InputError(
            f"a cutout to pack must be (height, width, band) of 1 to {_MOST_PIXELS:,} each, got {cutout.shape}: "
            "give one cutout at a time"
        )
    planes = np.ascontiguousarray(np.moveaxis(cutout, -1, 0))
    steps = np.array([_step(plane) for plane in planes], "<f4")
    codes = np.stack([_codes(plane, step) for plane, step in zip(planes, steps, strict=True)])
    # high bytes are nearly all 0: together they deflate to nothing
    parted = np.moveaxis(codes.astype("<u4").view(np.uint8).reshape(*codes.shape, _CODE_BYTES), -1, 1)
    return _HEADER.pack(_MAGIC, *cutout.shape, 0) + steps.tobytes() + _deflated(parted.tobytes())


def unpack_cutout(packed: bytes) -> np.ndarray:
    """Unpack what ``pack_cutout`` packed; what was rounded stays so.

    Parameters
    ----------
    packed : bytes

    Returns
    -------
    ndarray
        float32 ``(height, width, band)``.

    Raises
    ------
    InputError
        If it is anything else, or was cut short.
    """
    try:
        magic, height, width, bands, _ = _HEADER.unpack_from(packed)
        steps = np.frombuffer(packed, "<f4", bands, _HEADER.size)
        size = bands * height * width * _CODE_BYTES
        # no more is inflated than the header promises
        body = zlib.decompressobj().decompress(packed[_HEADER.size + steps.nbytes :], size + 1)
    except (struct.error, ValueError, zlib.error) as error:
        raise _damaged(str(error)) from error
    if magic != _MAGIC or len(body) != size:
        raise _damaged(f"{magic!r} and {len(body):,} bytes for {size:,}")
    parted = np.frombuffer(body, np.uint8).reshape(bands, _CODE_BYTES, height, width)
    codes = np.ascontiguousarray(np.moveaxis(parted, 1, -1)).view("<u4")[..., 0].astype(np.int64)
    counts = np.where((codes - 1) & 1, -(codes >> 1), codes >> 1)
    values = (counts * steps[:, None, None].astype(np.float64)).astype(np.float32)
    values[codes == 0] = np.nan
    return np.ascontiguousarray(np.moveaxis(values, 0, -1))


def _deflated(body: bytes) -> bytes:
    # noise repeats itself nowhere: there are runs of zeros in the high bytes, and values that are rarer than others
    packer = zlib.compressobj(strategy=zlib.Z_RLE)
    return packer.compress(body) + packer.flush()


def _damaged(what: str) -> InputError:
    return InputError(f"a packed cutout must be as pack_cutout made it, got {what}: pack it again")


def _step(plane: np.ndarray) -> float:
    """Step of the values of a plane ``(height, width)``."""
    finite = np.abs(plane[np.isfinite(plane)], dtype=np.float64)
    peak = float(finite.max(initial=0.0))
    alike = not finite.size or finite.min() == peak
    wanted = _noise(plane) / STEPS_PER_SIGMA or (peak or 1.0 if alike else peak / _STEPS_WITHOUT_NOISE)
    # float32 has no smaller normal number
    return max(wanted, peak / _MOST_STEPS, float(np.finfo(np.float32).tiny))


def _noise(plane: np.ndarray) -> float:
    """Noise sigma of a plane; 0 where all its pixels are alike, or none has a neighbour."""
    with np.errstate(invalid="ignore"):
        apart = np.abs(np.diff(plane.astype(np.float64), axis=1))
    apart = apart[np.isfinite(apart)]
    if len(apart) and not np.median(apart):
        # half of it or more is filled with one value, which says nothing
        apart = apart[apart > 0]
    return float(1.4826 * np.median(apart) / np.sqrt(2.0)) if len(apart) else 0.0


def _codes(plane: np.ndarray, step: float) -> np.ndarray:
    """Codes of a plane, int64."""
    known = np.isfinite(plane)
    counts = np.rint(np.where(known, plane, 0.0) / np.float64(step)).astype(np.int64)
    return np.where(known, 1 + 2 * np.abs(counts) - (counts < 0), 0)
