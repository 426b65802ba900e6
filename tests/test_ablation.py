"""The ablation: which stamps a change is trained on, and the table of what its runs left."""

from __future__ import annotations

import importlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lensdetect.errors import InputError

VIEWS = ("one", "eight", "averaged")
BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"


@pytest.fixture(autouse=True)
def benchmarks(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))


def module(name):
    return importlib.import_module(name)


def pool_truth(count=20_000) -> pd.DataFrame:
    """A third lenses, of which half are bright and half are wide; a sixth sources that cannot be seen."""
    number = np.arange(count)
    is_lens = number % 3 == 0
    return pd.DataFrame(
        {
            "id": number.astype(str),
            "is_lens": is_lens,
            "has_source": is_lens | (number % 6 == 1),
            "arc_snr_over_light": np.where(number % 2 == 0, 80.0, 30.0),
            "einstein_radius_over_seeing": np.where(number % 4 < 2, 3.0, 1.5),
        }
    )


class Stamps:
    shape, manifest = (3, 3, 1), {"survey": "ground"}

    def __init__(self, truth):
        self.truth = truth

    def read(self, rows):
        return np.broadcast_to(np.asarray(rows, np.float32)[:, None, None, None], (len(rows), *self.shape)).copy()


@pytest.mark.parametrize("rule", ["BRIGHT", "WIDE", "LOOSE"])
def test_a_lens_rule_changes_the_lenses_and_neither_their_number_nor_the_others(rule):
    changes, truth = module("ablation_changes"), pool_truth(40_000)
    base, base_lens = changes.CHANGES["base"].rule(truth)
    rows, is_lens = getattr(changes, rule)(truth)
    assert is_lens.sum() == base_lens.sum() and len(rows) == len(base)
    np.testing.assert_array_equal(rows[~is_lens], base[~base_lens])
    assert not np.array_equal(rows[is_lens], base[base_lens])


def test_a_pool_with_too_few_lenses_is_told():
    changes = module("ablation_changes")
    with pytest.raises(InputError, match="the pool must hold 4000 lenses of this rule, got .*: simulate more stamps"):
        changes.BRIGHT(pool_truth(15_000))


def test_a_part_reads_its_rows_under_its_own_names():
    truth = pool_truth(30)
    part = module("ablation_changes").Part(Stamps(truth), np.array([7, 3, 9]), is_lens=np.array([True, False, True]))
    np.testing.assert_array_equal(part.read(np.array([2, 0]))[:, 0, 0, 0], [9.0, 7.0])
    assert part.truth["id"].tolist() == ["7", "3", "9"]
    # neither has a source that is not seen: all are trained on
    np.testing.assert_array_equal(part.truth["is_lens"], part.truth["has_source"])
    other = module("ablation_changes").Part(Stamps(truth), np.array([7, 3, 9]), is_lens=np.array([True, True, True]))
    assert part.sha256() != other.sha256()


def small_sets():
    sets = module("real_sets")

    def small(name, kinds):
        table = pd.DataFrame({"kind": kinds, "is_lens": [kind == "lens" for kind in kinds]})
        table = table.assign(is_lens=table["is_lens"].astype("boolean"), fold=np.arange(len(kinds)) % 4)
        return sets.RealSet(name, np.zeros((len(kinds), 1, 1, 1)), ("r",), (30.0,), 0.2, table)

    galaxies = {name: small(name, ["galaxy"] * 40) for name in ("kids_field", "cfhtls_fields", "cfhtls_gri_field")}
    graded = small("cfhtls_graded", ["lens"] * 20 + ["negative"] * 20 + ["ambiguous"] * 4)
    des, sky = small("des_griz", ["galaxy"] * 20 + ["lens"]), small("sky bologna", ["lens"] * 10 + ["spiral"] * 10)
    return {"cfhtls_graded": graded, **galaxies, "des_griz": des, "sky bologna": sky}


def leave_run(folder, sets, scores):
    folder.mkdir(parents=True)
    np.savez(folder / "scores.npz", **{f"{name}/{view}": own for name, own in scores.items() for view in VIEWS})


def right(sets):
    return {name: found.table["is_lens"].to_numpy(float) for name, found in sets.items()}


def test_figures_are_those_of_the_lenses_against_each_set():
    table, sets = module("ablation_table"), small_sets()
    scores = right(sets) | {"des_griz": np.full(21, 5.0)}
    found = table.figures_of(scores, sets)
    assert found["look-alikes", "auroc"] == found["KiDS", "tpr_0.015"] == found["sky", "auroc"] == 1.0
    assert found["DES", "auroc"] == 0.0 and found["DES", "at_half"] == 20
    assert found["KiDS", "at_half"] == 0


def test_runs_by_fold_are_joined_row_by_row(tmp_path):
    table, sets = module("ablation_table"), small_sets()
    for fold in range(4):
        own = {name: np.full(np.sum(found.table["fold"] == fold), float(fold)) for name, found in sets.items()}
        leave_run(tmp_path / f"fold_{fold}", sets, own)
    joined = table.read_scores(tmp_path, sets, view="one")
    for name, found in sets.items():
        np.testing.assert_array_equal(joined[name], found.table["fold"])


def cells_of(text) -> dict[str, list[str]]:
    lines = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    return {line[0]: line for line in lines[1:]}


def test_the_table_has_mean_and_spread_over_seeds_and_costs(tmp_path):
    table, sets = module("ablation_table"), small_sets()
    wrong = right(sets) | {"cfhtls_graded": 1.0 - sets["cfhtls_graded"].table["is_lens"].to_numpy(float)}
    leave_run(tmp_path / "base" / "1", sets, right(sets))
    leave_run(tmp_path / "base" / "2", sets, wrong)
    leave_run(tmp_path / "tokens_13" / "1", sets, right(sets))
    one, eight = table.both_tables(tmp_path, sets, {"base": (100, 50.0), "tokens_13": (250, 20.0)}).split(
        "### Eight views"
    )
    cells = cells_of(one)
    base = next(row for title, row in cells.items() if title.startswith("base: "))
    assert base[1] == "2" and "0.500 ± 0.707" in base and base[-2:] == ["1.00", "50"]
    tokens = next(row for title, row in cells.items() if title.startswith("colour, 13 x 13 tokens"))
    assert tokens[1] == "1" and tokens[-2] == "2.50"
    assert {"base: weights of the last three epochs averaged", "committee of 2 seeds of base"} <= set(cells)
    assert next(row for title, row in cells_of(eight).items() if title.startswith("base: "))[-2:] == ["8.00", "6"]
