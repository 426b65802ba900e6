"""Turns and mirrors: exactly the same logit, and exactly turned features."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from lensdetect.errors import InputError
from lensdetect.network import (
    ConvRow,
    ConvStem,
    DenseRow,
    DetectorSpec,
    DihedralHead,
    FlattenHead,
    StandardFront,
    build_detector,
)
from lensdetect.network.dihedral import NUM_VIEWS, RELATIVE_VIEWS, DihedralConv2D, turn


def eight_views(images: np.ndarray) -> list[np.ndarray]:
    """Of ``(n, size, size, band)``, by numpy's own turns and mirror."""
    both = (images, images[:, :, ::-1])
    return [np.rot90(each, turns, axes=(1, 2)) for each in both for turns in range(4)]


def draw_weights(model: keras.Model, rng: np.random.Generator) -> None:
    """Weights without any symmetry of their own, as if trained."""
    for variable in model.weights:
        drawn = rng.normal(0, 0.1, variable.shape)
        last = variable.path.split("/")[-1]
        if last == "kernel":
            drawn = rng.normal(0, np.prod(variable.shape[:-1]) ** -0.5, variable.shape)
        variable.assign(1 + abs(drawn) if last in ("gamma", "moving_variance", "factor") else drawn)


def logits(model: keras.Model, images: np.ndarray) -> np.ndarray:
    return np.stack([np.asarray(model(view))[:, 0] for view in eight_views(images)])


def small_spec(head) -> DetectorSpec:
    rows = (ConvRow(2, kernel=4), ConvRow(3, pool=True), ConvRow(4, kernel=7, dropout=0.5))
    return DetectorSpec(ConvStem(rows, dihedral=True, trained_pool=True), None, head, StandardFront())


@pytest.mark.parametrize(
    ("spec", "size"),
    [
        pytest.param("lastro_epfl_invariant", 101, id="published", marks=pytest.mark.slow),
        pytest.param(small_spec(DihedralHead((DenseRow(5, batch_norm=True),))), 19, id="small"),
    ],
)
def test_all_eight_views_have_the_same_logit(spec, size, rng):
    model = build_detector(spec, ("g", "r", "i"), size=size)
    draw_weights(model, rng)
    images = rng.normal(0, 1e-10, (2, size, size, 3)).astype(np.float32)
    images[0, :5, :9] = np.nan
    found = logits(model, images)
    scale = np.abs(found).max()
    np.testing.assert_allclose(found, np.broadcast_to(found[0], found.shape), atol=1e-4 * scale)
    # It is no constant.
    assert abs(found[0, 0] - found[0, 1]) > 1e-2 * scale


def test_plain_stem_gives_other_logits_for_other_views(rng):
    rows = (ConvRow(8, kernel=4), ConvRow(8, kernel=16))
    model = build_detector(DetectorSpec(ConvStem(rows), None, FlattenHead(), StandardFront()), ("r",), size=19)
    draw_weights(model, rng)
    found = logits(model, rng.normal(0, 1e-10, (1, 19, 19, 1)).astype(np.float32))
    assert np.ptp(found) > 1e-2 * np.abs(found).max()


def test_turn_is_numpys(rng):
    image = rng.random((5, 5, 2, 3))
    views = [np.rot90(each, turns) for each in (image, image[:, ::-1]) for turns in range(4)]
    for view, expected in enumerate(views):
        np.testing.assert_array_equal(np.asarray(turn(image, view)), expected)


def test_relative_views_are_those_of_a_group():
    everyone = list(range(NUM_VIEWS))
    assert RELATIVE_VIEWS[0].tolist() == everyone
    assert np.diag(RELATIVE_VIEWS).tolist() == [0] * NUM_VIEWS
    assert all(sorted(row) == everyone for row in RELATIVE_VIEWS.tolist())


def test_turned_image_gives_turned_features_with_views_swapped(rng):
    first, second = DihedralConv2D(3, 4, from_image=True), DihedralConv2D(2, 3, activation="relu")
    image = rng.normal(size=(1, 12, 12, 2)).astype(np.float32)

    def features(image):
        """(row, column, view, feature)"""
        found = np.asarray(second(first(image)))[0]
        return found.reshape(*found.shape[:2], NUM_VIEWS, 2)

    plain = features(image)
    for view, turned in enumerate(eight_views(image)):
        expected = np.asarray(turn(plain, view))[:, :, RELATIVE_VIEWS[view]]
        np.testing.assert_allclose(features(turned), expected, atol=1e-5)


def test_grid_of_odd_size_would_not_be_the_same_when_turned():
    with pytest.raises(InputError, match="even size, .* got 15 cells at stem_conv_2_pool: take another size"):
        build_detector(small_spec(DihedralHead()), size=20)


@pytest.mark.parametrize("stem", [ConvStem((ConvRow(8, kernel=19),)), ConvStem((ConvRow(1, kernel=9),), dihedral=True)])
def test_head_needs_one_cell_in_eight_views(stem):
    spec = DetectorSpec(stem, None, DihedralHead(), StandardFront())
    if stem.dihedral:
        with pytest.raises(InputError, match=r"needs one cell in eight views, .* got features of shape \(11, 11, 8\)"):
            build_detector(spec, size=19)
    else:
        # Eight features of one cell are taken for eight views.
        assert build_detector(spec, size=19).get_layer("embedding").output.shape == (None, 1)


def test_rows_that_would_break_the_symmetry():
    for row in (ConvRow(2, padding="same"), ConvRow(2, convolutions=2, skip=True)):
        with pytest.raises(InputError, match="no skip and no padding"):
            ConvStem((row,), dihedral=True)
