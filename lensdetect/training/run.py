"""The folder of a run: plan, history, checkpoint. Everything is written whole."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import keras
import pandas as pd

from lensdetect.artifact.card import CARD_FILE
from lensdetect.errors import InputError
from lensdetect.runs import open_run, read_json, writable, write_json, write_text
from lensdetect.training.checkpoint import save_checkpoint

#: How a training that cannot write goes on.
_REMEDY = "make room or choose another folder; a training that has begun goes on with --resume"
_DAMAGED = "train again"


def checkpoint_name(epoch: int) -> str:
    """Name of the file with the weights of an epoch.

    Parameters
    ----------
    epoch : int
        Its number, from 1 on.

    Returns
    -------
    str
    """
    return f"epoch_{epoch:04d}.npz"


class Run:
    """A training on disk.

    Parameters
    ----------
    folder : path
        ``plan.json``, ``history.csv``, ``curves.png``, ``checkpoint/``, ``measured/``
        (the card, once there are figures for it), ``model/1/``.
    beside : collection of str
        Names of what may be in the folder before the training begins.
    """

    def __init__(self, folder: Path | str, *, beside: Collection[str] = ()):
        self.folder, self._beside = Path(folder), {*beside}
        self.checkpoint = self.folder / "checkpoint"

    @property
    def exists(self) -> bool:
        """Whether a training has begun here."""
        return (self.folder / "plan.json").is_file()

    @property
    def model_folder(self) -> Path:
        """Where the artifact goes."""
        return self.folder / "model" / "1"

    @property
    def measured(self) -> Path:
        """Where the card is until there is an artifact; ``artifact.load_card`` reads it."""
        return self.folder / "measured"

    def check_free(self) -> None:
        """Check that a training can begin here.

        Raises
        ------
        InputError
            If the folder is taken or cannot be read.
        """
        with self._writable():
            # What begins with a dot, a run has left that was stopped before it had begun.
            names = {path.name for path in self.folder.iterdir()} if self.folder.exists() else set()
            taken = any(not name.startswith(".") for name in names - self._beside)
        if taken:
            raise InputError(f"a training needs a new or empty folder, {self.folder} is taken: add --resume to go on")

    @contextmanager
    def held(self, plan: dict[str, Any]) -> Iterator[None]:
        """Begin a run or go on with it; nobody else can write in its folder meanwhile.

        Parameters
        ----------
        plan : dict
            Everything that decides what the training does; what ``plan.json``
            says, where there is one.

        Yields
        ------
        None

        Raises
        ------
        InputError
            If another process holds the folder, it holds something else, or
            cannot be written.
        """
        card = (self.measured / CARD_FILE).parent.relative_to(self.folder).as_posix()
        places = ("checkpoint", card, "model")
        with open_run(self.folder, plan, file_name="plan.json", work="training", within=places, beside=self._beside):
            with self._writable():
                self.checkpoint.mkdir(exist_ok=True)
            yield

    def _writable(self) -> AbstractContextManager[None]:
        return writable(self.folder, what="a training", remedy=_REMEDY)

    def change_plan(self, plan: dict[str, Any]) -> None:
        """Write ``plan.json`` anew, where a training has to go on in another way than it began.

        Parameters
        ----------
        plan : dict
            As ``create`` takes it.

        Raises
        ------
        InputError
            If it cannot be written.
        """
        with self._writable():
            write_json(self.folder / "plan.json", plan)

    def read_plan(self) -> dict[str, Any]:
        """What ``plan.json`` holds.

        Returns
        -------
        dict

        Raises
        ------
        InputError
            If there is no training here.
        """
        if not self.exists:
            raise InputError(
                f"a run must be a folder with a plan.json, got {self.folder}: train one with lensdetect train"
            )
        return read_json(self.folder / "plan.json", remedy=_DAMAGED)

    def save_card(self, text: str) -> None:
        """Write the card of a detector that is calibrated and measured, but not exported yet.

        Parameters
        ----------
        text : str
            Of ``Card.to_json``.

        Raises
        ------
        InputError
            If it cannot be written.
        """
        path = self.measured / CARD_FILE
        with self._writable():
            path.parent.mkdir(parents=True, exist_ok=True)
            write_text(path, text)

    def read_state(self) -> dict[str, Any]:
        """How far the training is.

        Returns
        -------
        dict
            ``epoch`` (number of epochs done), ``best_epoch``, ``best_auroc``, and the
            names of the checkpoint's files, ``latest`` and ``best``; None where
            there is none yet.
        """
        path = self.checkpoint / "state.json"
        if path.is_file():
            return read_json(path, remedy=_DAMAGED)
        return {"epoch": 0, "latest": None, "best": None, "best_auroc": None, "best_epoch": None}

    def has_stopped(self, patience: int | None) -> bool:
        """Whether the training has ended early.

        Parameters
        ----------
        patience : int or None
            Of the plan.

        Returns
        -------
        bool
            True if the best epoch lies ``patience`` epochs or more behind.
        """
        state = self.read_state()
        return patience is not None and state["best"] is not None and state["epoch"] - state["best_epoch"] >= patience

    def read_history(self) -> pd.DataFrame:
        """One row an epoch that is done.

        Returns
        -------
        DataFrame
            ``epoch``; ``loss``, ``accuracy`` and ``auroc`` over the augmented
            training stamps, with dropout, while the weights changed: the loss
            holds the penalty of the kernels where the detector has one, the
            AUROC is Keras's, binned to 200 thresholds; ``val_loss`` (cross
            entropy alone), ``val_accuracy``, ``val_auroc`` and ``val_tpr10``,
            exact; ``learning_rate`` at the end of the epoch; ``train_s``.
        """
        path = self.folder / "history.csv"
        history = pd.read_csv(path) if path.is_file() else pd.DataFrame()
        # A kill between history and state leaves an epoch that will be done again.
        return history[: self.read_state()["epoch"]]

    def save_epoch(self, model: keras.Model, history: pd.DataFrame, *, epoch: int, auroc: float) -> None:
        """Write history and checkpoint of an epoch.

        The state file is written last: until then the epoch has not happened,
        and the files of the one before are still there.

        Parameters
        ----------
        model : keras.Model
            Compiled; weights and optimizer are saved.
        history : DataFrame
            Up to and with this epoch.
        epoch : int
            Number of epochs done.
        auroc : float
            Of the validation.

        Raises
        ------
        InputError
            If something cannot be written; the epoch before stays the latest.
        """
        state = self.read_state()
        name = checkpoint_name(epoch)
        state |= {"epoch": epoch, "latest": name}
        if state["best_auroc"] is None or auroc > state["best_auroc"]:
            state |= {"best": name, "best_auroc": float(auroc), "best_epoch": epoch}
        with self._writable():
            write_text(self.folder / "history.csv", history.to_csv(index=False))
            save_checkpoint(self.checkpoint / name, model)
            write_json(self.checkpoint / "state.json", state)
            for path in self.checkpoint.iterdir():
                if path.name not in ("state.json", state["latest"], state["best"]):
                    path.unlink()
