from __future__ import annotations

import json

from lensdetect.artifact.shipped import detector_for
from lensdetect.network import DETECTORS


def test_table_lists_trained_and_untrained(lensdetect, shipping):
    result = lensdetect("models")
    lines = result.out.splitlines()
    assert result.code == 0 and max(map(len, lines)) <= 100
    shipped = next(line for line in lines if line.startswith("arcformer_test-bologna/1"))
    assert shipped.split()[2:] == ["shipped", "bologna", "u,g,r,i", "BSD-3-Clause"]
    assert sum("to be trained" in line for line in lines) == len(DETECTORS) - 1
    assert lines[-2].split()[1:] == ["u,g,r,i", "0.9100", "0.2000", "0.5000", "100", "40"]
    assert lines[-1].split()[1:] == ["r", "0.7500", "0.1000", "100", "40"]


def test_says_which_detector_images_are_given_to(lensdetect):
    lines = lensdetect("models").out.splitlines()
    given = lines.index("images of survey         are given to, without --model")
    assert f"bologna                  {detector_for('bologna')}" in lines[given:]
    assert f"any other, and your own  {detector_for('kids')}" in lines[given:]


def test_json(lensdetect, shipping):
    rows = {row["name"]: row for row in json.loads(lensdetect("models", "--json").out)}
    assert rows["lens_detector_15"]["parameters"] == 3_194_849 and not rows["lens_detector_15"]["trained"]
    assert rows["arcformer_test-bologna/1"]["metrics"]["ugri"]["auroc"] == 0.91


def test_changed_card_is_one_line(lensdetect, copied_detector, monkeypatch):
    from lensdetect.artifact import shipped

    (copied_detector / "assets.extra" / "card.json").write_text("{}")
    monkeypatch.setattr(shipped, "models_folder", lambda: copied_detector.parents[1])
    result = lensdetect("models")
    assert result.code == 2 and "must have exactly its known fields" in result.err
