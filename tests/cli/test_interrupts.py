from __future__ import annotations

import signal
import sys
import time
import weakref

import pytest

from lensdetect.cli.interrupts import swallowed_interrupts_heard


class _Thing:
    pass


class _Fails:
    def __del__(self):
        raise ValueError("of no matter")


@pytest.fixture(autouse=True)
def interruptible():
    # A run that was started in the background may ignore interrupts.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_interrupt_in_a_callback_of_the_interpreter_is_raised_again():
    def interrupt(_):
        raise KeyboardInterrupt

    thing = _Thing()
    reference = weakref.ref(thing, interrupt)
    with pytest.raises(KeyboardInterrupt), swallowed_interrupts_heard():
        del thing
        time.sleep(5)
        pytest.fail("the interrupt was swallowed")
    assert reference() is None


def test_other_failures_are_reported_as_before(monkeypatch):
    seen = []
    monkeypatch.setattr(sys, "unraisablehook", seen.append)
    mine = sys.unraisablehook
    with swallowed_interrupts_heard():
        _Fails()
    assert [failure.exc_type for failure in seen] == [ValueError] and sys.unraisablehook == mine
