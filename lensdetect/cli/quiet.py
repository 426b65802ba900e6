"""What reaches the terminal: our own messages, and not the chatter of libraries."""

from __future__ import annotations

import importlib
import logging
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager


def load_tensorflow_quietly() -> None:
    """Import TensorFlow without what it has to say about every machine.

    Its messages can be had back with ``TF_CPP_MIN_LOG_LEVEL=0``.
    """
    talkative = os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3") != "3"
    if talkative:
        return
    # TensorFlow 2.21 prints notes on oneDNN and CUDA while it is loaded, whatever the level.
    with _held_stderr():
        importlib.import_module("keras")
    for name in ("absl", "tensorflow"):
        logging.getLogger(name).setLevel(logging.ERROR)


def quiet_astropy() -> None:
    """Keep from the terminal what astropy has to note about the headers of every tile; its warnings stay."""
    from astropy import log

    log.setLevel("WARNING")


@contextmanager
def _held_stderr() -> Iterator[None]:
    """Keep what is written to standard error, by C++ too; show it if all goes wrong."""
    sys.stderr.flush()
    terminal = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except Exception:
            held.seek(0)
            os.write(terminal, held.read())
            raise
        finally:
            sys.stderr.flush()
            os.dup2(terminal, 2)
            os.close(terminal)


@contextmanager
def messages_on_stderr() -> Iterator[None]:
    """Show what lensdetect logs, while a command runs."""
    logger = logging.getLogger("lensdetect")
    handler, level = logging.StreamHandler(sys.stderr), logger.level
    handler.setFormatter(logging.Formatter("%(message)s"))
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
