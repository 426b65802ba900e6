"""How near simulated stamps of the challenge come to the genuine table of 20,000 rows."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from lensdetect.data import open_cutouts, read_truth
from lensdetect.errors import InputError
from lensdetect.figures import likeness_figure, save_figure
from lensdetect.simulation import BolognaPopulation, simulate
from lensdetect.simulation.likeness import compare_with_genuine
from lensdetect.simulation.render import expose, measure_arcs
from lensdetect.stamps import Shards
from lensdetect.survey import SURVEYS

BOLOGNA = SURVEYS["bologna"]


@pytest.fixture(scope="module")
def genuine(shared_data) -> pd.DataFrame:
    return read_truth(shared_data / "bologna_ground" / "classifications.csv")


@pytest.fixture(scope="module")
def stamps(tmp_path_factory) -> Shards:
    return Shards(simulate(BOLOGNA, tmp_path_factory.mktemp("likeness") / "stamps", count=300, seed=9, workers=1))


class Truth:
    """Stands in for stamps of which nothing but the truth is wanted."""

    def __init__(self, truth: pd.DataFrame):
        self.truth = truth


def truth_of(count: int, *, seed: int) -> pd.DataFrame:
    """Truth of some lenses; nothing but the source is rendered, and in the reference band alone."""
    population = BolognaPopulation(lens_fraction=1.0)
    survey = dataclasses.replace(BOLOGNA, bands=BOLOGNA.select(["r"]))
    rng = np.random.default_rng(seed)
    rows = []
    for _ in range(count):
        scene = dataclasses.replace(population.draw_scene(BOLOGNA, side_arcsec=20.2, rng=rng), light=(), stars=())
        conditions = population.draw_conditions(scene, survey, size=101, rng=rng)
        arcs = expose(scene, survey, conditions=conditions).arcs
        seen = measure_arcs(arcs, survey, scene=scene, conditions=conditions)
        rows.append({"is_lens": True, "einstein_radius_arcsec": scene.einstein_radius_arcsec, **vars(seen)})
    return pd.DataFrame(rows)


def test_a_set_is_like_itself(genuine):
    found = compare_with_genuine(Truth(genuine), genuine)
    assert found.ok and all(row.simulated == row.genuine for row in found.rows)
    assert "all within tolerance" in found.text()


def test_what_is_too_far_off_is_named(genuine):
    brighter = genuine.assign(arc_flux_sigma=1.3 * genuine["arc_flux_sigma"])
    found = compare_with_genuine(Truth(brighter), genuine)
    failed = [row for row in found.rows if not row.ok]
    assert {row.measure for row in failed} == {"flux in them (sigma)"} and len(failed) == 9
    assert found.text().count("too far") == 9 + 1 and f"9 of {len(found.rows)} rows too far off" in found.text()


def test_reduced_set_is_near(genuine):
    found = compare_with_genuine(Truth(truth_of(500, seed=3)), genuine[genuine["is_lens"]])
    for row in found.rows:
        if row.where in {"30 %", "50 %", "70 %"}:
            assert row.simulated == pytest.approx(row.genuine, rel=0.3), row  # two to three standard errors
        if row.measure == "lenses with no such pixel":
            assert row.simulated == pytest.approx(row.genuine, abs=0.035)


@pytest.mark.slow
def test_large_set_is_within_tolerance(genuine):
    found = compare_with_genuine(Truth(truth_of(6000, seed=4)), genuine[genuine["is_lens"]])
    assert found.ok, found.text()
    medians = [row for row in found.rows if row.where.endswith('"')]
    assert len(medians) == 20
    for row in medians:  # a few hundred lenses each, and between 2 and 3 arcsec of two kinds
        assert row.simulated == pytest.approx(row.genuine, rel=0.5), row


def test_sky_of_the_genuine_stamps(stamps, genuine, shared_data):
    source = open_cutouts(shared_data / "bologna_ground", survey=BOLOGNA)
    found = compare_with_genuine(stamps, genuine, genuine_pixels=source.read(np.arange(len(source))).pixels)
    sky = [row for row in found.rows if row.measure == "sky sigma"]
    assert [row.where for row in sky] == ["u", "g", "r", "i"] and all(row.ok for row in sky)
    for row, band in zip(sky, BOLOGNA.bands, strict=True):
        assert row.simulated == pytest.approx(band.noise_sigma, rel=0.06)
    white = [row for row in found.rows if row.measure == "correlation of neighbours"]
    assert all(abs(row.simulated) < 0.02 for row in white)


def test_figure_draws_both(genuine, tmp_path):
    figure = likeness_figure(genuine.iloc[:3000], genuine)
    assert [line.get_label() for line in figure.axes[0].lines] == [
        f"simulated ({genuine['is_lens'].iloc[:3000].sum():,} lenses)",
        f"genuine ({genuine['is_lens'].sum():,} lenses)",
    ]
    save_figure(figure, tmp_path / "check.png")
    assert (tmp_path / "check.png").stat().st_size > 20_000


def test_what_cannot_be_compared(genuine):
    with pytest.raises(InputError, match="genuine truth must have the columns arc_pixel_count, arc_flux_sigma, got id"):
        compare_with_genuine(Truth(genuine), genuine[["id", "is_lens", "einstein_radius_arcsec"]])
    none = genuine[~genuine["is_lens"]]
    with pytest.raises(
        InputError, match=f"simulated truth must have lenses to be compared, got none among {len(none)}"
    ):
        compare_with_genuine(Truth(none), genuine)
    with pytest.raises(InputError, match="genuine set must have lenses to be drawn"):
        likeness_figure(genuine, none)
