"""What a search of a survey has found: its scores and its sky."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure

from lensdetect.figures.palette import LENS_COLOUR, OTHER_COLOUR, QUIET_COLOUR

_MISSED_COLOUR = "#CC79A7"


def score_histogram(
    counts, edges, *, lowest_candidate: float | None = None, known_logits: Sequence[float] = ()
) -> Figure:
    """How many objects have which logit.

    Parameters
    ----------
    counts : array_like
        ``(n,)`` objects in each bin.
    edges : array_like
        ``(n + 1,)`` borders of the bins.
    lowest_candidate : float, optional
        Logit of the last candidate.
    known_logits : sequence of float
        Of lenses that are known, marked at the top.

    Returns
    -------
    Figure
    """
    counts, edges = np.asarray(counts), np.asarray(edges)
    used = np.flatnonzero(counts)
    figure = Figure(figsize=(9, 4), layout="constrained")
    axes = figure.subplots()
    axes.set(xlabel="logit", ylabel="objects", yscale="log", title="Scores of all objects that could be candidates")
    if not len(used):
        axes.text(0.5, 0.5, "no object has a score", ha="center", va="center", transform=axes.transAxes)
        return figure
    axes.stairs(counts, edges, fill=True, color=OTHER_COLOUR, alpha=0.6, label=f"{counts.sum():,} objects")
    axes.set_ylim(0.5, counts.max() * 4)
    if lowest_candidate is not None:
        axes.axvline(lowest_candidate, color="black", linestyle="dashed", label="last candidate")
    known = np.asarray([value for value in known_logits if np.isfinite(value)])
    # a lens that is no candidate for its flags may lie beyond all that are
    axes.set_xlim(min([edges[used[0]], *known]) - 1.0, max([edges[used[-1] + 1], *known]) + 1.0)
    if len(known):
        top = np.full(len(known), 0.95)
        axes.plot(
            known, top, "v", color=LENS_COLOUR, transform=axes.get_xaxis_transform(), label=f"{len(known)} known lenses"
        )
    figure.legend(fontsize=9, loc="outside right upper")
    return figure


def sky_map(
    footprints: Sequence[Sequence[tuple[float, float]]],
    *,
    searched: Sequence[bool],
    candidates: tuple[np.ndarray, np.ndarray],
    found: tuple[np.ndarray, np.ndarray] = ((), ()),
    missed: tuple[np.ndarray, np.ndarray] = ((), ()),
) -> Figure:
    """Tiles, candidates and known lenses, east to the left.

    Parameters
    ----------
    footprints : sequence of sequence of (float, float)
        Right ascension and declination of the corners of each tile, in degrees.
    searched : sequence of bool
        Which tiles could be searched; the others are hatched.
    candidates, found, missed : tuple of array_like
        Right ascension and declination, in degrees: of the candidates, and of
        known lenses that are among them and that are not.

    Returns
    -------
    Figure
        Right ascensions run on past 0 and 360 where the tiles do.
    """
    figure = Figure(figsize=(9, 6), layout="constrained")
    axes = figure.subplots()
    cut = _seam([corner[0] for corners in footprints for corner in corners] or [*candidates[0]])
    for wanted, style in (
        (True, {"facecolor": "#E8EEF4", "edgecolor": QUIET_COLOUR}),
        (False, {"facecolor": "none", "edgecolor": "black", "hatch": "////"}),
    ):
        some = [_unrolled(corners, cut) for corners, ok in zip(footprints, searched, strict=True) if bool(ok) == wanted]
        if some:
            label = f"tile{'s' * (len(some) > 1)}{'' if wanted else ' that failed'}"
            axes.add_collection(PolyCollection(some, linewidth=0.6, label=f"{len(some):,} {label}", **style))
    _points(axes, candidates, cut, "candidates", marker=".", markersize=4, color=OTHER_COLOUR)
    _points(axes, found, cut, "known lenses found", marker="o", color=LENS_COLOUR, fillstyle="none", markersize=9)
    _points(axes, missed, cut, "known lenses missed", marker="x", color=_MISSED_COLOUR, markersize=8)
    if not axes.has_data():
        axes.set(xticks=[], yticks=[], title="The sky that was searched")
        axes.text(0.5, 0.5, "no tile has a place on the sky", ha="center", va="center", transform=axes.transAxes)
        return figure
    axes.autoscale_view()
    axes.margins(0.03)
    axes.invert_xaxis()
    _sky_axes(axes)
    axes.legend(fontsize=9, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return figure


def _points(axes: Axes, places: tuple, cut: float, label: str, **style) -> None:
    ra_deg, dec_deg = np.asarray(places[0], float), np.asarray(places[1], float)
    if len(ra_deg):
        axes.plot((ra_deg - cut) % 360.0 + cut, dec_deg, linestyle="none", label=f"{len(ra_deg):,} {label}", **style)


def _seam(ra_deg: Sequence[float]) -> float:
    """Right ascension at which the map is cut open: the end of the largest gap."""
    values = np.unique(np.asarray(ra_deg, float) % 360.0)
    if not len(values):
        return 0.0
    gaps = np.diff(np.append(values, values[0] + 360.0))
    start = float(values[(int(np.argmax(gaps)) + 1) % len(values)])
    return start - 360.0 if start > 180.0 and start + (360.0 - gaps.max()) > 360.0 else start


def _unrolled(corners: Sequence[tuple[float, float]], cut: float) -> list[tuple[float, float]]:
    return [((ra - cut) % 360.0 + cut, dec) for ra, dec in corners]


def _sky_axes(axes: Axes) -> None:
    """Degrees on the axes, and a square degree as a square where the sky is small enough."""
    axes.set(xlabel="right ascension (deg)", ylabel="declination (deg)", title="The sky that was searched")
    low, high = axes.get_ylim()
    left, right = axes.get_xlim()
    middle = np.cos(np.radians(0.5 * (low + high)))
    if abs(left - right) * middle < 8.0 * abs(high - low):
        axes.set_aspect(1.0 / max(middle, 0.05), adjustable="datalim")
    axes.ticklabel_format(useOffset=False)
