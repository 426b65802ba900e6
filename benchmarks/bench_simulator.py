"""Four-band stamps per second on one core, beside lenstronomy called band by band.

Run ``python benchmarks/bench_simulator.py [--count 200]``. Both sides render
the same scenes on the same core in the same run, alternating: 101 x 101 pixels,
u, g, r, i, sources evaluated on 2 x 2 rays a pixel, Moffat PSF, sky noise.

Processor time is counted, over all threads, so neither side gains from a second core.

The alternative is ``lenstronomy.SimulationAPI.SimAPI``: one image model a band,
as its documentation shows. It is timed twice: with the PSF on whole pixels, its
cheaper form, and on the 2 x 2 grid, as ours is. Stars and spiral arms are left out of
both, since its light models have none.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import time
from functools import partial

import numpy as np
from lenstronomy.SimulationAPI.sim_api import SimAPI

from lensdetect.simulation import BolognaPopulation, Scene, default_population, render_stamp
from lensdetect.simulation.conditions import typical_conditions
from lensdetect.simulation.render import expose
from lensdetect.simulation.scene import SCENE_BANDS
from lensdetect.survey import SURVEYS, Survey

POPULATION = BolognaPopulation()
SURVEY = SURVEYS["bologna"]
SIZE = 101


def moffat_kernel(band, supersampling: int) -> np.ndarray:
    """PSF of a band out to 10 arcsec, with so many points along a pixel."""
    reach = SIZE // 2 * supersampling
    axis = np.arange(-reach, reach + 1) * SURVEY.pixel_scale_arcsec / supersampling
    scale = band.psf_fwhm_arcsec / (2.0 * np.sqrt(2.0 ** (1.0 / band.psf_beta) - 1.0))
    kernel = (1.0 + (axis[:, None] ** 2 + axis**2) / scale**2) ** -band.psf_beta
    return kernel / kernel.sum()


KERNELS = {
    (band.name, supersampling): moffat_kernel(band, supersampling) for band in SURVEY.bands for supersampling in (1, 2)
}


def ellipticity(axis_ratio: float, angle_rad: float) -> tuple[float, float]:
    """Components as lenstronomy wants them."""
    size = (1.0 - axis_ratio) / (1.0 + axis_ratio)
    return size * np.cos(2.0 * angle_rad), size * np.sin(2.0 * angle_rad)


def sersic_kwargs(light, band_name: str) -> dict:
    e1, e2 = ellipticity(light.axis_ratio, light.angle_rad)
    return {
        "magnitude": light.mags[SCENE_BANDS.index(band_name)],
        "R_sersic": light.radius_arcsec,
        "n_sersic": light.sersic_index,
        "e1": e1,
        "e2": e2,
        "center_x": light.x_arcsec,
        "center_y": light.y_arcsec,
    }


def mass_kwargs(mass) -> tuple[str, dict]:
    centre = {"theta_E": mass.einstein_radius_arcsec, "center_x": mass.x_arcsec, "center_y": mass.y_arcsec}
    if mass.axis_ratio == 1.0:
        return "SIS", centre
    e1, e2 = ellipticity(mass.axis_ratio, mass.angle_rad)
    return "SIE", {**centre, "e1": e1, "e2": e2}


def render_with_lenstronomy(
    scene: Scene, rng: np.random.Generator, *, fine_psf: bool = False, noise: bool = True
) -> np.ndarray:
    """The scene through SimAPI, one band after the other."""
    masses = [mass_kwargs(mass) for mass in scene.masses] if scene.has_source else []
    centre = {"ra_0": scene.masses[0].x_arcsec, "dec_0": scene.masses[0].y_arcsec}
    shear = ("SHEAR", {"gamma1": scene.shear[0], "gamma2": scene.shear[1], **centre})
    masses += [shear] if scene.has_source else []
    model = {
        "lens_model_list": [name for name, _ in masses],
        "lens_light_model_list": ["SERSIC_ELLIPSE"] * len(scene.light),
        "source_light_model_list": ["SERSIC_ELLIPSE"] * len(scene.source),
    }
    planes = []
    for band in SURVEY.bands:
        observation = {
            "pixel_scale": SURVEY.pixel_scale_arcsec,
            "exposure_time": 1.0,
            "magnitude_zero_point": band.zero_point_mag,
            "background_noise": band.noise_sigma,
            "psf_type": "PIXEL",
            "kernel_point_source": KERNELS[band.name, 2 if fine_psf else 1],
            "point_source_supersampling_factor": 2 if fine_psf else 1,
        }
        simulation = SimAPI(SIZE, kwargs_single_band=observation, kwargs_model=model)
        lens_light, source, _ = simulation.magnitude2amplitude(
            [sersic_kwargs(light, band.name) for light in scene.light],
            [sersic_kwargs(light, band.name) for light in scene.source],
        )
        image_model = simulation.image_model_class({"supersampling_factor": 2, "supersampling_convolution": fine_psf})
        image = image_model.image([kwargs for _, kwargs in masses], source, lens_light)
        planes.append(image + noise * rng.normal(0.0, band.noise_sigma, image.shape))
    return np.stack(planes, axis=-1).astype(np.float32)


def draw_scene(rng: np.random.Generator) -> Scene:
    return POPULATION.draw_scene(SURVEY, side_arcsec=SIZE * SURVEY.pixel_scale_arcsec, rng=rng)


def draw_comparable(index: int) -> Scene:
    """A scene that both sides can render."""
    scene = draw_scene(np.random.default_rng([1, index]))
    light = tuple(dataclasses.replace(part, arms=None) for part in scene.light)
    return dataclasses.replace(scene, light=light, stars=(), real_like=False)


def seconds(render, scenes: list[Scene]) -> float:
    start = time.process_time()
    for number, scene in enumerate(scenes):
        render(scene, np.random.default_rng(number))
    return time.process_time() - start


def render_ours(scene: Scene, rng: np.random.Generator) -> np.ndarray:
    return render_stamp(scene, SURVEY, population=POPULATION, rng=rng).pixels


def draw_and_render(index: int, survey: Survey) -> None:
    """All of what ``simulate`` does for one stamp of a survey."""
    rng, population = np.random.default_rng([2, index]), default_population(survey)
    scene = population.draw_scene(survey, side_arcsec=SIZE * survey.pixel_scale_arcsec, rng=rng)
    render_stamp(scene, survey, population=population, rng=rng)


def flux_agreement(scenes: list[Scene]) -> float:
    """Median over scenes of the noiseless r flux in the stamp, ours over lenstronomy's."""
    ratios = []
    for scene in scenes:
        exposure = expose(scene, SURVEY, conditions=typical_conditions(SURVEY))
        theirs = render_with_lenstronomy(scene, np.random.default_rng(0), fine_psf=True, noise=False)
        ratios.append((exposure.foreground + exposure.arcs)[..., 2].sum() / theirs[..., 2].sum())
    return float(np.median(ratios))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=200, help="stamps timed on each side")
    count = parser.parse_args().count
    scenes = [draw_comparable(index) for index in range(count)]
    sides = {
        "lensdetect": render_ours,
        "lenstronomy band by band, PSF on pixels": render_with_lenstronomy,
        "lenstronomy band by band, PSF on 2 x 2": partial(render_with_lenstronomy, fine_psf=True),
    }
    for render in sides.values():
        seconds(render, scenes[:5])  # compiles what lenstronomy compiles
    total = dict.fromkeys(sides, 0.0)
    for first in range(0, count, 20):  # alternating, so that a busy machine slows all
        for name, render in sides.items():
            total[name] += seconds(render, scenes[first : first + 20])
    print(f"{count} stamps of {SIZE}x{SIZE}x4, one process of {os.cpu_count()} cores, processor time, stamps/s/core")
    for name in ("bologna", "kids"):
        start = time.process_time()
        for index in range(count):
            draw_and_render(index, SURVEYS[name])
        print(f"{name}, all of it (draw, render, sky, masks): {count / (time.process_time() - start):.1f}")
    for name, spent in total.items():
        print(f"the same scenes, {name}: {count / spent:.1f} (lensdetect is {spent / total['lensdetect']:.2f} times)")
    print(f"r flux in the stamp, ours over theirs, median: {flux_agreement(scenes[:20]):.4f}")


if __name__ == "__main__":
    main()
