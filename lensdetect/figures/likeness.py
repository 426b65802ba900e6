"""Simulated truth beside the genuine one."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lensdetect.errors import InputError
from lensdetect.figures.palette import LENS_COLOUR, OTHER_COLOUR

_PANELS = (
    ("einstein_radius_arcsec", "Einstein radius (arcsec)", False),
    ("arc_pixel_count", "arc pixels above 1 sigma", True),
    ("arc_flux_sigma", "flux in them (sigma)", True),
)


def likeness_figure(simulated, genuine) -> Figure:
    """Cumulative distributions of lenses, and their arcs against the Einstein radius.

    Parameters
    ----------
    simulated, genuine : DataFrame
        Truth of two sets: ``is_lens``, ``einstein_radius_arcsec``,
        ``arc_pixel_count``, ``arc_flux_sigma``.

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        If a set has no lens.
    """
    sets = []
    for name, table, colour in (("simulated", simulated, LENS_COLOUR), ("genuine", genuine, OTHER_COLOUR)):
        lenses = table[np.asarray(table["is_lens"], bool)]
        if not len(lenses):
            raise InputError(f"the {name} set must have lenses to be drawn, got none")
        sets.append((f"{name} ({len(lenses):,} lenses)", lenses, colour))
    figure = Figure(figsize=(13, 8), layout="constrained")
    (top, bottom) = figure.subplots(2, 3)
    for axes, (column, title, logarithmic) in zip(top, _PANELS, strict=True):
        for label, lenses, colour in sets:
            values = np.sort(np.asarray(lenses[column], float))
            share = np.arange(1, len(values) + 1) / len(values)
            axes.step(values + (1.0 if logarithmic else 0.0), share, where="post", color=colour, label=label)
        axes.set(xlabel=title + (" + 1" if logarithmic else ""), ylabel="share of the lenses below", ylim=(0, 1))
        if logarithmic:
            axes.set_xscale("log")
    top[0].legend(loc="lower right")
    for axes, (column, title, _) in zip(bottom[:2], _PANELS[1:], strict=True):
        _draw_by_radius(axes, sets, column, title)
    _draw_pixel_flux(bottom[2], sets)
    return figure


def _draw_by_radius(axes: Axes, sets, column: str, title: str) -> None:
    """Median and middle half in ranges of Einstein radius."""
    edges = np.array([0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.5])
    middles = np.sqrt(edges[1:] * edges[:-1])
    for label, lenses, colour in sets:
        radius, values = (np.asarray(lenses[name], float) for name in ("einstein_radius_arcsec", column))
        quartiles = np.full((3, len(middles)), np.nan)
        for number, (low, high) in enumerate(zip(edges[:-1], edges[1:], strict=True)):
            here = values[(radius >= low) & (radius < high)]
            if len(here):
                quartiles[:, number] = np.quantile(here, (0.25, 0.5, 0.75))
        axes.plot(middles, quartiles[1] + 1.0, color=colour, label=label)
        axes.fill_between(middles, quartiles[0] + 1.0, quartiles[2] + 1.0, color=colour, alpha=0.2, linewidth=0)
    axes.set(xlabel="Einstein radius (arcsec)", ylabel=f"{title} + 1: median and middle half", yscale="log")


def _draw_pixel_flux(axes: Axes, sets) -> None:
    for label, lenses, colour in sets:
        some = lenses.iloc[:2000]
        axes.plot(
            np.asarray(some["arc_pixel_count"], float) + 1.0,
            np.asarray(some["arc_flux_sigma"], float) + 1.0,
            linestyle="none",
            marker=".",
            markersize=2,
            alpha=0.4,
            color=colour,
            label=label,
        )
    axes.set(xlabel="arc pixels + 1", ylabel="flux in them (sigma) + 1", xscale="log", yscale="log")
