"""The figures of a challenge, from its scores."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from lensdetect.challenge.scored import Scored
from lensdetect.figures import save_figure
from lensdetect.figures.challenge import Finding, cost_figure, found_by_truth, ranking_curves
from lensdetect.figures.challenge_panels import confusion_matrices, histories_figure, score_histograms

#: Columns of truth along which lenses are counted: simulated, and in the challenge's own table.
_ALONG = {
    "einstein_radius": ("einstein_radius_arcsec", "Einstein radius (arcsec)"),
    "arc_snr": ("arc_snr", "signal-to-noise ratio of the arcs, all bands"),
    "arc_flux": ("arc_flux_sigma", "flux of the arcs (sigma of the sky)"),
}


def save_pictures(scored: list[Scored], truth: pd.DataFrame, *, output: Path) -> None:
    """Write all figures that can be drawn of some systems.

    Parameters
    ----------
    scored : list of Scored
        Without those that failed.
    truth : DataFrame
        Of the test stamps.
    output : Path
        An existing folder.
    """
    if not scored:
        return
    several = len({result.seed for result in scored}) > 1
    findings = [_finding(result, several) for result in scored]
    findings.sort(key=lambda finding: -finding.metrics.auroc)
    is_lens = truth["is_lens"].to_numpy(bool)
    figures = {
        "roc": ranking_curves(is_lens, findings),
        "scores": score_histograms(is_lens, findings),
        "confusion": confusion_matrices(findings),
    }
    if any(np.isfinite(finding.operations) for finding in findings):
        figures["auroc_against_operations"] = cost_figure(findings)
    histories = {finding.title: finding.history for finding in findings if len(finding.history)}
    if histories:
        figures["learning_curves"] = histories_figure(histories)
    for name, (column, label) in _ALONG.items():
        if column in truth and np.isfinite(truth[column][is_lens]).sum() > 1:
            figures[f"found_by_{name}"] = found_by_truth(is_lens, findings, along=truth[column].to_numpy(), label=label)
    for name, figure in figures.items():
        save_figure(figure, output / f"{name}.png")


def _finding(result: Scored, several: bool) -> Finding:
    return Finding(
        title=f"{result.title} ({result.seed})" if several else result.title,
        scores=result.test,
        metrics=result.metrics(),
        operations=result.costs.get("operations", np.nan),
        history=result.history,
    )
