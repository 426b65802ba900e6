"""Surface brightness of single components."""

from __future__ import annotations

import math

import numpy as np
import pytest

from lensdetect.simulation.render.profiles import profile_of
from lensdetect.simulation.scene import ImageLight, RingLight, SersicLight

MAGS = (20.0,) * 6


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # raised inside lenstronomy's own imports
@pytest.mark.parametrize("index, axis_ratio", [(2.3, 0.7), (4.0, 0.6), (6.0, 0.9)])
def test_sersic_profile_is_lenstronomys(index, axis_ratio, rng):
    from lenstronomy.LightModel.Profiles.sersic import SersicElliptic

    x, y = rng.uniform(-3.0, 3.0, (2, 500))
    ours = profile_of(SersicLight(0.2, -0.1, 0.7, index, axis_ratio, 0.8, MAGS)).brightness(
        (x - 0.2).astype(np.float32), (y + 0.1).astype(np.float32)
    )
    oracle = SersicElliptic()
    size = (1.0 - axis_ratio) / (1.0 + axis_ratio)
    shape = {"e1": size * math.cos(1.6), "e2": size * math.sin(1.6), "center_x": 0.2, "center_y": -0.1}
    amplitude = 1.0 / oracle.total_flux(1.0, 0.7, index)
    theirs = oracle.function(x, y, amplitude, 0.7, index, **shape)
    # its steepness is an approximation, the better the higher the index
    assert ours == pytest.approx(theirs, rel=1e-2)


@pytest.mark.parametrize("index", [0.5, 1.0, 1.7, 4.0])
@pytest.mark.parametrize("axis_ratio", [1.0, 0.4])
def test_half_the_light_is_within_the_half_light_ellipse(index, axis_ratio):
    profile = profile_of(SersicLight(0.0, 0.0, 1.0, index, axis_ratio, 0.0, MAGS))
    # along the major axis; rings of equal brightness have areas of circles
    edges = np.geomspace(1e-6, 1.0, 4000)
    middle = np.sqrt(edges[1:] * edges[:-1])
    seen = profile.brightness((middle / math.sqrt(axis_ratio)).astype(np.float32), np.zeros(1, np.float32))
    assert (seen * math.pi * np.diff(edges**2)).sum() == pytest.approx(0.5, abs=2e-3)


@pytest.mark.parametrize(
    "light",
    [
        SersicLight(0.0, 0.0, 0.8, 1.0, 0.5, 0.3, MAGS),
        SersicLight(0.0, 0.0, 0.5, 0.5, 0.8, 0.3, MAGS),
        RingLight(0.0, 0.0, 2.0, 0.3, 0.5, 0.3, MAGS),
        RingLight(0.0, 0.0, 0.2, 0.4, 1.0, 0.0, MAGS),
        RingLight(0.0, 0.0, 2.0, 0.3, 0.5, 0.3, MAGS, middle_rad=1.0, extent_rad=1.2),
        RingLight(0.0, 0.0, 2.0, 0.3, 0.5, 0.3, MAGS, middle_rad=-2.5, extent_rad=6.0),
        ImageLight(0.0, 0.0, np.full((9, 7), 1.0 / 63, np.float32), 0.3, 0.6, MAGS),
    ],
)
def test_brightness_integrates_to_one_within_its_reach(light):
    profile = profile_of(light)
    step = 0.02
    axis = np.arange(-8.0, 8.0, step, np.float32)
    seen = profile.brightness(axis, axis[:, None])
    assert seen.min() >= 0.0
    assert seen.sum(dtype=float) * step**2 == pytest.approx(1.0, abs=2e-3)
    floor = 1e-3 * float(seen.max())
    beyond = np.hypot(axis, axis[:, None]) > profile.reach_arcsec(1.0 / floor) + step
    assert beyond.any()
    assert seen[beyond].max() <= 1.01 * floor
    assert profile.reach_arcsec(0.5 / float(seen.max())) == 0.0


def test_first_row_of_an_image_is_lowest():
    image = np.zeros((4, 4), np.float32)
    image[0, 3] = 1.0
    profile = profile_of(ImageLight(0.0, 0.0, image, 0.5, 0.0, MAGS))
    assert profile.brightness(np.float32([0.75]), np.float32([-0.75])) == pytest.approx(1.0 / 0.5**2)
    turned = profile_of(ImageLight(0.0, 0.0, image, 0.5, math.pi / 2, MAGS))
    assert turned.brightness(np.float32([0.75]), np.float32([0.75])) == pytest.approx(1.0 / 0.5**2, rel=1e-3)
