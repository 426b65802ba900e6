"""Blocks, chunks and windows leave no seams."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from lensdetect.simulation.conditions import Conditions
from lensdetect.simulation.scene import Scene, SersicLight, StarLight
from lensdetect.simulation.sky.trails import AeroplaneTrail, SatelliteTrail
from lensdetect.simulation.tiles.layout import Tile
from lensdetect.simulation.tiles.light import TileLight
from lensdetect.simulation.tiles.noise import CHUNK_ROWS, stream_sky
from lensdetect.simulation.tiles.trails import paint_trail
from lensdetect.survey import SURVEYS

KIDS = SURVEYS["kids"]
SIGMA = np.array([band.noise_sigma for band in KIDS.bands])
CONDITIONS = Conditions(
    psf_fwhm_arcsec=(0.9, 0.8, 0.7, 0.8), noise_sigma=tuple(SIGMA), noise_correlation=(0.25, 0.08, 0.02)
)


@pytest.fixture(scope="module")
def sky():
    chunks = stream_sky(800, CONDITIONS, rng_of=lambda number: np.random.default_rng([1, number]))
    return np.concatenate(list(itertools.islice(chunks, 6)))[..., 1] / SIGMA[1]


def test_noise_is_as_strong_where_chunks_meet(sky):
    at_seams = np.concatenate([sky[row : row + 16] for row in range(CHUNK_ROWS, len(sky), CHUNK_ROWS)])
    assert at_seams.std() == pytest.approx(1.0, abs=0.02)
    assert sky.std() == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize("lag, expected", [(1, 0.25), (2, 0.08)])
def test_noise_is_correlated_across_chunks(sky, lag, expected):
    pairs = [(sky[row - lag + k], sky[row + k]) for row in range(CHUNK_ROWS, len(sky), CHUNK_ROWS) for k in range(lag)]
    found = np.mean([np.mean(low * high) for low, high in pairs])
    assert found == pytest.approx(expected, abs=0.06)


def test_light_does_not_depend_on_the_blocks_it_is_rendered_in():
    mags = (19.0,) * 6
    scenes = [
        Scene("galaxy", np.nan, (), (0.0, 0.0), light=(SersicLight(0.0, 0.0, 1.0, 4.0, 0.7, 0.3, mags),)),
        Scene("star", np.nan, (), (0.0, 0.0), light=(), stars=(StarLight(0.0, 0.0, (17.0,) * 6),)),
    ]
    tile = Tile(0, "T", 180.0, 0.0, 200, 150, 0.2)
    light = TileLight(
        scenes, x_pix=np.array([60.3, 90.0]), y_pix=np.array([99.6, 103.2]), survey=KIDS, conditions=CONDITIONS
    )
    whole = light.render(tile, rows=slice(0, 200))
    parts = np.concatenate([light.render(tile, rows=slice(0, 100)), light.render(tile, rows=slice(100, 200))])
    # far below the noise, which is SIGMA
    assert np.abs((whole - parts) / SIGMA).max() < 0.05


@pytest.mark.parametrize("angle_rad", [0.02, 0.7, 1.55, 2.4])
@pytest.mark.parametrize(
    "trail",
    [
        AeroplaneTrail(3.0, 0.0, 0.7, (0.0, 10.0, 0.0, 0.0), gap_arcsec=5.0, dash_arcsec=7.3, flash_share=0.4),
        SatelliteTrail(-4.0, 0.0, 0.6, (0.0, 10.0, 0.0, 0.0), flicker=0.5, period_arcsec=23.0),
    ],
)
def test_a_trail_painted_in_blocks_is_the_trail_painted_at_once(trail, angle_rad):
    trail = type(trail)(**{**vars(trail), "angle_rad": angle_rad})
    tile = Tile(0, "T", 180.0, 0.0, 500, 401, 0.2)
    how = {"survey": KIDS, "noise_sigma": SIGMA, "rng": np.random.default_rng(0)}
    whole, blocks = np.zeros((2, 500, 401, 4), np.float32)
    trail.paint(whole, **how)
    for first in range(0, 500, 190):
        paint_trail(trail, blocks[first : first + 190], first_row=first, tile=tile, **how)
    # middles of windows are on a grid of half pixels
    assert np.abs(blocks - whole).max() < 0.15 * whole.max()
    assert np.abs(blocks - whole).mean() < 0.03 * np.abs(whole).mean()
