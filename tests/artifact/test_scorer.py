from __future__ import annotations

import functools
import pickle

import numpy as np
import pytest

from lensdetect.artifact import load_detector
from lensdetect.artifact.factory import ScorerFactory
from lensdetect.errors import InputError

CLOSE = {"rtol": 1e-5, "atol": 1e-6}


@pytest.fixture(scope="module")
def scorer(saved):
    return load_detector(saved)


def test_batches_change_nothing(scorer, cutouts):
    whole = scorer(cutouts)
    assert whole.logit.dtype == whole.probability.dtype == np.float32
    assert whole.logit.shape == whole.probability.shape == (10,)
    for batch_size in (1, 3, 4, 10, 64):
        np.testing.assert_allclose(scorer(cutouts, batch_size=batch_size).logit, whole.logit, **CLOSE)


def test_no_cutouts(scorer, cutouts):
    scores = scorer(cutouts[:0])
    assert scores.logit.shape == scores.probability.shape == (0,)
    assert scorer.embed(cutouts[:0]).shape == (0, 16)


@pytest.mark.parametrize("dtype", [">f4", "float64"])
def test_any_float_type_is_taken(scorer, cutouts, dtype):
    np.testing.assert_allclose(scorer(cutouts.astype(dtype)).logit, scorer(cutouts).logit, **CLOSE)


def test_integers_are_taken(scorer):
    ones = np.ones((2, 33, 33, 4), np.int16)
    np.testing.assert_array_equal(scorer(ones).logit, scorer(ones.astype(np.float32)).logit)


def test_input_is_left_alone(scorer, cutouts):
    before = cutouts.copy()
    scorer(cutouts, bands="ugri", zero_points_mag=25.0)
    np.testing.assert_array_equal(cutouts, before)


def test_blank_cutout_has_no_score(scorer, cutouts):
    expected = scorer(cutouts).logit
    cutouts[3] = np.nan
    cutouts[5, 16, 16] = np.nan
    scores = scorer(cutouts)
    assert np.flatnonzero(np.isnan(scores.logit)).tolist() == [3]
    assert np.flatnonzero(np.isnan(scores.probability)).tolist() == [3]
    assert np.isnan(scorer.embed(cutouts)[3]).all() and np.isfinite(scorer.embed(cutouts)[5]).all()
    np.testing.assert_allclose(scores.logit[6:], expected[6:], **CLOSE)


@pytest.mark.parametrize(
    "shape, came", [((33, 33, 4), r"\(33, 33, 4\)"), ((2, 33, 32, 4), r"\(2, 33, 32, 4\)"), ((2, 33, 33, 3), r"3, 3\)")]
)
def test_wrong_shape(scorer, shape, came):
    with pytest.raises(InputError, match=rf"must be \(n, 33, 33, 4\) in the bands u, g, r, i, got .*{came}"):
        scorer(np.zeros(shape, np.float32))


def test_wrong_type_and_batch_size(scorer, cutouts):
    with pytest.raises(InputError, match="must be real numbers, got complex64"):
        scorer(cutouts.astype(np.complex64))
    with pytest.raises(InputError, match="batch_size must be at least 1, got 0"):
        scorer(cutouts, batch_size=0)


def test_bands_in_another_order(scorer, cutouts):
    np.testing.assert_allclose(
        scorer(cutouts[..., ::-1], bands=("i", "r", "g", "u")).logit, scorer(cutouts).logit, **CLOSE
    )


def test_missing_band_is_a_plane_of_nan(scorer, cutouts):
    without_u = cutouts.copy()
    without_u[..., 0] = np.nan
    found = scorer(cutouts[..., [2, 1, 3]], bands=("r", "g", "i"))
    np.testing.assert_allclose(found.logit, scorer(without_u).logit, **CLOSE)
    assert scorer.missing_bands(("r", "g", "i")) == ("u",)
    assert scorer.missing_bands(scorer.bands) == ()


def test_foreign_bands_and_repeated_ones(scorer, cutouts):
    with pytest.raises(InputError, match="takes the bands u, g, r, i or some of them, got g, r, i, z: train one"):
        scorer(cutouts, bands=("g", "r", "i", "z"))
    with pytest.raises(InputError, match=r"each once, got \['g', 'g'\]"):
        scorer(cutouts[..., :2], bands=("g", "g"))
    with pytest.raises(InputError, match=r"must be \(n, 33, 33, 2\) in the bands g, r, got \(10, 33, 33, 4\)"):
        scorer(cutouts, bands=("g", "r"))


def test_zero_points_are_converted(scorer, cutouts):
    expected = scorer(cutouts).logit
    # Zero point 25: one unit is 1e-10 of a zero point of 0.
    np.testing.assert_allclose(scorer(cutouts * 1e10, zero_points_mag=25.0).logit, expected, **CLOSE)
    each = np.array([25.0, 0.0, 22.5, 0.0])
    flux = cutouts * 10.0 ** (0.4 * each)
    np.testing.assert_allclose(scorer(flux, zero_points_mag=each).logit, expected, **CLOSE)
    swapped = scorer(flux[..., ::-1], bands="irgu", zero_points_mag=each[::-1])
    np.testing.assert_allclose(swapped.logit, expected, **CLOSE)
    assert np.abs(scorer(cutouts * 2).logit - expected).max() > 1e-3


@pytest.mark.parametrize("zero_points_mag", [(25.0, 25.0), np.nan])
def test_wrong_zero_points(scorer, cutouts, zero_points_mag):
    with pytest.raises(InputError, match="zero points must be one finite number, or one for each of u, g, r, i, got"):
        scorer(cutouts, zero_points_mag=zero_points_mag)


def test_pixel_scale(scorer, cutouts):
    scorer(cutouts, pixel_scale_arcsec=0.203)
    for pixel_scale_arcsec in (0.214, 0.1, np.nan):
        with pytest.raises(InputError, match=rf"takes pixels of 0\.2 arcsec, got {pixel_scale_arcsec} arcsec"):
            scorer(cutouts, pixel_scale_arcsec=pixel_scale_arcsec)


def test_factory_and_scorer_can_be_pickled(saved, scorer, cutouts):
    make_scorer = pickle.loads(pickle.dumps(functools.partial(load_detector, saved)))
    expected = scorer(cutouts).logit
    np.testing.assert_array_equal(make_scorer()(cutouts).logit, expected)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(scorer))(cutouts).logit, expected)


def turned(cutouts, turns: int, mirrored: bool):
    """Cutouts turned by so many right angles, and then mirrored or not."""
    found = np.rot90(cutouts, turns, axes=(1, 2))
    return found[:, ::-1] if mirrored else found


ALL_VIEWS = [(turns, mirrored) for turns in range(4) for mirrored in (False, True)]


def test_eight_views_are_the_mean_logit_over_turns_and_mirrors(scorer, cutouts):
    each = np.stack([scorer(turned(cutouts, *view)).logit for view in ALL_VIEWS])
    assert each.std(axis=0).min() > 1e-3
    scores = scorer(cutouts, views=8, batch_size=4)
    np.testing.assert_allclose(scores.logit, each.mean(axis=0), **CLOSE)
    np.testing.assert_allclose(scores.probability, scorer.card.probability(scores.logit), **CLOSE)


@pytest.mark.parametrize("view", ALL_VIEWS[1:])
def test_eight_views_score_a_turned_cutout_as_the_cutout(scorer, cutouts, view):
    whole = scorer(cutouts, views=8)
    again = scorer(turned(cutouts, *view), views=8)
    np.testing.assert_allclose(again.logit, whole.logit, **CLOSE)
    np.testing.assert_allclose(again.probability, whole.probability, **CLOSE)


def test_eight_views_of_a_blank_cutout_have_no_score_and_of_other_bands_one(scorer, cutouts):
    cutouts[3] = np.nan
    scores = scorer(cutouts[..., ::-1], bands=("i", "r", "g", "u"), views=8)
    assert np.flatnonzero(np.isnan(scores.logit)).tolist() == [3]
    np.testing.assert_allclose(scores.logit, scorer(cutouts, views=8).logit, **CLOSE)


@pytest.mark.parametrize("views", [0, 2, 4, -8, 8.0, "8", True, None])
def test_other_numbers_of_views_are_refused(scorer, saved, cutouts, views):
    with pytest.raises(InputError, match=r"views must be 1 .* or 8 .*, got .*: choose one of the two"):
        scorer(cutouts, views=views)
    with pytest.raises(InputError, match="views must be 1"):
        ScorerFactory((str(saved),), ("r",), (0.0,), 0.2, views=views)


def test_a_factory_hands_on_the_views(saved, scorer, cutouts):
    factory = ScorerFactory((str(saved),), scorer.bands, (0.0,) * 4, 0.2, views=8)
    found = pickle.loads(pickle.dumps(factory))()(cutouts)
    np.testing.assert_allclose(found[:, 0], scorer(cutouts, views=8, zero_points_mag=0.0).logit, **CLOSE)
