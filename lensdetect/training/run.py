"""The folder of a run: plan, history, checkpoint. Everything is written whole."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import keras
import pandas as pd

from lensdetect.errors import InputError
from lensdetect.stamps import write_whole


class Run:
    """A training on disk.

    Parameters
    ----------
    folder : path
        ``plan.json``, ``history.csv``, ``curves.png``, ``checkpoint/``, ``model/1/``.
    """

    def __init__(self, folder: Path | str):
        self.folder = Path(folder)
        self.checkpoint = self.folder / "checkpoint"

    @property
    def exists(self) -> bool:
        """Whether a training has begun here."""
        return (self.folder / "plan.json").is_file()

    @property
    def model_folder(self) -> Path:
        """Where the artifact goes."""
        return self.folder / "model" / "1"

    def create(self, plan: dict[str, Any]) -> None:
        """Begin a run: make the folder and write ``plan.json``.

        Parameters
        ----------
        plan : dict
            Everything that decides what the training does.

        Raises
        ------
        InputError
            If the folder is taken or cannot be written.
        """
        if self.folder.exists() and any(self.folder.iterdir()):
            raise InputError(f"a training needs a new or empty folder, {self.folder} is taken: add --resume to go on")
        try:
            self.checkpoint.mkdir(parents=True, exist_ok=True)
            self._write_json("plan.json", plan)
        except OSError as error:
            raise InputError(f"{self.folder} must be a folder that can be written: {error.strerror}") from error

    def read_plan(self) -> dict[str, Any]:
        """What ``plan.json`` holds."""
        return json.loads((self.folder / "plan.json").read_text())

    def read_state(self) -> dict[str, Any]:
        """Epochs done, best AUROC so far and names of the checkpoint's files."""
        path = self.checkpoint / "state.json"
        if path.is_file():
            return json.loads(path.read_text())
        return {"epoch": 0, "latest": None, "best": None, "best_auroc": None, "best_epoch": None}

    def has_stopped(self, patience: int | None) -> bool:
        """Whether the best epoch lies ``patience`` epochs or more behind."""
        state = self.read_state()
        return patience is not None and state["best"] is not None and state["epoch"] - state["best_epoch"] >= patience

    def read_history(self) -> pd.DataFrame:
        """One row an epoch that is done."""
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
        """
        text = history.to_csv(index=False)
        write_whole(self.folder / "history.csv", lambda file: file.write(text.encode()))
        state = self.read_state()
        name = f"epoch_{epoch:04d}.weights.h5"
        model.save_weights(self.checkpoint / name)
        state |= {"epoch": epoch, "latest": name}
        if state["best_auroc"] is None or auroc > state["best_auroc"]:
            state |= {"best": name, "best_auroc": auroc, "best_epoch": epoch}
        self._write_json("checkpoint/state.json", state)
        for path in self.checkpoint.glob("*.weights.h5"):
            if path.name not in (state["latest"], state["best"]):
                path.unlink()

    def _write_json(self, name: str, values: dict[str, Any]) -> None:
        text = json.dumps(values, indent=2) + "\n"
        write_whole(self.folder / name, lambda file: file.write(text.encode()))
