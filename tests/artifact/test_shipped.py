from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lensdetect.artifact import find_detector, list_detectors, load_detector, shipped_detectors
from lensdetect.artifact.shipped import GROUND_DETECTOR, OTHER_DETECTORS, detector_for
from lensdetect.errors import ArtifactError, InputError
from lensdetect.network import DETECTORS
from lensdetect.survey import SURVEYS


@pytest.fixture
def shipped(saved, tmp_path, monkeypatch) -> Path:
    """A stand-in for the folder that comes with the package: two detectors, one in versions 2 and 10."""
    models = tmp_path / "models"
    for place in (
        "arcformer_small-bologna/1",
        "arcformer_small_subtracted-ground/1",
        "arcformer_test-bologna/2",
        "arcformer_test-bologna/10",
    ):
        shutil.copytree(saved, models / place)
    (models / "README.md").write_text("cards")
    (models / "unfinished-bologna" / "1").mkdir(parents=True)
    monkeypatch.setattr("lensdetect.artifact.shipped.models_folder", lambda: models)
    return models


def test_shipped_detectors_are_found_by_name(shipped):
    assert shipped_detectors() == {
        "arcformer_small-bologna": shipped / "arcformer_small-bologna" / "1",
        "arcformer_small_subtracted-ground": shipped / "arcformer_small_subtracted-ground" / "1",
        "arcformer_test-bologna": shipped / "arcformer_test-bologna" / "10",
    }
    assert find_detector() == find_detector(None) == shipped / "arcformer_small_subtracted-ground" / "1"
    assert (
        find_detector(survey="des") == find_detector(survey="mine") == shipped / "arcformer_small_subtracted-ground" / "1"
    )
    assert find_detector(survey="bologna") == shipped / "arcformer_small-bologna" / "1"
    assert find_detector("arcformer_test-bologna", survey="kids") == shipped / "arcformer_test-bologna" / "10"
    assert find_detector("arcformer_test-bologna") == shipped / "arcformer_test-bologna" / "10"
    assert find_detector("arcformer_test-bologna/2") == shipped / "arcformer_test-bologna" / "2"


def test_default_is_loaded(shipped, card):
    assert load_detector().card.name == card.name


def test_folders_are_found(saved, tmp_path, shipped):
    versions = shipped / "arcformer_test-bologna"
    run = tmp_path / "run"
    shutil.copytree(saved, run / "model" / "1")
    assert find_detector(saved) == saved
    assert find_detector(str(versions)) == versions / "10"
    assert find_detector(run) == run / "model" / "1"
    assert find_detector(run / "model") == run / "model" / "1"


def test_reading_a_card_loads_no_tensorflow(saved):
    code = (
        "import sys; from lensdetect.artifact import find_detector, verify; "
        "print(verify(find_detector(sys.argv[1])).name, 'tensorflow' in sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", code, str(saved)], capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["arcformer_test", "False"]


def test_unknown_names(shipped, tmp_path):
    with pytest.raises(InputError, match="'arcformer_smal-bologna': did you mean arcformer_small-bologna"):
        find_detector("arcformer_smal-bologna")
    with pytest.raises(InputError, match="arcformer_test-bologna comes in version 10, 2, got '3': leave it out"):
        find_detector("arcformer_test-bologna/3")
    with pytest.raises(ArtifactError, match=r"must hold saved_model\.pb, numbered versions or model/, got none in"):
        find_detector(tmp_path)


def test_package_without_detectors_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr("lensdetect.artifact.shipped.models_folder", lambda: tmp_path)
    with pytest.raises(
        ArtifactError, match=r"must hold arcformer_small_subtracted-ground, got \[\]: install lensdetect again"
    ):
        find_detector()
    with pytest.raises(InputError, match="none comes with the package, got 'mine': check the path"):
        find_detector("mine")


def test_table_of_detectors(shipped, model):
    table = list_detectors().set_index("name")
    untrained = [name for name in DETECTORS if name != "arcformer_test"]
    trained = ["arcformer_small-bologna/1", "arcformer_small_subtracted-ground/1", "arcformer_test-bologna/10"]
    assert list(table.index) == [*trained, *untrained]
    row = table.loc["arcformer_test-bologna/10"]
    assert row.trained and row.bands == "u,g,r,i" and row.auroc == 0.9 and row.stamps == 100
    assert row.parameters == model.count_params()
    assert not table.loc["lens_detector_15"].trained
    assert table.loc["lens_detector_15"].parameters == 3_194_849
    assert table.loc["lens_detector_15"].survey == ""


def test_every_detector_of_the_table_is_shipped():
    assert {GROUND_DETECTOR, *OTHER_DETECTORS.values()} <= set(shipped_detectors())
    assert set(OTHER_DETECTORS) <= set(SURVEYS)
    assert {detector_for(survey) for survey in (None, "kids", "des", "mine")} == {GROUND_DETECTOR}
    assert detector_for("bologna") == "arcformer_small-bologna"
