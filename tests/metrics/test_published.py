from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import expit
from sklearn.metrics import roc_curve as sklearn_curve

from lensdetect.metrics import lens_metrics
from lensdetect.metrics.published import tpr10_as_published


@pytest.mark.parametrize("scale", [1, 6, 25])
def test_it_is_the_eighth_vertex_of_scikit_learns_curve(rng, scale):
    is_lens = rng.random(4000) < 0.5
    logit = (scale * (rng.normal(0, 1, 4000) + 1.5 * is_lens)).astype(np.float32)
    fpr, tpr, _ = sklearn_curve(is_lens, expit(logit))
    first = np.flatnonzero(fpr)[0]
    found = tpr10_as_published(is_lens, logit)
    assert found.tpr == tpr[first + 7]
    assert found.false_positives == round(fpr[first + 7] * (~is_lens).sum())


def test_false_positives_are_left_to_chance(rng):
    is_lens = rng.random(4000) < 0.5
    # Over-confident: many others have a probability of exactly 1.
    logit = (25 * (rng.normal(0, 1, 4000) + 1.5 * is_lens)).astype(np.float32)
    found = tpr10_as_published(is_lens, logit)
    assert found.false_positives > 50
    assert found.tpr > 2 * lens_metrics(is_lens, logit).tpr10


def test_too_few_vertices():
    found = tpr10_as_published([True, False, True], [2.0, 1.0, 0.0])
    assert math.isnan(found.tpr) and found.false_positives == 0
