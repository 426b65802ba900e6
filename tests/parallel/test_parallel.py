from __future__ import annotations

import importlib
import os
import signal
import subprocess
import sys
import threading
import time
from itertools import count, islice

import pytest

from lensdetect.errors import InputError, LensdetectError
from lensdetect.parallel import Died, ahead, cluster, run_tasks, survived

_WORK = """
import os
import signal
import sys
import time
from pathlib import Path


def mortal(task):
    log, deaths, how = task
    with open(log, "a+") as file:
        file.write("x")
        tries = file.tell()
    if tries <= deaths:
        os.kill(os.getpid(), signal.SIGKILL) if how == "killed" else os._exit(3)
    return tries


def whatever(task):
    if task == "refused":
        raise ConnectionResetError("the work itself says so")
    return (lambda: task) if task == "no pickle" else task


def slow(folder):
    partial = Path(folder) / f"{os.getpid()}.partial"
    partial.touch()
    try:
        time.sleep(60.0)
    finally:
        partial.unlink()
"""


@pytest.fixture
def work(tmp_path, monkeypatch):
    (tmp_path / "some_work.py").write_text(_WORK)
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module("some_work")
    del sys.modules["some_work"]


@pytest.fixture
def dask_scheduler():
    from distributed import LocalCluster

    options = {"processes": False, "dashboard_address": "127.0.0.1:0", "protocol": "tcp"}
    with LocalCluster(n_workers=1, threads_per_worker=2, **options) as made:
        yield made.scheduler_address


def test_here_tasks_are_done_in_their_order_when_they_are_asked_for():
    done = run_tasks(abs, count(-2), workers=1)
    assert list(islice(done, 4)) == [(-2, 2), (-1, 1), (0, 0), (1, 1)]


def test_in_processes_tasks_all_come_back():
    assert sorted(run_tasks(abs, [-3, -1, 2], workers=2)) == [(-3, 3), (-1, 1), (2, 2)]
    assert list(run_tasks(abs, [], workers=2)) == []


def test_tasks_without_end_are_taken_as_there_is_room_for_them():
    taken = []
    done = run_tasks(abs, (taken.append(number) or number for number in count()), workers=2)
    assert len(list(islice(done, 5))) == 5
    done.close()
    assert len(taken) <= 5 + 2


def test_on_a_cluster_tasks_come_back_and_are_bounded(dask_scheduler):
    taken = []
    tasks = (taken.append(number) or number for number in range(60))
    done = run_tasks(abs, tasks, scheduler=dask_scheduler)
    first = next(done)
    assert first[0] == first[1] and len(taken) <= cluster._LEAST
    assert sorted([first, *done]) == [(number, number) for number in range(60)]


def test_a_scheduler_without_workers_is_not_waited_for_for_ever(monkeypatch, caplog):
    from distributed import LocalCluster

    monkeypatch.setattr(cluster, "_LOOK_S", 0.05)
    monkeypatch.setattr(cluster, "_WORKERS_S", 0.2)
    with LocalCluster(n_workers=0, processes=False, dashboard_address="127.0.0.1:0", protocol="tcp") as empty:
        with pytest.raises(InputError, match=r"must have workers, got none for 0.2 s: start some and give the same"):
            list(run_tasks(abs, [-1], scheduler=empty.scheduler_address))
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
    monkeypatch.setattr(cluster, "_LOOK_S", 0.2)
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", _SCHEDULER], **pipes) as process:
        results = run_tasks(time.sleep, [0.0, 60.0], scheduler=process.stdout.readline().strip())
        assert next(results) == (0.0, None)
        process.kill()
        with pytest.raises(InputError, match="must stay until the end, and was lost .*: start one and give the same"):
            next(results)
    assert "Traceback" not in caplog.text


def test_no_workers_are_refused():
    with pytest.raises(InputError, match="workers must be 1 or more, got 0"):
        run_tasks(abs, [1], workers=0)


def test_a_task_whose_process_dies_is_done_again(tmp_path, work):
    deaths = [("killed", 0), ("killed", 1), ("ended", 2), ("killed", 99), ("ended", 99)]
    tasks = [(str(tmp_path / f"log{place}"), times, how) for place, (how, times) in enumerate(deaths)]
    done = dict(run_tasks(work.mortal, tasks, workers=2))
    assert [done[task] for task in tasks[:3]] == [1, 2, 3]
    assert done[tasks[3]] == Died("its worker was killed (signal 9, SIGKILL) 3 times")
    assert done[tasks[4]] == Died("its worker ended (exit status 3) 3 times")
    assert len(done) == 5


def test_where_no_task_may_be_lost_a_death_is_an_error(tmp_path, work):
    task = str(tmp_path / "log"), 99, "killed"
    with pytest.raises(LensdetectError, match=r"was killed .* 1 times \(out of memory\?\): run the same again"):
        list(survived(run_tasks(work.mortal, [task], workers=2, retries=0)))
    assert list(survived([(1, 2), (3, 4)])) == [2, 4]


@pytest.mark.parametrize("workers", [1, 2])
def test_what_the_work_raises_is_raised(work, workers):
    done = run_tasks(work.whatever, ["fine", "refused"], workers=workers)
    with pytest.raises(ConnectionResetError, match="the work itself says so"):
        list(done)


def test_on_a_cluster_what_the_work_raises_is_raised(dask_scheduler):
    with pytest.raises(OSError, match="none"):
        list(run_tasks(os.stat, ["/none"], scheduler=dask_scheduler))


def test_a_result_that_cannot_be_pickled_is_an_error(work):
    with pytest.raises(Exception, match="[Pp]ickle"):
        list(run_tasks(work.whatever, ["no pickle"], workers=2))


_INTERRUPTED = """
import sys
from some_work import slow
from lensdetect.parallel import run_tasks

if __name__ == "__main__":
    list(run_tasks(slow, [sys.argv[1]] * 4, workers=2))
"""


def test_an_interrupt_ends_what_is_at_work_and_leaves_nothing_half_done(work, tmp_path):
    folder, script = tmp_path / "made", tmp_path / "script.py"
    folder.mkdir()
    script.write_text(_INTERRUPTED)
    path = os.pathsep.join([str(tmp_path), *filter(None, sys.path)])
    process = subprocess.Popen(
        [sys.executable, script, folder], env=os.environ | {"PYTHONPATH": path}, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 60
    while len(list(folder.iterdir())) < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    workers = [int(file.stem) for file in folder.iterdir()]
    assert len(workers) == 2
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=30) != 0
    assert not list(folder.iterdir())
    for pid in workers:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_ahead_keeps_order_and_errors():
    def double(number):
        if number == 5:
            raise InputError("at the end")
        return 2 * number

    seen = []
    with pytest.raises(InputError, match="at the end"):
        for result in ahead(double, range(9), threads=3):
            seen.append(result)
    assert seen == [0, 2, 4, 6, 8]


def test_ahead_is_bounded_and_stops_its_threads_when_it_is_closed():
    before, begun = threading.active_count(), []
    made = ahead(lambda number: begun.append(number) or number, count(), threads=2, depth=3)
    assert next(made) == 0
    time.sleep(0.05)
    made.close()
    assert threading.active_count() == before
    assert begun == [0, 1, 2, 3]
