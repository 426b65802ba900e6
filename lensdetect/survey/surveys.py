"""The surveys that come with the package: files as a user would write them; each says where its numbers come from."""

from __future__ import annotations

import tomllib
from importlib.resources import files

from lensdetect.survey.checks import check_table, survey_from_table
from lensdetect.survey.rows import Survey

_NAMES = (
    "bologna", "kids", "des", "hsc", "lsst", "euclid_vis", "cfhtls", "legacy", "legacy_dr10", "rubin_dp1", "rubin_dp2",
    "euclid", "unions", "ground",
)  # fmt: skip


def _read(name: str) -> Survey:
    table = tomllib.loads((files(__package__) / "shipped" / f"{name}.toml").read_text())
    check_table(table)
    return survey_from_table(table)


SURVEYS: dict[str, Survey] = {name: _read(name) for name in _NAMES}
