"""Fixtures of a small search, and of the server on it."""

from __future__ import annotations

from .screen import screen  # noqa: F401
from .served import found, found_once, serve  # noqa: F401
