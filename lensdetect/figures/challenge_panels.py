"""A panel for each system: learning curves, scores, confusion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from lensdetect.figures.challenge import Finding
from lensdetect.figures.palette import LENS_COLOUR, OTHER_COLOUR
from lensdetect.metrics import LensMetrics

_COLUMNS = 4
_BINS = 40
#: Range of scores from which on their axis is logarithmic.
_WIDE = 200.0


def _panels(count: int, *, width: float, height: float) -> tuple[Figure, list[Axes]]:
    columns = min(_COLUMNS, count)
    rows = -(-count // columns)
    figure = Figure(figsize=(width * columns, height * rows), layout="constrained")
    panels = list(figure.subplots(rows, columns, squeeze=False).ravel())
    for axes in panels[count:]:
        axes.set_axis_off()
    return figure, panels[:count]


def histories_figure(histories: Mapping[str, pd.DataFrame]) -> Figure:
    """AUROC of training and validation, epoch by epoch, a panel for each system.

    Parameters
    ----------
    histories : mapping of str to DataFrame
        Title to ``epoch``, ``auroc`` and ``val_auroc``.

    Returns
    -------
    Figure
        All panels have one scale; where the lines part, a system has learned its training stamps by heart.
    """
    figure, panels = _panels(len(histories), width=3.4, height=2.8)
    lowest = min(float(history[["auroc", "val_auroc"]].min().min()) for history in histories.values())
    for axes, (title, history) in zip(panels, histories.items(), strict=True):
        axes.plot(history["epoch"], history["auroc"], "o--", markersize=3, color=OTHER_COLOUR, label="training")
        axes.plot(history["epoch"], history["val_auroc"], "s-", markersize=3, color=LENS_COLOUR, label="validation")
        axes.set_title(title, fontsize=9)
        axes.set(xlabel="epoch", ylim=(lowest - 0.02, 1.01), xlim=(0.5, len(history) + 0.5))
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        axes.grid(alpha=0.3)
    panels[0].legend(fontsize=8)
    panels[0].set_ylabel("AUROC")
    return figure


def score_histograms(is_lens, findings: Sequence[Finding]) -> Figure:
    """Scores of lenses and others, a panel for each system.

    Parameters
    ----------
    is_lens : array_like
        ``(n,)`` Truth.
    findings : sequence of Finding

    Returns
    -------
    Figure
    """
    is_lens = np.asarray(is_lens, bool)
    figure, panels = _panels(len(findings), width=3.4, height=2.8)
    for axes, finding in zip(panels, findings, strict=True):
        edges = _score_bins(axes, finding.scores)
        others, lenses = finding.scores[~is_lens], finding.scores[is_lens]
        axes.hist(others, bins=edges, color=OTHER_COLOUR, alpha=0.6, label="others")
        axes.hist(lenses, bins=edges, histtype="step", color=LENS_COLOUR, linewidth=1.8, label="lenses")
        axes.axvline(finding.metrics.threshold, color="black", linestyle="dashed", linewidth=1)
        axes.set_title(finding.title, fontsize=9)
        axes.set(yscale="log", ylim=(0.5, None), xlabel="score")
    panels[0].legend(fontsize=8)
    panels[0].set_ylabel("stamps")
    return figure


def _score_bins(axes: Axes, scores: np.ndarray) -> np.ndarray:
    """Even bins; logarithmic on both sides of 0 where scores span powers of ten."""
    low, high = float(scores.min()), float(scores.max())
    if high - low < _WIDE:
        return np.histogram_bin_edges(scores, bins=_BINS)
    axes.set_xscale("asinh")
    axes.tick_params(axis="x", labelsize=7)
    edges = np.sinh(np.linspace(np.arcsinh(low), np.arcsinh(high), _BINS + 1))
    # There and back is not the same to the last bit.
    edges[0], edges[-1] = low, high
    return edges


def confusion_matrices(findings: Sequence[Finding]) -> Figure:
    """Right and wrong calls at the border of each system, a panel for each.

    Parameters
    ----------
    findings : sequence of Finding

    Returns
    -------
    Figure
    """
    figure, panels = _panels(len(findings), width=2.9, height=2.9)
    for axes, finding in zip(panels, findings, strict=True):
        _draw_confusion(axes, finding.metrics)
        axes.set_title(f"{finding.title}\naccuracy {finding.metrics.accuracy:.4f}", fontsize=9)
    return figure


def _draw_confusion(axes: Axes, metrics: LensMetrics) -> None:
    counts = np.array(
        [
            [metrics.true_positives, metrics.false_negatives],
            [metrics.false_positives, metrics.true_negatives],
        ]
    )
    fractions = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(fractions, cmap="Greys", vmin=0, vmax=1.3)
    for (row, column), count in np.ndenumerate(counts):
        colour = "white" if fractions[row, column] > 0.6 else "black"
        text = f"{count:,}\n{100 * fractions[row, column]:.1f} %"
        axes.text(column, row, text, ha="center", va="center", fontsize=10, color=colour)
    axes.set_xticks([0, 1], ["called lens", "called other"], fontsize=8)
    axes.set_yticks([0, 1], ["lens", "other"], fontsize=8)
