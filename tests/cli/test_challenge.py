from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lensdetect.stamps import Stamp, write_manifest, write_shard
from lensdetect.survey import SURVEYS


def rings(folder: Path, *, count: int, seed: int) -> Path:
    """Stamps of noise; every third has a ring."""
    survey, rng = SURVEYS["bologna"], np.random.default_rng(seed)
    folder.mkdir()
    manifest = {"survey": "bologna", "bands": list(survey.band_names), "seed": seed}
    write_manifest(folder, manifest | {"pixel_scale_arcsec": survey.pixel_scale_arcsec})
    y, x = np.mgrid[:33, :33] - 16
    ring = 2e-11 * np.exp(-((np.hypot(x, y) - 8) ** 2) / 4)[..., None]
    blank = {"kind": "", "einstein_radius_arcsec": 1.6, "arc_pixel_count": 1, "arc_flux_sigma": 1.0, "arc_snr": 9.0}
    stamps = [
        Stamp(
            (number % 3 == 0) * ring + rng.normal(0, 2e-12, (33, 33, 4)),
            blank | {"id": str(number), "is_lens": number % 3 == 0, "has_source": number % 3 == 0, "seed": seed},
        )
        for number in range(count)
    ]
    write_shard(folder, 0, stamps)
    return folder


@pytest.fixture(scope="module")
def sets(tmp_path_factory):
    root = tmp_path_factory.mktemp("rings")
    return rings(root / "train", count=90, seed=1), rings(root / "test", count=60, seed=2)


@pytest.mark.slow
def test_failing_system_has_code_1_and_is_a_row(lensdetect, sets, tmp_path):
    output = tmp_path / "output"
    result = lensdetect(*("challenge", "--data", sets[0], "--test", sets[1], "--output", output, "--systems", "oracle"))
    assert result.code == 1
    assert "failed because" in result.out and str(output) in result.out
    assert "failed: InputError: the oracle needs stamps drawn from" in result.err
    table = pd.read_csv(output / "results.csv").set_index("system")
    assert np.isnan(table.loc["oracle", "auroc"]) and "drawn from" in table.loc["oracle", "error"]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--systems", "all_sta"), "unknown system 'all_sta': did you mean all_star"),
        (("--systems", "all_star@z"), "the bands of a system must be some of u,g,r,i"),
        (("--plan", "quik"), "a plan must be quick, full, or a .toml or .json file, got quik"),
        (("--seed", "-1"), "must be a whole number of at least 0"),
        (("--test", "nowhere"), "nowhere must be a folder of simulated stamps or the challenge's archive"),
    ],
)
def test_bad_arguments_are_refused_before_any_work(lensdetect, sets, tmp_path, more, message):
    result = lensdetect("challenge", "--data", sets[0], "--output", tmp_path / "output", *more)
    assert result.code == 2 and message in result.err and not (tmp_path / "output").exists()


def test_stamps_of_one_kind_cannot_decide(lensdetect, sets, tmp_path):
    lenses = tmp_path / "lenses"
    rings(lenses, count=9, seed=5)
    truth = pd.read_parquet(lenses / "00000.parquet")
    truth.assign(is_lens=True, has_source=True).to_parquet(lenses / "00000.parquet", index=False)
    result = lensdetect("challenge", "--data", sets[0], "--test", lenses, "--output", tmp_path / "output")
    assert result.code == 2 and "must hold lenses and others, got 9 lenses among 9" in result.err


def test_output_that_cannot_be_written(lensdetect, sets, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    output = tmp_path / "file" / "output"
    result = lensdetect("challenge", "--data", sets[0], "--systems", "all_star", "--output", output)
    assert result.code == 2 and "results must be writable to" in result.err


def test_plan_file_with_an_unknown_field(lensdetect, sets, tmp_path):
    plan = tmp_path / "plan.json"
    plan.write_text(json.dumps({"epoch": 3}))
    result = lensdetect("challenge", "--data", sets[0], "--plan", plan, "--output", tmp_path / "output")
    assert result.code == 2 and "unknown field 'epoch'" in result.err
