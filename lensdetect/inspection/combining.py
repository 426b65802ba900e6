"""What the grades of several people say of each object together."""

from __future__ import annotations

import numpy as np
import pandas as pd

from lensdetect.inspection.posterior import Posterior, fit_posterior
from lensdetect.inspection.standing import RECOGNISED, REPEAT, SCALE, standing_grades, whole_log

#: How many have to recognise an object for it to be a candidate.
_ENOUGH = 2
COMBINED_COLUMNS = (
    "id", "num_grades", "mean_grade", "recognised", "is_candidate", "posterior", "log_odds", "kind", "planted", "truth",
)  # fmt: skip


def combine(log: pd.DataFrame, *, prior: float | None = None, posterior: Posterior | None = None) -> pd.DataFrame:
    """One row an object, with what its graders say together.

    The published rule (Thuruthipilly+ 2022, arXiv 2212.12915 and the talk to it; four
    people, grades 5, 3, 1, 0): an object is a candidate if two or more recognise it, or
    one is sure. To recognise is taken here as any grade above 0, to be sure as 5.

    Parameters
    ----------
    log : DataFrame
        As ``read_log`` gives it.
    prior : float, optional
        Share of lenses among the objects of unknown truth; estimated if not given.
    posterior : Posterior, optional
        As ``fit_posterior`` learned it of this log, to save doing it again.

    Returns
    -------
    DataFrame
        ``id``; ``num_grades``, the graders whose grade stands; ``mean_grade``;
        ``recognised``, those of them who gave 1 or more; ``is_candidate``;
        ``posterior`` and ``log_odds`` (natural); ``kind`` that most name it ("" if none,
        the first in the alphabet of equally many); ``planted`` and ``truth`` (1, 0, NaN).
        Sorted by id; objects that were only skipped are not there.
    """
    standing = standing_grades(log)
    posterior = fit_posterior(log, prior=prior) if posterior is None else posterior
    grades = standing.groupby("id", sort=True)["grade"]
    recognised = (standing["grade"] >= RECOGNISED).groupby(standing["id"], sort=True).sum().astype(np.int64)
    table = pd.DataFrame({"num_grades": grades.size(), "mean_grade": grades.mean(), "recognised": recognised})
    table["is_candidate"] = (table["recognised"] >= _ENOUGH) | (grades.max() >= SCALE[-1])
    table["posterior"] = posterior.probability.reindex(table.index)
    table["log_odds"] = posterior.log_odds.reindex(table.index)
    table["kind"] = _most_named(standing).reindex(table.index).fillna("").astype(object)
    table["planted"] = _planted(log).reindex(table.index).fillna("").astype(object)
    table["truth"] = standing.groupby("id", sort=True)["truth"].first()
    return table.rename_axis("id").reset_index()[list(COMBINED_COLUMNS)]


def _most_named(standing: pd.DataFrame) -> pd.Series:
    named = standing[standing["kind"] != ""]
    counts = named.groupby(["id", "kind"]).size().rename("count").reset_index()
    best = counts.sort_values(["id", "count", "kind"], ascending=[True, False, True]).drop_duplicates("id")
    return best.set_index("id")["kind"]


def _planted(log: pd.DataFrame) -> pd.Series:
    log = whole_log(log)
    planted = log[(log["planted"] != "") & (log["planted"] != REPEAT)]
    return planted.drop_duplicates("id", keep="last").set_index("id")["planted"]


def with_product(combined: pd.DataFrame, probability: pd.Series) -> pd.DataFrame:
    """Add the product of the network's score and the people's grade, one more ranking.

    Li+ 2020 (ApJ 899, 30) ranked the candidates of KiDS by a value that joins the two;
    here it is the calibrated probability times the mean grade over the highest grade.

    Parameters
    ----------
    combined : DataFrame
        As ``combine`` gives it.
    probability : Series
        Of the network, by id.

    Returns
    -------
    DataFrame
        With ``product``, from 0 to 1, NaN where there is no score.
    """
    score = probability.reindex(combined["id"]).to_numpy(np.float64)
    return combined.assign(product=score * combined["mean_grade"].to_numpy() / SCALE[-1])
