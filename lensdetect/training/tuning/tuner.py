"""keras-tuner's two searches, put to our trials.

keras-tuner chooses; it writes nothing. Its own files are written in place, over
many steps, and an interrupt leaves them empty or at odds with each other: here
all that a search has found is one file, whole after each event.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from keras_tuner import HyperParameters, Objective
from keras_tuner.engine.trial import Trial
from keras_tuner.oracles import BayesianOptimizationOracle, HyperbandOracle
from sklearn.exceptions import ConvergenceWarning

from lensdetect.errors import InputError, reason_of
from lensdetect.runs import read_json, write_json
from lensdetect.training.tuning.knobs import Knob
from lensdetect.training.tuning.record import Search

#: Share of Bayesian trials that are drawn at random, before a Gaussian process can say anything.
_RANDOM_SHARE = 1 / 3
#: keras-tuner knows who asked for a trial, and gives one that is not ended out again.
_WORKER = "lensdetect"
_REMEDY = "search anew in another folder"


class _WritesNothing:
    """Let the first trial be what the search starts from, and keep keras-tuner's hands off the disk."""

    def populate_space(self, trial_id):
        """Values of the next trial, as the oracles of keras-tuner give them."""
        answer = super().populate_space(trial_id)
        if not self.trials and answer["values"]:
            answer["values"] |= {parameter.name: parameter.default for parameter in self.hyperparameters.space}
        return answer

    def save(self):
        """Written by ``Trials``."""

    def _save_trial(self, trial):
        """Likewise."""


class _Hyperband(_WritesNothing, HyperbandOracle):
    pass


class _Bayesian(_WritesNothing, BayesianOptimizationOracle):
    def populate_space(self, trial_id):
        """As all do; what is drawn depends on the number of the trial, not on how often the search was interrupted."""
        self._random_state = np.random.RandomState((self.seed + len(self.trials)) % 2**32)
        return super().populate_space(trial_id)


def make_oracle(search: Search, knobs: tuple[Knob, ...], *, seed: int):
    """What chooses the trials.

    Parameters
    ----------
    search : Search
        How.
    knobs : tuple of Knob
        What may be turned.
    seed : int
        Of the choices.

    Returns
    -------
    keras_tuner.Oracle
    """
    space = HyperParameters()
    for knob in knobs:
        knob.declare(space)
    shared = {
        "objective": Objective(search.objective_column, direction="max"),
        "hyperparameters": space,
        "allow_new_entries": False,
        # keras-tuner takes 0 for no seed at all.
        "seed": seed + 1,
        "max_consecutive_failed_trials": None,
    }
    if search.kind == "hyperband":
        oracle = _Hyperband(max_epochs=search.epochs, factor=3, **shared)
    else:
        first = max(3, round(_RANDOM_SHARE * search.most_trials))
        oracle = _Bayesian(num_initial_points=first, **shared)
    oracle.verbose = 0
    return oracle


class Trials:
    """The trials of a search: the next one, and all that have been.

    Parameters
    ----------
    search : Search
        How.
    knobs : tuple of Knob
        What may be turned.
    seed : int
        Of the choices.
    path : Path
        Of the file that a search goes on from; read where it is.

    Raises
    ------
    InputError
        If the file is not one of a search like this.
    """

    def __init__(self, search: Search, knobs: tuple[Knob, ...], *, seed: int, path: Path):
        self._oracle, self._path = make_oracle(search, knobs, seed=seed), path
        if path.is_file():
            self._restore()
        # Both may be more than when the search began.
        self._oracle.max_trials = search.most_trials
        if search.kind == "hyperband":
            # After one round another begins, until the trials are used up: each has at least one of them.
            self._oracle.hyperband_iterations = search.most_trials or 1

    @property
    def begun(self) -> list[Trial]:
        """Every trial, in the order of their beginning."""
        return [self._oracle.get_trial(trial_id) for trial_id in self._oracle.start_order]

    @property
    def num_ended(self) -> int:
        """How many have ended."""
        return len(self._oracle.end_order)

    def next(self) -> Trial | None:
        """The trial to run now: the one that was interrupted, or a new one; None at the end of the search."""
        with _quiet_libraries():
            trial = self._oracle.create_trial(_WORKER)
        if trial.status != "RUNNING":
            return None
        self._save()
        return trial

    def end(self, trial: Trial, figures: dict[str, float], *, error: str = "") -> None:
        """Book a trial as ended.

        A trial that failed is kept with its error and the figures of a detector
        that has learned nothing: Hyperband needs a score for each place, and a
        Gaussian process would try the same again.

        Parameters
        ----------
        trial : keras_tuner.engine.trial.Trial
            From ``next``.
        figures : dict of str -> float
            The objective among them.
        error : str
            Why it failed; empty if it did not.
        """
        with _quiet_libraries():
            self._oracle.update_trial(trial.trial_id, figures)
            trial.status, trial.message = "COMPLETED", error or None
            self._oracle.end_trial(trial)
        self._save()

    def _save(self) -> None:
        trials = [trial.get_state() for trial in self._oracle.trials.values()]
        write_json(self._path, {"oracle": self._oracle.get_state(), "trials": trials})

    def _restore(self) -> None:
        state = read_json(self._path, remedy=_REMEDY)
        try:
            trials = map(Trial.from_state, state["trials"])
            self._oracle.trials = {trial.trial_id: trial for trial in trials}
            self._oracle.set_state(state["oracle"])
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise InputError(
                f"{self._path} must be as lensdetect tune writes it, got {reason_of(error)}: {_REMEDY}"
            ) from error


@contextmanager
def _quiet_libraries() -> Iterator[None]:
    """Keep back what the user of a search can do nothing about."""
    with warnings.catch_warnings():
        # keras-tuner 1.4.8 calls both by their names of before Python 3.10.
        warnings.filterwarnings("ignore", r"(currentThread|getName)\(\) is deprecated", DeprecationWarning)
        # A Gaussian process over few trials has length scales at their bounds.
        warnings.filterwarnings("ignore", category=ConvergenceWarning, module=r"sklearn\.gaussian_process")
        yield
