"""Images of quasars against lenstronomy's lens equation solver."""

from __future__ import annotations

import math

import numpy as np
import pytest

from lensdetect.simulation.render.deflection import trace_rays
from lensdetect.simulation.render.point_images import find_images
from lensdetect.simulation.scene import IsothermalMass

GROUP = (IsothermalMass(0.05, -0.03, 1.3, 0.6, 0.5), IsothermalMass(2.6, 1.4, 0.35))
SHEAR = (0.05, -0.03)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # raised inside lenstronomy's own imports
@pytest.mark.parametrize("x, y, count", [(0.06, 0.05, 5), (0.5, 0.3, 3), (0.3, 0.0, None), (-0.2, 0.4, None)])
def test_images_are_those_of_lenstronomy(x, y, count):
    from lenstronomy.LensModel.lens_model import LensModel
    from lenstronomy.LensModel.Solver.lens_equation_solver import LensEquationSolver

    model = LensModel(["SIE", "SIS", "SHEAR"])
    size = (1.0 - 0.6) / (1.0 + 0.6)
    kwargs = [
        {"theta_E": 1.3, "e1": size * math.cos(1.0), "e2": size * math.sin(1.0), "center_x": 0.05, "center_y": -0.03},
        {"theta_E": 0.35, "center_x": 2.6, "center_y": 1.4},
        {"gamma1": SHEAR[0], "gamma2": SHEAR[1], "ra_0": 0.05, "dec_0": -0.03},
    ]
    their_x, their_y = LensEquationSolver(model).image_position_from_source(
        x, y, kwargs, min_distance=0.02, search_window=12.0, precision_limit=1e-10, magnification_limit=1e-3
    )
    ours = [image for image in find_images(x, y, masses=GROUP, shear=SHEAR) if image.magnification > 1e-3]
    assert len(ours) == len(their_x)
    their_magnification = np.abs(model.magnification(their_x, their_y, kwargs))
    for image in ours:
        away = np.hypot(their_x - image.x_arcsec, their_y - image.y_arcsec)
        assert away.min() < 1e-5
        assert image.magnification == pytest.approx(their_magnification[away.argmin()], rel=2e-3)


def test_images_are_on_the_source_and_distinct(rng):
    for _ in range(30):
        x, y = rng.uniform(-1.0, 1.0, 2)
        images = find_images(x, y, masses=GROUP, shear=SHEAR)
        assert images == sorted(images, key=lambda image: -image.magnification)
        for number, image in enumerate(images):
            beta = trace_rays(np.array(image.x_arcsec), np.array(image.y_arcsec), masses=GROUP, shear=SHEAR)
            assert np.hypot(beta[0] - x, beta[1] - y) < 1e-7
            for other in images[:number]:
                assert math.hypot(image.x_arcsec - other.x_arcsec, image.y_arcsec - other.y_arcsec) > 1e-5


@pytest.mark.parametrize("axis_ratio", [0.5, 0.7, 0.9])
def test_an_ellipsoid_makes_quads_and_doubles(axis_ratio, rng):
    masses = (IsothermalMass(0.0, 0.0, 1.0, axis_ratio, 0.3),)
    middle = find_images(1e-3, 2e-3, masses=masses, shear=(0.0, 0.0))
    assert len(middle) == 4
    away = find_images(0.65, 0.3, masses=masses, shear=(0.0, 0.0))
    assert len(away) == 2
    far = find_images(4.0, 0.0, masses=masses, shear=(0.0, 0.0))
    assert len(far) == 1
    # never an odd number too few: inside the cut of a singular ellipsoid images come in pairs
    counts = [len(find_images(*rng.uniform(-0.4, 0.4, 2), masses=masses, shear=(0.0, 0.0))) for _ in range(40)]
    assert set(counts) <= {2, 4}


def test_a_sphere_has_the_images_of_its_formula():
    masses = (IsothermalMass(0.3, -0.2, 1.5),)
    near, opposite = find_images(0.3 + 0.5, -0.2, masses=masses, shear=(0.0, 0.0))
    assert (near.x_arcsec, near.y_arcsec) == pytest.approx((2.3, -0.2), abs=1e-7)
    assert (opposite.x_arcsec, opposite.y_arcsec) == pytest.approx((-0.7, -0.2), abs=1e-7)
    assert (near.magnification, opposite.magnification) == pytest.approx((4.0, 2.0), rel=1e-6)
