"""What must be known of images before they are scored: survey, bands and flux unit."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lensdetect.artifact import Card
from lensdetect.artifact.conversion import plan_conversion
from lensdetect.data import CutoutSource, open_cutouts
from lensdetect.data.challenge import find_public
from lensdetect.errors import InputError
from lensdetect.images.bounds import CUTOUT_PIXELS
from lensdetect.stamps import Shards, is_shards
from lensdetect.survey import SURVEYS, Band, Survey, get_survey

# The survey whose stamps come as imageSDSS_R-ID.fits in Public/Band1.
_LAYOUT_SURVEY = "bologna"
_WAYS_OUT = (
    f"say where they are from with --survey ({', '.join(SURVEYS)}), or with --bands, --pixel-scale and --zero-point"
)


def open_images(
    images,
    card: Card,
    *,
    survey: str | Survey | None = None,
    bands: Sequence[str] | None = None,
    pixel_scale_arcsec: float | None = None,
    zero_point_mag: float | Sequence[float] | None = None,
    fit: str | None = None,
    max_pixels: int = CUTOUT_PIXELS,
) -> CutoutSource:
    """Open images for a detector, once it is known what their numbers mean.

    Folders of simulated stamps say which survey they imitate, and the file
    layout of the Bologna Lens Challenge is that of one survey. All else has to
    be declared: by a survey, or by bands, pixel scale and zero point.

    Parameters
    ----------
    images : path, list of paths, or ndarray
        As ``data.open_cutouts`` takes them.
    card : Card
        Of the detector.
    survey : str or Survey, optional
        Where the images are from.
    bands : sequence of str, optional
        Bands of the images, in the order of their planes; by default those of
        the survey.
    pixel_scale_arcsec : float, optional
        Side of a pixel, in arcsec.
    zero_point_mag : float or sequence of float, optional
        AB magnitude of one flux unit: one for all bands, or one for each.
    fit : str, optional
        "crop" or "pad" for images of another size than the detector's.
    max_pixels : int
        Pixels that the images in one file may have.

    Returns
    -------
    CutoutSource
        Of the detector's cutout size.

    Raises
    ------
    InputError
        If it is not known what the images are, if that is said twice and
        differently, if the detector does not take such images, or as
        ``data.open_cutouts``.
    """
    declared = _declared(images)
    if pixel_scale_arcsec is None and zero_point_mag is None:
        found = _named_survey(survey, declared)
    elif survey is not None or any(declared.values()):
        known = _name(survey) if survey is not None else next(filter(None, declared.values()))
        raise InputError(
            f"pixel scale and zero point come from survey {known}, got others beside it: leave one of the two out"
        )
    else:
        found = _custom_survey(bands, pixel_scale_arcsec, zero_point_mag)
    # An unknown survey does not hide what else is wrong with a path.
    provisional = found or get_survey(card.survey)
    source = open_cutouts(images, survey=provisional, bands=bands, size=card.size, fit=fit, max_pixels=max_pixels)
    if found is None:
        path = next(path for path, name in declared.items() if name is None)
        raise InputError(f"{path} does not say its survey, and so not its flux unit: {_WAYS_OUT}")
    plan_conversion(card, **image_form(source))
    return source


def image_form(source: CutoutSource) -> dict[str, Any]:
    """What a Scorer must be told of images.

    Parameters
    ----------
    source : CutoutSource
        The images.

    Returns
    -------
    dict
        ``bands`` that they hold, in the survey's order, and
        ``zero_points_mag`` and ``pixel_scale_arcsec``.
    """
    survey = source.frame.survey
    bands = tuple(name for name in survey.band_names if name in source.frame.bands)
    return {
        "bands": bands,
        "zero_points_mag": [band.zero_point_mag for band in survey.select(bands)],
        "pixel_scale_arcsec": survey.pixel_scale_arcsec,
    }


def _declared(images) -> dict[str, str | None]:
    """Survey that each input names itself, by path; None where it does not."""
    if isinstance(images, np.ndarray):
        return {"an array": None}
    paths = [images] if isinstance(images, str | os.PathLike) else images
    return {str(path): own_survey(Path(path)) for path in paths}


def own_survey(path: Path) -> str | None:
    """Survey that a path declares itself.

    Parameters
    ----------
    path : Path
        A file or folder; it need not exist.

    Returns
    -------
    str or None
        Name of the survey of simulated stamps, or of the challenge's layout;
        None for all else.
    """
    if not path.is_dir():
        return None
    if is_shards(path):
        return Shards(path).manifest["survey"]
    return _LAYOUT_SURVEY if find_public(path) else None


def _named_survey(survey: str | Survey | None, declared: dict[str, str | None]) -> Survey | None:
    names = {name for name in declared.values() if name is not None}
    if survey is None:
        if len(names) > 1:
            raise InputError(f"images of one run must be from one survey, got {', '.join(sorted(names))}: score each")
        return get_survey(names.pop()) if names and None not in declared.values() else None
    for path, name in declared.items():
        if name not in {None, _name(survey)} and is_shards(Path(path)):
            raise InputError(f"{path} holds stamps of survey {name}, got --survey {_name(survey)}: leave it out")
    return get_survey(survey) if isinstance(survey, str) else survey


def _name(survey: str | Survey) -> str:
    return survey if isinstance(survey, str) else survey.name


def _custom_survey(bands, pixel_scale_arcsec: float | None, zero_point_mag) -> Survey:
    given = {"--bands": bands, "--pixel-scale": pixel_scale_arcsec, "--zero-point": zero_point_mag}
    lacking = [name for name, value in given.items() if value is None]
    if lacking:
        raise InputError(
            f"images of no survey need {', '.join(given)} together, got no {', '.join(lacking)}: give all three"
        )
    if not (math.isfinite(pixel_scale_arcsec) and pixel_scale_arcsec > 0):
        raise InputError(f"a pixel scale must be more than 0 arcsec, got {pixel_scale_arcsec}")
    zero_points = np.atleast_1d(np.asarray(zero_point_mag, dtype=float))
    if len(zero_points) not in {1, len(bands)} or not np.isfinite(zero_points).all():
        raise InputError(
            f"zero points must be one finite number, or one for each of {', '.join(bands)}, got {zero_points.tolist()}"
        )
    rows = [
        # Noise and PSF are not known, and not asked for by anything that scores.
        Band(name, float(zero_point), noise_sigma=math.nan, psf_fwhm_arcsec=math.nan, psf_beta=math.nan)
        for name, zero_point in zip(bands, np.broadcast_to(zero_points, len(bands)), strict=True)
    ]
    return Survey(
        name="custom",
        bands=tuple(rows),
        pixel_scale_arcsec=float(pixel_scale_arcsec),
        reference_band=bands[0],
        masked_value=None,
        file_band_order=tuple(bands),
        source="declared by the user",
    )
