"""What must be known of images before they are scored: survey, bands and flux unit."""

from __future__ import annotations

import dataclasses
import math
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lensdetect.artifact import Card
from lensdetect.artifact.conversion import plan_conversion
from lensdetect.data import CutoutSource, open_cutouts
from lensdetect.data.challenge import find_public
from lensdetect.data.plausibility import check_plausible
from lensdetect.errors import InputError
from lensdetect.images.bounds import CUTOUT_PIXELS
from lensdetect.images.names import FILTERS
from lensdetect.images.properties import ImageProperties
from lensdetect.images.resampling import resample as resample_planes
from lensdetect.images.resampling import source_size
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
    fit: str | None = "both",
    max_pixels: int = CUTOUT_PIXELS,
    trust_units: bool = False,
    resample: bool = True,
) -> Images:
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
        "crop", "pad" or "both" for images of another size than the detector's;
        None refuses them.
    max_pixels : int
        Pixels that the images in one file may have.
    trust_units : bool
        Whether survey, pixel scale and zero point are believed against what
        headers and background of the images say.
    resample : bool
        Whether images of another pixel scale than the detector's are resampled.

    Returns
    -------
    Images

    Raises
    ------
    InputError
        If it is not known what the images are, if that is said twice and
        differently, if the images cannot be what they are declared to be, if the
        detector does not take such images, or as ``data.open_cutouts``.
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
    provisional = _with_other_bands(found or get_survey(card.survey), bands)
    ratio = ImageProperties.of(provisional).ratio_to(card.pixel_scale_arcsec)
    size = card.size if ratio == 1.0 else source_size(card.size, ratio)
    problems = _undeclared(declared, card, provisional, known=found is not None, bands=bands, resample=resample)
    try:
        source = open_cutouts(images, survey=provisional, bands=bands, size=size, fit=fit, max_pixels=max_pixels)
    except InputError as error:
        raise InputError("; ".join([str(error), *problems])) from error
    notes, more = _look(source, declared, known=found is not None, trust_units=trust_units)
    if problems or more:
        raise InputError("; ".join([*problems, *more]))
    opened = Images(source, card, ratio, tuple(notes))
    plan_conversion(card, **opened.form)
    return opened


def _undeclared(
    declared: dict[str, str | None],
    card: Card,
    survey: Survey,
    *,
    known: bool,
    bands: Sequence[str] | None,
    resample: bool,
) -> list[str]:
    """What is wrong whatever the images hold."""
    problems = []
    if not known:
        path = next(path for path, name in declared.items() if name is None)
        problems.append(f"{path} does not say its survey, and so not its flux unit: {_WAYS_OUT}")
    given = survey.band_names if bands is None else bands
    if not set(given) & set(card.band_names):
        problems.append(
            f"detector {card.name} takes the bands {', '.join(card.band_names)} or some of them, "
            f"got {', '.join(given)}: train one for these bands"
        )
    if known and not resample and ImageProperties.of(survey).ratio_to(card.pixel_scale_arcsec) != 1.0:
        problems.append(
            f"detector {card.name} takes pixels of {card.pixel_scale_arcsec} arcsec, got "
            f"{survey.pixel_scale_arcsec} arcsec: leave --no-resample out, or train one for this scale"
        )
    return problems


@dataclass(frozen=True)
class Images:
    """Images that a detector can score, once it is known what their numbers mean.

    Parameters
    ----------
    source : CutoutSource
        The images, in their own bands and pixels.
    card : Card
        Of the detector.
    ratio : float
        The detector's pixel scale over theirs; 1 if they are not resampled.
    notes : tuple of str
        What was done with them, and what is odd.
    """

    source: CutoutSource
    card: Card
    ratio: float
    notes: tuple[str, ...]

    @property
    def told(self) -> list[str]:
        """What people should know of how the images were read."""
        survey, card = self.source.frame.survey, self.card
        dropped = [name for name in self.source.frame.bands if name not in card.band_names]
        said = [f"bands that detector {card.name} does not take, dropped: {', '.join(dropped)}"] if dropped else []
        if self.ratio != 1.0:
            said.append(f"resampled from {survey.pixel_scale_arcsec} to {card.pixel_scale_arcsec} arcsec, flux kept")
        return [*said, *self.notes]

    @property
    def properties(self) -> ImageProperties:
        """What the numbers of cutouts made of them mean."""
        survey, card = self.source.frame.survey, self.card
        bands = [name for name in survey.band_names if name in self.source.frame.bands and name in card.band_names]
        own = ImageProperties.of(survey, bands=bands, shape=(card.size, card.size))
        return own if self.ratio == 1.0 else dataclasses.replace(own, pixel_scale_arcsec=card.pixel_scale_arcsec)

    @property
    def form(self) -> dict[str, Any]:
        """The same as a Scorer is told it."""
        known = self.properties
        return {
            "bands": known.bands,
            "zero_points_mag": list(known.zero_points_mag),
            "pixel_scale_arcsec": known.pixel_scale_arcsec,
        }

    def cutouts(self, pixels: np.ndarray) -> np.ndarray:
        """Pixels of a batch in the bands of ``form`` and the detector's pixel scale.

        Parameters
        ----------
        pixels : ndarray
            float32 ``(n, height, width, band)``, as the source gives them.

        Returns
        -------
        ndarray
            float32 ``(n, size, size, band)``.
        """
        names = self.source.frame.survey.band_names
        used = [names.index(name) for name in self.form["bands"]]
        chosen = pixels if len(used) == pixels.shape[-1] else pixels[..., used]
        if self.ratio == 1.0:
            return chosen
        planes = resample_planes(np.moveaxis(chosen, -1, 1), size=self.card.size, ratio=self.ratio)
        return np.ascontiguousarray(np.moveaxis(planes, 1, -1))


def _with_other_bands(survey: Survey, bands: Sequence[str] | None) -> Survey:
    """A survey with rows for filters that its images hold beside its own; no detector of it takes them."""
    others = [name for name in bands or () if name not in survey.band_names and name in FILTERS]
    if not others:
        return survey
    rows = (Band(name, math.nan, noise_sigma=math.nan, psf_fwhm_arcsec=math.nan, psf_beta=math.nan) for name in others)
    return dataclasses.replace(survey, bands=(*survey.bands, *rows))


def _look(
    source: CutoutSource, declared: dict[str, str | None], *, known: bool, trust_units: bool
) -> tuple[list[str], list[str]]:
    """What is told of images, and what is wrong with them."""
    reasons = Counter(reason for _, reason in source.aside)
    notes = [f"left aside: {count:,} files ({reason})" for reason, count in reasons.items()]
    if not known or all(is_shards(Path(path)) for path in declared):
        return notes, []
    try:
        return notes + check_plausible(source, trust_units=trust_units), []
    except InputError as error:
        return notes, [str(error)]


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


def survey_name(images, survey: str | Survey | None = None) -> str | None:
    """Name of the survey of some images, by which a detector is chosen.

    Parameters
    ----------
    images : path, list of paths, or ndarray
        As ``open_images`` takes them.
    survey : str or Survey, optional
        Where the images are from, if that is said.

    Returns
    -------
    str or None
        None where neither the images nor ``survey`` say one.

    Raises
    ------
    InputError
        If there is no such survey.
    """
    if survey is not None:
        return (get_survey(survey) if isinstance(survey, str) else survey).name
    names = set(_declared(images).values())
    return names.pop() if len(names) == 1 else None


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
    return get_survey(survey).name if isinstance(survey, str) else survey.name


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
