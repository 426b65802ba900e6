"""Where the grades are: in the log of a search, in logs of other things, or in tables of combined grades."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from lensdetect.errors import InputError

if TYPE_CHECKING:
    import pandas as pd


def add_grade_options(group) -> None:
    """Add the options that say where grades are; ``group`` takes arguments as a parser does."""
    group.add_argument(
        "--grades",
        nargs="+",
        default=[],
        metavar="FILE",
        help="tables of combined grades, as lensdetect grades exports them: id and posterior, is_candidate or "
        "is_lens, and kind (default: the log of grades of the search)",
    )
    group.add_argument(
        "--graded",
        nargs="+",
        default=[],
        metavar="PATH",
        help="what else was graded of this search, as the tables of lensdetect next, or the URL of a database",
    )


def grades_of(args: argparse.Namespace, *, needed: bool) -> pd.DataFrame:
    """All grades, combined.

    Parameters
    ----------
    args : Namespace
        With ``search`` and the options of ``add_grade_options``.
    needed : bool
        Whether it is an error if there are none.

    Returns
    -------
    DataFrame
        As ``rounds.labels_of`` takes it.

    Raises
    ------
    InputError
        If there are none and some are needed, both kinds are given, or one cannot be read.
    """
    import pandas as pd

    from lensdetect.rounds import read_grades

    if args.grades and args.graded:
        raise InputError("grades come combined (--grades) or as logs (--graded), got both: leave one out")
    if args.grades:
        found = pd.concat(map(read_grades, args.grades), ignore_index=True)
        # what was combined anew stands in the later table
        return found.drop_duplicates("id", keep="last", ignore_index=True)
    return _combined(args, needed=needed)


def _combined(args: argparse.Namespace, *, needed: bool) -> pd.DataFrame:
    import pandas as pd

    from lensdetect.inspection import combine, read_log

    logs = [read_log(path) for path in args.graded]
    try:
        logs.append(read_log(args.search))
    except InputError:
        if needed and not logs:
            raise
    logs = [log for log in logs if len(log)]
    if not logs:
        return pd.DataFrame({"id": pd.Series(dtype=str)})
    return combine(pd.concat(logs, ignore_index=True))
