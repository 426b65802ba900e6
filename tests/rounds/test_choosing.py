from __future__ import annotations

import numpy as np
import pytest

from lensdetect.errors import InputError
from lensdetect.rounds import Wishes, choose
from lensdetect.rounds.choosing import disagreement, far_apart, nearest_to, parse_wishes


@pytest.fixture
def logit(rng) -> np.ndarray:
    return rng.normal(size=300)


def test_the_best_come_first(logit):
    rows, ways = choose(Wishes(), 10, logit=logit)
    np.testing.assert_array_equal(rows, np.argsort(-logit)[:10])
    assert set(ways) == {"score"}


def test_high_is_at_random_among_the_highest(logit):
    rows, ways = choose(parse_wishes("high"), 30, logit=logit, among=60, seed=3)
    best = np.argsort(-logit)
    assert set(rows) < set(best[:60]) and not set(rows) <= set(best[:45]) and set(ways) == {"high"}
    again, _ = choose(parse_wishes("high"), 30, logit=logit, among=60, seed=4)
    assert set(again) != set(rows)
    # no fewer than wanted, and what another way has chosen counts not among them
    rows, ways = choose(parse_wishes("score:0.5,high:0.5"), 40, logit=logit, among=10)
    assert set(rows) == set(best[:40]) and (ways[:20] == "score").all()


def test_a_mix_has_the_shares_asked_for_and_nobody_twice(logit, rng):
    members, features = rng.normal(size=(300, 2)), rng.normal(size=(300, 5))
    wishes = parse_wishes("score:0.5,disagreement:0.2,novelty:0.2,random:0.1")
    rows, ways = choose(wishes, 50, logit=logit, members=members, features=features)
    names, counts = np.unique(ways, return_counts=True)
    assert dict(zip(names, counts, strict=True)) == {"score": 25, "disagreement": 10, "novelty": 10, "random": 5}
    assert len(set(rows)) == 50


def test_shares_that_do_not_divide_still_make_the_count(logit):
    for count in range(1, 30):
        assert sum(parse_wishes("score:1,random:1,novelty:1").counts(count).values()) == count
    rows, _ = choose(Wishes(), 1000, logit=logit)
    assert sorted(rows) == list(range(300)), "no more than there are"


def test_disagreement_counts_at_the_top():
    # ranks of the first: 1 to 1000; the second swaps its best with its hundredth, and the last two
    one = -np.arange(1000.0)
    other = one.copy()
    other[[0, 99]], other[[998, 999]] = other[[99, 0]], other[[999, 998]]
    found = disagreement(np.stack([one, 100 + 7 * other], axis=1))
    np.testing.assert_allclose(found[[0, 99]], 2.0)
    assert found[998] < 1e-3 and (found[1:99] == 0).all()


def test_novel_objects_are_far_from_what_was_graded_and_from_one_another(rng):
    graded = rng.normal(0, 0.1, (50, 2))
    clusters = np.repeat([[0, 0], [10, 0], [0, 10], [10, 10]], [200, 60, 30, 10], axis=0)
    features = clusters + rng.normal(0, 0.1, clusters.shape)
    chosen = far_apart(features, 3, centres=graded)
    assert {tuple(clusters[row]) for row in chosen} == {(10, 0), (0, 10), (10, 10)}
    # the most probable would all have been of the largest cluster
    rows, _ = choose(Wishes((("novelty", 1.0),)), 3, logit=-np.arange(300.0), features=features, seen=graded)
    assert set(rows) == set(chosen)


def test_what_has_no_features_is_not_novel(logit, rng):
    features = rng.normal(size=(300, 3))
    features[100:] = np.nan
    rows, _ = choose(Wishes((("novelty", 1.0),)), 20, logit=logit, features=features)
    assert len(rows) == 20 and rows.max() < 100


def test_at_random_is_from_the_fair_sample(logit):
    fair = np.arange(300) % 3 == 0
    rows, _ = choose(Wishes((("random", 1.0),)), 40, logit=logit, fair=fair, seed=3)
    again, _ = choose(Wishes((("random", 1.0),)), 40, logit=logit, fair=fair, seed=3)
    assert fair[rows].all() and len(set(rows)) == 40
    np.testing.assert_array_equal(rows, again)


def test_more_like_this_one(rng):
    features = rng.normal(size=(100, 4)) * [1, 1000, 1e-3, 1]
    near = features[7] + 0.01 * features.std(axis=0)
    assert nearest_to(features, near)[0] == 7


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("scores", "unknown way to choose 'scores': did you mean score"),
        ("score:half", "must be like score:0.5,novelty:0.5, got 'score:half'"),
        ("score:0", "the share of score must be a positive number"),
        ("score,score:0.5", "each once, got score, score"),
        ("", "got none"),
    ],
)
def test_wishes_that_cannot_be_met(text, message):
    with pytest.raises(InputError, match=message):
        parse_wishes(text)


def test_a_way_needs_what_it_goes_by(logit):
    with pytest.raises(InputError, match="disagreement needs a committee, got one detector"):
        choose(Wishes((("disagreement", 1.0),)), 5, logit=logit, members=logit[:, None])
    with pytest.raises(InputError, match="novelty needs features"):
        choose(Wishes((("novelty", 1.0),)), 5, logit=logit)
