"""How good detectors are on skies that they were not trained on: real lenses and real galaxies first.

    python benchmarks/real_sky.py                                             the detectors that come with the package
    python benchmarks/real_sky.py --detector arcformer_small_subtracted-ground --detector runs/wide --skies /tmp/skies
    python benchmarks/real_sky.py --committee both=arcformer_small_subtracted-ground,arcformer_small-bologna --views 8
    python benchmarks/real_sky.py --joined wide=runs/fold0,runs/fold1,runs/fold2,runs/fold3 --output /tmp/gauge

Real sets come from ../shared/data (``--data``), simulated skies are made once into ``--skies``. What a detector was
trained on is never measured: ``real_sky.json`` beside a run or in its model's folder says what it has seen (form:
``read_seen`` in real_sky_systems.py); without such a file it is taken to have seen its survey's simulated sky alone.
``--joined`` takes detectors trained on complements of folds: each object has the score of one that has not seen it.
Writes table.csv, table.md and scores.csv (each real object) in ``--output``; ``--page FILE`` puts the
table between two marks of a Markdown page.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import pandas as pd
from painted_sky import ONTO, PAINTED, paint_sky
from real_sets import DATA, SETS, RealSet, load_set
from real_sky_rows import REAL, Comparison, measure, of_sky
from real_sky_skies import PICTURE, PICTURED, SKIES, load_sky, make_sky, pictured
from real_sky_systems import Detector, System
from real_sky_table import as_markdown, into_page

from lensdetect.artifact import shipped_detectors
from lensdetect.errors import InputError, LensdetectError


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """Arguments of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--detector", action="append", default=[], metavar="NAME", help="name, folder or training run; [LABEL=]NAME"
    )
    parser.add_argument(
        "--committee", action="append", default=[], metavar="LABEL=A,B", help="mean calibrated logit of several"
    )
    parser.add_argument(
        "--joined",
        action="append",
        default=[],
        metavar="LABEL=A,B",
        help="each trained on other folds: out-of-fold scores in one row",
    )
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the real sets (default: %(default)s)")
    parser.add_argument(
        "--skies", type=Path, help="folder of simulated skies, made if absent (default: none is measured)"
    )
    parser.add_argument("--count", type=int, default=500, help="stamps of each simulated sky (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=7120, help="of the simulated skies (default: %(default)s)")
    parser.add_argument("--workers", type=int, default=2, help="processes that simulate (default: %(default)s)")
    parser.add_argument("--views", type=int, choices=(1, 8), default=1, help="8: mean over turns and mirrors")
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("real_sky"),
        help="folder of table.csv, table.md, scores.csv (default: %(default)s)",
    )
    parser.add_argument("--page", type=Path, help="Markdown page to put the table into")
    return parser.parse_args(argv)


def find_systems(arguments: argparse.Namespace) -> list[System]:
    """The systems that the command line names, each detector loaded once.

    Parameters
    ----------
    arguments : Namespace

    Returns
    -------
    list of System

    Raises
    ------
    InputError
        If two have one name, or a committee is not "LABEL=A,B".
    """
    detector = cache(lambda name: Detector(name, views=arguments.views))
    named = arguments.detector or ([] if arguments.committee or arguments.joined else list(shipped_detectors()))
    systems = []
    for text in named:
        label, _, name = text.rpartition("=")
        systems.append(System(label or _short(name), (detector(name),)))
    for option, joined in (("committee", False), ("joined", True)):
        for text in getattr(arguments, option):
            label, _, names = text.partition("=")
            members = names.split(",")
            if not label or len(set(members)) < 2 or not all(members):
                raise InputError(
                    f"--{option} must be LABEL=A,B,... with two detectors or more, got {text!r}: correct it"
                )
            systems.append(System(label, tuple(detector(name) for name in members), joined))
    labels = [system.name for system in systems]
    if len(set(labels)) < len(labels):
        raise InputError(f"systems must have different names, got {', '.join(labels)}: give LABEL=NAME")
    return systems


def _short(name: str) -> str:
    return Path(name).name if "/" in name else name


def run(arguments: argparse.Namespace) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Measure all systems on all sets.

    Parameters
    ----------
    arguments : Namespace

    Returns
    -------
    table : DataFrame
        One row for each comparison, band set and system.
    scores : DataFrame
        One row for each real object, band set and system that has not seen it.
    """
    systems = find_systems(arguments)
    load, comparisons = _sources(arguments)
    rows = []
    for comparison in comparisons:
        print(comparison.name, file=sys.stderr, flush=True)
        for bands in comparison.bands:
            rows += [measure(system, comparison, bands, load) for system in systems]
    table = pd.DataFrame([row for row in rows if row is not None]).assign(views=arguments.views)
    return table, pd.concat(_scores(systems, load), ignore_index=True)


def _scores(systems: list[System], load: Callable[[str], RealSet]) -> list[pd.DataFrame]:
    """Scores of the objects of the real sets; they are at hand, from the comparisons."""
    tables = []
    for name in SETS:
        found = load(name)
        for bands in ("ugri", "gri", "r"):
            for system in systems if set(bands) <= set(found.bands) else []:
                if system.takes(bands):
                    scored = found.table[["id", "kind", "is_lens", "fold"]]
                    scored = scored.assign(set=name, bands=bands, system=system.name, score=system.scores(found, bands))
                    tables.append(scored[system.unseen(found)])
    return tables


def _sources(arguments: argparse.Namespace) -> tuple[Callable[[str], RealSet], list[Comparison]]:
    """What loads a set by name, each once, and what is compared."""
    skies = [*SKIES, *(f"{name} {PICTURE}" for name in PICTURED), PAINTED] if arguments.skies is not None else []

    @cache
    def load(name: str) -> RealSet:
        if name in SETS:
            return load_set(name, folder=arguments.data)
        sky = name.removeprefix("sky ")
        if sky == PAINTED:
            galaxies = [load(own) for own in ONTO]
            return paint_sky(galaxies, arguments.skies, seed=arguments.seed, workers=arguments.workers)
        if sky.endswith(PICTURE):
            return pictured(load(name.removesuffix(f" {PICTURE}")), seed=arguments.seed)
        how = {"count": arguments.count, "seed": arguments.seed, "workers": arguments.workers}
        return load_sky(sky, make_sky(sky, arguments.skies, **how))

    return load, [*REAL, *map(of_sky, skies)]


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and write; 2 where it could not be done."""
    arguments = parse(argv)
    try:
        table, scores = run(arguments)
        arguments.output.mkdir(parents=True, exist_ok=True)
        table.to_csv(arguments.output / "table.csv", index=False, float_format="%.4g")
        scores.to_csv(arguments.output / "scores.csv", index=False, float_format="%.5g")
        text = as_markdown(table)
        (arguments.output / "table.md").write_text(text, encoding="utf-8")
        if arguments.page is not None:
            into_page(arguments.page, text)
    except LensdetectError as error:
        print(f"real_sky: {error}", file=sys.stderr)
        return 2
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
