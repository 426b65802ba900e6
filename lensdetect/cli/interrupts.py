"""One Ctrl-C is enough, wherever it falls."""

from __future__ import annotations

import _thread
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

#: Seconds until an interrupt is raised again: long enough for the callback that swallowed it to end.
_AGAIN_S = 0.05


@contextmanager
def swallowed_interrupts_heard() -> Iterator[None]:
    """Raise KeyboardInterrupt again if it fell where Python can raise nothing.

    An interrupt in a destructor or in a callback of a weak reference is printed
    as "Exception ignored in" and the program goes on; TensorFlow runs many of
    those. Within this context it comes to the main thread a moment later.
    """
    before = sys.unraisablehook

    def hook(unraisable) -> None:
        if not issubclass(unraisable.exc_type, KeyboardInterrupt):
            before(unraisable)
            return
        # From another thread: raised here and now, it would be swallowed once more.
        timer = threading.Timer(_AGAIN_S, _thread.interrupt_main)
        timer.daemon = True
        timer.start()

    sys.unraisablehook = hook
    try:
        yield
    finally:
        sys.unraisablehook = before
