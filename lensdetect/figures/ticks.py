"""Ticks that can be read."""

from __future__ import annotations

from matplotlib.axis import Axis
from matplotlib.ticker import LogLocator, NullFormatter


def label_log_axis(axis: Axis, *, steps: tuple[float, ...]) -> None:
    """Label few ticks of a logarithmic axis, with plain numbers.

    Parameters
    ----------
    axis : Axis
    steps : tuple of float
        Labelled ticks of each decade, as parts of it: ``(1.0, 3.0)`` is 1, 3, 10, 30.
    """
    axis.set_major_locator(LogLocator(subs=steps))
    axis.set_major_formatter("{x:g}")
    # the labels of all minor ticks would lie on each other
    axis.set_minor_formatter(NullFormatter())
