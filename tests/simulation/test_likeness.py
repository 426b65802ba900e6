"""How near simulated arcs come to the genuine table of 20,000 rows."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from lensdetect.simulation import Population, draw_scene
from lensdetect.simulation.observe import draw_conditions
from lensdetect.simulation.stamp import expose, measure_arcs
from lensdetect.survey import SURVEYS

BOLOGNA = SURVEYS["bologna"]


def arcs_of(count: int) -> pd.DataFrame:
    """Arc truth of some lenses; nothing but the source is rendered."""
    population = dataclasses.replace(Population(), lens_fraction=1.0)
    rng = np.random.default_rng(77)
    rows = []
    for _ in range(count):
        scene = dataclasses.replace(draw_scene(population, rng=rng), light=(), stars=())
        conditions = draw_conditions(population.observing, BOLOGNA, real_like=scene.real_like, rng=rng)
        arcs = expose(scene, BOLOGNA, conditions=conditions).arcs
        rows.append(measure_arcs(arcs, BOLOGNA, conditions=conditions))
    return pd.DataFrame(rows)


@pytest.mark.slow
def test_arcs_are_as_visible_as_genuine_ones(shared_data):
    table = pd.read_csv(shared_data / "bologna_ground" / "classifications.csv")
    genuine = table[table["is_lens"] == 1]
    ours = arcs_of(1500)
    assert (ours["arc_pixel_count"] == 0).mean() == pytest.approx(0.066, abs=0.02)
    deciles = np.arange(0.2, 0.95, 0.1)
    for own, theirs in (
        ("arc_pixel_count", "numb_pix_lensed_image"),
        ("arc_flux_sigma", "flux_lensed_image_in_sigma"),
    ):
        assert ours[own].quantile(deciles).to_numpy() == pytest.approx(genuine[theirs].quantile(deciles), rel=0.25)
