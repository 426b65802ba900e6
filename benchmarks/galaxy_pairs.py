"""Pairs of a real galaxy and a simulated one, alike in magnitude or in colours too, seen under the same conditions.

A survey is made up for each real set: its pixels, the noise measured in its cutouts and how it goes on from pixel to
pixel, the width of its PSF. Stamps of the training sky then go the way of the real ones: through an 8-bit picture where
these did, to pixels of 0.2 arcsec, with the brightest pixel in the middle, and without the pixels that either of a pair
lacks. Left out are stars, stamps with a glitch and stamps without one of the bands: the real sets hardly have such.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from eight_bit import as_picture
from real_sets import RealSet, at_scale, fit, load_set
from scipy.ndimage import gaussian_filter
from scipy.optimize import linear_sum_assignment

from lensdetect.images.background import sky_sigma
from lensdetect.simulation import simulate
from lensdetect.simulation.sky import training_sky
from lensdetect.stamps import Shards
from lensdetect.survey import SURVEYS, Survey

BANDS, ZERO_POINT_MAG = ("g", "r", "i"), 30.0

#: As detectors take cutouts.
SIZE, SCALE_ARCSEC = 101, 0.2

#: What partners have in common, as near as there are such.
ALIKE = {"r": ("magnitude in r",), "g, r, i": ("magnitude in r", "g - r", "r - i")}

#: Simulated galaxies to choose from, for each real one.
_CHOICE = 4

#: The sigma that is measured of the sky of simulated stamps, over that of their noise: faint neighbours add to it.
_SKY_OVER_NOISE = 1.05

#: Relative range of the width of the PSF: ours are estimates for each set.
_PSF_SPREAD = 0.1

#: The brightest pixel of a simulated galaxy is looked for so near to the middle.
_JITTER_ARCSEC = 1.2


@dataclass(frozen=True)
class Source:
    """Ordinary real galaxies, and how they were seen.

    Parameters
    ----------
    sets : tuple of str
        Of ``real_sets.SETS``.
    psf_fwhm_arcsec : tuple of float
        In g, r, i.
    pictured : bool
        Whether pixels were recovered from 8-bit pictures.
    noise_correlation : tuple of float
        Of the sky, between pixels 1, 2, 3 apart; empty for white noise.
    """

    sets: tuple[str, ...]
    psf_fwhm_arcsec: tuple[float, float, float]
    pictured: bool = False
    noise_correlation: tuple[float, ...] = SURVEYS["ground"].noise_correlation


#: Widths as in ground_stamps.py: of the survey's typical seeing; of the KiDS field our estimate from its stars. Its
#: neighbouring pixels have a correlation of 0.00 in r, those of the others 0.2, as those of survey ground with objects.
SOURCES = {
    "KiDS field": Source(("kids_field",), (1.05, 0.90, 1.00), noise_correlation=()),
    "CFHTLS fields": Source(("cfhtls_fields", "cfhtls_gri_field"), (0.82, 0.72, 0.68), pictured=True),
    "DES": Source(("des_griz",), (1.11, 0.95, 0.88)),
}


@dataclass(frozen=True)
class Pairs:
    """Cutouts side by side: row k of the one and of the other are a pair.

    Parameters
    ----------
    real, simulated : ndarray
        float32 ``(n, 101, 101, 3)`` in g, r, i, zero point 30, 0.2 arcsec; NaN in the same pixels of both.
    fold : ndarray of int
        Of the sky, by the real one.
    """

    real: np.ndarray
    simulated: np.ndarray
    fold: np.ndarray


def make_pairs(source: Source, folder: Path, *, data: Path, seed: int, workers: int) -> dict[str, Pairs]:
    """Simulate, and pair with the real galaxies.

    Parameters
    ----------
    source : Source
    folder : path
        For the stamps; kept, and used again.
    data : path
        Of the real sets.
    seed, workers : int

    Returns
    -------
    dict of Pairs
        By what they have in common, a key of ``ALIKE``.
    """
    real = [_galaxies(name, data) for name in source.sets]
    survey = dataclasses.replace(survey_like(real, source.psf_fwhm_arcsec), noise_correlation=source.noise_correlation)
    count = _CHOICE * sum(map(len, real))
    stamps = simulated_like(real[0], survey, folder, count=count, seed=seed, workers=workers)
    if source.pictured:
        stamps = dataclasses.replace(stamps, pixels=as_picture(stamps.pixels, rng=np.random.default_rng(seed)))
    cutouts = np.concatenate([_on_grid(found) for found in real])
    fold = np.concatenate([found.table["fold"].to_numpy() for found in real])
    others = _on_grid(stamps)
    return {name: paired(cutouts, others, fold, alike=columns) for name, columns in ALIKE.items()}


def _galaxies(name: str, data: Path) -> RealSet:
    """Galaxies of a set in g, r, i of zero point 30."""
    found = load_set(name, folder=data).in_bands(BANDS)
    found = found.take((found.table["kind"] == "galaxy").to_numpy())
    factors = 10.0 ** (0.4 * (ZERO_POINT_MAG - np.array(found.zero_points_mag)))
    pixels = (found.pixels * factors).astype(np.float32)
    return dataclasses.replace(found, pixels=pixels, zero_points_mag=(ZERO_POINT_MAG,) * 3)


def _on_grid(found: RealSet) -> np.ndarray:
    return at_scale(found, pixel_scale_arcsec=SCALE_ARCSEC, size=SIZE)


def survey_like(real: list[RealSet], psf_fwhm_arcsec: tuple[float, ...]) -> Survey:
    """A survey whose stamps have the pixels, the noise and the PSF of real sets.

    Parameters
    ----------
    real : list of RealSet
        Of one scale, in g, r, i of zero point 30.
    psf_fwhm_arcsec : tuple of float

    Returns
    -------
    Survey
    """
    ground = SURVEYS["ground"]
    sigma = np.array([[sky_sigma(pixels[..., b]) for b in range(3)] for found in real for pixels in found.pixels])
    sigma /= _SKY_OVER_NOISE
    low, middle, high = np.nanpercentile(sigma, (5, 50, 95), axis=0)
    bands, conditions = [], []
    for place, (name, width) in enumerate(zip(BANDS, psf_fwhm_arcsec, strict=True)):
        index = ground.band_names.index(name)
        typical = {"noise_sigma": float(middle[place]), "psf_fwhm_arcsec": width}
        bands.append(dataclasses.replace(ground.bands[index], **typical))
        spread = (width * (1 - _PSF_SPREAD), width * (1 + _PSF_SPREAD))
        noise = (float(low[place]), float(high[place]))
        conditions.append(
            dataclasses.replace(ground.conditions[index], psf_fwhm_range_arcsec=spread, noise_range=noise)
        )
    scale = real[0].pixel_scale_arcsec
    return dataclasses.replace(ground, bands=tuple(bands), conditions=tuple(conditions), pixel_scale_arcsec=scale)


def simulated_like(found: RealSet, survey: Survey, folder: Path, *, count: int, seed: int, workers: int) -> RealSet:
    """Simulated galaxies without a source, in the form of a real set."""
    reach = math.ceil(_JITTER_ARCSEC / survey.pixel_scale_arcsec)
    side = math.ceil(0.5 * SIZE * SCALE_ARCSEC / survey.pixel_scale_arcsec) * 2 + 3
    place = simulate(
        *(survey, Path(folder) / f"{found.name}-{count}-{seed}"),
        **{"count": count, "seed": seed, "size": side + 2 * reach, "workers": workers, "lens_fraction": 0.0},
        population=training_sky(),
    )
    shards = Shards(place)
    truth = shards.truth
    stamps = shards.read(np.arange(len(truth)))
    usable = (truth["kind"] != "star") & (truth["glitches"] == "") & np.isfinite(stamps).any(axis=(1, 2)).all(axis=1)
    pixels = np.stack([centred(stamp, reach) for stamp in stamps[usable]])
    return RealSet(f"sky {place.name}", pixels, BANDS, (ZERO_POINT_MAG,) * 3, survey.pixel_scale_arcsec, truth[usable])


def centred(stamp: np.ndarray, reach: int) -> np.ndarray:
    """A stamp about the brightest pixel that is so near to its middle, smaller by ``2 * reach`` pixels."""
    light = gaussian_filter(np.nan_to_num(stamp[..., 1:].sum(axis=-1)), 1.0)
    middle, side = len(stamp) // 2, len(stamp) - 2 * reach
    near = light[middle - reach : middle + reach + 1, middle - reach : middle + reach + 1]
    y, x = np.unravel_index(np.argmax(near), near.shape)
    return stamp[y : y + side, x : x + side]


def paired(real: np.ndarray, simulated: np.ndarray, fold: np.ndarray, *, alike: tuple[str, ...] = ALIKE["r"]) -> Pairs:
    """Give each real galaxy a simulated one that is like it, no one twice.

    Parameters
    ----------
    real, simulated : ndarray
        float32 ``(n, 101, 101, 3)`` and at least as many.
    fold : ndarray of int
        ``(n,)``
    alike : tuple of str
        Columns of ``properties``, in magnitudes; the sum of their differences over all pairs is the least.

    Returns
    -------
    Pairs
    """
    one, other = (properties(cutouts)[list(alike)].to_numpy() for cutouts in (real, simulated))
    away_mag = np.abs(one[:, None] - other).sum(axis=-1)
    rows, partners = linear_sum_assignment(np.nan_to_num(away_mag, nan=1e3))
    one, other = real[rows], simulated[partners]
    lacking = np.isnan(one) | np.isnan(other)
    blank = np.float32(np.nan)
    return Pairs(np.where(lacking, blank, one), np.where(lacking, blank, other), fold[rows])


def radius_arcsec() -> np.ndarray:
    """Distance of each pixel from the middle, ``(101, 101)``."""
    return np.hypot(*(np.mgrid[:SIZE, :SIZE] - SIZE // 2)) * SCALE_ARCSEC


def magnitudes(cutouts: np.ndarray, *, band: str = "r", within_arcsec: float = 2.0) -> np.ndarray:
    """Magnitude in an aperture, ``(n,)``; NaN where there is no light."""
    flux = np.nansum(cutouts[:, radius_arcsec() < within_arcsec, BANDS.index(band)], axis=1)
    return ZERO_POINT_MAG - 2.5 * np.log10(np.where(flux > 0, flux, np.nan))


def properties(cutouts: np.ndarray) -> pd.DataFrame:
    """What is measured of each cutout without a network.

    Parameters
    ----------
    cutouts : ndarray
        float32 ``(n, 101, 101, 3)``

    Returns
    -------
    DataFrame
        Aperture magnitude in r; colours; share of the light within 2.5 arcsec that is within 0.8; light from 3 to 10
        arcsec and its spread over quadrants, in units of that within 2.5; noise of the sky in r.
    """
    radius, r = radius_arcsec(), cutouts[..., 1]
    core, whole, around = radius < 0.8, radius < 2.5, (radius > 3.0) & (radius < 10.0)
    light = np.nansum(r[:, whole], axis=1)
    turned = np.rot90(r, 2, axes=(1, 2))
    return pd.DataFrame(
        {
            "magnitude in r": magnitudes(cutouts),
            "g - r": magnitudes(cutouts, band="g") - magnitudes(cutouts),
            "r - i": magnitudes(cutouts) - magnitudes(cutouts, band="i"),
            "concentration": np.nansum(r[:, core], axis=1) / light,
            "asymmetry": np.nansum(np.abs(r - turned)[:, whole], axis=1) / light,
            "light around": np.nansum(r[:, around], axis=1) / light,
            "sky noise in r": [sky_sigma(plane) for plane in r],
        }
    )


def side_by_side(pairs: Pairs, *, count: int, columns: int) -> np.ndarray:
    """Cutouts for a contact sheet: a row of real ones, and their partners in the row below, bright to faint."""
    order = np.argsort(magnitudes(pairs.real))
    chosen = order[np.linspace(0, len(order) - 1, min(count, len(order))).astype(int)]
    chosen = chosen[: len(chosen) // columns * columns].reshape(-1, columns)
    rows = [part for some in chosen for part in (pairs.real[some], pairs.simulated[some])]
    return fit(np.concatenate(rows), 75)
