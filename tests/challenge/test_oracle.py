from __future__ import annotations

import json
from functools import partial

import numpy as np
import pytest

from lensdetect.challenge import oracle_scores
from lensdetect.challenge.oracle import log_likelihood_ratio, manifest_population
from lensdetect.errors import InputError
from lensdetect.metrics import lens_metrics
from lensdetect.simulation import BolognaPopulation, simulate
from lensdetect.simulation.conditions import Conditions
from lensdetect.simulation.render.sky import draw_photon_noise, draw_sky
from lensdetect.stamps import Shards
from lensdetect.survey import SURVEYS


@pytest.fixture(scope="module")
def simulated(tmp_path_factory) -> Shards:
    folder = tmp_path_factory.mktemp("oracle") / "stamps"
    simulate(SURVEYS["bologna"], folder, count=40, seed=3, workers=1, size=41, lens_fraction=0.5, progress=False)
    return Shards(folder)


def arcs(size: int = 31) -> np.ndarray:
    y, x = np.mgrid[:size, :size] - size // 2
    ring = np.exp(-((np.hypot(x, y) - 8) ** 2) / 4)
    return np.stack([ring, 0.5 * ring], axis=-1)


@pytest.mark.parametrize("correlation", [(), (0.2,)])
@pytest.mark.parametrize("photon_flux", [(), (0.05, 0.05)])
def test_ratio_has_the_mean_and_spread_of_an_ideal_observer(rng, correlation, photon_flux):
    """Over many stamps with arcs the ratio is normal with mean S / 2 and variance S, without them mean -S / 2."""
    template = 0.25 * arcs()
    foreground = 20 * np.exp(-(arcs() ** 2))
    conditions = Conditions((0.8, 0.8), (1.0, 1.5), correlation, photon_flux)
    ask = partial(log_likelihood_ratio, foreground=foreground, arcs=template, conditions=conditions)
    ratios, signal = {}, 0.0
    for present in (0, 1):
        found = []
        for _ in range(200):
            pixels = (foreground + present * template).astype(np.float32)
            if photon_flux:
                pixels += draw_photon_noise(foreground.astype(np.float32), conditions, rng=rng)
            pixels += draw_sky(31, conditions, rng=rng)
            pixels[3:9, 10:14, 0] = np.nan
            found.append(ask(pixels).sum())
        ratios[present] = np.asarray(found)
        # Without noise the ratio is its own mean.
        quiet = ask(np.where(np.isnan(pixels), np.nan, foreground + present * template)).sum()
        assert ratios[present].mean() == pytest.approx(quiet, abs=0.3 * np.sqrt(2 * abs(quiet)))
        signal += abs(quiet)
    for values in ratios.values():
        assert values.var() == pytest.approx(signal, rel=0.3)


def test_white_noise_has_the_formula():
    conditions = Conditions((0.8, 0.8), (1.0, 2.0))
    pixels, foreground, template = np.full((31, 31, 2), 3.0), np.ones((31, 31, 2)), arcs()
    pixels[0, 0] = np.nan
    template[0, 0] = 9  # not seen
    expected = [
        np.nansum(template[..., b] * (pixels[..., b] - 1 - template[..., b] / 2)) / sigma**2
        for b, sigma in enumerate((1.0, 2.0))
    ]
    ratio = log_likelihood_ratio(pixels, foreground, arcs=template, conditions=conditions)
    np.testing.assert_allclose(ratio, expected)


def test_oracle_finds_the_lenses_in_simulated_stamps(simulated):
    rows = np.arange(len(simulated))
    survey = SURVEYS["bologna"]
    is_lens = simulated.truth["is_lens"].to_numpy()
    scores = oracle_scores(simulated, rows, survey=survey, seed=1)
    assert scores.dtype == np.float32 and lens_metrics(is_lens, scores).auroc > 0.97
    np.testing.assert_array_equal(oracle_scores(simulated, rows[::-1], survey=survey, seed=1)[::-1], scores)
    # Less light, less to go by.
    alone = oracle_scores(simulated, rows, survey=survey, seed=1, bands=("u",))
    assert alone[is_lens].sum() < scores[is_lens].sum()


def test_population_of_a_manifest(simulated):
    found = manifest_population(simulated.manifest, SURVEYS["bologna"])
    assert found == BolognaPopulation(lens_fraction=0.5)


def test_stamps_of_another_simulation_are_refused(simulated, tmp_path):
    folder = tmp_path / "stamps"
    folder.mkdir()
    for path in simulated.folder.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(manifest | {"seed": 4}))
    with pytest.raises(InputError, match="draws the scenes of the stamps again, and got another for stamp"):
        oracle_scores(Shards(folder), np.arange(40), survey=SURVEYS["bologna"], seed=1)
    (folder / "manifest.json").write_text(json.dumps(manifest | {"population": {"lens_fraction": 0.5}}))
    with pytest.raises(InputError, match="needs stamps drawn from BolognaPopulation, got a manifest of another"):
        oracle_scores(Shards(folder), np.arange(40), survey=SURVEYS["bologna"], seed=1)


def test_oracle_needs_a_lens(simulated):
    others = np.flatnonzero(~simulated.truth["is_lens"].to_numpy())
    with pytest.raises(InputError, match="asks for the arcs of lenses, got stamps without any"):
        oracle_scores(simulated, others, survey=SURVEYS["bologna"], seed=1)
