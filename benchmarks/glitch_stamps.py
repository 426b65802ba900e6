"""Simulated stamps with one glitch, and how near to the middle the glitch comes.

A glitch is where it changes a black image: a pixel by 3 sigma of the sky, or by 0.3 sigma where the mean of 5 x 5 is as
much. Of a step in depth it is the edge that counts, not all that lies on one side of it. A saturated core is in the
middle, and bands that are shifted are so everywhere.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from scipy.ndimage import uniform_filter

from lensdetect.simulation.render.exposure import expose
from lensdetect.simulation.render.stamp import observe
from lensdetect.simulation.scene import Scene
from lensdetect.simulation.sky import SkyPopulation
from lensdetect.simulation.sky.glitches import GLITCHES, GlitchRates
from lensdetect.survey import Survey

NONE = GlitchRates(**dict.fromkeys(GLITCHES, 0.0))
SIZE = 101
_PIXEL_SIGMA, _MEAN_SIGMA = 3.0, 0.3


def glitch_stamps(survey: Survey, glitch: str | None, *, count: int, seed: int) -> tuple[np.ndarray, ...]:
    """Pixels, kinds, and distance of the glitch from the middle in arcsec (infinite: nowhere) of ``count`` stamps."""
    rates = NONE if glitch is None else dataclasses.replace(NONE, **{glitch: 1.0})
    population = SkyPopulation(glitches=rates, lens_fraction=0.2)
    pixels, kinds, distances = [], [], []
    for number in range(count):
        rng = np.random.default_rng([seed, number])
        scene = population.draw_scene(survey, side_arcsec=SIZE * survey.pixel_scale_arcsec, rng=rng)
        # a bright star among what fools brings glitches of its own
        if scene.kind == "star":
            continue
        conditions = population.draw_conditions(scene, survey, size=SIZE, rng=rng)
        exposure = expose(scene, survey, conditions=conditions, size=SIZE)
        pixels.append(observe(scene, exposure, survey=survey, conditions=conditions, rng=rng))
        distances.append(_distance(scene, survey, np.asarray(conditions.noise_sigma, np.float32)))
        kinds.append("lens" if scene.has_source else scene.kind)
    return np.stack(pixels), np.array(kinds), np.array(distances)


def _distance(scene: Scene, survey: Survey, sigma: np.ndarray) -> float:
    names = {glitch.name for glitch in scene.glitches}
    if names & {"saturated_core", "misaligned"}:
        return 0.0
    if "depth_step" in names:
        return min(abs(glitch.offset_arcsec) for glitch in scene.glitches)
    change = np.zeros((SIZE, SIZE, len(survey.bands)), np.float32)
    for glitch in scene.glitches:
        glitch.paint(change, survey=survey, noise_sigma=sigma, rng=np.random.default_rng(0))
    change = np.abs(np.nan_to_num(change / sigma, nan=100.0))
    there = change > _PIXEL_SIGMA
    there |= (change > _MEAN_SIGMA) & (uniform_filter(change, size=(5, 5, 1)) > _MEAN_SIGMA)
    axis = (np.arange(SIZE) - 0.5 * (SIZE - 1)) * survey.pixel_scale_arcsec
    away = np.hypot(axis[:, None], axis)[there.any(axis=-1)]
    return float(away.min()) if len(away) else np.inf
