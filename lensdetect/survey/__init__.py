"""Surveys as rows: bands, zero points, noise and PSF, with their sources.

Flux and magnitude are tied by the zero point, the AB magnitude of one unit of
flux: ``flux = 10 ** (-0.4 * (mag - zero_point_mag))``.
"""

from __future__ import annotations

from lensdetect.survey.depth import aperture_pixels, noise_from_depth, psf_pixels
from lensdetect.survey.magnitudes import flux_from_mag, mag_from_flux
from lensdetect.survey.reading import get_survey, read_survey
from lensdetect.survey.rows import Band, BandConditions, CatalogueColumns, FilePattern, Survey, SurveyFiles
from lensdetect.survey.surveys import SURVEYS

__all__ = [
    "SURVEYS",
    "Band",
    "BandConditions",
    "CatalogueColumns",
    "FilePattern",
    "Survey",
    "SurveyFiles",
    "aperture_pixels",
    "flux_from_mag",
    "get_survey",
    "mag_from_flux",
    "noise_from_depth",
    "psf_pixels",
    "read_survey",
]
