"""What happens around the epochs of a training."""

from __future__ import annotations

import logging
import sys
import time

import keras
import numpy as np
import pandas as pd
from keras import ops
from tqdm import tqdm

from lensdetect.metrics import lens_metrics
from lensdetect.training.run import Run

logger = logging.getLogger(__name__)


class EpochSeeds(keras.callbacks.Callback):
    """Give every epoch dropout of its own, which depends on the seed alone.

    Without it a resumed training would begin with the dropout of epoch 0.

    Parameters
    ----------
    seed : int
        Of the training.
    """

    def __init__(self, seed: int):
        super().__init__()
        self.seed = seed

    def on_epoch_begin(self, epoch, logs=None):
        """Set the state of each of the model's generators."""
        states = [variable for variable in self.model.variables if variable.path.endswith("seed_generator_state")]
        for number, state in enumerate(states):
            words = np.random.default_rng([self.seed, epoch, number]).integers(0, 2**31, size=2)
            state.assign(ops.cast(words, state.dtype))


class Progress(keras.callbacks.Callback):
    """A bar over the steps of an epoch, on a terminal only.

    Parameters
    ----------
    epochs : int
        Of the whole training.
    steps : int
        Of one epoch.
    """

    def __init__(self, epochs: int, steps: int):
        super().__init__()
        self.epochs, self.steps = epochs, steps
        self._bar = None

    def on_epoch_begin(self, epoch, logs=None):
        """Start the bar."""
        self._bar = tqdm(
            total=self.steps,
            desc=f"epoch {epoch + 1}/{self.epochs}",
            unit="batch",
            leave=False,
            disable=not sys.stderr.isatty(),
        )

    def on_train_batch_end(self, batch, logs=None):
        """Move it."""
        self._bar.update()

    def on_epoch_end(self, epoch, logs=None):
        """Take it away."""
        self._bar.close()


class ValidateAndSave(keras.callbacks.Callback):
    """Score the held-out stamps exactly, and put the epoch on disk.

    Parameters
    ----------
    run : Run
        Where to.
    validation : dataset
        Of ``(cutouts, is_lens)``, each stamp once.
    is_lens : ndarray of bool
        Truth of the same stamps, in order.
    patience : int or None
        Stop after so many epochs without a better AUROC.
    """

    def __init__(self, run: Run, validation, is_lens: np.ndarray, *, patience: int | None):
        super().__init__()
        self.run, self.validation, self.is_lens, self.patience = run, validation, is_lens, patience
        self._began_s = 0.0

    def on_epoch_begin(self, epoch, logs=None):
        """Start the clock."""
        self._began_s = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        """Validate, append to the history, save, and stop if it is time to."""
        train_s = time.perf_counter() - self._began_s
        logit = self.model.predict(self.validation, verbose=0)[:, 0].astype(np.float64)
        row = {
            "epoch": epoch + 1,
            "loss": logs["loss"],
            "accuracy": logs["accuracy"],
            "auroc": logs["auroc"],
            **validation_figures(self.is_lens, logit),
            "learning_rate": float(self.model.optimizer.learning_rate),
            "train_s": train_s,
        }
        history = pd.concat([self.run.read_history(), pd.DataFrame([row])], ignore_index=True)
        self.run.save_epoch(self.model, history, epoch=epoch + 1, auroc=row["val_auroc"])
        logger.info(
            "epoch %d: loss %.4f, val_loss %.4f, val_auroc %.4f, %.0f s",
            *(row["epoch"], row["loss"], row["val_loss"], row["val_auroc"], train_s),
        )
        self.model.stop_training = self.run.has_stopped(self.patience)


def validation_figures(is_lens: np.ndarray, logit: np.ndarray) -> dict[str, float]:
    """Loss and figures of merit of the held-out stamps.

    Parameters
    ----------
    is_lens : ndarray of bool
        Truth.
    logit : ndarray
        Scores, in the same order.

    Returns
    -------
    dict
        ``val_loss`` (binary cross-entropy), ``val_accuracy``, ``val_auroc``,
        ``val_tpr10``.
    """
    metrics = lens_metrics(is_lens, logit, resamples=1)
    cross_entropy = np.logaddexp(0.0, logit) - np.where(is_lens, logit, 0.0)
    return {
        "val_loss": float(cross_entropy.mean()),
        "val_accuracy": metrics.accuracy,
        "val_auroc": metrics.auroc,
        "val_tpr10": metrics.tpr10,
    }
