"""Retraining from the maps of an early layer, which are computed once: a round in a minute on one core, not in ten.

The stages of the stem before that layer stay as they are, and a stamp has two views, itself and turned by 90 deg;
``lensdetect retrain`` trains these stages too, at a low rate, and turns and shifts stamps anew each time. Choosing,
weighing, order, loss, rates and optimizer are those of the package.
"""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pandas as pd

from lensdetect.artifact import load_card
from lensdetect.data.order import ShuffledBatches, shown_in_epoch, steps_per_epoch
from lensdetect.stamps import Shards
from lensdetect.training import Plan, Run
from lensdetect.training.checkpoint import load_weights
from lensdetect.training.optimizer import optimizer_of
from lensdetect.training.record import build_from_record

#: 13 x 13 x 32 of a stamp of 101 pixels: what stage 4 of the stem begins with.
LAYER = "stem_stage_3_block_1_relu_2"
_AT_ONCE = 250
#: Turns by 90 deg that are views; first as it is.
_TURNS = (0, 3)


class Maps:
    """What the first layers make of stamps, ``(view, stamp, height, width, channel)``; each is read in any view."""

    def __init__(self, views: np.ndarray, truth: pd.DataFrame, manifest: dict):
        self._views, self.truth, self.manifest = views, truth.reset_index(drop=True), manifest
        self.shape, self._rng = views.shape[2:], np.random.default_rng(0)

    def read(self, rows: np.ndarray) -> np.ndarray:
        """Maps of some of them."""
        return self._views[self._rng.integers(len(self._views), size=len(rows)), np.asarray(rows)].astype(np.float32)

    def as_they_are(self) -> np.ndarray:
        """Maps of all, of the stamps as they are."""
        return self._views[0]

    def some(self, rows: np.ndarray, truth: pd.DataFrame | None = None) -> Maps:
        """Some of them, under labels of their own if need be."""
        return Maps(self._views[:, rows], self.truth.iloc[rows] if truth is None else truth, self.manifest)

    def sha256(self) -> str:
        """Of the truth."""
        return str(pd.util.hash_pandas_object(self.truth["id"]).sum())


def joined(parts: list[Maps]) -> Maps:
    """Several one after the other."""
    views = np.concatenate([part._views for part in parts], axis=1)
    return Maps(views, pd.concat([part.truth for part in parts], ignore_index=True), parts[0].manifest)


class Tail:
    """The layers behind, that learn.

    Parameters
    ----------
    run : Run
        Of the first detector.
    """

    def __init__(self, run: Run):
        whole = build_from_record(run.read_plan(), size=load_card(run.model_folder).size, fresh=True)
        load_weights(run.checkpoint / run.read_state()["latest"], whole)
        middle = whole.get_layer(LAYER).output
        self._front, self.model = keras.Model(whole.input, middle), keras.Model(middle, whole.output)
        self._first = self.model.get_weights()

    def maps(self, stamps: Shards, path: Path) -> Maps:
        """Of all stamps; kept in a file."""
        if not path.is_file():
            rows = np.arange(len(stamps.truth))
            pieces = [self._views(stamps.read(some)) for some in np.array_split(rows, len(rows) // _AT_ONCE + 1)]
            np.save(path, np.concatenate(pieces, axis=1))
        return Maps(np.load(path, mmap_mode="r"), stamps.truth, stamps.manifest)

    def _views(self, pixels: np.ndarray) -> np.ndarray:
        views = [np.rot90(pixels, turns, axes=(1, 2)) for turns in _TURNS]
        found = [self._front.predict(view, batch_size=_AT_ONCE, verbose=0) for view in views]
        return np.stack(found).astype(np.float16)

    def start_again(self) -> None:
        """Take the weights of the first detector."""
        self.model.set_weights(self._first)

    def train(self, maps, plan: Plan, *, seed: int) -> None:
        """Train the first detector further."""
        self.start_again()
        rows, (stage,) = np.arange(len(maps.truth)), plan.stages
        steps = steps_per_epoch(shown_in_epoch(maps, rows), plan.batch_size)
        self.model.compile(
            optimizer=optimizer_of(stage, steps_per_epoch=steps),
            loss=keras.losses.BinaryCrossentropy(from_logits=True),
            jit_compile=False,
        )
        batches = ShuffledBatches(maps, rows, batch_size=plan.batch_size, seed=seed)
        for number in range(steps * stage.epochs):
            self.model.train_on_batch(*batches.read(number))

    def logits(self, maps: Maps) -> np.ndarray:
        """Of all, in order."""
        return self.model.predict(maps.as_they_are(), batch_size=_AT_ONCE, verbose=0)[:, 0].astype(np.float64)
