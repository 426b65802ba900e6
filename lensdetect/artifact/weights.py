"""Weights by the path of their variable: read, compare, assign."""

from __future__ import annotations

import re
from pathlib import Path

import keras
import numpy as np

from lensdetect.errors import ArtifactError, unknown_name

#: Part of a detector -> how the names of its layers begin.
PARTS: dict[str, tuple[str, ...]] = {
    "stem": ("front_", "stem_"),
    "encoder": ("encoder_",),
    "head": ("head_", "embedding", "logit"),
}

# How a TensorFlow checkpoint spells the entry of a dict attribute: a dot
# escapes the two characters that mean something to it.
_KEY = re.compile(r"weights/(?P<path>.+)/\.ATTRIBUTES/VARIABLE_VALUE")
_ESCAPES = {"..": ".", ".S": "/"}


def read_weights(folder: Path | str) -> dict[str, np.ndarray]:
    """Weights of a detector folder.

    Parameters
    ----------
    folder : path
        A SavedModel that ``save_detector`` wrote.

    Returns
    -------
    dict
        Values by the path of the Keras variable.

    Raises
    ------
    ArtifactError
        If TensorFlow is not installed.
    """
    try:
        # Here alone: who builds a fresh detector needs no TensorFlow.
        import tensorflow as tf
    except ModuleNotFoundError as error:
        raise ArtifactError(
            f"the weights of {folder} are read with TensorFlow, which is not installed: "
            "train without them, or where TensorFlow is"
        ) from error
    reader = tf.train.load_checkpoint(str(Path(folder) / "variables" / "variables"))
    keys = [found for found in map(_KEY.fullmatch, reader.get_variable_to_shape_map()) if found]
    return {_unescape(found["path"]): reader.get_tensor(found.string) for found in keys}


def _unescape(path: str) -> str:
    return re.sub(r"\.[.S]", lambda found: _ESCAPES[found[0]], path)


def assign_weights(
    model: keras.Model, values: dict[str, np.ndarray], *, source: str, parts: str | tuple[str, ...]
) -> None:
    """Give a model the weights of the same names.

    Parameters
    ----------
    model : keras.Model
        Changed in place, and only if everything fits.
    values : dict
        Values by variable path.
    source : str
        What holds the values, for messages.
    parts : str or tuple of str
        "all", or some of "stem", "encoder" and "head".

    Raises
    ------
    InputError
        If a part is unknown.
    ArtifactError
        If, within the parts, a name is on one side only or a shape differs; the
        message lists all of them.
    """
    begins = _beginnings(parts)
    variables = {variable.path: variable for variable in model.weights if variable.path.startswith(begins)}
    values = {path: value for path, value in values.items() if path.startswith(begins)}
    problems = _differences({path: tuple(variable.shape) for path, variable in variables.items()}, values)
    if problems or not variables:
        names = parts if isinstance(parts, str) else ", ".join(parts)
        raise ArtifactError(
            f"{source} must hold the weights of the detector as it was built ({names}); "
            f"{'; '.join(problems) or 'it has none'}: "
            "build it with the spec, bands and size of the card, or restore fewer parts"
        )
    for path, variable in variables.items():
        variable.assign(values[path])


def _beginnings(parts: str | tuple[str, ...]) -> tuple[str, ...]:
    if parts == "all":
        return ("",)
    parts = (parts,) if isinstance(parts, str) else parts
    for part in parts:
        if part not in PARTS:
            raise unknown_name("part", part, [*PARTS, "all"])
    return tuple(begin for part in parts for begin in PARTS[part])


def _differences(shapes: dict[str, tuple[int, ...]], values: dict[str, np.ndarray]) -> list[str]:
    misshapen = [
        f"{path} {values[path].shape} for {shape}"
        for path, shape in shapes.items()
        if path in values and values[path].shape != shape
    ]
    lists = {
        "missing": sorted(shapes.keys() - values.keys()),
        "not in the detector": sorted(values.keys() - shapes.keys()),
        "of another shape": misshapen,
    }
    return [f"{what}: {', '.join(names)}" for what, names in lists.items() if names]
