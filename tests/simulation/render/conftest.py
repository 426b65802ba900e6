"""Scenes to render."""

from __future__ import annotations

import pytest

from lensdetect.simulation.scene import IsothermalMass, Scene


def build_scene(*, mass=None, masses=(), shear=(0.0, 0.0), **parts) -> Scene:
    masses = masses or (mass or IsothermalMass(0.0, 0.0, 1.0),)
    return Scene("elliptical", masses[0].einstein_radius_arcsec, masses, shear, parts.pop("light", ()), **parts)


@pytest.fixture(scope="session")
def scene_of():
    """Scene of the given parts, and of nothing else."""
    return build_scene
