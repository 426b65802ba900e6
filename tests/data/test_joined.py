from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from lensdetect.data.joined import JoinedStamps, Part, seeds_of
from lensdetect.errors import InputError
from lensdetect.training.plans import get_plan
from lensdetect.training.record import split_rows


class Numbers:
    """Stamps whose pixels are their own number."""

    def __init__(self, count: int, *, first: int = 0, size: int = 1, **manifest):
        self.truth = pd.DataFrame({"id": [str(n) for n in range(count)], "is_lens": np.arange(count) % 2 == 0})
        self.shape, self._first = (size, size, 1), first
        self.manifest = {"survey": "bologna", "bands": ["r"], "pixel_scale_arcsec": 0.2, "seed": 4} | manifest

    def read(self, rows):
        return np.broadcast_to(
            self._first + np.asarray(rows, np.float32)[:, None, None, None], (len(rows), *self.shape)
        )

    def sha256(self):
        return f"{len(self.truth)} from {self._first}"


def test_rows_come_from_where_they_are():
    joined = JoinedStamps([Part(Numbers(5)), Part(Numbers(3, first=100))])
    np.testing.assert_array_equal(joined.read(np.array([7, 0, 5, 4]))[:, 0, 0, 0], [102, 0, 100, 4])
    assert len(joined) == 8 and joined.manifest["seed"] is None


def test_what_is_marked_validates_and_nothing_else():
    joined = JoinedStamps([Part(Numbers(40), validates=False), Part(Numbers(10), validates=True)])
    training, validation = split_rows(joined, get_plan("adamw"), seed=1)
    assert training.tolist() == list(range(40)) and validation.tolist() == list(range(40, 50))


def test_the_hash_tells_weights_apart():
    one, other = (JoinedStamps([Part(Numbers(4), weight=weight)]).sha256() for weight in (1.0, 2.0))
    assert one != other == JoinedStamps([Part(Numbers(4), weight=2.0)]).sha256()


def test_stamps_of_two_sizes_are_not_joined():
    with pytest.raises(InputError, match=r"must have one shape, got \(1, 1, 1\) and \(2, 2, 1\)"):
        JoinedStamps([Part(Numbers(4)), Part(Numbers(4, size=2))])


def test_the_manifest_tells_all_seeds_however_often_sets_are_joined():
    inner = JoinedStamps([Part(Numbers(4)), Part(Numbers(4, seed=7))])
    assert seeds_of(JoinedStamps([Part(inner), Part(Numbers(4, seed=5))]).manifest) == {4, 5, 7}
    assert seeds_of(Numbers(4, seed=None).manifest) == set()


def test_the_manifest_tells_all_real_objects_that_were_seen():
    dealt = {"num_folds": 4, "fold_seed": 2}
    first = Numbers(4, real_sky={"simulated": ["kids"], "real": {"field": [0, 1]}, **dealt})
    second = Numbers(4, real_sky={"simulated": ["painted"], "real": {"field": [1, 3], "graded": [2]}, **dealt})
    seen = JoinedStamps([Part(first), Part(second), Part(Numbers(4))]).manifest["real_sky"]
    assert seen == {
        **{"simulated": ["bologna", "kids", "painted"], "real": {"field": [0, 1, 3], "graded": [2]}},
        **dealt,
    }
    second.manifest["real_sky"]["fold_seed"] = 3
    with pytest.raises(InputError, match="must tell of real objects by one fold_seed"):
        JoinedStamps([Part(first), Part(second)])
