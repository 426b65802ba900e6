"""``lensdetect models``: the detectors that can be used or trained."""

from __future__ import annotations

import argparse
import json

from lensdetect.cli.quiet import load_tensorflow_quietly

SUMMARY = "list the detectors"

DESCRIPTION = """\
List the detectors: those that come trained, with how good they are, and those that can be trained.

A name with /VERSION is trained, and can be given to lensdetect score --model; the others can be given
to lensdetect train --detector. The figures are those of the cards, measured on simulated stamps that
the training had not seen: for all bands, and for each smaller set that the detector takes.
"""

EPILOG = """\
AUROC: chance that a lens outranks an other. TPR0: part of the lenses that is found before the first
false positive; TPR10: before the tenth. --json has their intervals too.

examples:
  lensdetect models
  lensdetect models --json

exit codes: 0 done; 2 could not be done.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of this verb."""
    parser.add_argument("--json", action="store_true", help="print all of it as JSON")
    parser.set_defaults(usage=parser.format_usage())


def run(args: argparse.Namespace) -> int:
    """List them."""
    load_tensorflow_quietly()
    from lensdetect.artifact import list_detectors, load_card
    from lensdetect.cli.cards import figures_table

    table = list_detectors()
    cards = {row.name: load_card(row.folder) for row in table.itertuples(index=False) if row.trained}
    if args.json:
        rows = table[["name", "parameters", "trained", "survey", "bands", "licence", "folder"]].to_dict("records")
        print(json.dumps([row | _metrics(cards.get(row["name"])) for row in rows], indent=2))
        return 0
    print(_overview(table))
    print("\n" + _who_takes_which())
    if cards:
        print("\n" + figures_table(cards))
    return 0


def _who_takes_which() -> str:
    """What commands take for the images of a survey when no detector is named."""
    from lensdetect.artifact.shipped import GROUND_DETECTOR, OTHER_DETECTORS
    from lensdetect.scoring.report import aligned

    takes = OTHER_DETECTORS | {"any other, and your own": GROUND_DETECTOR}
    columns = {"images of survey": list(takes), "are given to, without --model": list(takes.values())}
    return aligned(columns, left=tuple(columns))


def _metrics(card) -> dict:
    return {} if card is None else {"metrics": json.loads(card.to_json())["metrics"]}


def _overview(table) -> str:
    from lensdetect.scoring.report import aligned

    columns = {
        "name": table["name"].tolist(),
        "parameters": [f"{value:,}" for value in table["parameters"]],
        "weights": ["shipped" if trained else "to be trained" for trained in table["trained"]],
        **{name: table[name].tolist() for name in ("survey", "bands", "licence")},
    }
    return aligned(columns, left=("name", "weights", "survey", "bands", "licence"))
