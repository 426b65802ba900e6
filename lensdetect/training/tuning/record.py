"""What decides a search, in JSON values, so that it goes on as it began."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from lensdetect.errors import InputError, unknown_name
from lensdetect.training.tuning.choosing import PARTS

#: How trials are chosen.
SEARCHES = ("hyperband", "bayesian")
#: What a search makes as high as it can: name of the option -> column of the table.
OBJECTIVES = {"auroc": "val_auroc", "tpr": "val_tpr"}
#: Trials of a Bayesian search that says nothing; Hyperband has a number of its own.
_BAYESIAN_TRIALS = 20


@dataclass(frozen=True)
class Search:
    """How to search.

    Parameters
    ----------
    kind : str
        "hyperband" (Li+ 2018, arXiv 1603.06560): many short trials, of which the
        best third is trained anew three times as long, and so on. "bayesian":
        trials of one length, each where a Gaussian process of those before
        expects most.
    epochs : int
        Of a trial; for Hyperband of the longest ones.
    trials : int or None
        At most so many; None is one round of Hyperband, or 20 Bayesian trials.
    objective : str
        "auroc", or "tpr": the highest TPR with an FPR of at most ``fpr``, both
        on the held-out stamps after the last epoch.
    fpr : float
        For the TPR, which the table holds whatever the objective.
    parts : tuple of str
        What is tuned: some of "stem", "encoder", "head", "plan".
    validation_fraction : float
        Part of the stamps that is held out of every trial.
    """

    kind: str = "hyperband"
    epochs: int = 9
    trials: int | None = None
    objective: str = "auroc"
    fpr: float = 0.01
    parts: tuple[str, ...] = PARTS
    validation_fraction: float = 0.2

    def __post_init__(self):
        """Check names and numbers."""
        if self.kind not in SEARCHES:
            raise unknown_name("search", self.kind, SEARCHES)
        if self.objective not in OBJECTIVES:
            raise unknown_name("objective", self.objective, OBJECTIVES)
        if self.epochs < 1 or (self.trials is not None and self.trials < 1):
            raise InputError(f"a search needs trials of at least one epoch, got {self.trials} of {self.epochs} epochs")
        if not 0 < self.fpr < 1:
            raise InputError(f"the FPR of a search must lie between 0 and 1, got {self.fpr}")

    @property
    def most_trials(self) -> int | None:
        """Most trials; None is as many as Hyperband has in one round."""
        return _BAYESIAN_TRIALS if self.trials is None and self.kind == "bayesian" else self.trials

    @property
    def objective_column(self) -> str:
        """Column of the table of trials that is made as high as it can be."""
        return OBJECTIVES[self.objective]

    def check_sample(self, num_others: int) -> None:
        """Check that the objective can be measured.

        Parameters
        ----------
        num_others : int
            Held-out stamps that are no lens.

        Raises
        ------
        InputError
            If not even one of them may be taken at the FPR.
        """
        if self.objective == "tpr" and num_others * self.fpr < 1:
            raise InputError(
                f"a TPR at an FPR of {self.fpr:g} needs at least {round(1 / self.fpr)} held-out stamps that are no "
                f"lens, got {num_others}: give more stamps, hold out more, or ask for a higher FPR"
            )


def search_record(search: Search, record: dict[str, Any]) -> dict[str, Any]:
    """What decides a search.

    Parameters
    ----------
    search : Search
        How to search.
    record : dict
        From ``training.record.new_record``: what it starts from, and the stamps.

    Returns
    -------
    dict
        All that decides the trials. Their number does not: a search can be prolonged.
    """
    kept = {name: record[name] for name in ("detector", "seed", "survey", "bands", "spec", "plan", "precision", "code")}
    fields = dataclasses.asdict(search)
    del fields["trials"]
    # Short answers first: the first that differs is told.
    return {**fields, "data": record["data"]["sha256"], **kept}
