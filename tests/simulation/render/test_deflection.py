"""Deflection, convergence and magnification against lenstronomy's own."""

from __future__ import annotations

import math

import numpy as np
import pytest

from lensdetect.simulation.render.deflection import (
    convergence,
    farthest_image_arcsec,
    ray_jacobian,
    trace_rays,
)
from lensdetect.simulation.scene import IsothermalMass

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # raised inside lenstronomy's own imports

SHEAR = (0.03, -0.02)


def group(axis_ratio: float) -> tuple[IsothermalMass, ...]:
    return (
        IsothermalMass(0.05, -0.03, 1.4, axis_ratio, 0.6),
        IsothermalMass(3.0, 1.0, 0.3),
        IsothermalMass(-2.0, 1.5, 0.4, 0.8, -0.4),
    )


def lenstronomy_of(masses: tuple[IsothermalMass, ...], shear: tuple[float, float]):
    from lenstronomy.LensModel.lens_model import LensModel

    names, kwargs = ["SHEAR"], [{"gamma1": shear[0], "gamma2": shear[1]}]
    kwargs[0] |= {"ra_0": masses[0].x_arcsec, "dec_0": masses[0].y_arcsec}
    for mass in masses:
        names.append("SIE")
        size = (1.0 - mass.axis_ratio) / (1.0 + mass.axis_ratio)
        e1, e2 = size * math.cos(2.0 * mass.angle_rad), size * math.sin(2.0 * mass.angle_rad)
        centre = {"center_x": mass.x_arcsec, "center_y": mass.y_arcsec}
        kwargs.append({"theta_E": mass.einstein_radius_arcsec, "e1": e1, "e2": e2, **centre})
    return LensModel(names), kwargs


@pytest.fixture(scope="module")
def positions() -> tuple[np.ndarray, np.ndarray]:
    axis = np.linspace(-5.0, 5.0, 60)
    x, y = np.meshgrid(axis, axis)
    return x.ravel(), y.ravel()


@pytest.mark.parametrize("axis_ratio", [0.2, 0.45, 0.7, 0.98])
def test_deflection_is_lenstronomys(positions, axis_ratio):
    masses = group(axis_ratio)
    model, kwargs = lenstronomy_of(masses, SHEAR)
    ours = np.array(trace_rays(*positions, masses=masses, shear=SHEAR))
    # theirs has a core of 1e-10 arcsec or so
    assert np.abs(ours - model.ray_shooting(*positions, kwargs)).max() < 1e-7


@pytest.mark.parametrize("axis_ratio", [0.45, 0.98])
def test_convergence_and_magnification_are_lenstronomys(positions, axis_ratio):
    masses = group(axis_ratio)
    model, kwargs = lenstronomy_of(masses, SHEAR)
    assert convergence(*positions, masses=masses) == pytest.approx(model.kappa(*positions, kwargs), rel=5e-4)
    a_xx, a_xy, a_yy = ray_jacobian(*positions, masses=masses, shear=SHEAR)
    # inverse magnification: the magnification itself grows without bound
    theirs = 1.0 / model.magnification(*positions, kwargs)
    assert a_xx * a_yy - a_xy**2 == pytest.approx(theirs, rel=1e-3, abs=1e-3)


def test_jacobian_is_the_derivative_of_the_rays(positions):
    x, y = positions
    masses, step = group(0.6), 1e-6
    a_xx, a_xy, a_yy = ray_jacobian(x, y, masses=masses, shear=SHEAR)
    forward, back = (trace_rays(x + h, y, masses=masses, shear=SHEAR) for h in (step, -step))
    assert a_xx == pytest.approx((forward[0] - back[0]) / (2 * step), rel=1e-4, abs=1e-4)
    assert a_xy == pytest.approx((forward[1] - back[1]) / (2 * step), rel=1e-4, abs=1e-4)
    forward, back = (trace_rays(x, y + h, masses=masses, shear=SHEAR) for h in (step, -step))
    assert a_yy == pytest.approx((forward[1] - back[1]) / (2 * step), rel=1e-4, abs=1e-4)


def test_a_sphere_is_the_limit_of_ellipsoids(positions):
    sphere, nearly = (trace_rays(*positions, masses=(IsothermalMass(0, 0, 1.3, q),), shear=SHEAR) for q in (1, 0.99999))
    assert np.allclose(sphere, nearly, atol=2e-5)


def test_a_ray_through_the_centre_stays_finite():
    zero = np.zeros(1)
    for q in (1.0, 0.6):
        assert np.isfinite(trace_rays(zero, zero, masses=(IsothermalMass(0, 0, 1.0, q),), shear=SHEAR)).all()


def test_the_mass_within_the_einstein_radius_is_the_critical_one():
    # mean convergence within the ellipse of that area is 1
    step = 0.004
    axis = np.arange(-2.5, 2.5, step) + 0.5 * step
    for q in (1.0, 0.6):
        mass = IsothermalMass(0.0, 0.0, 1.2, q)
        inside = np.sqrt(q * axis**2 + axis[:, None] ** 2 / q) < 1.2
        mean = convergence(axis, axis[:, None], masses=(mass,))[inside].mean()
        assert mean == pytest.approx(1.0, abs=5e-3)


def test_images_lie_within_the_stated_distance(positions):
    x, y = positions
    masses = group(0.4)
    beta_x, beta_y = trace_rays(x, y, masses=masses, shear=(0.1, 0.05))
    centre = masses[0]
    for source_reach in (0.3, 1.0, 2.0):
        reach = farthest_image_arcsec(source_reach, masses=masses, shear=(0.1, 0.05))
        hit = np.hypot(beta_x - centre.x_arcsec, beta_y - centre.y_arcsec) <= source_reach
        assert np.hypot(x - centre.x_arcsec, y - centre.y_arcsec)[hit].max() <= reach
