"""``lensdetect grades``: grades in, catalogues of lenses and contaminants out, and how graders agree."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from lensdetect.cli.parsing import SURVEY_NAMES, fraction
from lensdetect.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

SUMMARY = "make catalogues of lenses and contaminants from grades"

DESCRIPTION = """\
Combine the grades that people gave with lensdetect grade, or elsewhere, and write what they found: catalogues
of lenses and of contaminants by class, truth to train on, and a report on how far graders can be relied on.
"""

EPILOG = """\
OUTPUT gets agreement.html (look at it first); lenses and contaminants as .fits, .csv and .parquet; objects,
the same with all that was graded; graders.csv, pairs.csv, tables.csv; and grades.csv, to train on:
  lensdetect train --data SEARCH_DIR/cutouts --survey NAME --truth OUTPUT/grades.csv --graded-only ...

The published rule, made for four graders: a lens is recognised (grade 1 or more) by two or more, or one gives
5; a contaminant is recognised by none. By posterior: each grader counts as much as planted lenses and duds,
and what all say, bear out; take it where there are more graders, or of unequal skill.
A table to merge has columns id, grader, grade (5, 3, 1, 0 or A, B, C, X), and may have kind, note, seconds
and graded_at. What the grading page kept and gave as CSV is such a table, with key in the place of id.

examples:
  lensdetect grades found --output graded
  lensdetect grades found --rule posterior --least 0.5 --prior 0.02 --output graded
  lensdetect grades found --merge ann.csv bob.csv --output graded

exit codes: 0 done; 2 could not be done.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of this verb."""
    parser.add_argument(
        "path", metavar="SEARCH_DIR", help="folder of a search, or what else lensdetect grade was given"
    )
    parser.add_argument(
        "--database", metavar="URL", help="sqlite:///FILE or postgresql://... (default: grades.sqlite in SEARCH_DIR)"
    )
    parser.add_argument("--merge", nargs="+", default=[], metavar="FILE", help="tables of people who graded elsewhere")
    parser.add_argument(
        "--survey", metavar="NAME", help=f"of cutouts without a search that were graded elsewhere alone: {SURVEY_NAMES}"
    )
    parser.add_argument(
        "--prior",
        type=fraction,
        metavar="P",
        help="share of lenses among the objects before any grade (default: estimated from the grades)",
    )
    parser.add_argument(
        "--rule", choices=("published", "posterior"), default="published", help="what a lens is (default: published)"
    )
    parser.add_argument(
        "--least", type=fraction, metavar="P", help="least posterior of a lens, with --rule posterior (default: 0.5)"
    )
    parser.add_argument("--output", required=True, metavar="DIR", help="folder to write; what is in it is replaced")
    parser.set_defaults(usage=parser.format_usage())


def run(args: argparse.Namespace) -> int:
    """Read, combine, write, print."""
    from lensdetect.inspection.agreement import measure_agreement
    from lensdetect.inspection.catalogues import Rule, sort_out, write_catalogues
    from lensdetect.inspection.combining import combine
    from lensdetect.inspection.posterior import fit_posterior
    from lensdetect.inspection.report import write_report

    if args.least is not None and args.rule != "posterior":
        raise InputError("--least is for the rule posterior: add --rule posterior, or leave it out")
    rule = Rule(args.rule, 0.5 if args.least is None else args.least)
    subjects, log = _read(args)
    posterior = fit_posterior(log, prior=args.prior)
    objects = sort_out(combine(log, posterior=posterior), subjects, log, rule=rule)
    output = _folder(args.output)
    written = write_catalogues(objects, output, rule=rule)
    agreement = measure_agreement(log)
    written["report"] = write_report(
        output, objects=objects, agreement=agreement, posterior=posterior, rule=rule, merged=args.merge
    )
    print(_summary(objects, agreement.graders, rule.text, posterior.note))
    print("\n".join(f"{what}: {path}" for what, path in written.items()))
    return 0


def _read(args: argparse.Namespace) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What can be graded, and all grades."""
    import pandas as pd

    from lensdetect.inspection.keys import PictureKeys
    from lensdetect.inspection.log import LOG_COLUMNS, read_log
    from lensdetect.inspection.merging import read_merged
    from lensdetect.inspection.subjects import has_store, read_subjects, subjects_of, with_candidates

    where = args.database or args.path
    if args.merge and not has_store(where):
        subjects, log = subjects_of(args.path, survey=args.survey), None
    else:
        subjects, log = read_subjects(where), read_log(where)
    subjects = with_candidates(subjects, args.path)
    parts = [] if log is None else [log]
    if args.merge:
        empty = pd.DataFrame({name: [] for name in LOG_COLUMNS}) if log is None else log
        keys = None if log is None else PictureKeys(where)
        parts.append(read_merged(args.merge, subjects=subjects, log=empty, keys=keys))
    whole = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    if not (whole["grade"].notna() & ~whole["undone"].astype(bool)).any():
        raise InputError(f"there must be grades to combine, got none in {where}: grade with lensdetect grade first")
    return subjects, whole


def _folder(output: str) -> Path:
    folder = Path(output)
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{output} must be a folder to write to, got a file: choose another name")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _summary(objects: pd.DataFrame, graders: pd.DataFrame, rule: str, note: str) -> str:
    counts = objects["verdict"].value_counts()
    lines = [
        f"{int(graders['num_grades'].sum()):,} grades of {len(objects):,} objects by {len(graders):,} graders",
        f"rule: {rule}",
        ", ".join(
            f"{name}: {counts.get(name, 0):,}" for name in ("lens", "contaminant", "undecided", "known", "planted")
        ),
    ]
    return "\n".join([*lines, f"note: {note}"] if note else lines)
