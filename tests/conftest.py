"""Fixtures shared by all tests."""

from __future__ import annotations

import signal
from pathlib import Path

import numpy as np
import pytest

# A shell that starts a job in the background has it ignore SIGINT, and so would
# every process that a test starts and means to interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real stamps and images, beside the checkout; never copied into it."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"real survey data not found in {folder}")
    return folder


@pytest.fixture
def rng() -> np.random.Generator:
    """A seeded generator: the same numbers in every run."""
    return np.random.default_rng(20260215)
