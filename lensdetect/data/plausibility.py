"""Declared survey against what images hold: pixel scale and zero point of headers, noise and level of the sky."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from lensdetect.data.reading import CutoutSource
from lensdetect.errors import InputError
from lensdetect.images.background import check_sigma, is_left_in, sky_of
from lensdetect.images.headers import Plane, read_headers, scale_of
from lensdetect.images.names import ENDINGS
from lensdetect.images.properties import PIXEL_SCALE_TOLERANCE

#: So many objects, spread over all, are measured, and so many of their files are asked for their headers.
_SAMPLE, _FILES = 48, 12

#: Smaller images have no sky of their own around what is in them.
_SMALLEST_PIX = 41

#: Background rms that differ by more than this are of other units.
NOISE_FACTOR = 5.0

#: Zero points that differ by more than this are others.
_MAG_TOLERANCE = 0.02

_WAY_OUT = (
    "say what they are with another --survey, or with --bands, --pixel-scale and --zero-point in its place, "
    "or add --trust-units"
)


def check_plausible(source: CutoutSource, *, trust_units: bool = False) -> list[str]:
    """Refuse images that cannot be what they were declared to be.

    Parameters
    ----------
    source : CutoutSource
        The images; some of them are read.
    trust_units : bool
        Whether the declaration is believed whatever the images say.

    Returns
    -------
    list of str
        What is odd, and no reason to refuse them: a sky that was left in.

    Raises
    ------
    InputError
        With all that does not fit, each with both numbers.
    """
    rows = np.unique(np.linspace(0, len(source) - 1, min(len(source), _SAMPLE)).astype(int))
    skies = _skies(source, rows) if source.frame.size >= _SMALLEST_PIX else {}
    if not trust_units:
        paths = dict.fromkeys(source.paths[row] for row in rows)
        problems = [*_header_problems(source, [path for path in paths if _is_fits(path)][:_FILES])]
        problems += _noise_problems(source, skies)
        if problems:
            raise InputError(f"{'; '.join(problems)}: {_WAY_OUT}")
    return [
        f"band {band}: the sky is at {level:.3g}, {level / sigma:.1f} times its rms, and must be near 0: subtract it"
        for band, (level, sigma) in skies.items()
        if is_left_in(level, sigma)
    ]


def _is_fits(path: str) -> bool:
    return path.lower().endswith(ENDINGS) and Path(path).is_file()


def _skies(source: CutoutSource, rows: np.ndarray) -> dict[str, tuple[float, float]]:
    """Median level and rms of the sky in each band that can be measured."""
    batch, found = source.read(rows), {}
    for number, band in enumerate(source.frame.survey.band_names):
        if band not in source.frame.bands:
            continue
        skies = np.array([sky_of(plane) for plane in batch.pixels[~batch.refused, ..., number]]).reshape(-1, 2)
        skies = skies[np.isfinite(skies).all(axis=1)]
        if len(skies):
            found[band] = tuple(float(value) for value in np.median(skies, axis=0))
    return found


def _noise_problems(source: CutoutSource, skies: dict[str, tuple[float, float]]) -> Iterable[str]:
    survey = source.frame.survey
    for band in survey.select(skies):
        if not math.isfinite(band.noise_sigma):
            continue
        try:
            check_sigma(skies[band.name][1], band, survey=survey, factor=NOISE_FACTOR)
        except InputError as error:
            yield str(error).removesuffix(": declare the survey whose flux units these are")
            return


def _header_problems(source: CutoutSource, paths: list[str]) -> Iterable[str]:
    """What the headers of some files say otherwise; most of those that say anything have to."""
    planes = [plane for path in paths for plane in _planes(path)]
    survey = source.frame.survey
    scales = [scale for scale in map(_scale_arcsec, planes) if math.isfinite(scale)]
    if scales and abs(np.median(scales) / survey.pixel_scale_arcsec - 1.0) > PIXEL_SCALE_TOLERANCE:
        yield (
            f"pixels are declared to be {survey.pixel_scale_arcsec} arcsec wide ({survey.name}), the headers say "
            f"{np.median(scales):.4g} arcsec"
        )
    stated = [plane.zero_point_mag for plane in planes if plane.zero_point_mag is not None]
    own = [band.zero_point_mag for band in survey.select(source.frame.bands)]
    if stated and min(abs(np.median(stated) - value) for value in own) > _MAG_TOLERANCE:
        yield f"the zero point is declared to be {own[0]} ({survey.name}), the headers say {np.median(stated):.4g}"


def _planes(path: str) -> tuple[Plane, ...]:
    try:
        return read_headers(path).planes
    except InputError:
        # that is told of the file where it is read
        return ()


def _scale_arcsec(plane: Plane) -> float:
    return scale_of(plane.wcs_header) if plane.wcs_header else math.nan
