"""How a training went."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from lensdetect.errors import InputError
from lensdetect.figures.palette import LENS_COLOUR, OTHER_COLOUR

_COLUMNS = 3


def learning_curves(history: pd.DataFrame, *, title: str | None = None) -> Figure:
    """Training against validation, epoch by epoch.

    Parameters
    ----------
    history : DataFrame
        One row an epoch: ``epoch``, ``loss``, for each validated figure
        ``NAME`` and ``val_NAME`` (or the latter alone), and ``learning_rate``. Other
        columns are not drawn.
    title : str, optional
        Over the figure.

    Returns
    -------
    Figure
        A panel for the loss, each validated figure and the learning rate; the
        best epoch in validation is marked.

    Raises
    ------
    InputError
        If the history has no row, or no column ``epoch`` or ``loss``.
    """
    missing = [name for name in ("epoch", "loss") if name not in history]
    if missing or len(history) == 0:
        raise InputError(
            f"a history needs columns epoch and loss and at least one row, got {len(history)} rows of "
            f"{', '.join(history.columns) or 'nothing'}: train for an epoch first"
        )
    names = _panel_names(history)
    columns = min(_COLUMNS, len(names))
    rows = -(-len(names) // columns)
    figure = Figure(figsize=(4.2 * columns, 3.2 * rows), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in panels[len(names) :]:
        axes.set_axis_off()
    for axes, name in zip(panels, names, strict=False):
        _draw_curve(axes, history, name)
    if title is not None:
        figure.suptitle(title, fontsize=12)
    return figure


def _panel_names(history: pd.DataFrame) -> list[str]:
    validated = [name.removeprefix("val_") for name in history.columns if name.startswith("val_")]
    rest = ["learning_rate"] if "learning_rate" in history else []
    return ["loss", *(name for name in validated if name != "loss"), *rest]


def _draw_curve(axes: Axes, history: pd.DataFrame, name: str) -> None:
    epoch = history["epoch"]
    # A marker for each epoch, so that a single one shows.
    if name in history:
        axes.plot(epoch, history[name], "o--", markersize=3, color=OTHER_COLOUR, label="training")
    if f"val_{name}" in history:
        values = history[f"val_{name}"].to_numpy(dtype=float)
        axes.plot(epoch, values, "s-", markersize=3, color=LENS_COLOUR, label="validation")
        _mark_best(axes, epoch.to_numpy(), values, lowest=name.endswith("loss"))
    if name == "learning_rate":
        # A cosine ends at 0, which a log axis leaves out; with nothing else to show it would warn.
        axes.set_yscale("log" if (history[name] > 0).any() else "linear")
    else:
        axes.legend(fontsize=8)
    axes.set(title=name.replace("_", " "), xlabel="epoch", xlim=(epoch.min() - 0.5, epoch.max() + 0.5))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(alpha=0.3)


def _mark_best(axes: Axes, epoch: np.ndarray, values: np.ndarray, *, lowest: bool) -> None:
    if not np.isfinite(values).any():
        return
    best = int(np.nanargmin(values) if lowest else np.nanargmax(values))
    axes.plot(
        epoch[best],
        values[best],
        "*",
        markersize=12,
        color="black",
        markerfacecolor="none",
        label=f"best {values[best]:.4g}, epoch {epoch[best]:g}",
    )
