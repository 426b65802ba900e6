"""What reaches the terminal: our own messages, and not the chatter of libraries."""

from __future__ import annotations

import importlib
import logging
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from importlib.util import find_spec

from lensdetect.errors import InputError

#: What Keras can train on, in the order in which we would choose.
_BACKENDS = ("tensorflow", "jax", "torch")


def load_tensorflow_quietly() -> None:
    """Import TensorFlow without what it has to say about every machine.

    Its messages can be had back with ``TF_CPP_MIN_LOG_LEVEL=0``.
    """
    load_keras_quietly()


def load_keras_quietly() -> None:
    """Import Keras and what it runs on, TensorFlow without what it has to say about every machine.

    Raises
    ------
    InputError
        If Keras is told to run on a library that is not installed, or cannot train.
    """
    talkative = os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3") != "3"
    # TensorFlow 2.21 prints notes on oneDNN and CUDA while it is loaded, whatever the level.
    with nullcontext() if talkative else _held_stderr():
        _import_keras()
    if talkative:
        return
    for name in ("absl", "tensorflow"):
        logging.getLogger(name).setLevel(logging.ERROR)


def _import_keras() -> None:
    try:
        backend = importlib.import_module("keras").config.backend()
    except (ImportError, ValueError) as error:
        backend = os.environ.get("KERAS_BACKEND", "tensorflow")
        if backend in _BACKENDS and find_spec(backend) is not None:
            raise
        raise InputError(f"{_needed(backend)}, which is not there: {_way_out()}") from error
    if backend not in _BACKENDS:
        raise InputError(f"{_needed(backend)}, which cannot train: {_way_out()}")


def _needed(backend: str) -> str:
    return f"Keras must run on {', '.join(_BACKENDS[:-1])} or {_BACKENDS[-1]}, it is told to run on {backend}"


def _way_out() -> str:
    there = [name for name in _BACKENDS if find_spec(name) is not None]
    return f"set KERAS_BACKEND={there[0]}, which is installed" if there else "install one of them: pip install jax"


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
