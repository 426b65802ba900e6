import dataclasses
import math

import numpy as np
import pytest

from lensdetect.simulation.conditions import typical_conditions
from lensdetect.simulation.population import Visibility
from lensdetect.simulation.render import expose, measure_arcs
from lensdetect.simulation.render.exposure import Exposure
from lensdetect.simulation.scene import IsothermalMass, Scene, SersicLight, StarLight
from lensdetect.simulation.sky.visibility import VisibilityCut, estimate_visibility, point_snr
from lensdetect.survey import get_survey

KIDS = get_survey("kids")
DEFLECTOR_MAGS = (23.2, 21.6, 20.0, 19.4, 19.0, 18.8)
SOURCE_MAGS = (24.0, 23.6, 23.3, 23.1, 23.0, 23.0)
CLEAR = Visibility(
    einstein_radius_over_seeing=2.0, arc_pixel_count=100, arc_flux_sigma=400.0, arc_snr=60.0, arc_snr_over_light=40.0
)


def scene(*, radius_arcsec=1.3, offset_arcsec=0.3):
    return Scene(
        kind="elliptical",
        einstein_radius_arcsec=radius_arcsec,
        masses=(IsothermalMass(0.0, 0.0, radius_arcsec, 0.8, 0.4),),
        shear=(0.03, 0.02),
        light=(SersicLight(0.0, 0.0, 0.7, 4.0, 0.8, 0.4, DEFLECTOR_MAGS),),
        source=(SersicLight(offset_arcsec, 0.1, 0.25, 1.0, 1.0, 0.0, SOURCE_MAGS),),
    )


def measured(lens) -> Visibility:
    conditions = typical_conditions(KIDS)
    exposure: Exposure = expose(lens, KIDS, conditions=conditions)
    return measure_arcs(exposure.arcs, KIDS, scene=lens, conditions=conditions, foreground=exposure.foreground)


def estimated(lens) -> Visibility:
    [part] = lens.source
    return estimate_visibility(
        lens.masses[0],
        shear=lens.shear,
        deflector=lens.light,
        source=(part.x_arcsec, part.y_arcsec, part.radius_arcsec),
        source_mags=part.mags,
        survey=KIDS,
    )


@pytest.mark.parametrize("offset_arcsec", [0.1, 0.4, 0.8])
@pytest.mark.parametrize("radius_arcsec", [0.9, 1.6])
def test_the_estimate_is_near_the_rendering(radius_arcsec, offset_arcsec):
    lens = scene(radius_arcsec=radius_arcsec, offset_arcsec=offset_arcsec)
    true, guess = measured(lens), estimated(lens)
    assert guess.arc_snr == pytest.approx(true.arc_snr, rel=0.25)
    assert guess.arc_snr_over_light == pytest.approx(true.arc_snr_over_light, rel=0.4)
    assert guess.arc_pixel_count == pytest.approx(true.arc_pixel_count, rel=0.3)
    assert guess.einstein_radius_over_seeing == pytest.approx(true.einstein_radius_over_seeing)


def test_arcs_on_bright_light_count_less():
    faint = scene()
    bright = dataclasses.replace(
        faint, light=(dataclasses.replace(faint.light[0], mags=tuple(mag - 2.0 for mag in DEFLECTOR_MAGS)),)
    )
    assert measured(bright).arc_snr == pytest.approx(measured(faint).arc_snr, rel=1e-3)
    assert measured(bright).arc_snr_over_light < 0.6 * measured(faint).arc_snr_over_light


def test_the_snr_of_a_point_is_that_of_its_pixels():
    gaussian = dataclasses.replace(
        KIDS, bands=tuple(dataclasses.replace(band, psf_beta=math.inf) for band in KIDS.bands)
    )
    star = Scene("star", math.nan, (), (0.0, 0.0), (), stars=(StarLight(0.0, 0.0, (21.0,) * 6),))
    light = expose(star, gaussian, conditions=typical_conditions(gaussian)).foreground
    sigma = np.array([band.noise_sigma for band in gaussian.bands])
    pixels = math.sqrt(float(np.sum(np.square(light / sigma))))
    # pixels widen the image a little
    assert point_snr((21.0,) * 6, gaussian) == pytest.approx(pixels, rel=0.05)


def test_clear_arcs_are_admitted():
    assert VisibilityCut().admits(CLEAR, source_offset=0.3)


@pytest.mark.parametrize(
    "worse",
    [
        {"arc_snr": 19.0},
        {"arc_snr_over_light": 19.0},
        {"arc_pixel_count": 19},
        {"einstein_radius_over_seeing": 1.1},
    ],
)
def test_each_part_of_the_cut_counts(worse):
    assert not VisibilityCut().admits(dataclasses.replace(CLEAR, **worse), source_offset=0.3)


def test_a_single_image_is_no_lens():
    assert not VisibilityCut().admits(CLEAR, source_offset=0.7)


def test_what_was_not_measured_does_not_tell_against_a_lens():
    assert VisibilityCut().admits(dataclasses.replace(CLEAR, arc_snr_over_light=math.nan), source_offset=0.3)
