"""Labels that are partly what other detectors say."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit

from lensdetect.data.joined import JoinedStamps, Part
from lensdetect.data.order import ShuffledBatches
from lensdetect.data.taught import TaughtStamps, read_teachers
from lensdetect.errors import InputError


class Numbers:
    """Stamps whose pixels are their own number; even ones are lenses."""

    def __init__(self, count: int):
        self.truth = pd.DataFrame({"id": [str(n) for n in range(count)], "is_lens": np.arange(count) % 2 == 0})
        self.shape, self.manifest = (1, 1, 1), {"survey": "bologna", "bands": ["r"], "pixel_scale_arcsec": 0.2}

    def read(self, rows):
        return np.asarray(rows, np.float32)[:, None, None, None]

    def sha256(self):
        return str(len(self.truth))


def scores(path, probability):
    ids = [str(number) for number in range(len(probability))]
    pd.DataFrame({"id": ids, "probability": probability}).to_csv(path, index=False)
    return path


def test_what_is_learned_lies_between_truth_and_teachers():
    taught = TaughtStamps(Numbers(4), np.array([0.9, 0.2, np.nan, 1.0]), share=0.25)
    np.testing.assert_allclose(taught.truth["target"], [0.975, 0.05, 1.0, 0.25])
    cutouts, labels = ShuffledBatches(taught, np.arange(4), batch_size=4, seed=1).read(0)
    order = cutouts[:, 0, 0, 0].astype(int)
    np.testing.assert_allclose(labels[:, 0], taught.truth["target"].to_numpy()[order])


def test_other_teachers_are_other_stamps():
    one, other = (TaughtStamps(Numbers(2), np.array([p, 0.5])).sha256() for p in (0.5, 0.6))
    assert one != other


def test_a_committee_speaks_by_its_mean_logit(tmp_path):
    first, second = np.array([0.9, 0.2]), np.array([0.5, 0.1])
    paths = [scores(tmp_path / "a.csv", first), scores(tmp_path / "b.csv", second)]
    found = read_teachers(paths, ["1", "0"])
    np.testing.assert_allclose(found, expit((logit(first) + logit(second)) / 2)[::-1])


def test_a_stamp_that_a_teacher_could_not_score_has_no_probability(tmp_path):
    path = scores(tmp_path / "a.csv", [0.9, np.nan])
    np.testing.assert_array_equal(np.isnan(read_teachers([path], ["0", "1", "2"])), [False, True, True])


def test_stamps_of_which_one_part_is_taught_keep_the_truth_of_the_other():
    parts = [Part(TaughtStamps(Numbers(2), np.array([0.5, 0.5]), share=1.0)), Part(Numbers(2))]
    np.testing.assert_array_equal(JoinedStamps(parts).truth["target"], [0.5, 0.5, 1.0, 0.0])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id,logit\n0,1\n", "must have the columns id and probability, got none probability"),
        ("id,probability\n0,0.1\n0,0.2\n", "must hold each id once, got '0' twice"),
        ("id,probability\nx,0.1\n", "must hold scores of the stamps, got those of 1 others"),
        ("id,probability\n0,1.5\n", "must lie between 0 and 1, got 1.5"),
    ],
)
def test_tables_that_are_no_scores_of_the_stamps_are_refused(tmp_path, text, message):
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(InputError, match=message):
        read_teachers([tmp_path / "a.csv"], ["0", "1"])


def test_a_share_above_1_is_refused():
    with pytest.raises(InputError, match=r"share of the teachers"):
        TaughtStamps(Numbers(2), np.array([0.5, 0.5]), share=1.5)
