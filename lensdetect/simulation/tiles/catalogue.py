"""The photometric catalogue of a tile, in the survey's own columns."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from astropy.io import fits
from astropy.table import Table

from lensdetect.runs import write_whole
from lensdetect.simulation.tiles.layout import Tile
from lensdetect.simulation.tiles.photometry import Measured
from lensdetect.simulation.tiles.redshifts import fit_redshifts
from lensdetect.simulation.tiles.stars import PRIMARY_HALO, READOUT_SPIKE, SATURATION_CORE
from lensdetect.survey import Survey

#: Least S/N in the reference band of what is listed.
_DETECTION_SNR = 5.0

#: Magnitude of what is not detected in a band, and of what has no data there, as in KiDS.
NOT_DETECTED, NO_DATA = 99.0, -99.0

#: Bits of the column of masks: the halo of a star, and no data in some band.
STAR_BIT, NO_DATA_BIT = 1, 14

#: Bits of the detection's own flags, as SExtractor has them: saturated, and at the edge.
_SATURATED, _AT_EDGE, _EDGE_PIX = 4, 8, 10


def is_listed(measured: Measured, *, tile: Tile, share: np.ndarray, survey: Survey) -> np.ndarray:
    """Which objects a catalogue of the tile lists.

    Parameters
    ----------
    measured : Measured
    tile : Tile
    share : ndarray
        ``(n, band)``, part of the exposures where they are.
    survey : Survey

    Returns
    -------
    ndarray
        bool ``(n,)``: in the tile, covered and detected in the reference band.
    """
    band = survey.band_names.index(survey.reference_band)
    inside = (np.abs(measured.x_pix - 0.5 * (tile.width - 1)) < 0.5 * tile.width) & (
        np.abs(measured.y_pix - 0.5 * (tile.height - 1)) < 0.5 * tile.height
    )
    return inside & (share[:, band] > 0.0) & (measured.fluxes[:, band] >= _DETECTION_SNR * measured.errors[:, band])


def object_ids(survey: Survey, ra_deg: np.ndarray, *, dec_deg: np.ndarray) -> list[str]:
    """Ids of the kind ``KiDSDR4 J120000.123+000000.12``: the place, in hours and degrees, minutes and seconds."""
    prefix = "KiDSDR4" if survey.name == "kids" else survey.name.upper()
    ids = []
    for ra, dec in zip(ra_deg.tolist(), dec_deg.tolist(), strict=True):
        milli = round(ra % 360.0 * 240e3) % 86_400_000
        centi = round(abs(dec) * 360e3)
        hours = f"{milli // 3_600_000:02d}{milli // 60_000 % 60:02d}{milli % 60_000 / 1e3:06.3f}"
        degrees = f"{centi // 360_000:02d}{centi // 6_000 % 60:02d}{centi % 6_000 / 1e2:05.2f}"
        ids.append(f"{prefix} J{hours}{'-' if dec < 0.0 else '+'}{degrees}")
    return ids


def build_catalogue(
    measured: Measured, *, is_star: np.ndarray, mask: np.ndarray, share: np.ndarray, tile: Tile, survey: Survey
) -> Table:
    """Catalogue of some objects.

    Parameters
    ----------
    measured : Measured
    is_star : ndarray
        bool ``(n,)``.
    mask, share : ndarray
        ``(n, band)``, of the pixel where each is.
    tile : Tile
    survey : Survey
        Its ``catalogue`` names the columns.

    Returns
    -------
    astropy.table.Table
    """
    names = survey.catalogue
    reference = survey.band_names.index(survey.reference_band)
    ra_deg, dec_deg = tile.sky(measured.x_pix, measured.y_pix)
    mags, mag_errors = _magnitudes(measured, share=share, survey=survey)
    redshifts = fit_redshifts(measured.fluxes, measured.errors, survey=survey).astype(np.float32)
    columns = {
        names.id: object_ids(survey, ra_deg, dec_deg=dec_deg),
        names.tile: [tile.name] * len(ra_deg),
        names.ra_deg: ra_deg,
        names.dec_deg: dec_deg,
        names.redshift: redshifts[:, 0],
        names.redshift_min: redshifts[:, 1],
        names.redshift_max: redshifts[:, 2],
        names.redshift_ml: redshifts[:, 3],
        names.mask: _mask_bits(mask, share),
        names.flag: _flags(measured, mask[:, reference], tile=tile),
        names.image_flag: mask[:, reference].astype(np.int32),
        names.is_star: is_star.astype(np.int16),
    }
    for number, band in enumerate(survey.band_names):
        columns[names.mag_column(band)] = mags[:, number]
        columns[names.mag_error_column(band)] = mag_errors[:, number]
    columns[names.mag_auto] = mags[:, reference]
    return Table({name: values for name, values in columns.items() if name})


def _magnitudes(measured: Measured, *, share: np.ndarray, survey: Survey) -> tuple[np.ndarray, np.ndarray]:
    """Magnitudes and errors, float32 ``(n, band)``."""
    zero_points = np.array([band.zero_point_mag for band in survey.bands])
    seen = measured.fluxes > measured.errors
    safe = np.where(seen, measured.fluxes, 1.0)
    mags = np.where(seen, zero_points - 2.5 * np.log10(safe), NOT_DETECTED)
    errors = np.where(seen, 2.5 / np.log(10.0) * measured.errors / safe, NOT_DETECTED)
    covered = share > 0.0
    return tuple(np.where(covered, values, NO_DATA).astype(np.float32) for values in (mags, errors))


def _mask_bits(mask: np.ndarray, share: np.ndarray) -> np.ndarray:
    star = np.any(mask & (PRIMARY_HALO | SATURATION_CORE | READOUT_SPIKE), axis=1)
    return ((star << STAR_BIT) | (np.any(share == 0.0, axis=1) << NO_DATA_BIT)).astype(np.int32)


def _flags(measured: Measured, mask: np.ndarray, *, tile: Tile) -> np.ndarray:
    saturated = (mask & (SATURATION_CORE | READOUT_SPIKE)) > 0
    near = np.minimum(
        np.minimum(measured.x_pix, tile.width - 1 - measured.x_pix),
        np.minimum(measured.y_pix, tile.height - 1 - measured.y_pix),
    )
    return (saturated * _SATURATED + (near < _EDGE_PIX) * _AT_EDGE).astype(np.int16)


def write_catalogue(path: Path, table: Table, *, corrections_mag: dict[str, float], tile: Tile) -> None:
    """Write a catalogue as a FITS table, whole or not at all.

    Parameters
    ----------
    path : Path
    table : astropy.table.Table
    corrections_mag : dict of str to float
        Band to what is to be added to magnitudes of its image, which the
        catalogue's magnitudes have in them; header words DMAG_U and so on.
    tile : Tile
    """
    unit = fits.BinTableHDU(table, name="OBJECTS")
    unit.header["OBJECT"] = tile.name
    unit.header["SIMULATD"] = True
    primary = fits.PrimaryHDU()
    for header in (primary.header, unit.header):
        for band, correction in corrections_mag.items():
            header[f"DMAG_{band.upper()}"[:8]] = (round(correction, 6), "[mag] to add to magnitudes of the image")
    write_whole(path, lambda file: fits.HDUList([primary, unit]).writeto(file))
