"""Many systems in one figure: how they rank, what they cost, what they find."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from lensdetect.figures.palette import QUIET_COLOUR
from lensdetect.figures.ticks import label_log_axis
from lensdetect.metrics import LensMetrics, roc_curve
from lensdetect.metrics.intervals import wilson_interval

#: Okabe and Ito's colours without yellow, which is lost on white; lines and markers differ beside.
_COLOURS = ("#000000", "#E69F00", "#56B4E9", "#009E73", "#0072B2", "#D55E00", "#CC79A7")
_LINES = ("-", "--", ":", "-.")
_MARKERS = "osD^v<>PX*"
#: Lenses in a bin of ``found_by_truth``, at least, and most bins.
_BIN_LENSES, _MOST_BINS = 20, 8


@dataclass(frozen=True, eq=False)
class Finding:
    """What a system has found.

    Parameters
    ----------
    title : str
        Its name in legends.
    scores : ndarray
        ``(n,)`` Of the test stamps.
    metrics : LensMetrics
        Of these.
    operations : float
        Multiply-adds for one stamp; NaN if they were not counted.
    history : DataFrame
        One row an epoch; empty for what has none.
    """

    title: str
    scores: np.ndarray
    metrics: LensMetrics
    operations: float = float("nan")
    history: pd.DataFrame = field(default_factory=pd.DataFrame)


def _style(number: int) -> dict[str, object]:
    """Colour and line of system ``number``: 28 that differ."""
    return {
        "color": _COLOURS[number % len(_COLOURS)],
        "linestyle": _LINES[number // len(_COLOURS) % len(_LINES)],
    }


def ranking_curves(is_lens, findings: Sequence[Finding]) -> Figure:
    """All ROC curves, on a logarithmic axis of the false positive rate.

    Parameters
    ----------
    is_lens : array_like
        ``(n,)`` Truth.
    findings : sequence of Finding
        In the order of the legend.

    Returns
    -------
    Figure
    """
    figure = Figure(figsize=(9, 6), layout="constrained")
    axes = figure.subplots()
    # A log axis has no 0: no false positive stands at half of one.
    edge = 0.5 / max(1, int(np.sum(~np.asarray(is_lens, bool))))
    for number, finding in enumerate(findings):
        roc = roc_curve(is_lens, finding.scores)
        axes.plot(
            np.maximum(roc.fpr, edge),
            roc.tpr,
            drawstyle="steps-post",
            label=f"{finding.title}  {finding.metrics.auroc:.4f}",
            **_style(number),
        )
    guess = np.geomspace(edge, 1, 200)
    axes.plot(guess, guess, color=QUIET_COLOUR, linewidth=0.8, label="guessing")
    axes.axvline(20 * edge, color=QUIET_COLOUR, linewidth=0.8, linestyle="dotted")
    axes.text(20 * edge, 1.0, " ten false positives", fontsize=8, color=QUIET_COLOUR, va="bottom")
    axes.set(xscale="log", xlim=(edge * 0.9, 1.05), ylim=(-0.02, 1.05))
    axes.set(xlabel="false positive rate", ylabel="true positive rate")
    axes.grid(alpha=0.3)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside right upper", fontsize=8, title="system, AUROC")
    return figure


def cost_figure(findings: Sequence[Finding]) -> Figure:
    """AUROC with its interval against operations for one stamp.

    Parameters
    ----------
    findings : sequence of Finding
        Those whose operations were not counted are lines across.

    Returns
    -------
    Figure
    """
    figure = Figure(figsize=(9, 5.5), layout="constrained")
    axes = figure.subplots()
    for number, finding in enumerate(findings):
        colour = _COLOURS[number % len(_COLOURS)]
        auroc, (low, high) = finding.metrics.auroc, finding.metrics.auroc_interval
        if not np.isfinite(finding.operations):
            axes.axhline(auroc, label=f"{finding.title} (not counted)", linewidth=1, **_style(number))
            continue
        axes.errorbar(
            finding.operations / 1e6,
            auroc,
            yerr=[[max(0.0, auroc - low)], [max(0.0, high - auroc)]],
            fmt=_MARKERS[number % len(_MARKERS)],
            color=colour,
            capsize=3,
            label=finding.title,
        )
    axes.set(xscale="log", xlabel="million multiply-adds for one stamp", ylabel="AUROC")
    label_log_axis(axes.xaxis, steps=(1.0, 2.0, 5.0))
    axes.grid(alpha=0.3, which="both")
    figure.legend(*axes.get_legend_handles_labels(), loc="outside right upper", fontsize=8)
    return figure


def found_by_truth(
    is_lens, findings: Sequence[Finding], *, along: np.ndarray, label: str, false_positive_rate: float = 0.01
) -> Figure:
    """Fraction of the lenses that are found, in bins of something that is known of them.

    Parameters
    ----------
    is_lens : array_like
        ``(n,)`` Truth.
    findings : sequence of Finding
    along : ndarray
        ``(n,)`` What is known; bins hold equal numbers of lenses.
    label : str
        Its name and unit.
    false_positive_rate : float
        At which each system calls a lens, at most.

    Returns
    -------
    Figure
        With Wilson intervals of 95 %.
    """
    is_lens = np.asarray(is_lens, bool) & np.isfinite(along)
    values = np.asarray(along, float)[is_lens]
    edges = _equal_bins(values)
    figure = Figure(figsize=(9, 5.5), layout="constrained")
    axes = figure.subplots()
    width = 0.8 / max(len(findings), 1)
    counts = np.histogram(values, edges)[0]
    for number, finding in enumerate(findings):
        found = finding.scores[is_lens] >= _threshold(finding, false_positive_rate, others=finding.scores[~is_lens])
        hits = np.histogram(values[found], edges)[0]
        rate = hits / np.maximum(counts, 1)
        ends = np.array([wilson_interval(int(h), int(c), confidence=0.95) for h, c in zip(hits, counts, strict=True)])
        places = np.arange(len(counts)) + (number + 0.5) * width - 0.4
        error = np.maximum([rate - ends[:, 0], ends[:, 1] - rate], 0)
        axes.errorbar(
            places, rate, yerr=error, marker=_MARKERS[number % len(_MARKERS)], label=finding.title, **_style(number)
        )
    names = [
        f"{_short(low)}\nto {_short(high)}\n{n}" for low, high, n in zip(edges[:-1], edges[1:], counts, strict=True)
    ]
    axes.set_xticks(np.arange(len(counts)), names, fontsize=8)
    axes.set(
        xlabel=f"{label}; number of lenses below",
        ylabel="fraction found",
        ylim=(-0.02, 1.02),
        title=f"Lenses found at a false positive rate of {100 * false_positive_rate:g} %",
    )
    axes.grid(alpha=0.3, axis="y")
    figure.legend(*axes.get_legend_handles_labels(), loc="outside right upper", fontsize=8)
    return figure


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.2g}"


def _equal_bins(values: np.ndarray) -> np.ndarray:
    count = int(np.clip(len(values) // _BIN_LENSES, 1, _MOST_BINS))
    edges = np.unique(np.quantile(values, np.linspace(0, 1, count + 1)))
    return edges if len(edges) > 1 else np.array([edges[0], np.nextafter(edges[0], np.inf)])


def _threshold(finding: Finding, rate: float, *, others: np.ndarray) -> float:
    """Lowest score above which there are no more others than the rate allows."""
    allowed = int(rate * len(others))
    ranked = np.sort(others)[::-1]
    return np.nextafter(ranked[min(allowed, len(ranked) - 1)], np.inf)
