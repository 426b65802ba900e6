"""Surveys by name, and a user's own from a small file.

The file is TOML: the fields of ``Survey``, and a table ``[[bands]]`` for each
band with the fields of ``Band`` and ``BandConditions`` together. A band may
state its depth instead of ``noise_sigma``::

    name = "mine"
    pixel_scale_arcsec = 0.25
    reference_band = "r"
    source = "where the numbers come from"
    viewer = "https://sky.example.org/?ra={ra}&dec={dec}"  # linked to in reports, if there is one

    [[bands]]
    name = "r"
    zero_point_mag = 27.0
    depth_mag = 25.0
    depth_snr = 5.0                 # 5 if left out
    depth_aperture_arcsec = 2.0     # point sources if left out
    psf_fwhm_arcsec = 0.9
    psf_beta = 3.0                  # 3 if left out; inf is a Gaussian
    psf_fwhm_range_arcsec = [0.7, 1.2]
    noise_range = [0.8, 1.3]
    sky_mag_arcsec2 = 21.2
    made_of = {r = 0.6, i = 0.4}
"""

from __future__ import annotations

import tomllib
from pathlib import Path

from lensdetect.errors import InputError, unknown_name
from lensdetect.survey.checks import check_table, survey_from_table
from lensdetect.survey.rows import Survey
from lensdetect.survey.surveys import SURVEYS


def get_survey(name: str | Path) -> Survey:
    """Survey by name, or from a user's file.

    Parameters
    ----------
    name : str or path
        A key of ``SURVEYS`` in any case, or a path that ends in ``.toml``.

    Returns
    -------
    Survey

    Raises
    ------
    InputError
        If there is no such survey (the message holds the nearest names), or the
        file describes none.
    """
    if str(name).endswith(".toml"):
        return read_survey(name)
    if str(name).lower() not in SURVEYS:
        raise unknown_name("survey", str(name), SURVEYS)
    return SURVEYS[str(name).lower()]


def read_survey(path: Path | str) -> Survey:
    """Read a user's own survey.

    Parameters
    ----------
    path : path
        A TOML file, as above.

    Returns
    -------
    Survey

    Raises
    ------
    InputError
        If the file cannot be read, has a key that is unknown (the message holds
        the nearest names) or lacks one, or a value is of another type or out of
        its range.
    """
    try:
        with open(path, "rb") as file:
            table = tomllib.load(file)
    except OSError as error:
        raise InputError(
            f"survey file {path} must be readable, got: {error.strerror}: check the path, or name one of "
            f"{', '.join(SURVEYS)}"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"survey file {path} must be TOML, got: {error}") from error
    try:
        check_table(table)
        return survey_from_table(table)
    except InputError as error:
        raise InputError(f"survey file {path}: {error}") from error
