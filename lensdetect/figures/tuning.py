"""How a search over hyperparameters went."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullLocator

from lensdetect.errors import InputError
from lensdetect.figures.palette import LENS_COLOUR, QUIET_COLOUR
from lensdetect.figures.ticks import label_log_axis

_COLUMNS = 4
#: Dark is long; the lightest is left out, it is lost on white.
_MAP = "viridis_r"


def tuning_figure(table: pd.DataFrame, *, objective: str, hyperparameters: dict[str, bool]) -> Figure:
    """Objective against trial, and against each hyperparameter.

    Parameters
    ----------
    table : DataFrame
        One row a trial: ``trial``, ``status`` ("done", "failed" or "running"),
        ``epochs``, the objective, and a column for each hyperparameter.
    objective : str
        Column that the search made as high as it could.
    hyperparameters : dict of str -> bool
        Columns to draw, and whether on a logarithmic axis.

    Returns
    -------
    Figure
        Trials that are done by their length in colour, failed ones as crosses at
        the bottom, the best starred, the first (what the search began with) ringed.

    Raises
    ------
    InputError
        If a column is missing, or no trial is done.
    """
    missing = [name for name in ("trial", "status", "epochs", objective, *hyperparameters) if name not in table]
    if missing or not (table["status"] == "done").any():
        raise InputError(
            f"a figure of trials needs one that is done and columns {', '.join(missing) or 'for all hyperparameters'}, "
            f"got {len(table)} trials: wait for the first to end"
        )
    rows = -(-len(hyperparameters) // _COLUMNS)
    figure = Figure(figsize=(13, 3.4 + 2.5 * rows), layout="constrained")
    grid = figure.add_gridspec(1 + rows, _COLUMNS, height_ratios=[1.4] + [1] * rows)
    epochs = table.loc[table["status"] == "done", "epochs"]
    colours = Normalize(min(epochs.min(), 1), max(epochs.max(), 2))
    top = figure.add_subplot(grid[0, :])
    _draw_course(top, table, objective=objective, colours=colours)
    for number, (name, is_log) in enumerate(hyperparameters.items()):
        axes = figure.add_subplot(grid[1 + number // _COLUMNS, number % _COLUMNS], sharey=top)
        _draw_against(axes, table, name, objective=objective, colours=colours, is_log=is_log)
    if epochs.nunique() > 1:
        bar = figure.colorbar(ScalarMappable(colours, _MAP), ax=top, label="epochs", pad=0.01)
        bar.locator = MaxNLocator(integer=True)
    return figure


def _draw_course(axes: Axes, table: pd.DataFrame, *, objective: str, colours: Normalize) -> None:
    done = table[table["status"] == "done"]
    axes.step(done["trial"], done[objective].cummax(), where="post", color=QUIET_COLOUR, label="best so far")
    _scatter(axes, table, table["trial"].to_numpy(float), objective=objective, colours=colours)
    axes.set(xlabel="trial", ylabel=objective.replace("_", " "), xlim=(0.5, len(table) + 0.5))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(fontsize=8, loc="lower right", bbox_to_anchor=(1, 1), ncols=4, frameon=False)
    axes.grid(alpha=0.3)


def _draw_against(
    axes: Axes, table: pd.DataFrame, name: str, *, objective: str, colours: Normalize, is_log: bool
) -> None:
    if is_log:
        axes.set_xscale("log")
        label_log_axis(axes.xaxis, steps=(1.0, 3.0))
        place = table[name].to_numpy(float)
    else:
        # Side by side in their order: the values of a choice may lie far apart.
        values = sorted(table[name].unique())
        place = table[name].map(values.index).to_numpy(float)
        # Equal values would hide each other; the same shift in every drawing of the same trial.
        place = place + 0.24 * (table["trial"].to_numpy() * 0.618 % 1 - 0.5)
        axes.set_xticks(range(len(values)), [f"{v:g}" if isinstance(v, (int, float)) else str(v) for v in values])
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set_xlim(-0.5, len(values) - 0.5)
    _scatter(axes, table, place, objective=objective, colours=colours)
    axes.set_title(name.replace("_", " "), fontsize=10)
    axes.tick_params(labelsize=8)
    axes.grid(alpha=0.3)


def _scatter(axes: Axes, table: pd.DataFrame, place: np.ndarray, *, objective: str, colours: Normalize) -> None:
    done, failed = (table["status"] == name for name in ("done", "failed"))
    score = table[objective].to_numpy(float)
    axes.scatter(place[done], score[done], c=table["epochs"][done], cmap=_MAP, norm=colours, s=28, zorder=3)
    if done.iloc[0]:
        marks = {"s": 110, "facecolors": "none", "edgecolors": "black", "linewidths": 1.2, "zorder": 4}
        axes.scatter(place[:1], score[:1], label="as it began", **marks)
    best = int(np.nanargmax(np.where(done, score, np.nan)))
    marks = {"marker": "*", "s": 190, "color": LENS_COLOUR, "edgecolors": "black", "linewidths": 0.7, "zorder": 5}
    axes.scatter(place[best], score[best], label=f"best, trial {table['trial'].iloc[best]}", **marks)
    if failed.any():
        bottom = np.full(int(failed.sum()), 0.03)
        where = axes.get_xaxis_transform()
        axes.scatter(place[failed], bottom, marker="x", color=QUIET_COLOUR, transform=where, label="failed", zorder=3)
