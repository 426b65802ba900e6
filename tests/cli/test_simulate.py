from __future__ import annotations

import signal

import numpy as np

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
