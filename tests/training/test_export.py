"""From a run to an artifact with an honest card."""

from __future__ import annotations

import dataclasses
import json
import logging

import keras
import numpy as np
import pandas as pd
import pytest

from lensdetect import __version__
from lensdetect.artifact import load_card, load_detector
from lensdetect.errors import InputError
from lensdetect.metrics import lens_metrics
from lensdetect.training import Run, export
from lensdetect.training.checkpoint import load_weights
from lensdetect.training.record import build_from_record, new_record, split_rows

FIGURES = ["auroc", "tpr0", "tpr10", "accuracy"]


def untrained_run(folder, spec, stamps, plan, survey, *, prepare=None, weights=None) -> Run:
    """A run of one epoch in which nothing was learned."""
    run = Run(folder)
    record = new_record(spec, stamps, survey=survey, plan=plan, seed=3, weights=weights, parts="all")
    with run.held(record):
        pass
    model = build_from_record(record, size=stamps.shape[0])
    if prepare is not None:
        prepare(model)
    model.compile(optimizer=keras.optimizers.AdamW(1e-3))
    run.save_epoch(model, pd.DataFrame([{"epoch": 1, "loss": 0.7}]), epoch=1, auroc=0.5)
    return run


def make_blind(model: keras.Model) -> None:
    for variable in model.get_layer("logit").weights:
        variable.assign(np.zeros(variable.shape))


def test_artifact_is_in_the_run_and_loads(artifact, trained, unseen):
    assert artifact == trained.folder / "model" / "1"
    scores = load_detector(artifact)(unseen.read(np.arange(48)))
    is_lens = unseen.truth["is_lens"].to_numpy(bool)
    assert lens_metrics(is_lens, scores.logit).auroc > 0.9


def test_card_says_where_the_weights_come_from(artifact, trained, stamps, unseen, bologna):
    card, state = load_card(artifact), trained.read_state()
    assert (card.name, card.survey, card.size, card.bands) == ("arcformer_test", "bologna", 33, bologna.bands)
    assert (card.pixel_scale_arcsec, card.licence, card.code_version) == (0.2, "BSD-3-Clause", __version__)
    assert card.flux_unit == "AB zero point u 0, g 0, r 0, i 0"
    assert card.training == {
        "data_sha256": stamps.sha256(),
        "data_seed": 1,
        "stamps": 160,
        "seed": 5,
        "epochs": state["epoch"],
        "kept_epoch": state["best_epoch"],
        "plan": trained.read_plan()["plan"],
        "precision": trained.read_plan()["precision"],
        "weights": None,
        "parts": "all",
        "measured_on": {"set": "test", "sha256": unseen.sha256(), "seed": 2},
    }


def test_card_has_figures_for_each_set_of_bands(artifact, unseen):
    metrics = load_card(artifact).metrics
    assert list(metrics) == ["ugri", "gri", "r"]
    for figures in metrics.values():
        assert sorted(figures) == sorted([*FIGURES, *(f"{name}_interval" for name in FIGURES), "stamps", "lenses"])
        assert (figures["stamps"], figures["lenses"]) == (48, 16)
        for name in FIGURES:
            low, high = figures[f"{name}_interval"]
            assert 0 <= low <= figures[name] <= high <= 1
    assert metrics["ugri"]["auroc"] > 0.9


@pytest.mark.parametrize(("names", "kept"), [("ugri", [0, 1, 2, 3]), ("gri", [1, 2, 3]), ("r", [2])])
def test_figures_are_those_of_the_artifact(artifact, unseen, names, kept):
    cutouts = unseen.read(np.arange(48))
    absent = np.setdiff1d(np.arange(4), kept)
    cutouts[..., absent] = np.nan
    found = lens_metrics(unseen.truth["is_lens"], load_detector(artifact)(cutouts).logit)
    assert load_card(artifact).metrics[names]["auroc"] == pytest.approx(found.auroc, abs=0.005)


def test_probability_is_calibrated_on_the_validation_stamps(artifact, trained, stamps, plan):
    _, validation = split_rows(stamps, plan, seed=5)
    probability = load_detector(artifact)(stamps.read(validation)).probability
    is_lens = stamps.truth["is_lens"].to_numpy(bool)[validation]
    # The maximum of the likelihood keeps the number of lenses, but for Platt's targets.
    lenses, others = is_lens.sum(), (~is_lens).sum()
    expected = lenses * (lenses + 1) / (lenses + 2) + others / (others + 2)
    assert probability.sum() == pytest.approx(expected, abs=0.05)


def test_best_epoch_is_exported(artifact, trained, stamps, unseen):
    model = build_from_record(trained.read_plan(), size=33, fresh=True)
    load_weights(trained.checkpoint / trained.read_state()["best"], model)
    cutouts = unseen.read(np.arange(8))
    np.testing.assert_allclose(load_detector(artifact)(cutouts).logit, np.asarray(model(cutouts))[:, 0], atol=1e-4)


def test_without_test_stamps_the_card_says_validation(spec, stamps, plan, bologna, tmp_path):
    run = untrained_run(tmp_path / "run", spec, stamps, plan, bologna)
    card = load_card(export(run, stamps, survey=bologna, unfinished=True))
    assert card.name == "custom_detector"
    assert card.training["measured_on"] == {"set": "validation", "sha256": stamps.sha256(), "seed": 1}
    assert {figures["stamps"] for figures in card.metrics.values()} == {40}
    with pytest.raises(InputError, match=r"model/1 is there already: move it away"):
        export(run, stamps, survey=bologna, unfinished=True)


def test_detector_that_learned_nothing_stays_uncalibrated(spec, stamps, plan, bologna, tmp_path, caplog):
    run = untrained_run(tmp_path / "run", spec, stamps, plan, bologna, prepare=make_blind)
    with caplog.at_level(logging.WARNING, logger="lensdetect"):
        card = load_card(export(run, stamps, survey=bologna, unfinished=True))
    assert "the probability of u,g,r,i stays uncalibrated: calibration needs finite logits that differ" in caplog.text
    assert card.calibration == ()
    assert card.metrics["ugri"]["auroc"] == 0.5


def test_what_is_exported_can_lie_between_start_and_end(artifact, stamps, plan, unseen, bologna, tmp_path):
    plan = dataclasses.replace(plan, start_share=0.25)
    run = untrained_run(tmp_path / "run", "arcformer_test", stamps, plan, bologna, prepare=make_blind, weights=artifact)
    card = load_card(export(run, stamps, survey=bologna, unfinished=True))
    assert card.training["plan"]["start_share"] == 0.25
    # the last layer is 0 at the end, all others are as at the start
    logit, before = (load_detector(folder)(unseen.read(np.arange(8))).logit for folder in (run.model_folder, artifact))
    np.testing.assert_allclose(logit, 0.25 * before, atol=1e-4)


def test_a_share_of_a_start_needs_a_whole_one(artifact, stamps, plan, bologna):
    plan, how = dataclasses.replace(plan, start_share=0.5), {"survey": bologna, "seed": 1}
    with pytest.raises(InputError, match="got none of them: give a trained detector"):
        new_record("arcformer_test", stamps, plan=plan, weights=None, parts="all", **how)
    with pytest.raises(InputError, match="got some parts of them"):
        new_record("arcformer_test", stamps, plan=plan, weights=artifact, parts=["stem"], **how)
    with pytest.raises(InputError, match="start_share must be at least 0 and below 1, got 1"):
        dataclasses.replace(plan, start_share=1.0)


def test_half_precision_training_is_exported_and_measured_in_float32(spec, stamps, plan, bologna, tmp_path):
    run = untrained_run(tmp_path / "run", spec, stamps, plan, bologna)
    record = run.read_plan() | {"precision": "mixed_bfloat16"}
    (run.folder / "plan.json").write_text(json.dumps(record))
    artifact = export(run, stamps, survey=bologna, unfinished=True)
    assert load_card(artifact).training["precision"] == "mixed_bfloat16"
    assert keras.config.dtype_policy().name == "float32"
    model = build_from_record(record, size=33, precision="float32", fresh=True)
    load_weights(run.checkpoint / "epoch_0001.npz", model)
    logit = np.concatenate([np.asarray(model(stamps.read(rows)))[:, 0] for rows in np.arange(160).reshape(10, 16)])
    _, validation = split_rows(stamps, plan, seed=3)
    is_lens = stamps.truth["is_lens"].to_numpy(bool)[validation]
    expected = lens_metrics(is_lens, logit[validation]).auroc
    assert load_card(artifact).metrics["ugri"]["auroc"] == pytest.approx(expected, abs=1e-6)


class SameSeed:
    """Other stamps of the seed of the training: a longer simulation holds the shorter one."""

    def __init__(self, stamps):
        self.truth, self.shape, self.read = stamps.truth, stamps.shape, stamps.read
        self.manifest = stamps.manifest | {"seed": 1}

    def sha256(self):
        return "0" * 64


def test_seen_stamps_are_no_test_stamps(trained, stamps, unseen, bologna, tmp_path):
    run = Run(tmp_path / "run")
    with run.held(trained.read_plan()):
        pass
    with pytest.raises(InputError, match="run has no finished epoch to export: train it first"):
        export(run, stamps, survey=bologna, unfinished=True)
    (run.checkpoint / "state.json").write_text((trained.checkpoint / "state.json").read_text())
    for test in (stamps, SameSeed(unseen)):
        with pytest.raises(
            InputError, match="must be others than the training stamps: simulate them with another seed"
        ):
            export(run, stamps, survey=bologna, test=test, unfinished=True)
    with pytest.raises(InputError, match="got 48 others: give the same --data"):
        export(run, unseen, survey=bologna, unfinished=True)
