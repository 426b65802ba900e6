"""Stars too bright for the detector: saturation, bleeding columns, and the mask around them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from lensdetect.simulation.render.fluxes import band_fluxes
from lensdetect.simulation.scene import Scene
from lensdetect.simulation.sky.optics import StarHalo
from lensdetect.simulation.tiles.glitches import Placed, aureole_radii_pix, place_halo
from lensdetect.survey import Survey

#: Values in mask images (KiDS-ESO DR1, "Masking of bright stars and defects").
READOUT_SPIKE, SATURATION_CORE, PRIMARY_HALO = 1, 2, 8

#: Stars brighter than this saturate under typical seeing: some minutes at a 2-4 m telescope.
_SATURATION_MAG = 16.0

#: Pixels up and down that the charge of a star runs, for each magnitude that it is brighter.
_BLEED_PIX_PER_MAG = 12.0

#: A halo is masked out to where it falls to this, in sky sigma of one pixel, if it is as large as that.
_MASKED_SIGMA, _SMALLEST_MASK_PIX = 1.0, 10


@dataclass(frozen=True)
class BrightStar:
    """What a bright star does to a tile.

    Parameters
    ----------
    x_pix, y_pix : float
    bleed_pix : tuple of int
        How far its charge runs in each band; 0 for none.
    mask_pix : tuple of int
        Radius of the mask of its halo in each band; 0 for none.
    """

    x_pix: float
    y_pix: float
    bleed_pix: tuple[int, ...]
    mask_pix: tuple[int, ...]


def saturation_levels(survey: Survey) -> np.ndarray:
    """Flux in a pixel at which each band saturates.

    That of the middle of a star of magnitude 16 on the survey's typical PSF: a
    Moffat profile has the peak ``(beta - 1) / (pi a**2)``.

    Parameters
    ----------
    survey : Survey

    Returns
    -------
    ndarray
        ``(band,)``.
    """
    levels = []
    for band in survey.bands:
        if math.isinf(band.psf_beta):
            peak = 4.0 * math.log(2.0) / (math.pi * band.psf_fwhm_arcsec**2)
        else:
            scale = band.psf_fwhm_arcsec / (2.0 * math.sqrt(2.0 ** (1.0 / band.psf_beta) - 1.0))
            peak = (band.psf_beta - 1.0) / (math.pi * scale**2)
        flux = 10.0 ** (-0.4 * (_SATURATION_MAG - band.zero_point_mag))
        levels.append(flux * peak * survey.pixel_scale_arcsec**2)
    return np.array(levels)


def bright_stars(
    scenes: list[Scene], *, x_pix: np.ndarray, y_pix: np.ndarray, survey: Survey, noise_sigma: np.ndarray
) -> tuple[list[BrightStar], list[Placed]]:
    """Stars of some scenes that saturate or have a halo, and the halos.

    Parameters
    ----------
    scenes : list of Scene
    x_pix, y_pix : ndarray
        Where their middles are in the tile.
    survey : Survey
    noise_sigma : ndarray
        ``(band,)``.

    Returns
    -------
    tuple of list
    """
    stars, halos = [], []
    scale = survey.pixel_scale_arcsec
    for scene, x, y in zip(scenes, x_pix, y_pix, strict=True):
        found = [glitch for glitch in scene.glitches if isinstance(glitch, StarHalo)]
        for halo in found:
            halos.append(place_halo(halo, float(x), float(y), survey=survey, noise_sigma=noise_sigma))
            radii = aureole_radii_pix(halo, survey, noise_sigma=noise_sigma, level_sigma=_MASKED_SIGMA)
            masked = tuple(int(radius) if radius >= _SMALLEST_MASK_PIX else 0 for radius in radii)
            place = float(x) + halo.x_arcsec / scale, float(y) + halo.y_arcsec / scale
            stars.append(BrightStar(*place, _bleed_pix(halo.mags, survey), masked))
    return stars, halos


def _bleed_pix(mags: tuple[float, ...], survey: Survey) -> tuple[int, ...]:
    zero_points = np.array([band.zero_point_mag for band in survey.bands])
    excess = _SATURATION_MAG - (zero_points - 2.5 * np.log10(band_fluxes(mags, survey)))
    return tuple(round(_BLEED_PIX_PER_MAG * value) if value > 0.0 else 0 for value in excess.tolist())


def saturate(
    stars: list[BrightStar], pixels: np.ndarray, *, mask: np.ndarray, levels: np.ndarray, first_row: int
) -> None:
    """Cut off what is brighter than the detector holds, let charge run along columns, and mark it all.

    Parameters
    ----------
    stars : list of BrightStar
    pixels : ndarray
        float32 ``(rows, width, band)``; changed in place.
    mask : ndarray
        uint8 of the same shape; changed in place.
    levels : ndarray
        ``(band,)``, of ``saturation_levels``.
    first_row : int
        Of the tile.
    """
    full = levels.astype(np.float32)
    for star in stars:
        for band, (bleed, radius) in enumerate(zip(star.bleed_pix, star.mask_pix, strict=True)):
            if bleed:
                column = _window(pixels, star, first_row=first_row, reach_x=1, reach_y=bleed)[0]
                pixels[(*column, band)] = full[band]
                mask[(*column, band)] |= READOUT_SPIKE
            if radius:
                here, dx, dy = _window(pixels, star, first_row=first_row, reach_x=radius, reach_y=radius)
                mask[(*here, band)] |= np.where(dx**2 + dy**2 <= radius**2, PRIMARY_HALO, 0).astype(np.uint8)
    for band, level in enumerate(full):
        core = pixels[..., band] >= level
        if core.any():
            pixels[core, band] = level
            mask[core, band] |= SATURATION_CORE


def _window(pixels: np.ndarray, star: BrightStar, *, first_row: int, reach_x: int, reach_y: int):
    """Rows and columns about a star, and how far they are from it along x and y."""
    row, column = round(star.y_pix) - first_row, round(star.x_pix)
    rows = slice(*(min(max(edge, 0), pixels.shape[0]) for edge in (row - reach_y, row + reach_y + 1)))
    columns = slice(*(min(max(edge, 0), pixels.shape[1]) for edge in (column - reach_x, column + reach_x + 1)))
    dx = np.arange(columns.start, columns.stop) - star.x_pix
    dy = np.arange(rows.start, rows.stop)[:, None] + first_row - star.y_pix
    return (rows, columns), dx, dy
