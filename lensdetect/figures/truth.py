"""How scores compare with the truth, on one page."""

from __future__ import annotations

import math

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lensdetect.figures.palette import LENS_COLOUR, OTHER_COLOUR, QUIET_COLOUR
from lensdetect.metrics import LensMetrics, reliability, roc_curve
from lensdetect.metrics.intervals import wilson_interval
from lensdetect.metrics.roc import checked

_BINS = 40


def truth_figure(is_lens, logit, *, probability, metrics: LensMetrics) -> Figure:
    """ROC, scores by class, confusion matrix and reliability.

    Parameters
    ----------
    is_lens : array_like
        ``(n,)`` Truth: booleans, or 0 and 1.
    logit : array_like
        ``(n,)`` What ranks.
    probability : array_like
        ``(n,)`` Between 0 and 1.
    metrics : LensMetrics
        Of ``is_lens`` and ``logit``.

    Returns
    -------
    Figure
        A panel whose quantity is not defined (one class is missing) says so.

    Raises
    ------
    InputError
        As ``roc_curve`` and ``reliability``.
    """
    is_lens, logit = checked(is_lens, logit)
    figure = Figure(figsize=(10, 8), layout="constrained")
    (roc_axes, score_axes), (confusion_axes, reliability_axes) = figure.subplots(2, 2)
    _draw_roc(roc_axes, is_lens, logit, metrics)
    _draw_scores(score_axes, is_lens, logit, metrics.threshold)
    _draw_confusion(confusion_axes, metrics)
    _draw_reliability(reliability_axes, is_lens, probability, metrics.confidence)
    figure.suptitle(f"{metrics.num_lenses:,} lenses and {metrics.num_others:,} others", fontsize=12)
    return figure


def _draw_roc(axes: Axes, is_lens: np.ndarray, logit: np.ndarray, metrics: LensMetrics) -> None:
    axes.set(title="Completeness against false positives", xlabel="false positive rate", ylabel="true positive rate")
    if metrics.num_lenses == 0 or metrics.num_others == 0:
        axes.text(0.5, 0.5, "not defined:\none class is missing", ha="center", va="center", transform=axes.transAxes)
        return
    roc = roc_curve(is_lens, logit)
    # A log axis has no 0: no false positive stands at half of one.
    edge = 0.5 / metrics.num_others
    axes.plot(np.maximum(roc.fpr, edge), roc.tpr, color="black", drawstyle="steps-post", label=_label("AUROC", metrics))
    guess = np.geomspace(edge, 1, 200)
    axes.plot(guess, guess, color=QUIET_COLOUR, linestyle="dotted", label="guessing")
    for name, below, marker, colour in (("TPR0", 1, "o", LENS_COLOUR), ("TPR10", 10, "s", OTHER_COLOUR)):
        _mark_tpr(axes, max(edge, float(roc.fpr[roc.vertex_below(below)])), name, metrics, marker, colour)
    axes.set(xscale="log", xlim=(edge * 0.8, 1.1), ylim=(-0.02, 1.02))
    axes.grid(alpha=0.3)
    axes.legend(fontsize=9, loc="best")


def _mark_tpr(axes: Axes, fpr: float, name: str, metrics: LensMetrics, marker: str, colour: str) -> None:
    value, (low, high) = getattr(metrics, name.lower()), getattr(metrics, f"{name.lower()}_interval")
    # A percentile bootstrap need not contain the value itself.
    error = None if math.isnan(low) else [[max(0.0, value - low)], [max(0.0, high - value)]]
    axes.errorbar(
        fpr,
        value,
        yerr=error,
        fmt=marker,
        color=colour,
        capsize=4,
        clip_on=False,
        zorder=3,
        label=_label(name, metrics),
    )


def _label(name: str, metrics: LensMetrics) -> str:
    value, (low, high) = getattr(metrics, name.lower()), getattr(metrics, f"{name.lower()}_interval")
    return f"{name} {value:.3f}" + ("" if math.isnan(low) else f" [{low:.3f}, {high:.3f}]")


def _draw_scores(axes: Axes, is_lens: np.ndarray, logit: np.ndarray, threshold: float) -> None:
    finite = logit[np.isfinite(logit)]
    edges = np.histogram_bin_edges(finite, bins=_BINS)
    axes.hist(logit[~is_lens], bins=edges, histtype="stepfilled", color=OTHER_COLOUR, alpha=0.6, label="others")
    axes.hist(logit[is_lens], bins=edges, histtype="step", color=LENS_COLOUR, linewidth=2, hatch="//", label="lenses")
    axes.axvline(threshold, color="black", linestyle="dashed", label=f"threshold {threshold:g}")
    axes.set(title="Scores by class", xlabel="logit", ylabel="stamps", yscale="log", ylim=(0.5, None))
    axes.legend(fontsize=9)


def _draw_confusion(axes: Axes, metrics: LensMetrics) -> None:
    called = [[metrics.true_positives, metrics.false_negatives], [metrics.false_positives, metrics.true_negatives]]
    counts = np.array(called)
    fractions = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(fractions, cmap="Greys", vmin=0, vmax=1.3)
    for (row, column), count in np.ndenumerate(counts):
        fraction = fractions[row, column]
        axes.text(
            column,
            row,
            f"{count:,}\n{100 * fraction:.1f} %" if counts[row].any() else "none",
            ha="center",
            va="center",
            fontsize=14,
            color="white" if fraction > 0.6 else "black",
        )
    axes.set_xticks([0, 1], ["called lens", "called other"])
    axes.set_yticks([0, 1], ["true\nlens", "true\nother"])
    axes.set_title(f"Confusion at logit {metrics.threshold:g}: accuracy {metrics.accuracy:.3f}")


def _draw_reliability(axes: Axes, is_lens: np.ndarray, probability, confidence: float) -> None:
    table = reliability(is_lens, probability)
    used = table.count > 0
    axes.plot([0, 1], [0, 1], color=QUIET_COLOUR, linestyle="dotted", label="calibrated")
    promised, found, counts = table.mean_probability[used], table.lens_fraction[used], table.count[used]
    ends = np.array(
        [
            wilson_interval(int(num_lenses), int(count), confidence=confidence)
            for num_lenses, count in zip(table.num_lenses[used], counts, strict=True)
        ]
    )
    error = np.maximum(np.stack([found - ends[:, 0], ends[:, 1] - found]), 0)
    axes.errorbar(
        promised, found, yerr=error, fmt="o", color="black", capsize=3, label="found, number of stamps beside"
    )
    for x, y, count in zip(promised, found, counts, strict=True):
        axes.annotate(f"{count:,}", (x, y), xytext=(5, -10), textcoords="offset points", fontsize=8)
    axes.set(
        title=f"Reliability: mean error {table.error:.3f}",
        xlabel="probability",
        ylabel="fraction of lenses",
        xlim=(-0.03, 1.09),
        # Room for the legend above the highest point.
        ylim=(-0.09, 1.3),
        yticks=np.linspace(0, 1, 6),
    )
    axes.grid(alpha=0.3)
    axes.legend(fontsize=9, loc="upper left")
