"""Which grades of a log count: one for each object and grader."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from lensdetect.errors import InputError
from lensdetect.inspection.scale import steps
from lensdetect.text import shown

#: Grades of the published scale, ascending.
SCALE = tuple(sorted(step.grade for step in steps("5310")))
#: A grader who gives this or more recognises a lens.
RECOGNISED = 1.0
#: ``planted`` of an object that was shown to a grader again.
REPEAT = "repeat"

#: Columns of a log of grades beside ``id``, ``grader`` and ``grade``, and what stands where nothing is told.
LOG_DEFAULTS: dict[str, object] = {
    "grade_id": "",
    "kind": "",
    "note": "",
    "seconds": math.nan,
    "graded_at": "",
    "version": "",
    "planted": "",
    "truth": math.nan,
    "undone": False,
}


def whole_log(log: pd.DataFrame) -> pd.DataFrame:
    """A log of grades with all its columns, in an order that does not hang on that of its rows.

    Parameters
    ----------
    log : DataFrame
        ``id``, ``grader``, ``grade`` (NaN for an object that was skipped) and any of ``LOG_DEFAULTS``.

    Returns
    -------
    DataFrame
        ``truth`` is that of the object in each of its rows.

    Raises
    ------
    InputError
        If a column is not there, or an object is said to be a lens and not to be one.
    """
    lacking = [name for name in ("id", "grader", "grade") if name not in log]
    if lacking:
        raise InputError(f"a log of grades must have columns id, grader and grade, got none named {lacking[0]}")
    told = {name: log[name] if name in log else value for name, value in LOG_DEFAULTS.items()}
    whole = log[["id", "grader", "grade"]].assign(**told)
    for name in ("id", "grader", "grade_id", "kind", "note", "graded_at", "version", "planted"):
        whole[name] = whole[name].fillna("").astype(str).astype(object)
    for name in ("grade", "seconds", "truth"):
        whole[name] = whole[name].astype(np.float64)
    whole["undone"] = whole["undone"].astype(bool)
    whole["truth"] = _truth_of_each(whole)
    return whole.sort_values(["id", "grader", "graded_at", "grade_id", "grade"], kind="stable", ignore_index=True)


def _truth_of_each(log: pd.DataFrame) -> pd.Series:
    by_object = log.groupby("id", sort=False)["truth"]
    low, high = by_object.transform("min"), by_object.transform("max")
    torn = log["id"][low < high]
    if len(torn):
        raise InputError(
            f"an object must be a lens or none, got both truths for {shown(torn.iloc[0])} ({torn.nunique()} such): "
            "correct the planted objects of the log"
        )
    return high


def standing_grades(log: pd.DataFrame) -> pd.DataFrame:
    """The grades that count: for each object and grader one.

    What was undone or skipped does not count. Of several grades that a grader gave
    one object the last one counts. A hidden repeat tells how steady a grader is, and
    is no further evidence: two looks of one person at the same pixels are not
    independent. So it counts only where no other grade of theirs stands.

    Parameters
    ----------
    log : DataFrame
        As ``read_log`` gives it, or with ``id``, ``grader`` and ``grade`` alone.

    Returns
    -------
    DataFrame
        One row for each object and grader, sorted by these.
    """
    log = whole_log(log)
    log = log[~log["undone"] & log["grade"].notna()]
    first_looks = log["planted"] != REPEAT
    log = log.assign(_first_look=first_looks).sort_values(["id", "grader", "_first_look"], kind="stable")
    return log.drop(columns="_first_look").drop_duplicates(["id", "grader"], keep="last").reset_index(drop=True)


def repeated_grades(log: pd.DataFrame) -> pd.DataFrame:
    """Pairs of grades that one grader gave one object, the second time without knowing.

    Parameters
    ----------
    log : DataFrame

    Returns
    -------
    DataFrame
        ``id``, ``grader``, ``first``, ``again``: one row a repeat.
    """
    log = whole_log(log)
    log = log[~log["undone"] & log["grade"].notna()]
    again = log[log["planted"] == REPEAT][["id", "grader", "grade"]].rename(columns={"grade": "again"})
    first = standing_grades(log[log["planted"] != REPEAT])[["id", "grader", "grade"]]
    pairs = again.merge(first.rename(columns={"grade": "first"}), on=["id", "grader"])
    return pairs[["id", "grader", "first", "again"]]
