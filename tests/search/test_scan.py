from __future__ import annotations

import importlib
import os
import signal
import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lensdetect.errors import InputError
from lensdetect.search import Cut, folder
from lensdetect.search.ahead import ahead
from lensdetect.search.slices import slices_of
from lensdetect.search.workers import Died, run_in_processes

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
    from lensdetect.search import cluster

    monkeypatch.setattr(cluster, "_CONNECT_S", 0.5)
    with pytest.raises(InputError, match=r"a Dask scheduler must answer at tcp://127.0.0.1:9, got none within 0.5 s"):
        search(scheduler="tcp://127.0.0.1:9")


def test_a_scheduler_without_workers_is_not_waited_for_for_ever(monkeypatch, caplog):
    from distributed import LocalCluster

    from lensdetect.search import cluster

    monkeypatch.setattr(cluster, "_LOOK_S", 0.05)
    monkeypatch.setattr(cluster, "_WORKERS_S", 0.2)
    with LocalCluster(n_workers=0, processes=False, dashboard_address="127.0.0.1:0", protocol="tcp") as empty:
        with pytest.raises(InputError, match=r"must have workers, got none for 0.2 s: start some and give the same"):
            list(cluster.run_on_cluster(abs, [-1], scheduler=empty.scheduler_address))
    assert "has no workers: waiting 0 s for one" in caplog.text


_SCHEDULER = """
import sys
from distributed import LocalCluster
options = {"processes": False, "dashboard_address": "127.0.0.1:0", "protocol": "tcp"}
with LocalCluster(n_workers=1, threads_per_worker=1, **options) as cluster:
    print(cluster.scheduler_address, flush=True)
    sys.stdin.read()
"""


def test_a_scheduler_that_is_lost_is_one_line_and_the_same_command_goes_on(monkeypatch, caplog):
    from lensdetect.search import cluster

    monkeypatch.setattr(cluster, "_LOOK_S", 0.2)
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", _SCHEDULER], **pipes) as process:
        results = cluster.run_on_cluster(time.sleep, [0.0, 60.0], scheduler=process.stdout.readline().strip())
        assert next(results) == (0.0, None)
        process.kill()
        with pytest.raises(InputError, match="must stay until the end, and was lost .*: start one and give the same"):
            next(results)
    assert "Traceback" not in caplog.text


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


_MORTAL = """
import os
import signal


def work(task):
    log, deaths, how = task
    with open(log, "a+") as file:
        file.write("x")
        tries = file.tell()
    if tries <= deaths:
        os.kill(os.getpid(), signal.SIGKILL) if how == "killed" else os._exit(3)
    return tries
"""


def test_a_task_whose_process_dies_is_done_again(tmp_path, monkeypatch):
    (tmp_path / "mortal_tasks.py").write_text(_MORTAL)
    monkeypatch.syspath_prepend(tmp_path)
    work = importlib.import_module("mortal_tasks").work
    deaths = [("killed", 0), ("killed", 1), ("ended", 2), ("killed", 99), ("ended", 99)]
    tasks = [(str(tmp_path / f"log{place}"), times, how) for place, (how, times) in enumerate(deaths)]
    done = dict(run_in_processes(work, tasks, workers=2))
    assert [done[task] for task in tasks[:3]] == [1, 2, 3]
    assert done[tasks[3]] == Died("its worker was killed (signal 9, SIGKILL) 3 times")
    assert done[tasks[4]] == Died("its worker ended (exit status 3) 3 times")
    assert len(done) == 5


def test_tasks_all_come_back():
    assert sorted(run_in_processes(abs, [-3, -1, 2], workers=2)) == [(-3, 3), (-1, 1), (2, 2)]
    assert list(run_in_processes(abs, [], workers=2)) == []


def test_ahead_keeps_order_and_errors():
    def items():
        yield from range(5)
        raise InputError("at the end")

    seen = []
    with pytest.raises(InputError, match="at the end"):
        for item in ahead(items()):
            seen.append(item)
    assert seen == [0, 1, 2, 3, 4]


def test_ahead_stops_its_thread_when_it_is_closed():
    before = threading.active_count()
    made = ahead(iter(range(1000)))
    assert next(made) == 0
    made.close()
    assert threading.active_count() == before


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
