from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from lensdetect import flags
from lensdetect.errors import InputError
from lensdetect.search import Cut
from lensdetect.search.candidates import HISTOGRAM_EDGES, rank_scores

ARCSEC = 1 / 3600


def write(path, logits, *, ra_deg=None, flag=0, start=0):
    """A table of scores as a tile leaves it."""
    count = len(logits)
    table = pd.DataFrame(
        {
            "row": np.arange(start, start + count),
            "id": [f"{path.stem}{n}" for n in range(count)],
            "ra_deg": 10.0 + np.arange(start, start + count) if ra_deg is None else ra_deg,
            "dec_deg": 0.0,
            "tile": path.stem,
            "logit": np.array(logits, np.float32),
            "probability": 1 / (1 + np.exp(-np.array(logits, np.float32))),
            "flags": np.broadcast_to(np.array(flag, np.int64), count),
            "reason": "",
        }
    )
    table.to_parquet(path)
    return path


def ranked(paths, **cut):
    return rank_scores(paths, Cut(**cut), columns=["row", "id", "ra_deg", "dec_deg", "tile", "logit"])


def test_the_best_of_all_tiles(tmp_path, rng):
    logits = rng.normal(size=(4, 50))
    paths = [write(tmp_path / f"t{n}.parquet", logits[n], start=50 * n) for n in range(4)]
    found = ranked(paths, top=20)
    np.testing.assert_allclose(found.candidates["logit"], np.sort(logits.ravel())[::-1][:20], rtol=1e-6)
    assert (found.objects, found.scored, found.eligible) == (200, 200, 200)
    assert found.scored_in == {f"t{n}": 50 for n in range(4)}
    expected = np.histogram(logits, HISTOGRAM_EDGES)[0]
    np.testing.assert_array_equal(found.histogram, expected)


def test_a_threshold_takes_all_above_it(tmp_path):
    path = write(tmp_path / "t.parquet", [3.0, -1.0, 0.5, np.nan])
    found = ranked([path], top=None, threshold=0.6)
    assert found.candidates["id"].tolist() == ["t0", "t2"] and found.scored == 3


def test_rejected_flags_are_no_candidates(tmp_path):
    path = write(tmp_path / "t.parquet", [3.0, 2.0, 1.0], flag=[flags.bits("trail"), flags.bits("edge"), 0])
    assert ranked([path]).candidates["id"].tolist() == ["t1", "t2"]
    assert ranked([path], rejected=()).candidates["id"].tolist() == ["t0", "t1", "t2"]
    assert ranked([path]).flag_counts == {"edge": 1, "trail": 1}


def test_an_object_that_two_tiles_show_is_one_candidate(tmp_path):
    first = write(tmp_path / "a.parquet", [1.0, 5.0], ra_deg=[10.0, 20.0])
    second = write(tmp_path / "b.parquet", [2.0, 0.5], ra_deg=[10.0 + 0.5 * ARCSEC, 20.0 + 5 * ARCSEC], start=2)
    found = ranked([first, second]).candidates
    assert found["id"].tolist() == ["a1", "b0", "b1"]
    assert found["merged"].tolist() == [0, 1, 0]


def test_equal_scores_keep_the_order_of_the_catalogue(tmp_path):
    paths = [write(tmp_path / f"{name}.parquet", [1.0] * 5, start=start) for name, start in (("z", 0), ("a", 5))]
    assert ranked(paths[::-1], top=7).candidates["row"].tolist() == list(range(7))


def test_an_unknown_flag_is_refused():
    with pytest.raises(InputError, match="unknown flag 'trails': did you mean trail"):
        Cut(rejected=("trails",))
