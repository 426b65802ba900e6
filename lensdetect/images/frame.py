"""One frame for all images of a tile: its size, its place on the sky, its problems."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from lensdetect.errors import InputError
from lensdetect.images.headers import Plane, parse_wcs, scale_of
from lensdetect.images.pixels import Image
from lensdetect.images.tiles import Tile
from lensdetect.survey import Survey
from lensdetect.text import storable

#: By how much a whole number of pixels may be missed between two images of a tile.
_GRID_TOLERANCE_PIX = 0.2

#: By what factor the pixel scale of a header may differ from the survey's; beyond, it is a mistake.
_SCALE_FACTOR = 5.0

_Planes = dict[tuple[str, str], tuple[Path, Plane]]


def build_tile(
    name: str,
    planes: _Planes,
    survey: Survey,
    *,
    offsets_mag: dict[str, float],
    problem: str = "",
    needs_sky: bool = True,
    one_grid: bool = True,
) -> Tile:
    """Put the images of a tile together.

    Parameters
    ----------
    name : str
    planes : dict
        File and header of each image by (band, kind).
    survey : Survey
    offsets_mag : dict of str
        Corrections of zero points as headers name them.
    problem : str
        What is already known to be wrong.
    needs_sky : bool
        Whether a tile without world coordinates has a problem; else it has the
        pixel scale of the survey.
    one_grid : bool
        Whether its images must be on one grid of pixels; those of PSFs need not.

    Returns
    -------
    Tile
        With what is wrong as its ``problem``.
    """
    # the name goes into tables, which hold no letters of file names that are not UTF-8
    name, planes = storable(name), _for_each_band(planes, survey)
    images = {
        key: Image(str(path), plane.unit, plane.plane, plane.shape, mask_bits=plane.mask_bits)
        for key, (path, plane) in planes.items()
    }
    bands = [band for band in survey.band_names if (band, "sci") in planes]
    plain = {"missing_bands": tuple(band for band in survey.band_names if band not in bands)}
    if not bands:
        return Tile(name, images, **plain, problem=problem or f"{name} has no image of any band of {survey.name}")
    first = survey.reference_band if survey.reference_band in bands else bands[0]
    path, frame = planes[first, "sci"]
    plain |= {"shape": frame.shape, "wcs_header": frame.wcs_header}
    try:
        plain["pixel_scale_arcsec"] = survey.pixel_scale_arcsec
        if needs_sky or frame.wcs_header:
            plain["corners_deg"], plain["pixel_scale_arcsec"] = _place(path, frame, survey)
        if one_grid:
            images = {key: _on_frame(images[key], *planes[key], frame=frame) for key in images}
    except InputError as error:
        problem = problem or str(error)
    plain["zero_point_offset_mag"] = _offsets(planes, bands, survey, offsets_mag=offsets_mag)
    return Tile(name, images, **plain, problem=problem)


def _for_each_band(planes: _Planes, survey: Survey) -> _Planes:
    """Images by band; one of no band (a mask of all of them) is that of each which has none of its own."""
    found = {key: value for key, value in planes.items() if key[0]}
    for (none, kind), value in planes.items():
        for band in survey.band_names:
            if not none and (band, "sci") in found:
                found.setdefault((band, kind), value)
    return found


def _offsets(planes: _Planes, bands: list[str], survey: Survey, *, offsets_mag: dict[str, float]) -> dict[str, float]:
    """What is to be added to the magnitudes of each band."""
    found = {}
    for band in survey.select(bands):
        stated = planes[band.name, "sci"][1].zero_point_mag
        # a keyword has eight letters, so DMAG_ leaves three for a band
        found[band.name] = offsets_mag.get(band.name.upper()[:3], 0.0)
        found[band.name] += 0.0 if stated is None else stated - band.zero_point_mag
    return {band: offset for band, offset in found.items() if offset != 0.0}


def _place(path: Path, frame: Plane, survey: Survey) -> tuple[tuple[tuple[float, float], ...], float]:
    """Corners and pixel scale, or what is wrong with the world coordinates."""
    if not frame.wcs_header:
        raise InputError(f"{path}: world coordinates must be in its header, got none that can be read")
    wcs = parse_wcs(frame.wcs_header)
    scale = scale_of(frame.wcs_header)
    if not 1.0 / _SCALE_FACTOR <= scale / survey.pixel_scale_arcsec <= _SCALE_FACTOR:
        raise InputError(
            f"{path}: a pixel of survey {survey.name} must be about {survey.pixel_scale_arcsec} arcsec wide, "
            f"its world coordinates say {scale:.4g} arcsec"
        )
    height, width = frame.shape
    x = np.array([-0.5, width - 0.5, width - 0.5, -0.5])
    y = np.array([-0.5, -0.5, height - 0.5, height - 0.5])
    ra_deg, dec_deg = wcs.all_pix2world(x, y, 0)
    back = np.array(wcs.wcs_world2pix(*wcs.wcs_pix2world(x, y, 0), 0))
    finite = np.isfinite(ra_deg) & np.isfinite(dec_deg) & (np.abs(dec_deg) <= 90.0)
    if not finite.all() or not np.allclose(back, [x, y], atol=0.01):
        raise InputError(f"{path}: its corners must have one place on the sky each, its world coordinates give none")
    return tuple(zip(map(float, ra_deg), map(float, dec_deg), strict=True)), scale


def _on_frame(image: Image, path: Path, plane: Plane, *, frame: Plane) -> Image:
    """An image with its place in the frame."""
    if plane.wcs_header == frame.wcs_header or not plane.wcs_header or not frame.wcs_header:
        if plane.shape != frame.shape:
            raise InputError(f"{path}: images of a tile must be of one size, got {plane.shape} beside {frame.shape}")
        return image
    height, width = plane.shape
    corners = np.array([[0.0, 0.0], [width - 1.0, 0.0], [0.0, height - 1.0]])
    sky = parse_wcs(plane.wcs_header).wcs_pix2world(corners, 0)
    there = parse_wcs(frame.wcs_header).wcs_world2pix(sky, 0)
    shift = there - corners
    whole = np.rint(shift[0])
    if not np.all(np.abs(shift - whole) <= _GRID_TOLERANCE_PIX):
        raise InputError(
            f"{path}: images of a tile must be on one grid of pixels, got shifts of its corners by "
            f"{', '.join(f'({x:.2f}, {y:.2f})' for x, y in np.round(shift, 2) + 0.0)} pixels: resample them to one grid"
        )
    return dataclasses.replace(image, x_offset_pix=int(whole[0]), y_offset_pix=int(whole[1]))
