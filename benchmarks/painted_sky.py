"""Simulated arcs on the real galaxies of the KiDS field and the CFHTLS fields: a sky whose non-lenses are real."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from astropy.io import fits
from real_sets import RealSet, at_scale

from lensdetect.runs import write_whole
from lensdetect.simulation import paint
from lensdetect.stamps import Shards
from lensdetect.survey import SURVEYS, Survey

#: What this sky is called, and its folder.
PAINTED = "painted"

#: Of the stamps; the KiDS field has coarser pixels, and is resampled once arcs are on it.
_SCALE_ARCSEC, _SIZE_PIX = 0.2, 103

_BANDS = ("g", "r", "i")

#: Whose galaxies are painted on: ordinary ones, and none of the graded objects.
ONTO = ("kids_field", "cfhtls_fields")


def paint_sky(galaxies: Sequence[RealSet], folder: Path, *, seed: int, workers: int) -> RealSet:
    """Paint arcs onto half of the galaxies.

    Parameters
    ----------
    galaxies : sequence of RealSet
        Those of ``ONTO``.
    folder : path
        Of all skies; what was made is left as it is.
    seed, workers : int

    Returns
    -------
    RealSet
        "sky painted" in g, r, i at zero point 30; the table has ``onto`` and ``fold`` of the galaxy.
    """
    parts = [_painted(found, Path(folder) / PAINTED, seed=seed, workers=workers) for found in galaxies]
    table = pd.concat([table for _, table in parts], ignore_index=True)
    pixels = np.concatenate([pixels for pixels, _ in parts])
    return RealSet(f"sky {PAINTED}", pixels, _BANDS, (30.0,) * 3, _SCALE_ARCSEC, table)


def _painted(found: RealSet, folder: Path, *, seed: int, workers: int) -> tuple[np.ndarray, pd.DataFrame]:
    """Pixels at the common scale, and truth, of one set and one seed."""
    stamps = paint_galaxies(found, folder, seed=seed, workers=workers)
    factors = 10.0 ** (-0.4 * (np.array(stamps.zero_points_mag) - 30.0))
    pixels = at_scale(stamps, pixel_scale_arcsec=_SCALE_ARCSEC, size=_SIZE_PIX) * factors.astype(np.float32)
    return pixels, stamps.table


def paint_galaxies(found: RealSet, folder: Path, *, seed: int, workers: int, **how) -> RealSet:
    """Paint arcs onto the galaxies of a set, in its own pixels; the only painter of the benchmarks.

    Parameters
    ----------
    found : RealSet
        Galaxies in the bands g, r, i at least.
    folder : path
        Of what is painted; what was made is left as it is.
    seed, workers : int
    **how
        As ``lensdetect.simulation.paint`` takes it: ``lens_fraction``, ``population``, ``psf``.

    Returns
    -------
    RealSet
        Its stamps in g, r, i. The table is the truth, with ``onto`` (name of the set), ``row`` and ``fold`` of the
        galaxy in the set; ``is_lens`` is <NA> where arcs cannot be seen.
    """
    galaxies = found.in_bands(_BANDS)
    images, place = Path(folder) / f"{found.name}-images", Path(folder) / f"{found.name}-{seed}"
    _write_images(galaxies, images)
    size = galaxies.pixels.shape[1]
    paint(_survey_of(galaxies), images, None, place, seed=seed, size=size, workers=workers, progress=False, **how)
    shards = Shards(place)
    table = _truth(shards.truth, galaxies)
    return dataclasses.replace(galaxies, pixels=shards.read(np.arange(len(shards))), table=table, clipped=None)


def _truth(truth: pd.DataFrame, galaxies: RealSet) -> pd.DataFrame:
    row = truth["id"].map({name: number for number, name in enumerate(_file_names(galaxies))}).astype(int)
    fold = galaxies.table["fold"].to_numpy()[row]
    known = truth["is_lens"] | ~truth["has_source"]
    is_lens = truth["is_lens"].astype("boolean").where(known)
    return truth.assign(is_lens=is_lens, onto=galaxies.name, row=row, fold=fold)


def _file_names(galaxies: RealSet) -> list[str]:
    """Names in which no word can be taken for a band."""
    return [f"object{number:04d}" for number in range(len(galaxies))]


def _write_images(galaxies: RealSet, folder: Path) -> None:
    """One FITS file a galaxy and band, where there is none."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, pixels in zip(_file_names(galaxies), galaxies.pixels, strict=True):
        # a zero is a masked pixel where arcs are painted, and a value like any other in an image in coarse steps
        pixels = np.where(pixels == 0.0, np.float32(1e-30), pixels)
        for place, band in enumerate(_BANDS):
            path = folder / f"{name}_{band}.fits"
            if not path.exists():
                write_whole(path, lambda file, plane=pixels[..., place]: fits.PrimaryHDU(plane).writeto(file))


def _survey_of(galaxies: RealSet) -> Survey:
    """The survey of a set, in its bands and with its pixels; noise grows with the side of a pixel."""
    survey = SURVEYS[galaxies.name.partition("_")[0]]
    wider = galaxies.pixel_scale_arcsec / survey.pixel_scale_arcsec
    places = [survey.band_names.index(band) for band in _BANDS]
    bands = [survey.bands[place] for place in places]
    return dataclasses.replace(
        survey,
        bands=tuple(dataclasses.replace(band, noise_sigma=band.noise_sigma * wider) for band in bands),
        conditions=tuple(survey.conditions[place] for place in places) if survey.conditions else (),
        pixel_scale_arcsec=galaxies.pixel_scale_arcsec,
        file_band_order=_BANDS,
    )
