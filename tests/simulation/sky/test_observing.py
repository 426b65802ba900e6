import dataclasses

import numpy as np
import pytest
from astropy.io import fits
from scipy import ndimage

from lensdetect.errors import InputError
from lensdetect.simulation.render.sky import draw_sky
from lensdetect.simulation.sky.masks import MaskRates, draw_mask
from lensdetect.simulation.sky.observing import SkyObserving, draw_conditions, photon_fluxes
from lensdetect.survey import SURVEYS, flux_from_mag, get_survey

KIDS = get_survey("kids")
NO_MASKS = MaskRates(chip_gap=0.0, star=0.0, tile_edge=0.0, missing_band=0.0)


def draws(observing, survey, count, *, size=11):
    rng = np.random.default_rng(5)
    return [draw_conditions(observing, survey, size=size, rng=rng) for _ in range(count)]


@pytest.fixture(scope="module")
def many():
    return draws(SkyObserving(masks=NO_MASKS), KIDS, 4000)


@pytest.mark.parametrize("quantity", ["psf_fwhm_arcsec", "noise_sigma"])
def test_percentiles_are_those_that_the_survey_states(many, quantity):
    values = np.array([getattr(conditions, quantity) for conditions in many])
    is_psf = quantity == "psf_fwhm_arcsec"
    ranges = [band.psf_fwhm_range_arcsec if is_psf else band.noise_range for band in KIDS.conditions]
    low, median, high = np.percentile(values, [5, 50, 95], axis=0)
    np.testing.assert_allclose(median, [getattr(band, quantity) for band in KIDS.bands], rtol=0.03)
    np.testing.assert_allclose(np.transpose([low, high]), ranges, rtol=0.05)


def test_seeing_of_the_bands_goes_partly_together(many):
    seeing = np.log([conditions.psf_fwhm_arcsec for conditions in many])
    between = np.corrcoef(seeing.T)[np.triu_indices(4, 1)]
    np.testing.assert_allclose(between, SkyObserving().psf_band_correlation, atol=0.06)


def test_zero_points_are_off_by_some_hundredths(many):
    gain_mag = -2.5 * np.log10([conditions.gain for conditions in many])
    np.testing.assert_allclose(gain_mag.std(axis=0), 0.025, rtol=0.05)
    assert np.abs(gain_mag.mean(axis=0)).max() < 0.002


def test_the_noise_of_the_sky_is_that_of_its_own_photons(many):
    conditions = many[0]
    sky = flux_from_mag(KIDS.conditions[2].sky_mag_arcsec2, 0.0) * KIDS.pixel_scale_arcsec**2
    assert conditions.photon_flux[2] * sky == pytest.approx(conditions.noise_sigma[2] ** 2)


@pytest.mark.parametrize("name", sorted(SURVEYS))
def test_every_survey_has_conditions_that_its_sky_can_be_drawn_with(name):
    survey = SURVEYS[name]
    for conditions in draws(SkyObserving(), survey, 20, size=31):
        sky = draw_sky(31, conditions, rng=np.random.default_rng(0))
        assert sky.shape == (31, 31, len(survey.bands))
        assert len(conditions.gain) == len(conditions.photon_flux) == len(survey.bands)
        assert min(conditions.photon_flux) > 0


def test_a_survey_that_states_no_ranges_gets_the_default_spread():
    bare = dataclasses.replace(KIDS, conditions=())
    seeing = np.array([c.psf_fwhm_arcsec for c in draws(SkyObserving(masks=NO_MASKS), bare, 3000)])
    ratio = np.percentile(seeing, [5, 50, 95], axis=0) / [band.psf_fwhm_arcsec for band in KIDS.bands]
    np.testing.assert_allclose(ratio.mean(axis=1), [0.75, 1.0, 1.3], rtol=0.03)
    noise = tuple(band.noise_sigma for band in KIDS.bands)
    # a dark site's sky, which is what KiDS states for u, g and r
    np.testing.assert_allclose(photon_fluxes(bare, noise)[:3], photon_fluxes(KIDS, noise)[:3], rtol=0.05)


def test_correlations_scatter_and_never_ask_for_noise_that_cannot_be(many):
    lags = np.array([conditions.noise_correlation for conditions in many])
    np.testing.assert_allclose(np.median(lags, axis=0), KIDS.noise_correlation, rtol=0.02)
    assert 0.12 < np.log(lags[:, 0]).std() < 0.16
    wild = SkyObserving(noise_correlation_scatter=2.0, masks=NO_MASKS)
    cosines = np.cos(np.outer(np.linspace(0.0, np.pi, 200), [1, 2, 3]))
    for conditions in draws(wild, KIDS, 200):
        assert (1.0 + 2.0 * cosines @ conditions.noise_correlation).min() > 0.0


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"psf_spread": (1.1, 1.3)}, "psf_spread must enclose 1, the survey's typical value, got 1.1 to 1.3"),
        ({"noise_band_correlation": 1.5}, "noise_band_correlation must be between 0 and 1, got 1.5"),
    ],
)
def test_spreads_that_are_none_are_refused(setting, message):
    with pytest.raises(InputError, match=message):
        SkyObserving(**setting)


# masks


def masks(rates, count, *, survey=KIDS, size=41):
    rng = np.random.default_rng(6)
    return [draw_mask(rates, survey, size=size, rng=rng) for _ in range(count)]


@pytest.mark.parametrize("name", ["chip_gap", "star", "tile_edge", "missing_band"])
def test_each_kind_of_mask_comes_at_its_rate_and_no_other(name):
    assert all(mask is None for mask in masks(NO_MASKS, 20))
    drawn = masks(dataclasses.replace(NO_MASKS, **{name: 0.3}), 500)
    expected = 1.0 - 0.7 ** len(KIDS.bands) if name == "chip_gap" else 0.3
    # a star's disc may lie beside the stamp
    low = 0.1 if name == "star" else expected - 0.07
    assert low < np.mean([mask is not None for mask in drawn]) < expected + 0.07


def test_a_missing_band_is_a_whole_plane_and_most_often_u():
    drawn = masks(dataclasses.replace(NO_MASKS, missing_band=1.0), 700)
    planes = np.array([mask.all(axis=(0, 1)) for mask in drawn])
    assert (planes.sum(axis=1) == 1).all()
    np.testing.assert_allclose(planes.mean(axis=0), np.array([4, 1, 1, 1]) / 7, atol=0.06)


def test_the_only_band_of_a_survey_is_never_missing():
    single = dataclasses.replace(KIDS, bands=KIDS.bands[2:3], conditions=KIDS.conditions[2:3])
    assert all(m is None for m in masks(dataclasses.replace(NO_MASKS, missing_band=1.0), 20, survey=single))


def test_star_masks_and_tile_edges_leave_the_middle():
    for mask in masks(dataclasses.replace(NO_MASKS, star=1.0, tile_edge=1.0), 300):
        assert mask is None or not mask[20, 20].any()


def test_a_rate_of_masks_is_a_probability():
    with pytest.raises(InputError, match="rate of masks star is a probability, between 0 and 1, got 2"):
        MaskRates(star=2.0)
    with pytest.raises(InputError, match="weight of band u among missing bands must be 0 or more, got -1"):
        MaskRates(missing_weight=(("u", -1.0),))


# noise correlation, measured alike on real and on simulated sky


def background(image):
    """Pixels without objects: clipped in the image and in a smoothed one, with a margin."""
    known = np.isfinite(image) & (image != 0)
    weight = ndimage.gaussian_filter(known.astype(float), 2.0)
    smooth = ndimage.gaussian_filter(np.where(known, image, 0.0), 2.0) / np.maximum(weight, 1e-3)
    keep = known
    for _ in range(8):
        bright = np.zeros_like(known)
        for plane, limit in ((smooth, 2.5), (np.where(known, image, np.nan), 4.0)):
            middle = np.median(plane[keep])
            sigma = 1.4826 * np.median(np.abs(plane[keep] - middle))
            bright |= plane > middle + limit * sigma
        keep = known & ~ndimage.binary_dilation(bright, iterations=3)
    return keep


def correlations(image):
    """Correlation at lags 1 to 3, mean of both axes, of the background."""
    keep = background(image)
    sky = np.where(keep, image - image[keep].mean(), 0.0)
    variance = np.mean(sky[keep] ** 2)
    lags = []
    for lag in (1, 2, 3):
        pairs = [np.mean((s[lag:] * s[:-lag])[k[lag:] & k[:-lag]]) for s, k in ((sky, keep), (sky.T, keep.T))]
        lags.append(np.mean(pairs) / variance)
    return lags


def simulated(count, size):
    rng = np.random.default_rng(8)
    out = []
    for _ in range(count):
        conditions = draw_conditions(SkyObserving(masks=NO_MASKS), KIDS, size=size, rng=rng)
        out.append(correlations(draw_sky(size, conditions, rng=rng)[..., 2].astype(float)))
    return np.array(out)


def test_noise_is_correlated_as_on_real_kids_images(shared_data):
    files = sorted((shared_data / "kids_ugri").glob("*_sci.fits")) + sorted(
        (shared_data / "kids_ugri").glob("KiDS-test_?.fits")
    )
    assert len(files) == 11
    real = np.array([correlations(fits.getdata(file).astype(float)) for file in files])
    drawn = simulated(60, 101)
    # 11 images of 3000 to 9000 pixels scatter by 0.005 to 0.02 each about their mean: 0.003 to
    # 0.005 in the mean; the simulated mean adds 0.003
    np.testing.assert_allclose(drawn.mean(axis=0), real.mean(axis=0), atol=0.015)
    # every one of them could be a draw of ours
    np.testing.assert_allclose(real, np.broadcast_to(drawn.mean(axis=0), real.shape), atol=0.05)


def test_the_survey_of_other_resampling_is_within_its_own_scatter(shared_data):
    files = sorted((shared_data / "kids_r_unlabelled").rglob("*.fits"))
    assert len(files) == 92
    real = np.array([correlations(fits.getdata(file).astype(float)) for file in files[::3]])
    drawn = simulated(20, 151)
    # 0.214 arcsec instead of 0.2, stacked by other software: less correlated, of one sign with ours
    away = (drawn.mean(axis=0) - real.mean(axis=0)) / real.std(axis=0)
    assert np.abs(away).max() < 2.5
    assert (np.sign(real.mean(axis=0)) == np.sign(drawn.mean(axis=0))).all()
