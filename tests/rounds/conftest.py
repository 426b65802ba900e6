"""The sky that rounds are tested on."""

from .round_sky import graded_sky, simulated

__all__ = ["graded_sky", "simulated"]
