from __future__ import annotations

import dataclasses
import json
import math
import shutil

import pytest

from lensdetect.artifact import load_card, load_detector, restore, verify
from lensdetect.errors import ArtifactError, InputError
from lensdetect.survey import Band

CARD = "assets.extra/card.json"


def edit(folder, change) -> None:
    path = folder / CARD
    values = json.loads(path.read_text())
    change(values)
    path.write_text(json.dumps(values))


def test_card_comes_back(saved, card):
    loaded = load_card(saved)
    assert set(loaded.files_sha256) == {
        "fingerprint.pb",
        "saved_model.pb",
        "variables/variables.data-00000-of-00001",
        "variables/variables.index",
    }
    assert dataclasses.replace(loaded, files_sha256={}) == card
    assert verify(saved) == loaded


def test_gaussian_band_and_unknown_figure_survive_json(card, copied):
    bands = (*card.bands[:3], Band("i", 25.0, 3e-3, 0.8, math.inf))
    odd = dataclasses.replace(card, bands=bands, metrics={"ugri": {"tpr0": math.nan}})
    (copied / CARD).write_text(odd.to_json())
    loaded = load_card(copied)
    assert loaded.bands == bands
    assert loaded.metrics == {"ugri": {"tpr0": None}}


@pytest.mark.parametrize(
    "file", ["variables/variables.data-00000-of-00001", "variables/variables.index", "saved_model.pb"]
)
def test_changed_byte_is_found_on_every_load(copied, model, file):
    path = copied / file
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    for load in (verify, load_detector, lambda folder: restore(model, folder)):
        with pytest.raises(ArtifactError, match=rf"files of .* {file} is changed: take the folder from its source"):
            load(copied)


def test_missing_and_added_files_are_named(copied):
    (copied / "saved_model.pb").unlink()
    (copied / "variables" / "variables.more").write_bytes(b"1")
    with pytest.raises(ArtifactError, match="saved_model.pb is missing, variables/variables.more is not of the card"):
        verify(copied)


def test_files_that_tensorflow_does_not_read_do_no_harm(copied):
    (copied / ".DS_Store").write_bytes(b"1")
    (copied / "assets.extra" / "notes.txt").write_text("ours")
    verify(copied)


def test_empty_card_does_not_pass(copied):
    edit(copied, lambda values: values.update(files_sha256={}))
    for path in copied.iterdir():
        if path.name != "assets.extra":
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    with pytest.raises(ArtifactError, match="there are none"):
        verify(copied)


def test_missing_card(copied):
    (copied / CARD).unlink()
    with pytest.raises(ArtifactError, match=r"must hold assets\.extra/card\.json, got none in .*bologna/1"):
        load_detector(copied)


def test_broken_card(copied):
    (copied / CARD).write_text("{")
    with pytest.raises(ArtifactError, match=r"card\.json must be JSON"):
        load_card(copied)


def test_fields_of_a_card_are_exact(copied):
    def change(values):
        del values["licence"], values["size"]
        values["colour"] = "blue"

    edit(copied, change)
    with pytest.raises(ArtifactError, match=r"missing: \['licence', 'size'\], unknown: \['colour'\]"):
        load_card(copied)


def test_fields_of_a_band_are_exact(copied):
    edit(copied, lambda values: values["bands"][1].pop("noise_sigma"))
    with pytest.raises(ArtifactError, match=r"a band in .* missing: \['noise_sigma'\], unknown: \[\]"):
        load_card(copied)


def test_forms_of_calibration_and_metrics(card, copied):
    with pytest.raises(InputError, match=r"calibration must have slope and intercept, got \['slope'\]"):
        dataclasses.replace(card, calibration={"slope": 1.0})
    with pytest.raises(InputError, match="a dict of figures for each band set"):
        dataclasses.replace(card, metrics={"auroc": 0.9})
    edit(copied, lambda values: values.update(metrics={"auroc": 0.9}))
    with pytest.raises(ArtifactError, match=r"card\.json: metrics must be"):
        load_card(copied)
