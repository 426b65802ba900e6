from __future__ import annotations

from collections.abc import Sequence

from lensdetect.challenge import challenge
from lensdetect.challenge.job import Job
from lensdetect.challenge.plan import CHALLENGE_PLANS
from lensdetect.challenge.stamp_sets import StampSet
from lensdetect.challenge.systems import parse_entries
from lensdetect.challenge.twins import twin


def jobs_of(systems: Sequence[str], *, seeds: Sequence[int] = (0,)) -> list[Job]:
    entries = parse_entries(systems, bands=("u", "g", "r", "i"), simulated=True)
    return [Job(entry, StampSet("data"), None, CHALLENGE_PLANS["full"], seed, 0) for seed in seeds for entry in entries]


def test_one_architecture_under_two_names_is_trained_once():
    jobs = jobs_of(["all_star", "lens_detector_15", "lens_detector_16", "lens_detector_21", "lens_detector_13"])
    assert [twin(job, jobs) for job in jobs] == [None, None, None, jobs[1], jobs[1]]


def test_other_bands_and_seeds_are_other_trainings():
    jobs = jobs_of(["lens_detector_15", "lens_detector_21@gri"], seeds=(0, 1))
    assert all(twin(job, jobs) is None for job in jobs)


def test_twin_gets_the_row_of_the_one_that_was_run(training_stamps, test_stamps, plan, tmp_path, small_processes):
    """The stamps are too small for either: the one that was tried says so for both."""
    systems = ("lens_detector_15", "lens_detector_21")
    table = challenge(training_stamps, tmp_path, test=test_stamps, plan=plan, systems=systems, seed=4)
    table = table.set_index("system")
    assert table["same_as"].to_dict() == {"lens_detector_15": "", "lens_detector_21": "lens_detector_15"}
    assert table["error"].iloc[0] == table["error"].iloc[1] != ""
    assert [path.name for path in (tmp_path / "systems").iterdir()] == ["lens_detector_15-4"]
