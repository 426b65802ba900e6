"""A ranking against the truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from lensdetect.errors import InputError
from lensdetect.figures import truth_figure
from lensdetect.metrics import LensMetrics, lens_metrics
from lensdetect.stamps import undetected


@dataclass(frozen=True)
class Comparison:
    """Scored images with a known truth.

    Parameters
    ----------
    table : DataFrame
        Rows of the ranking that have a score and a truth, with ``is_lens``.
    metrics : LensMetrics
        Of these.
    num_refused, num_unknown, num_undetected : int
        Images left out because they have no score, and, of the others, because
        the truth table does not have them, or because they have a source whose
        arcs cannot be seen.
    """

    table: pd.DataFrame
    metrics: LensMetrics
    num_refused: int
    num_unknown: int
    num_undetected: int = 0

    def report(self) -> str:
        """Figures of merit, and who was left out."""
        left_out = [
            f"{count:,} {text}"
            for count, text in (
                (self.num_refused, "left out without a score"),
                (self.num_unknown, "left out without a row of truth"),
                (self.num_undetected, "left out with arcs that cannot be seen"),
            )
            if count
        ]
        return "\n".join([self.metrics.report(), *(f"  note: {text}" for text in left_out)])

    def figure(self) -> Figure:
        """ROC, scores by class, confusion matrix and reliability."""
        table = self.table
        return truth_figure(
            table["is_lens"].to_numpy(),
            table["logit"].to_numpy(),
            probability=table["probability"].to_numpy(),
            metrics=self.metrics,
        )


def check_truth(ids: Sequence[str], truth: pd.DataFrame) -> None:
    """Refuse a truth table that cannot be joined to some images.

    Parameters
    ----------
    ids : sequence of str
        Of the images.
    truth : DataFrame
        As ``data.read_truth`` gives it.

    Raises
    ------
    InputError
        If no image has a row, or two images have one id.
    """
    ids = pd.Series(ids, dtype=object)
    if not ids.isin(truth["id"].astype(object)).any():
        raise InputError(
            f"truth must have a row for some image, got none for {len(ids)} images such as {ids.iloc[0]}; "
            f"its ids are such as {truth['id'].iloc[0] if len(truth) else 'none'}: give the table of these images"
        )
    twice = ids[ids.duplicated()]
    if len(twice):
        raise InputError(f"images must have ids of their own to be given truth, got {twice.iloc[0]} twice: score each")


def compare(table: pd.DataFrame, truth: pd.DataFrame) -> Comparison | None:
    """Join a ranking to its truth by id, and measure it.

    Parameters
    ----------
    table : DataFrame
        From ``score``.
    truth : DataFrame
        ``id``, ``is_lens`` and, where it is known, ``has_source``, as
        ``data.read_truth`` gives it.

    Returns
    -------
    Comparison or None
        None where no image with a score has a truth.
    """
    hidden = undetected(truth)
    is_lens = truth_of(table["id"], truth[~hidden])
    num_undetected = int((table["id"].isin(truth["id"][hidden].astype(str)) & table["logit"].notna()).sum())
    scored = table["logit"].notna().to_numpy()
    known = is_lens.notna().to_numpy()
    joined = table[scored & known].assign(is_lens=is_lens[scored & known].astype(bool))
    if not len(joined):
        return None
    metrics = lens_metrics(joined["is_lens"].to_numpy(), joined["logit"].to_numpy())
    num_unknown = int(np.sum(scored & ~known)) - num_undetected
    return Comparison(joined, metrics, int(np.sum(~scored)), num_unknown, num_undetected)


def truth_of(ids: pd.Series, truth: pd.DataFrame) -> pd.Series:
    """Whether each image is a lens; missing where that is not known.

    Parameters
    ----------
    ids : Series of str
        Of the images.
    truth : DataFrame
        ``id`` and ``is_lens``.

    Returns
    -------
    Series
        Of objects: True, False or None, with the index of ``ids``.
    """
    by_id = dict(zip(truth["id"].astype(str), truth["is_lens"].astype(bool), strict=True))
    return pd.Series([by_id.get(name) for name in ids], index=ids.index, dtype=object)
