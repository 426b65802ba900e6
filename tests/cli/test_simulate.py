from __future__ import annotations

import re
import signal

import numpy as np
import pytest

from lensdetect.simulation import run as simulation_run
from lensdetect.stamps import Shards

COMMAND = ("simulate", "--survey", "bologna", "--count", 3, "--seed", 5, "--size", 33, "--workers", 1)


def test_shards(lensdetect, tmp_path, pixels):
    result = lensdetect(*COMMAND, "--lens-fraction", 0.5, "--output", tmp_path / "stamps")
    shards = Shards(tmp_path / "stamps")
    assert result.code == 0 and "3 stamps of survey bologna, seed 5" in result.out
    np.testing.assert_array_equal(shards.read(np.arange(3)), pixels[:3])


def test_challenge_layout(lensdetect, tmp_path):
    assert lensdetect(*COMMAND, "--output", tmp_path / "Data.0", "--layout", "challenge").code == 0
    assert len(list((tmp_path / "Data.0").glob("Public/Band?/imageSDSS_?-*.fits"))) == 12
    assert (tmp_path / "Data.0" / "classifications.csv").is_file()


def test_unwritable_output(lensdetect, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    result = lensdetect(*COMMAND, "--output", tmp_path / "file" / "stamps")
    assert result.code == 2 and "must be writable" in result.err


def test_interrupt_says_how_to_go_on(lensdetect, tmp_path, monkeypatch):
    monkeypatch.setattr(simulation_run, "make_shard", lambda *_: signal.raise_signal(signal.SIGINT))
    result = lensdetect(*COMMAND, "--output", tmp_path / "stamps")
    assert result.code == 2 and "interrupted: what is done is kept" in result.err
    monkeypatch.undo()
    assert lensdetect(*COMMAND, "--output", tmp_path / "stamps").code == 0


def test_stamps_of_the_real_sky_by_a_population_file(lensdetect, tmp_path):
    (tmp_path / "sky.toml").write_text("lens_fraction = 0.0\n[foolers]\nspiral = 1.0\n")
    with_all = ("simulate", "--survey", "kids", "--population", tmp_path / "sky.toml")
    assert (
        "must sum to at most 1, got 1.56"
        in lensdetect(*with_all, "--count", 4, "--seed", 1, "--output", tmp_path / "x").err
    )
    others = "".join(
        f"{name} = 0.0\n"
        for name in ("ring", "merger", "edge_on", "satellites", "chance_blue", "group", "star", "pair")
    )
    (tmp_path / "sky.toml").write_text((tmp_path / "sky.toml").read_text() + others)
    result = lensdetect(*with_all, "--count", 4, "--seed", 1, "--size", 51, "--workers", 1, "--output", tmp_path / "x")
    assert result.code == 0
    assert Shards(tmp_path / "x").truth["kind"].tolist() == ["spiral"] * 4


def test_population_is_printed_and_read_back(lensdetect, tmp_path):
    printed = lensdetect("simulate", "--survey", "kids", "--print-population")
    assert printed.code == 0 and "[foolers]" in printed.out
    (tmp_path / "same.toml").write_text(printed.out)
    again = lensdetect("simulate", "--survey", "kids", "--print-population", "--population", tmp_path / "same.toml")
    assert again.out == printed.out


def test_arcs_onto_real_cutouts(lensdetect, tmp_path, shared_data):
    images = shared_data / "des_griz" / "deeplenstronomy_46"
    command = ("simulate", "--survey", "des", "--onto", images, "--seed", 1, "--workers", 1, "--output", tmp_path / "p")
    result = lensdetect(*command, "--size", 51, "--lens-fraction", 0.0)
    assert result.code == 0 and "46 cutouts of survey des" in result.out
    assert set(Shards(tmp_path / "p").truth["kind"]) == {"real"}


def test_images_of_another_flux_unit_are_refused(lensdetect, tmp_path, shared_data):
    images = shared_data / "kids_r_unlabelled" / "fits_cutouts"
    result = lensdetect(
        "simulate", "--survey", "kids", "--onto", images, "--plane-bands", "r", "--seed", 1, "--output", tmp_path / "p"
    )
    assert result.code == 2 and "rms" in result.err and not (tmp_path / "p").exists()


def test_tiles(lensdetect, tmp_path):
    command = ("simulate", "--survey", "kids", "--tiles", 1, "--seed", 1, "--output", tmp_path / "sky")
    assert "--tiles needs --density" in lensdetect(*command).err
    shape = ("--density", 2, "--tile-shape", "150,160", "--workers", 1)
    assert lensdetect(*command, *shape).code == 0
    assert len(list((tmp_path / "sky").rglob("*_sci.fits"))) == 4


def test_check_against_the_genuine_table(lensdetect, tmp_path, shared_data):
    made = lensdetect(
        *("simulate", "--survey", "bologna", "--count", 60, "--seed", 5, "--workers", 1, "--output", tmp_path / "s"),
        *("--check", shared_data / "bologna_ground"),
    )
    assert made.code in {0, 1}  # so few stamps cannot match every quantile
    assert "Einstein radius" in made.out and (tmp_path / "s" / "check.png").stat().st_size > 10_000


@pytest.mark.parametrize(
    "options, message",
    [
        ((), "one of --count .* must be given, got none"),
        (("--count", 3, "--tiles", 1), "got --count and --tiles"),
        (("--count", 3, "--output", "x"), "simulate needs --survey, --seed"),
        (("--print-population",), "needs --survey"),
        (("--survey", "kidz", "--count", 3, "--seed", 1, "--output", "x"), "did you mean kids"),
        (
            ("--survey", "kids", "--tiles", 1, "--density", 1, "--seed", 1, "--output", "x", "--tile-shape", "12"),
            "two whole numbers as in 2000,2000, got 12",
        ),
    ],
)
def test_what_cannot_be_asked_for(lensdetect, options, message):
    result = lensdetect("simulate", *options)
    assert result.code == 2 and re.search(message, result.err)
