"""Where an image is on the sky, how large it is, and what is cut from it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from astropy.io import fits
from astropy.wcs import WCS
from astropy.wcs.utils import proj_plane_pixel_scales

from lensdetect.errors import InputError
from lensdetect.images.nodata import erase_no_data
from lensdetect.simulation.painting.images import ImageSet, PlaneAt, image_at, read_pixels
from lensdetect.survey import Survey

#: By how much the pixel scale of an image may differ from its survey's.
_SCALE_TOLERANCE = 0.02

#: Images with a longer side are sampled: this many blocks of this side, along each axis.
_WHOLE_PIX, _BLOCKS, _BLOCK_PIX = 1024, 6, 128


@dataclass(frozen=True)
class Frame:
    """Size and position of the images of one set.

    Parameters
    ----------
    height, width : int
        In pixels.
    wcs : WCS or None
        Celestial coordinates, where the header has them.
    """

    height: int
    width: int
    wcs: WCS | None

    def pixel_of(self, ra_deg: float, dec_deg: float) -> tuple[float, float] | None:
        """Pixel (x, y, counted from 0) of a position, or None outside."""
        if self.wcs is None:
            return None
        x, y = (float(value) for value in self.wcs.all_world2pix([[ra_deg, dec_deg]], 0, quiet=True)[0])
        # the other side of the sky can project to a pixel too
        if not (-0.5 <= x < self.width - 0.5 and -0.5 <= y < self.height - 0.5):
            return None
        back = self.wcs.all_pix2world([[x, y]], 0)[0]
        return (x, y) if abs(back[1] - dec_deg) < 1e-3 else None

    def inside_pix(self, x: float, y: float) -> float:
        """Distance from the nearest edge."""
        return min(x, y, self.width - 1 - x, self.height - 1 - y)


def read_frame(images: ImageSet, survey: Survey) -> Frame:
    """Frame of a set of images, which must be one for all bands.

    Parameters
    ----------
    images : ImageSet
    survey : Survey

    Returns
    -------
    Frame

    Raises
    ------
    InputError
        If a file cannot be read, or bands differ in size.
    """
    sizes = {}
    wcs = None
    for band, place in zip(survey.band_names, images.planes, strict=True):
        if place is None:
            continue
        image = image_at(place)
        sizes[band] = image.shape[-2:]
        if wcs is None:
            wcs = _wcs(image.wcs_header)
    if len(set(sizes.values())) > 1:
        raise InputError(f"{images.path}: all bands must be of one size, got {sizes}: cut them alike")
    height, width = next(iter(sizes.values()))
    return Frame(height, width, wcs)


def check_scale(frame: Frame, survey: Survey) -> None:
    """Refuse an image whose pixels are not those of its declared survey.

    Parameters
    ----------
    frame : Frame
        Without celestial coordinates there is nothing to compare.
    survey : Survey

    Raises
    ------
    InputError
        With both pixel scales.
    """
    if frame.wcs is None:
        return
    scale = math.sqrt(float(np.prod(proj_plane_pixel_scales(frame.wcs)))) * 3600.0
    if abs(scale / survey.pixel_scale_arcsec - 1.0) > _SCALE_TOLERANCE:
        raise InputError(
            f"a pixel of survey {survey.name} must be {survey.pixel_scale_arcsec} arcsec wide, got {scale:.4g} arcsec: "
            "declare the survey that the image is from"
        )


def _wcs(header: str) -> WCS | None:
    cards = fits.Header.fromstring(header)
    if not str(cards.get("CTYPE1", "")).upper().startswith("RA"):
        return None
    return WCS(cards, naxis=2)


def sample(place: PlaneAt, height: int, width: int) -> np.ndarray:
    """Pixels of which the sky is measured: all of an image, of a large one 36 blocks all over it.

    Parameters
    ----------
    place : PlaneAt
    height, width : int
        Of the image.

    Returns
    -------
    ndarray
        float32, without exact zeros, which no exposure reached.

    Raises
    ------
    InputError
        If the file cannot be read.
    """
    if max(height, width) <= _WHOLE_PIX:
        values = read_pixels(place, slice(0, height), slice(0, width))
    else:
        starts = [np.linspace(0, side - _BLOCK_PIX, _BLOCKS).astype(int) for side in (height, width)]
        values = np.concatenate(
            [
                read_pixels(place, slice(row, row + _BLOCK_PIX), slice(column, column + _BLOCK_PIX)).ravel()
                for row in starts[0]
                for column in starts[1]
            ]
        )
    return values[values != 0.0]


@dataclass(frozen=True)
class Corner:
    """First pixel of a cutout, and where its galaxy is from the middle.

    Parameters
    ----------
    left, bottom : int
        In pixels of the image; may be outside it.
    x_pix, y_pix : float
        Rest of the position after whole pixels, within half a pixel.
    """

    left: int
    bottom: int
    x_pix: float
    y_pix: float


def corner_of(x: float, y: float, *, size: int) -> Corner:
    """Cutout of some size around a position (pixels counted from 0)."""
    left, bottom = (math.floor(value - 0.5 * (size - 1) + 0.5) for value in (x, y))
    return Corner(left, bottom, x - left - 0.5 * (size - 1), y - bottom - 0.5 * (size - 1))


def cut(planes: tuple[PlaneAt | None, ...], frame: Frame, *, corner: Corner, size: int, survey: Survey) -> np.ndarray:
    """Cut an object out of its images.

    What is not finite, and what ``images.nodata`` takes for no data, becomes NaN.

    Parameters
    ----------
    planes : tuple of PlaneAt or None
        In the order of the survey's bands.
    frame : Frame
    corner : Corner
    size : int
        Side of the cutout.
    survey : Survey

    Returns
    -------
    ndarray
        float32 ``(size, size, band)``, NaN outside the image and in missing bands.

    Raises
    ------
    InputError
        If a file cannot be read.
    """
    pixels = np.full((size, size, len(planes)), np.nan, np.float32)
    low_x, high_x = max(corner.left, 0), min(corner.left + size, frame.width)
    low_y, high_y = max(corner.bottom, 0), min(corner.bottom + size, frame.height)
    if low_x >= high_x or low_y >= high_y:
        return pixels
    window = slice(low_y - corner.bottom, high_y - corner.bottom), slice(low_x - corner.left, high_x - corner.left)
    for number, place in enumerate(planes):
        if place is not None:
            pixels[*window, number] = read_pixels(place, slice(low_y, high_y), slice(low_x, high_x))
    erase_no_data(np.moveaxis(pixels, -1, 0), masked_value=survey.masked_value)
    pixels[~np.isfinite(pixels)] = np.nan
    return pixels
