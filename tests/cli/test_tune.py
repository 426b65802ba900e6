from __future__ import annotations

import json
import signal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lensdetect.network import AttentionPoolHead, DetectorSpec, PublishedEncoder, spec_to_dict
from lensdetect.network.spec import ResidualStem, Stage
from lensdetect.stamps import Stamp, write_manifest, write_shard
from lensdetect.survey import SURVEYS


@pytest.fixture(scope="module")
def rings(tmp_path_factory) -> Path:
    """Stamps of noise; every third has a ring and is a lens."""
    folder, survey, rng = tmp_path_factory.mktemp("rings") / "stamps", SURVEYS["bologna"], np.random.default_rng(1)
    folder.mkdir()
    manifest = {"survey": "bologna", "bands": list(survey.band_names), "seed": 1}
    write_manifest(folder, manifest | {"pixel_scale_arcsec": survey.pixel_scale_arcsec})
    y, x = np.mgrid[:33, :33] - 16
    ring = 2e-11 * np.exp(-((np.hypot(x, y) - 8) ** 2) / 4)[..., None]
    blank = {"kind": "", "einstein_radius_arcsec": 1.6, "arc_pixel_count": 1, "arc_flux_sigma": 1.0, "arc_snr": 9.0}
    stamps = [
        Stamp(
            (number % 3 == 0) * ring + rng.normal(0, 2e-12, (33, 33, 4)),
            blank | {"id": str(number), "is_lens": number % 3 == 0, "has_source": number % 3 == 0, "seed": 1},
        )
        for number in range(110)
    ]
    write_shard(folder, 0, stamps)
    return folder


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> Path:
    """Spec of a detector with next to nothing in it, in a file."""
    stem = ResidualStem((Stage(8, kernel=5, stride=4), Stage(8, stride=4)))
    spec = DetectorSpec(stem, PublishedEncoder((), mlp_dim=8, dropout=0.0), AttentionPoolHead((), dropout=0.0))
    path = tmp_path_factory.mktemp("spec") / "small.json"
    path.write_text(json.dumps(spec_to_dict(spec)))
    return path


@pytest.fixture
def command(rings, small, tmp_path):
    return (
        *("tune", "--data", rings, "--detector", small, "--output", tmp_path / "tuned", "--search", "bayesian"),
        *("--epochs", 2, "--parts", "plan", "--validation", 0.3, "--seed", 2),
    )


@pytest.fixture
def interrupted(monkeypatch):
    """Trials that train nothing; the second is interrupted once."""
    count = iter(range(100))

    def run_trial(folder, spec, *, plan, bench):
        if next(count) == 1:
            raise KeyboardInterrupt
        figures = {"val_auroc": 0.8, "val_tpr": 0.2, "val_loss": 0.5, "parameters": 9.0, "operations": 1e6}
        return figures | {"train_s": 1.0}

    monkeypatch.setattr("lensdetect.training.tuning.search.run_trial", run_trial)


def test_interrupted_search_goes_on(lensdetect, command, rings, tmp_path, interrupted):
    tuned = tmp_path / "tuned"
    result = lensdetect(*command, "--trials", 3)
    assert result.code == 2
    assert result.err.splitlines()[-1].endswith(f"interrupted: run the same command again to go on in {tuned}")
    assert len(pd.read_csv(tuned / "trials.csv")) == 2

    result = lensdetect(*command, "--trials", 3)
    assert result.code == 0 and "trial 3: val_auroc" in result.err and "trial 1: " not in result.err
    assert result.out.split()[:4] == ["trial", "epochs", "AUROC", "TPR"]
    assert len(pd.read_csv(tuned / "trials.csv")) == 3 and (tuned / "trials.png").is_file()
    words = result.out.splitlines()[-1].split(" lensdetect ")[1].split()
    assert words[:3] == ["train", "--data", str(rings)] and words[-1] == "RUN"
    # A search that goes on in another way is none.
    result = lensdetect(*command, "--trials", 3, "--seed", 4)
    assert result.code == 2 and "holds another search: seed is 2 there and 4 here" in result.err


@pytest.mark.slow
def test_interrupted_process_goes_on_and_its_best_is_trained(
    start, lensdetect, command, rings, tmp_path, wait_for, patience_s
):
    tuned = tmp_path / "tuned"
    process = start(*command, "--trials", 3)
    wait_for((tuned / "trials.csv").is_file, process)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=patience_s)
    assert process.returncode == 2 and "\nepoch 1: " in err and "Traceback" not in err, err
    result = lensdetect(*command, "--trials", 3)
    assert result.code == 0 and "trial 3: val_auroc" in result.err and "trial 1: " not in result.err
    assert pd.read_csv(tuned / "trials.csv")["status"].tolist() == ["done"] * 3

    # The line that it ends with is a command that works.
    words = result.out.splitlines()[-1].split(" lensdetect ")[1].split()
    training = (*words[:-1], tmp_path / "run", "--epochs", 1)
    assert lensdetect(*training).code == 0
    record = json.loads((tmp_path / "run" / "plan.json").read_text())
    assert record["plan"]["name"] == "adamw_tuned"
    assert record["spec"] == json.loads((tuned / "spec.json").read_text())
    assert "this training is finished" in lensdetect(*training, "--resume").out
    result = lensdetect(*training, "--resume", "--plan", "adamw")
    assert result.code == 2 and "--plan is adamw_tuned in" in result.err
    result = lensdetect(*training, "--resume", "--detector", "arcformer_test")
    assert result.code == 2 and "--detector is custom_detector in" in result.err


def test_search_of_which_nothing_is_left(lensdetect, command):
    # Neither a batch of 64 stamps, nor of half or twice as many, can be filled by eleven.
    result = lensdetect(*command, "--trials", 2, "--validation", 0.9)
    assert result.code == 2 and "none of 2 trials went through, see" in result.err
    assert "the last failed with InputError: training needs at least one batch of" in result.err


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--search", "hyperbannd"), "unknown search 'hyperbannd': did you mean hyperband"),
        (("--objective", "tpr", "--fpr", 0.001), "needs at least 1000 held-out stamps that are no lens"),
        (("--parts", "steem"), "unknown part to tune 'steem': did you mean stem"),
        (("--detector", "none.json"), "none.json must be a file with a spec, got No such file"),
        (("--plan", "none.json"), "none.json must be a file with a plan, got No such file"),
        (("--detector", "arcformer_smal"), "did you mean arcformer_small"),
        (("--trials", 0), "must be a whole number of at least 1"),
    ],
)
def test_what_cannot_be_searched_is_said_at_once(lensdetect, command, tmp_path, more, message):
    result = lensdetect(*command, *more)
    assert result.code == 2 and message in result.err and not (tmp_path / "tuned").exists()
