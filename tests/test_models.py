"""The detectors in ``models/`` and the table of their cards.

``python tests/test_models.py`` writes the table into ``models/README.md``.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from lensdetect.artifact import Card, verify

MODELS = Path(__file__).resolve().parents[1] / "models"
START, END = "<!-- cards -->\n", "<!-- end of cards -->\n"
NONE_YET = "No detector is here yet.\n"
FOLDERS = sorted(path.parent for path in MODELS.glob("*/*/saved_model.pb"))
#: Name on the card -> heading.
FIGURES = {"auroc": "AUROC", "tpr0": "TPR0", "tpr10": "TPR10", "accuracy": "accuracy"}
LARGEST_BYTES = 15e6


def cards_table(cards: dict[str, Card]) -> str:
    """Markdown of all cards: first what each detector is, then how good it is."""
    if not cards:
        return NONE_YET
    what = [["detector", "network", "bands", "size", "pixel scale", "trained on", "epochs", "seed", "licence"]]
    good = [["detector", "bands given", *FIGURES.values(), "measured on"]]
    for name, card in cards.items():
        what.append([f"`{name}`", *_what_it_is(card)])
        good += [[f"`{name}`", *row] for row in _how_good_it_is(card)]
    return f"{_markdown(what)}\n{_markdown(good)}"


def _what_it_is(card: Card) -> list[str]:
    seeds = card.training.get("seeds") or [card.training["data_seed"]]
    stamps = f"{card.training['stamps']:,} {card.survey} stamps of seed {' and '.join(map(str, seeds))}"
    scale = f"{card.pixel_scale_arcsec:g} arcsec"
    epochs, seed = str(card.training["epochs"]), str(card.training["seed"])
    return [card.name, ", ".join(card.band_names), f"{card.size} pixels", scale, stamps, epochs, seed, card.licence]


def _how_good_it_is(card: Card) -> list[list[str]]:
    measured_on = card.training["measured_on"]
    rows = []
    for bands, figures in card.metrics.items():
        stamps = f"{figures['stamps']:,.0f} stamps ({measured_on['set']}, seed {measured_on['seed']})"
        rows.append([bands, *(_with_interval(figures, name) for name in FIGURES), stamps])
    return rows


def _with_interval(figures: dict, name: str) -> str:
    value, interval = figures[name], figures[f"{name}_interval"]
    if value is None or None in interval:
        return "not defined" if value is None else f"{value:.4f}"
    return f"{value:.4f} [{interval[0]:.4f}, {interval[1]:.4f}]"


def _markdown(rows: list[list[str]]) -> str:
    head, *body = ["| " + " | ".join(row) + " |\n" for row in rows]
    return "".join([head, "|" + "---|" * len(rows[0]) + "\n", *body])


def shipped_cards() -> dict[str, Card]:
    return {folder.relative_to(MODELS).as_posix(): verify(folder) for folder in FOLDERS}


def test_readme_shows_the_cards():
    text = (MODELS / "README.md").read_text()
    assert text.split(START)[1].split(END)[0] == cards_table(shipped_cards()), "run python tests/test_models.py"


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: f"{folder.parent.name}/{folder.name}")
def test_detector_is_small_and_as_its_card_says(folder):
    large = [path.name for path in folder.rglob("*") if path.is_file() and path.stat().st_size > LARGEST_BYTES]
    assert not large
    card = verify(folder)
    assert folder.parent.name == f"{card.name}-{card.survey}"
    assert (folder / "assets.extra" / "tf_serving_warmup_requests").is_file()


def test_only_detectors_are_in_models():
    strange = [
        path.relative_to(MODELS).as_posix()
        for path in MODELS.rglob("*")
        if path.is_file() and path != MODELS / "README.md" and not any(path.is_relative_to(f) for f in FOLDERS)
    ]
    assert not strange


def test_table_of_a_card():
    from lensdetect.survey import SURVEYS

    bologna = SURVEYS["bologna"]
    figures = {name: 0.5 for name in FIGURES} | {f"{name}_interval": [0.25, 0.75] for name in FIGURES}
    card = Card(
        name="arcformer_test",
        survey="bologna",
        spec={},
        bands=bologna.bands,
        pixel_scale_arcsec=0.2,
        size=101,
        flux_unit="AB zero point 0",
        training={
            "stamps": 2000,
            "data_seed": 1,
            "seed": 3,
            "epochs": 4,
            "measured_on": {"set": "test", "seed": 2},
        },
        metrics={
            "ugri": figures | {"stamps": 1000},
            "r": figures | {"tpr0": None, "auroc_interval": [None, None], "stamps": 900},
        },
        licence="BSD-3-Clause",
    )
    table = cards_table({"arcformer_test-bologna/1": card})
    assert "2,000 bologna stamps of seed 1 | 4 | 3 | BSD-3-Clause |" in table
    assert "| ugri | 0.5000 [0.2500, 0.7500] |" in table
    assert "| r | 0.5000 | not defined | 0.5000 [0.2500, 0.7500] |" in table
    assert table.count("1,000 stamps (test, seed 2)") == 1


def main() -> None:
    readme = MODELS / "README.md"
    before, rest = readme.read_text().split(START)
    readme.write_text(before + START + cards_table(shipped_cards()) + END + rest.split(END)[1])


if __name__ == "__main__":
    main()
