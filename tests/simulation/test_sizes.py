"""Every size that the command takes is drawn, of every survey, with much more going wrong than on a real sky."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from lensdetect.simulation.choice import default_population
from lensdetect.simulation.render import render_stamp
from lensdetect.simulation.sky.glitches import GlitchRates
from lensdetect.simulation.sky.masks import MaskRates, draw_mask
from lensdetect.simulation.sky.observing import SkyObserving
from lensdetect.simulation.sky.population import SkyPopulation
from lensdetect.survey import SURVEYS

#: From the smallest that ``lensdetect simulate --size`` takes; in larger ones everything has room.
SIZES = (11, 12, 15, 21, 25, 30, 31, 45)
ALL_MASKS = MaskRates(chip_gap=1.0, star=1.0, tile_edge=1.0, missing_band=1.0)
BUSY = SkyPopulation(
    lens_fraction=0.5,
    glitches=GlitchRates(**{field.name: 0.5 for field in dataclasses.fields(GlitchRates)}),
    observing=SkyObserving(masks=MaskRates(chip_gap=0.5, star=0.5, tile_edge=0.5, missing_band=0.5)),
)


@pytest.mark.parametrize("name", sorted(SURVEYS))
def test_masks_of_every_size(name, rng):
    survey = SURVEYS[name]
    for size in SIZES:
        for _ in range(60):
            mask = draw_mask(ALL_MASKS, survey, size=size, rng=rng)
            assert mask.shape == (size, size, len(survey.bands))


# The others have bands in which simulated galaxies have no magnitudes, or none of the sky's conditions.
@pytest.mark.parametrize("name", sorted(name for name, one in SURVEYS.items() if one.conditions or name == "bologna"))
@pytest.mark.parametrize("size", [11, 25])
def test_whole_stamps_of_small_sizes(name, size):
    survey, rng = SURVEYS[name], np.random.default_rng(size)
    population = default_population(survey) if name == "bologna" else BUSY
    for _ in range(2):
        scene = population.draw_scene(survey, side_arcsec=size * survey.pixel_scale_arcsec, rng=rng)
        stamp = render_stamp(scene, survey, population=population, rng=rng, size=size)
        assert stamp.pixels.shape == (size, size, len(survey.bands))


def test_the_mask_of_a_star_never_reaches_the_middle():
    only_stars = dataclasses.replace(ALL_MASKS, chip_gap=0.0, tile_edge=0.0, missing_band=0.0)
    for survey in (SURVEYS["euclid_vis"], SURVEYS["kids"]):
        rng = np.random.default_rng(4)
        for size in (15, 31, 101):
            masks = [draw_mask(only_stars, survey, size=size, rng=rng) for _ in range(100)]
            assert not any(mask is not None and mask[size // 2, size // 2].any() for mask in masks)
            # 1.5 arcsec about the middle are left free: smaller stamps have no such mask.
            assert any(mask is not None for mask in masks) == (size * survey.pixel_scale_arcsec > 3.0)
