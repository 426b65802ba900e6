from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lensdetect.errors import InputError
from lensdetect.search import Cut, folder
from lensdetect.search.slices import slices_of

ANY = Cut(rejected=(), merge_arcsec=0.0)


def assert_same(first: pd.DataFrame, second: pd.DataFrame) -> None:
    logits = [name for name in first if name.startswith("logit")]
    exact = [name for name in first if name not in {*logits, "probability"}]
    pd.testing.assert_frame_equal(first[exact], second[exact])
    np.testing.assert_allclose(first[logits], second[logits], atol=1e-5)


def test_processes_give_what_this_process_gives(search, all_scores, tmp_path):
    here, there = search(cut=ANY), search(cut=ANY, workers=2, output=tmp_path / "two")
    assert_same(all_scores(here), all_scores(there))
    pd.testing.assert_frame_equal(here.candidates, there.candidates)


def test_dask_gives_what_this_process_gives(search, all_scores, tmp_path):
    from distributed import LocalCluster

    here = search(cut=ANY)
    with LocalCluster(
        n_workers=1, threads_per_worker=2, processes=False, dashboard_address="127.0.0.1:0", protocol="tcp"
    ) as cluster:
        there = search(cut=ANY, scheduler=cluster.scheduler_address, output=tmp_path / "dask")
    assert_same(all_scores(here), all_scores(there))


def test_without_a_scheduler_the_way_out_is_said(search, monkeypatch):
    from lensdetect.parallel import cluster

    monkeypatch.setattr(cluster, "_CONNECT_S", 0.5)
    with pytest.raises(InputError, match=r"a Dask scheduler must answer at tcp://127.0.0.1:9, got none within 0.5 s"):
        search(scheduler="tcp://127.0.0.1:9")


def test_slices_of_a_tile_make_the_whole(search, all_scores, tmp_path, monkeypatch):
    whole = search(cut=ANY)
    monkeypatch.setattr(folder, "slices_of", partial(slices_of, per_slice=4))
    sliced = search(cut=ANY, output=tmp_path / "sliced")
    assert_same(all_scores(whole), all_scores(sliced))
    assert not list((sliced.folder / "parts").iterdir())


def test_a_slice_that_is_there_is_not_scored_again(search, all_scores, sky, tmp_path, monkeypatch):
    monkeypatch.setattr(folder, "slices_of", partial(slices_of, per_slice=4))
    whole = all_scores(search(cut=ANY))
    output = tmp_path / "killed"
    monkeypatch.setattr("lensdetect.search.run.join_slices", lambda job, piece: "killed before this")
    search(cut=ANY, output=output)
    parts = sorted((output / "parts").glob("*.parquet"))
    assert not list((output / "scores").glob("*.parquet")) and len(parts) > 5
    parts[0].unlink()
    monkeypatch.undo()
    monkeypatch.setattr(folder, "slices_of", partial(slices_of, per_slice=4))
    again = search(cut=ANY, output=output)
    assert 0 < again.numbers["objects scored in this run"] <= 4
    assert_same(whole, all_scores(again))


@pytest.fixture
def beacon(sky) -> int:
    """A tile with something that kills; returns its number."""
    from astropy.io import fits

    with fits.open(sky.path(2), mode="update") as units:
        units[0].data[:] = np.where(units[0].data > 20 * 2.4e-12, 5000 * 2.4e-12, units[0].data)
    return 2


def test_a_tile_that_kills_each_time_is_reported_and_tried_anew(
    search, all_scores, sky, beacon, scorers, committee, tmp_path
):
    (tmp_path / "log").write_text("")
    deadly = committee(scorers.Deadly(str(tmp_path / "log"), 3))
    found = search(cut=ANY, workers=2, committee=deadly)
    assert (tmp_path / "log").read_text() == "xxx"
    scores = all_scores(found)
    bad = scores["tile"] == sky.name(beacon)
    assert not found.ok and len(scores) == 40
    assert scores["logit"].isna().equals(bad)
    assert (scores.loc[bad, "reason"] == "its worker was killed (signal 9, SIGKILL) 3 times").all()
    # now it kills no more
    again = search(cut=ANY, committee=deadly)
    assert again.ok and again.numbers["objects scored in this run"] == bad.sum()
    assert all_scores(again)["logit"].notna().all()


@pytest.mark.slow
def test_on_a_cluster_a_tile_that_kills_each_time_is_reported(
    search, all_scores, sky, beacon, scorers, committee, tmp_path
):
    import dask
    from distributed import LocalCluster

    log = tmp_path / "log"
    log.write_text("")
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 1}),
        LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address="127.0.0.1:0") as cluster,
    ):
        address = cluster.scheduler_address
        found = search(cut=ANY, scheduler=address, committee=committee(scorers.Deadly(str(log), 2)))
    scores = all_scores(found)
    bad = scores["tile"] == sky.name(beacon)
    assert log.read_text() == "xx" and not found.ok and len(scores) == 40
    assert scores["logit"].isna().equals(bad)
    assert scores.loc[bad, "reason"].str.startswith("its worker was killed each time").all()


_KILLED = """
import sys
from dataclasses import replace
from lensdetect.artifact import Calibration
from lensdetect.search import Committee, Cut, Member, search_survey
from lensdetect.survey import get_survey
import cheap_scorers

if __name__ == "__main__":
    kids = get_survey("kids")
    survey = replace(kids, tile_pattern=kids.tile_pattern.replace("{ra:.1f}", "{ra:.3f}"))
    members = (Member("member0", Calibration(slope=0.1, lens_fraction=0.5)),)
    committee = Committee(members, cheap_scorers.Slow(), ("u", "g", "r", "i"), 33, 0.2)
    search_survey(sys.argv[1], sys.argv[2], sys.argv[3], survey=survey, committee=committee, workers=1)
"""


def test_a_search_that_was_killed_goes_on(search, all_scores, scorers, sky, tmp_path):
    script, output = tmp_path / "script.py", tmp_path / "killed"
    script.write_text(_KILLED)
    place = os.pathsep.join([str(Path(scorers.__file__).parent), *filter(None, sys.path)])
    process = subprocess.Popen(
        [sys.executable, script, sky.folder, sky.catalogue, output], env=os.environ | {"PYTHONPATH": place}
    )
    try:
        while process.poll() is None and len(list((output / "scores").glob("*.parquet"))) < 1:
            time.sleep(0.01)
    finally:
        process.kill()
    assert process.wait() == -signal.SIGKILL
    again, whole = search(cut=ANY, output=output), search(cut=ANY)
    assert 0 < again.numbers["objects scored in this run"] < 40
    assert_same(all_scores(again), all_scores(whole))
    pd.testing.assert_frame_equal(again.candidates, whole.candidates)
