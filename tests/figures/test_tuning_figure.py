from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from lensdetect.errors import InputError
from lensdetect.figures import save_figure, tuning_figure


@pytest.fixture
def table():
    return pd.DataFrame(
        {
            "trial": [1, 2, 3, 4],
            "status": ["done", "failed", "done", "running"],
            "epochs": [1, 1, 3, 3],
            "val_auroc": [0.7, np.nan, 0.9, np.nan],
            "plan_learning_rate": [1e-3, 1e-2, 2e-3, 5e-3],
            "stem_width": [1.0, 2.0, 0.5, 1.0],
            "stem_version": ["B0", "B1", "B0", "B2"],
        }
    )


def test_figure_has_a_panel_for_all_that_was_turned(table, tmp_path):
    turned = {"plan_learning_rate": True, "stem_width": False, "stem_version": False}
    figure = tuning_figure(table, objective="val_auroc", hyperparameters=turned)
    course, rate, width, version, *bar = figure.axes
    assert (rate.get_xscale(), width.get_xscale()) == ("log", "linear") and len(bar) == 1
    assert [text.get_text() for text in version.get_xticklabels()] == ["B0", "B1", "B2"]
    labels = course.get_legend_handles_labels()[1]
    assert labels == ["best so far", "as it began", "best, trial 3", "failed"]
    # Two that are done, and one cross.
    assert [len(drawn.get_offsets()) for drawn in rate.collections] == [2, 1, 1, 1]
    assert rate.collections[2].get_offsets().tolist() == [[2e-3, 0.9]]
    save_figure(figure, tmp_path / "trials.png")


def test_figure_needs_a_trial_that_is_done(table):
    with pytest.raises(InputError, match="needs one that is done and columns for all hyperparameters, got 1 trials"):
        tuning_figure(table[1:2], objective="val_auroc", hyperparameters={"stem_width": False})
    with pytest.raises(InputError, match="one that is done and columns val_tpr"):
        tuning_figure(table, objective="val_tpr", hyperparameters={})
