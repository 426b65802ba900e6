"""Weights and optimizer of a training, in one file that is there whole or not at all.

A plain ``.npz`` by the path of each Keras variable. Not Keras's own HDF5 file:
on a full disk the HDF5 library takes the process down with it.
"""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np

from lensdetect.errors import InputError, reason_of
from lensdetect.runs import write_whole

_WEIGHTS, _OPTIMIZER = "weights/", "optimizer/"


def save_checkpoint(path: Path, model: keras.Model) -> None:
    """Save a compiled model.

    Parameters
    ----------
    path : Path
        Where to, ending in ``.npz``.
    model : keras.Model
        Its weights are saved, and the variables of its optimizer, which is built.
    """
    values = {_WEIGHTS + variable.path: variable for variable in model.weights}
    values |= {_OPTIMIZER + variable.path: variable for variable in model.optimizer.variables}
    arrays = {name: variable.numpy() for name, variable in values.items()}
    write_whole(path, lambda file: np.savez(file, **arrays))


def load_weights(path: Path, model: keras.Model) -> None:
    """Give a model the weights of a checkpoint.

    Parameters
    ----------
    path : Path
        From ``save_checkpoint``.
    model : keras.Model
        Of the same spec, bands and size; the precision may differ.

    Raises
    ------
    InputError
        If the file is missing, or does not go with the model.
    """
    _assign(model.weights, path, _WEIGHTS)


def load_optimizer(path: Path, model: keras.Model) -> None:
    """Give the optimizer of a compiled model the state in a checkpoint.

    Parameters
    ----------
    path : Path
        From ``save_checkpoint``.
    model : keras.Model
        Compiled as it was when the checkpoint was saved, its optimizer built.

    Raises
    ------
    InputError
        If the file is missing, or does not go with the optimizer.
    """
    _assign(model.optimizer.variables, path, _OPTIMIZER)


def check_checkpoint(path: Path) -> None:
    """Check that a checkpoint can be read, all of it.

    Parameters
    ----------
    path : Path
        From ``save_checkpoint``.

    Raises
    ------
    InputError
        If it is missing or damaged.
    """
    _read(path, "")


def _read(path: Path, prefix: str) -> dict[str, np.ndarray]:
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as saved:
            return {name.removeprefix(prefix): saved[name] for name in saved.files if name.startswith(prefix)}
    # Damaged archives raise of everything.
    except Exception as error:
        why = getattr(error, "strerror", None) or reason_of(error)
        raise InputError(f"{path} must be a checkpoint, got {why}: train again") from error


def _assign(variables: list, path: Path, prefix: str) -> None:
    values = _read(path, prefix)
    shapes = {variable.path: tuple(variable.shape) for variable in variables}
    if shapes != {name: value.shape for name, value in values.items()}:
        raise InputError(
            f"{path} must hold the {prefix[:-1]} of the training that goes on, got those of another: "
            "go on with the plan.json and the version of lensdetect that it began with"
        )
    for variable in variables:
        variable.assign(values[variable.path])
