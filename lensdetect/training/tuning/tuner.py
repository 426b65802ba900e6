"""keras-tuner's two searches, put to our trials."""

from __future__ import annotations

import io
import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path

from keras_tuner import HyperParameters, Objective
from keras_tuner.engine.base_tuner import BaseTuner
from keras_tuner.oracles import BayesianOptimizationOracle, HyperbandOracle
from sklearn.exceptions import ConvergenceWarning

from lensdetect.training.tuning.knobs import Knob
from lensdetect.training.tuning.record import Search

logger = logging.getLogger(__name__)

#: Folder of keras-tuner within that of the search.
PROJECT = "keras_tuner"
#: Share of Bayesian trials that are drawn at random, before a Gaussian process can say anything.
_RANDOM_SHARE = 1 / 3


class _BeginsWithDefaults:
    """Let the first trial be what the search starts from: the others are compared with it."""

    def populate_space(self, trial_id):
        """Values of the next trial, as the oracles of keras-tuner give them."""
        answer = super().populate_space(trial_id)
        if not self.trials and answer["values"]:
            answer["values"] |= {parameter.name: parameter.default for parameter in self.hyperparameters.space}
        return answer


class _Hyperband(_BeginsWithDefaults, HyperbandOracle):
    pass


class _Bayesian(_BeginsWithDefaults, BayesianOptimizationOracle):
    pass


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
        oracle = _Hyperband(max_epochs=search.epochs, factor=3, hyperband_iterations=1, **shared)
    else:
        first = max(3, round(_RANDOM_SHARE * search.most_trials))
        oracle = _Bayesian(max_trials=search.most_trials, num_initial_points=first, **shared)
    oracle.verbose = 0
    return oracle


class Tuner(BaseTuner):
    """Runs trials one after the other, and goes on where it was stopped.

    A trial that fails is kept with its error and scored as a detector that has
    learned nothing: keras-tuner's Hyperband waits for ever for the place of a
    trial that has no score, and a Gaussian process would try the same again.

    Parameters
    ----------
    oracle : keras_tuner.Oracle
        From ``make_oracle``.
    folder : Path
        Of the search.
    train_and_measure : callable
        ``(folder, values, epochs)`` to a dict of figures; ``epochs`` is None
        where the search does not say.
    chance : dict of str -> float
        The figures of a detector that has learned nothing.
    report : callable
        Called without arguments after every trial.
    most_trials : int or None
        At most so many.
    """

    def __init__(
        self,
        oracle,
        folder: Path,
        *,
        train_and_measure: Callable[[Path, dict, int | None], dict[str, float]],
        chance: dict[str, float],
        report: Callable[[], None],
        most_trials: int | None,
    ):
        self._train_and_measure, self._chance, self._report = train_and_measure, chance, report
        # It says on standard output where it goes on.
        with redirect_stdout(io.StringIO()):
            super().__init__(oracle=oracle, directory=str(folder), project_name=PROJECT)
        oracle.max_trials = most_trials
        if most_trials is not None and hasattr(oracle, "hyperband_iterations"):
            # After one round another begins, until the trials are used up.
            oracle.hyperband_iterations = float("inf")

    def run_trial(self, trial):
        """Train and measure, as keras-tuner calls it."""
        values = trial.hyperparameters.values
        folder = Path(self.get_trial_dir(trial.trial_id)) / "run"
        try:
            return self._train_and_measure(folder, values, values.get("tuner/epochs"))
        except Exception as error:  # whatever it is, the search goes on
            logger.debug("trial %s failed", trial.trial_id, exc_info=True)
            trial.message = _one_line(error)
            return dict(self._chance)

    def on_trial_end(self, trial):
        """Save, then report."""
        super().on_trial_end(trial)
        self._report()

    def search(self):
        """Run all trials that are left."""
        with _quiet_libraries():
            super().search()


def _one_line(error: Exception) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text[:300]}" if text else type(error).__name__


@contextmanager
def _quiet_libraries() -> Iterator[None]:
    """Keep back what the user of a search can do nothing about."""
    with warnings.catch_warnings():
        # keras-tuner 1.4.8 calls both by their names of before Python 3.10.
        warnings.filterwarnings("ignore", r"(currentThread|getName)\(\) is deprecated", DeprecationWarning)
        # A Gaussian process over few trials has length scales at their bounds.
        warnings.filterwarnings("ignore", category=ConvergenceWarning, module=r"sklearn\.gaussian_process")
        yield
