"""The table of trials."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from lensdetect.runs import write_text

#: Columns of measured numbers, in this order.
FIGURES = ("val_auroc", "val_tpr", "val_loss", "parameters", "operations", "train_s")


def trial_row(trial: Any, *, number: int, epochs: int) -> dict[str, Any]:
    """One trial of keras-tuner as a row.

    Parameters
    ----------
    trial : keras_tuner.engine.trial.Trial
        Which.
    number : int
        From 1 on, in the order of their beginning.
    epochs : int
        Length of trials that do not say theirs.

    Returns
    -------
    dict
        ``trial``, ``status`` ("done", "failed", "running"), ``epochs``, the
        measured figures (NaN unless done), each hyperparameter, ``error``.
    """
    error = trial.message or ""
    status = "failed" if error else {"COMPLETED": "done", "RUNNING": "running"}.get(trial.status, "failed")
    values = trial.hyperparameters.values
    measured = trial.metrics if status == "done" else None
    return {
        "trial": number,
        "status": status,
        "epochs": values.get("tuner/epochs", epochs),
        **{name: _figure(measured, name) for name in FIGURES},
        **{name: value for name, value in values.items() if not name.startswith("tuner/")},
        "error": error,
    }


def _figure(metrics: Any, name: str) -> float:
    if metrics is None or not metrics.exists(name):
        return float("nan")
    return float(metrics.get_history(name)[-1].mean())


def best_row(table: pd.DataFrame, objective: str) -> pd.Series | None:
    """The trial with the highest objective; of several the one with least to compute.

    Parameters
    ----------
    table : DataFrame
        From ``trial_row``.
    objective : str
        A column.

    Returns
    -------
    Series or None
        None if no trial is done.
    """
    done = table[table["status"] == "done"]
    if done.empty:
        return None
    return done.sort_values([objective, "operations"], ascending=[False, True], kind="stable").iloc[0]


def write_table(path: Path, table: pd.DataFrame) -> None:
    """Write the table as CSV, whole or not at all.

    Parameters
    ----------
    path : Path
        Where to.
    table : DataFrame
        From ``trial_row``.
    """
    write_text(path, table.to_csv(index=False))
