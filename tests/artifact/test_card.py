from __future__ import annotations

import dataclasses
import json
import math
import shutil

import pytest

from lensdetect.artifact import Calibration, load_card, load_detector, restore, verify
from lensdetect.errors import ArtifactError, InputError
from lensdetect.survey import Band

CARD = "assets.extra/card.json"


def edit(folder, change) -> None:
    """Change a card as somebody would who does not mind its hash."""
    path = folder / CARD
    values = json.loads(path.read_text())
    del values["card_sha256"]
    change(values)
    path.write_text(json.dumps(values))


def test_card_comes_back(saved, card):
    loaded = load_card(saved)
    assert set(loaded.files_sha256) == {
        "assets.extra/tf_serving_warmup_requests",
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
    "file",
    [
        "variables/variables.data-00000-of-00001",
        "variables/variables.index",
        "saved_model.pb",
        "assets.extra/tf_serving_warmup_requests",
    ],
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


@pytest.mark.parametrize(
    "file", ["saved_model.pbtxt", "saved_model.cpb", "assets/table.txt", "variables/other.bin", "variables/more/a.bin"]
)
def test_whatever_would_be_read_has_to_be_on_the_card(copied, file):
    (copied / file).parent.mkdir(exist_ok=True)
    (copied / file).write_bytes(b"1")
    with pytest.raises(ArtifactError, match=f"{file} is not of the card: take the folder from its source again"):
        verify(copied)


@pytest.mark.parametrize("name", ["variables", "saved_model.pb", CARD])
def test_links_are_refused(copied, tmp_path, name):
    (copied / name).rename(tmp_path / "elsewhere")
    (copied / name).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ArtifactError, match=f"{name} must be a file or folder of its own, got a link"):
        verify(copied)


def test_warm_up_requests_of_older_folders_have_no_hash(copied):
    edit(copied, lambda values: values["files_sha256"].pop("assets.extra/tf_serving_warmup_requests"))
    with pytest.raises(ArtifactError, match="warmup_requests is not of the card"):
        verify(copied)
    edit_again = {"code_version": "0.1.0"}
    path = copied / CARD
    path.write_text(json.dumps(json.loads(path.read_text()) | edit_again))
    assert verify(copied).code_version == "0.1.0"


def test_a_changed_card_is_found(copied):
    path = copied / CARD
    path.write_text(path.read_text().replace('"zero_point_mag": 0.0', '"zero_point_mag": 1.0', 1))
    with pytest.raises(ArtifactError, match=r"card\.json must be as it was written, got another hash: take the folder"):
        load_card(copied)


def test_files_that_tensorflow_does_not_read_do_no_harm(copied):
    (copied / ".DS_Store").write_bytes(b"1")
    (copied / "assets.extra" / "notes.txt").write_text("ours")
    verify(copied)


def test_empty_card_does_not_pass(copied):
    edit(copied, lambda values: values.update(files_sha256={}))
    for path in copied.iterdir():
        if path.name != "assets.extra":
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    (copied / "assets.extra" / "tf_serving_warmup_requests").unlink()
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
    with pytest.raises(
        ArtifactError, match=r"part 2 of bands of the card .* missing: \['noise_sigma'\], unknown: \[\]"
    ):
        load_card(copied)


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (("size",), "101", "size of the card must be a whole number, got '101'"),
        (("size",), 0, "size must be from 1 to 10000, got 0"),
        (("size",), True, "size of the card must be a whole number, got True"),
        (("name",), 5, "name of the card must be text, got 5"),
        (("spec",), [], r"spec of the card must be a table, each value in it .*, got \[\]"),
        (("pixel_scale_arcsec",), -0.2, "pixel_scale_arcsec must be from 0.001 to 100, got -0.2"),
        (("bands",), [], r"bands must be one or more, each once, got \[\]"),
        (("bands",), "ugri", "bands of the card must be a list, each part of it a table, got 'ugri'"),
        (
            ("bands", 0, "zero_point_mag"),
            None,
            "zero_point_mag of part 1 of bands of the card must be a number, got None",
        ),
        (("bands", 1, "name"), "u", r"bands must be one or more, each once, got \['u', 'u', 'r', 'i'\]"),
        (("bands", 1, "noise_sigma"), -1.0, "noise_sigma of band g must be from 1e-300 to 1e.300, got -1"),
        (
            ("calibration", 0, "slope"),
            float("nan"),
            "slope of part 1 of calibration of the card must be a number, got nan",
        ),
        (("calibration", 0, "slope"), -1.0, "the slope of a calibration must be from 1e-06 to 1e.06, got -1"),
        (("calibration", 1, "lens_fraction"), 1.5, "lens_fraction of a calibration must lie between 0 and 1, got 1.5"),
        (("calibration", 0, "bands"), ["r"], "the first calibration must be that of all bands u, g, r, i, got r"),
        (("calibration", 2, "bands"), ["z"], r"a calibration must be of some of u, g, r, i, got \['z'\]"),
        (("calibration",), {"slope": 1.0, "slip": 2.0}, r"calibration .* unknown: \['slip'\]"),
        (("metrics",), {"auroc": 0.9}, "auroc of metrics of the card must be a table"),
        (("metrics", "ugri", "auroc"), "good", "auroc of ugri of metrics of the card must be a number or"),
        (("files_sha256",), ["saved_model.pb"], "files_sha256 of the card must be a table, each value in it text"),
        (("licence",), None, "licence of the card must be text, got None"),
        (("size",), 10**400, "size of the card must be a whole number, got 1000"),
    ],
)
def test_values_of_a_card_have_their_types_and_ranges(copied, place, value, message):
    def change(values):
        for key in place[:-1]:
            values = values[key]
        values[place[-1]] = value

    edit(copied, change)
    with pytest.raises(ArtifactError, match=message):
        load_card(copied)


def test_an_older_card_has_one_calibration_of_unknown_prior(copied):
    edit(copied, lambda values: values.update(calibration={"slope": 0.5, "intercept": -1.25}))
    card = load_card(copied)
    assert card.calibration == (Calibration(0.5, -1.25, bands=("u", "g", "r", "i")),)
    assert card.probability(2.0) == pytest.approx(1 / (1 + math.exp(0.25)))
    with pytest.raises(InputError, match="only if the card says what share of the stamps .*: leave the prior out"):
        card.probability(2.0, prior=1e-3)


def test_probability_is_that_of_the_bands(card):
    logit = 2.0
    for bands, calibrated in ((None, -0.25), ("ugri", -0.25), ("irg", 0.05), ("gr", 0.05), ("r", 1.0), ("u", -0.25)):
        assert card.probability(logit, bands=bands) == pytest.approx(1 / (1 + math.exp(-calibrated)), rel=1e-6), bands
    # Bands that the detector does not take change nothing.
    assert card.probability(logit, bands=("r", "z")) == card.probability(logit, bands=("r",))
    odds = math.exp(-0.25) * (1e-3 / 0.999) / (0.4 / 0.6)
    assert card.probability(logit, prior=1e-3) == pytest.approx(odds / (1 + odds), rel=1e-6)
    bare = dataclasses.replace(card, calibration=())
    assert bare.probability(logit) == pytest.approx(1 / (1 + math.exp(-logit)))
