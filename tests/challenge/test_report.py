from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from lensdetect.challenge.report import markdown, mean_interval


@pytest.fixture
def done(finished) -> pd.DataFrame:
    table = pd.read_csv(finished / "results.csv", keep_default_na=True)
    return table[table["system"] == "all_star"].assign(error="", same_as="")


def test_trainings_of_one_system_are_summed_up_over_seeds(done):
    second = done.assign(seed=5, auroc=done["auroc"] - 0.02)
    text = markdown(pd.concat([done, second]), heading="Trained.")
    line = text.split("## Over seeds")[1].split("| all_star |")[1].splitlines()[0]
    mean = float(done["auroc"].iloc[0]) - 0.01
    low, high = stats.t.interval(0.95, 1, loc=mean, scale=0.01)
    assert line.startswith(f" 2 | {mean:.4f} [{low:.4f}, {high:.4f}] |")


def test_one_training_of_each_system_needs_no_such_table(done):
    assert "Over seeds" not in markdown(done, heading="Trained.")


def test_networks_that_are_trained_once_are_named(done):
    other = done.assign(system="all_star_again", same_as="all_star")
    assert "trained once: all_star_again as all_star." in markdown(pd.concat([done, other]), heading="Trained.")


def test_interval_of_the_mean_is_student_s():
    values = np.array([0.71, 0.74, 0.70])
    low, high = stats.t.interval(0.95, 2, loc=values.mean(), scale=stats.sem(values))
    assert mean_interval(values) == pytest.approx((values.mean(), low, high))


def test_interval_of_one_value_is_not_known():
    mean, low, high = mean_interval(np.array([0.5]))
    assert mean == 0.5 and math.isnan(low) and math.isnan(high)
