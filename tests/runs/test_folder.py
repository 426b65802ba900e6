from __future__ import annotations

import json

import pytest

from lensdetect.errors import InputError
from lensdetect.runs import open_run

MANIFEST = {"survey": {"name": "kids", "bands": ["u", "g"]}, "seed": 3, "code_version": "1"}


def opened(folder, manifest=MANIFEST, **options):
    settings = {"file_name": "run.json", "work": "simulation", "free": ("code_version",)} | options
    return open_run(folder, manifest, **settings)


def test_the_same_run_goes_on(tmp_path):
    for _ in range(2):
        with opened(tmp_path / "new") as found:
            assert found == MANIFEST == json.loads((tmp_path / "new" / "run.json").read_text())


def test_what_may_differ_and_what_else_is_there_stays(tmp_path):
    before = MANIFEST | {"complete": True}
    with opened(tmp_path, before):
        pass
    with opened(tmp_path, MANIFEST | {"code_version": "2"}) as found:
        assert found == before
    assert json.loads((tmp_path / "run.json").read_text()) == before


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"seed": 4}, "seed is 3 there and 4 here"),
        ({"survey": {"name": "kids", "bands": ["u"]}}, r"survey.bands is \['u', 'g'\] there and \['u'\] here"),
        ({"more": None}, "more is None there and None here"),
    ],
)
def test_another_run_is_told_the_first_difference(tmp_path, other, message):
    with opened(tmp_path):
        pass
    with pytest.raises(InputError, match=f"holds another simulation: {message}: choose another folder"):
        with opened(tmp_path, MANIFEST | other):
            pytest.fail("another run")


def test_a_folder_with_other_things_is_taken(tmp_path):
    (tmp_path / "thesis.tex").write_text("")
    with pytest.raises(InputError, match="must be empty or hold this simulation, got thesis.tex and no run.json"):
        with opened(tmp_path):
            pytest.fail("taken")


def test_empty_folders_that_an_earlier_run_left_take_nothing(tmp_path):
    (tmp_path / "scores").mkdir()
    with opened(tmp_path):
        pass


@pytest.mark.parametrize("how", ["full disk", "kill before", "kill after"])
def test_a_stop_at_the_manifest_leaves_a_folder_that_goes_on(tmp_path, stopped_at, how):
    def begin():
        with opened(tmp_path):
            pass

    assert stopped_at(begin, 0, how=how)
    with opened(tmp_path) as found:
        assert found == MANIFEST
    assert not list(tmp_path.glob("*.partial"))


def test_what_killed_processes_left_is_removed(tmp_path):
    (tmp_path / "parts").mkdir()
    (tmp_path / ".model.12-3.partial" / "variables").mkdir(parents=True)
    for left in (".curves.png.12-3.partial", "parts/.a.12.partial"):
        (tmp_path / left).write_text("")
    with opened(tmp_path, within=("parts", "not there")):
        pass
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["parts", "run.json"]


def test_a_damaged_manifest_names_the_way_out(tmp_path):
    (tmp_path / "run.json").write_text("")
    with (
        pytest.raises(InputError, match="run.json must be JSON .*: choose another folder, or remove"),
        opened(tmp_path),
    ):
        pytest.fail("damaged")
