"""What detectors are worth where lenses are rare, side by side."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lensdetect.figures.palette import LENS_COLOUR, OTHER_COLOUR
from lensdetect.metrics import KindRate, false_positives_by_kind, purity_curve, roc_curve, threshold_at

#: One style for each detector; more of them than this cannot be told apart.
_STYLES = ((LENS_COLOUR, "-", ""), (OTHER_COLOUR, "--", "//"), ("#009E73", ":", ".."), ("#CC79A7", "-.", "xx"))


def purity_figure(
    is_lens, scores: Mapping[str, np.ndarray], *, kind, prior: float, completeness: float = 0.5
) -> Figure:
    """Purity against completeness, and the rate of false positives by kind.

    Parameters
    ----------
    is_lens : array_like
        ``(n,)`` Truth.
    scores : mapping of str to array_like
        For each detector, at most four, ``(n,)`` scores of the same stamps.
    kind : array_like of str
        ``(n,)`` What each stamp shows.
    prior : float
        Share of lenses on the sky for which purity is drawn.
    completeness : float
        At which the kinds are compared.

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        As ``purity_curve``, ``threshold_at`` and ``false_positives_by_kind``.
    """
    figure = Figure(figsize=(12, 5.5), layout="constrained")
    left, right = figure.subplots(1, 2)
    rates = {}
    for (name, score), (colour, line, _) in zip(scores.items(), _STYLES, strict=False):
        left.plot(*purity_curve(is_lens, score, prior=prior), color=colour, linestyle=line, label=name)
        threshold = threshold_at(roc_curve(is_lens, score), completeness)
        rates[name] = false_positives_by_kind(is_lens, score, kind=kind, threshold=threshold)
    left.set(
        title=f"One lens in {1 / prior:,.0f} stamps", xlabel="completeness", ylabel="purity", xlim=(0, 1), ylim=(0, 1)
    )
    left.legend()
    _draw_kinds(right, rates, completeness)
    return figure


def _draw_kinds(axes: Axes, rates: Mapping[str, list[KindRate]], completeness: float) -> None:
    """Bars of one kind together, the kind with the highest rate on top."""
    by_name = {name: {row.kind: row for row in rows} for name, rows in rates.items()}
    kinds = sorted(
        {kind for rows in by_name.values() for kind in rows}, key=lambda k: max(r[k].rate for r in by_name.values())
    )
    height = 0.8 / max(len(rates), 1)
    for number, ((name, rows), (colour, _, hatch)) in enumerate(zip(by_name.items(), _STYLES, strict=False)):
        middle = np.arange(len(kinds)) + 0.4 - (number + 0.5) * height
        rate = np.array([rows[kind].rate for kind in kinds])
        ends = np.array([rows[kind].rate_interval for kind in kinds])
        error = np.abs(np.stack([rate - ends[:, 0], ends[:, 1] - rate]))
        axes.barh(middle, rate, height, xerr=error, color=colour, hatch=hatch, alpha=0.85, label=name, ecolor="black")
    counts = next(iter(by_name.values()))
    axes.set_yticks(np.arange(len(kinds)), [f"{kind} ({counts[kind].count:,})" for kind in kinds])
    axes.set(title=f"Taken for lenses at a completeness of {100 * completeness:g} %", xlabel="fraction of the kind")
    axes.set_xlim(left=0)
    axes.legend(loc="lower right")
