"""A process that reads may die, hang or eat memory: its file is refused, and the next one is read."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from lensdetect.errors import InputError
from lensdetect.images import apart

HOSTILE = """
import os, time
import numpy as np

def die(path): os.abort()
def leave(path): os._exit(3)
def loop(path):
    while True: pass
def eat(path): return None, [np.ones(1 << 40, np.uint8)]
def fail(path): raise KeyError("a\\nb")
def give(path, *numbers):
    return {"path": path}, [np.array(numbers, ">i2"), np.zeros((0, 3)), np.full((2, 2), np.nan, "f4")]
"""


@pytest.fixture
def hostile(tmp_path, monkeypatch):
    (tmp_path / "hostile_tasks.py").write_text(HOSTILE)
    monkeypatch.syspath_prepend(tmp_path)
    apart.end_readers()
    yield lambda name, *args, **options: apart.call(f"hostile_tasks:{name}", "a.fz", *args, **options)
    apart.end_readers()


def test_what_goes_wrong_is_the_reason_of_one_file(hostile):
    for name, options, message in (
        ("die", {}, r"a.fz: damaged or made to harm: the process that read it died \(SIGABRT\)"),
        ("leave", {}, r"a.fz: damaged or made to harm: the process that read it died \(exit status 3\)"),
        ("loop", {"limit_s": 0.2}, r"a.fz: damaged or made to harm: reading it took longer than 0.2 s"),
        ("eat", {}, r"a.fz: cannot be read: .*Unable to allocate 1.00 TiB"),
        ("fail", {}, r"a.fz: cannot be read: KeyError: 'a\\nb'"),
    ):
        with pytest.raises(InputError, match=message):
            hostile(name, **options)
    value, arrays = hostile("give", 1, -2)
    assert value == {"path": "a.fz"}
    assert [array.tolist() for array in arrays[:2]] == [[1, -2], []] and arrays[1].shape == (0, 3)
    assert arrays[0].dtype == np.dtype(">i2") and np.isnan(arrays[2]).all()


def test_threads_do_not_wait_for_one_another(hostile):
    found = {}

    def ask(number):
        found[number] = hostile("give", number)[1][0].tolist()

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {number: [number] for number in range(3)}
