"""Arcs on real galaxies: what is painted, what is left, what is refused."""

from __future__ import annotations

import dataclasses
import json
import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from astropy.io import fits

from lensdetect.errors import InputError
from lensdetect.simulation.bologna import BolognaPopulation
from lensdetect.simulation.painting import REFUSED_FILE, paint
from lensdetect.simulation.population import Population
from lensdetect.simulation.scene import IsothermalMass, Scene, SersicLight, StarLight
from lensdetect.stamps import Shards
from lensdetect.survey import get_survey

SIZE = 41
QUICK = {"seed": 5, "size": SIZE, "workers": 1, "progress": False}


def light(mag: float, *, radius_arcsec: float = 0.4, x_arcsec: float = 0.0) -> SersicLight:
    return SersicLight(x_arcsec, 0.0, radius_arcsec, 1.0, 1.0, 0.0, (mag,) * 6)


@dataclass(frozen=True)
class Fixed(Population):
    """One scene, always: a deflector with a source behind it."""

    einstein_radius_arcsec: float = 1.5
    source_mag: float = 20.0
    offset_arcsec: float = 0.3
    point: bool = False

    def draw_scene(self, survey, *, side_arcsec, rng) -> Scene:
        point = StarLight(self.offset_arcsec, 0.0, (self.source_mag,) * 6)
        return Scene(
            kind="elliptical",
            einstein_radius_arcsec=self.einstein_radius_arcsec,
            masses=(IsothermalMass(0.0, 0.0, self.einstein_radius_arcsec),),
            shear=(0.0, 0.0),
            light=(light(19.0),),
            source=() if self.point else (light(self.source_mag, radius_arcsec=0.1, x_arcsec=self.offset_arcsec),),
            source_points=(point,) if self.point else (),
            deflector_redshift=0.4,
            source_redshift=2.0,
            velocity_dispersion_km_s=260.0,
        )

    def draw_conditions(self, scene, survey, *, size, rng):
        raise AssertionError("the conditions are those of the image")

    def is_lens(self, scene, visibility) -> bool:
        return visibility.arc_snr > 10.0


def read(folder) -> tuple[np.ndarray, pd.DataFrame]:
    shards = Shards(folder)
    return shards.read(np.arange(len(shards))), shards.truth


def both(survey, images, catalogue, folder, **options) -> tuple[np.ndarray, np.ndarray, pd.DataFrame]:
    """The same galaxies as they are, and with arcs."""
    options = {**QUICK, **options}
    real, _ = read(paint(survey, images, catalogue, folder / "real", **{**options, "lens_fraction": 0.0}))
    painted, truth = read(paint(survey, images, catalogue, folder / "painted", **{**options, "lens_fraction": 1.0}))
    return real, painted, truth


def test_unpainted_galaxies_are_their_images_unchanged(cutouts, survey, tmp_path):
    images, catalogue = cutouts
    pixels, truth = read(paint(survey, images, catalogue, tmp_path / "out", lens_fraction=0.0, **QUICK))
    assert list(truth["id"]) == [f"g{number}" for number in range(8)]
    assert set(truth["kind"]) == {"real"}
    assert not truth["is_lens"].any() and not truth["has_source"].any()
    for number in range(8):
        for place, band in enumerate(survey.band_names):
            whole = fits.getdata(images / f"gal{number}_{band}_sci.fits")
            np.testing.assert_array_equal(pixels[number, ..., place], whole[2:43, 2:43])


def test_some_are_painted_and_the_others_are_kept(cutouts, survey, tmp_path):
    images, catalogue = cutouts
    real, _ = read(paint(survey, images, catalogue, tmp_path / "real", **{**QUICK, "lens_fraction": 0.0}))
    mixed, truth = read(paint(survey, images, catalogue, tmp_path / "out", population=Fixed(), **QUICK))
    has_source = truth["has_source"].to_numpy()
    assert 0 < has_source.sum() < 8
    for number in range(8):
        assert np.array_equal(mixed[number], real[number]) is not bool(has_source[number])


def test_truth_tells_the_lens(cutouts, survey, tmp_path):
    images, catalogue = cutouts
    *_, truth = both(survey, images, catalogue, tmp_path, population=Fixed(source_mag=22.0))
    row = truth.iloc[0]
    assert (row["kind"], row["einstein_radius_arcsec"], row["deflector_redshift"]) == ("lens", 1.5, 0.4)
    assert (row["source_redshift"], row["velocity_dispersion_km_s"], row["seed"]) == (2.0, 260.0, 5)
    assert row["einstein_radius_over_seeing"] == pytest.approx(1.5 / 0.95)
    assert row["arc_pixel_count"] > 20 and row["arc_snr"] > 20.0


def test_arcs_too_faint_to_be_seen_make_no_lens(cutouts, survey, tmp_path):
    images, catalogue = cutouts
    *_, truth = both(survey, images, catalogue, tmp_path, population=Fixed(source_mag=29.0))
    assert set(truth["kind"]) == {"undetected"}
    assert truth["has_source"].all() and not truth["is_lens"].any()


def test_painted_flux_is_that_of_the_magnitude(cutouts, survey, tmp_path):
    # an offset of 2 Einstein radii: one image, magnified 2 / (2 - 1) = 2 times at 3 radii
    population = Fixed(einstein_radius_arcsec=0.3, offset_arcsec=0.6, source_mag=18.0, point=True)
    real, painted, _ = both(survey, *cutouts, tmp_path, population=population, size=41)
    arcs = (painted - real)[0].astype(float)
    magnification = 1.0 + 0.3 / 0.6
    seen = [np.nansum(arcs[..., number]) for number in range(4)]
    expected = 10.0 ** (-0.4 * (18.0 - 30.0)) * magnification
    np.testing.assert_allclose(seen, expected, rtol=0.05)  # wings of the PSF outside, photon noise


def test_ring_is_where_it_must_be(cutouts, survey, tmp_path):
    population = Fixed(einstein_radius_arcsec=2.0, offset_arcsec=0.0, source_mag=18.0)
    real, painted, _ = both(survey, *cutouts, tmp_path, population=population)
    arcs = (painted - real)[..., 1].mean(axis=0)
    y, x = np.mgrid[:SIZE, :SIZE] - 0.5 * (SIZE - 1)
    ring = np.hypot(x, y)
    place = (0.5 + np.arange(18))[:-1] + 0.5
    profile = [arcs[np.abs(ring - radius) < 0.5].mean() for radius in place]
    assert place[int(np.argmax(profile))] * survey.pixel_scale_arcsec == pytest.approx(2.0, abs=0.3)


def test_arcs_have_the_noise_of_their_photons(cutouts, survey, tmp_path):
    population = Fixed(einstein_radius_arcsec=1e-5, source_mag=16.0, offset_arcsec=0.0)
    real, painted, _ = both(survey, *cutouts, tmp_path, population=population)
    number = survey.band_names.index("r")
    arcs = (painted - real)[..., number].astype(float)
    mean, variance = arcs.mean(axis=0), arcs.var(axis=0, ddof=1)
    bright = mean > 2000.0
    sky_flux = 10.0 ** (-0.4 * (survey.conditions[number].sky_mag_arcsec2 - 30.0)) * survey.pixel_scale_arcsec**2
    photon_flux = survey.bands[number].noise_sigma ** 2 / sky_flux
    assert bright.sum() > 40
    assert np.mean(variance[bright] / (mean[bright] * photon_flux)) == pytest.approx(1.0, abs=0.25)


def test_one_object_is_the_same_in_any_catalogue_and_number_of_processes(cutouts, survey, tmp_path):
    images, catalogue = cutouts
    table = pd.read_csv(catalogue)
    table.iloc[::-1].head(3).to_csv(tmp_path / "few.csv", index=False)
    options = {**QUICK, "population": BolognaPopulation(), "shard_size": 3, "lens_fraction": 0.7}
    one = paint(survey, images, catalogue, tmp_path / "one", **options)
    two = paint(survey, images, catalogue, tmp_path / "two", **{**options, "workers": 2})
    few = paint(survey, images, tmp_path / "few.csv", tmp_path / "three", **options)
    assert Shards(one).sha256() == Shards(two).sha256()
    all_pixels, few_pixels = read(one)[0], read(few)[0]
    np.testing.assert_array_equal(few_pixels, all_pixels[[7, 6, 5]])


def test_an_interrupted_run_goes_on(cutouts, survey, tmp_path):
    images, catalogue = cutouts
    options = {**QUICK, "population": Fixed(), "shard_size": 3}
    out = paint(survey, images, catalogue, tmp_path / "out", **options)
    before = Shards(out).sha256()
    (out / "00001.parquet").unlink()
    untouched = (out / "00000.npy").stat().st_mtime_ns
    paint(survey, images, catalogue, out, **options)
    assert Shards(out).sha256() == before
    assert (out / "00000.npy").stat().st_mtime_ns == untouched


def test_a_folder_of_another_run_is_refused(cutouts, survey, tmp_path):
    images, catalogue = cutouts
    paint(survey, images, catalogue, tmp_path / "out", population=Fixed(), **QUICK)
    with pytest.raises(InputError, match=r"holds another simulation: seed is 5 there and 6 here"):
        paint(survey, images, catalogue, tmp_path / "out", population=Fixed(), **{**QUICK, "seed": 6})


def test_tiles_are_cut_at_positions(tmp_path, survey, sky, wcs, write_bands):
    places = [(60, 50), (110, 80), (10, 100)]
    tile, frame = sky(150, at=places), wcs(150)
    write_bands(tmp_path / "tiles", "DES0200-2000", tile, header=frame.to_header())
    ra, dec = frame.all_pix2world([x for x, _ in places] + [500], [y for _, y in places] + [20], 0)
    table = pd.DataFrame({"COADD_OBJECT_ID": [1, 2, 3, 4], "RA": ra, "DEC": dec})
    table.to_parquet(tmp_path / "cat.parquet")
    out = paint(survey, tmp_path / "tiles", tmp_path / "cat.parquet", tmp_path / "out", lens_fraction=0.0, **QUICK)
    pixels, truth = read(out)
    assert list(truth["id"]) == ["1", "2", "3"]
    np.testing.assert_array_equal(pixels[0], tile[30:71, 40:81])
    # the third is 10 pixels from the left edge: NaN beyond it
    assert np.isnan(pixels[2][:, :10]).all() and np.isfinite(pixels[2][:, 10:]).all()
    refused = pd.read_csv(out / REFUSED_FILE, dtype=str)
    assert list(refused["id"]) == ["4"]
    assert "no image covers RA" in refused["reason"][0]
    manifest = json.loads((out / "manifest.json").read_text())
    assert (manifest["count"], manifest["refused"], manifest["complete"]) == (3, 1, True)


def test_arcs_are_centred_on_a_galaxy_between_pixels(tmp_path, survey, sky, wcs, write_bands):
    tile, frame = sky(80), wcs(80)
    write_bands(tmp_path / "tiles", "t", tile, header=frame.to_header())
    ra, dec = frame.all_pix2world(40.4, 39.7, 0)
    pd.DataFrame({"id": ["a"], "ra_deg": [float(ra)], "dec_deg": [float(dec)]}).to_csv(tmp_path / "c.csv", index=False)
    population = Fixed(source_mag=14.0, offset_arcsec=0.0)
    real, painted, _ = both(survey, tmp_path / "tiles", tmp_path / "c.csv", tmp_path, population=population)
    arcs = np.nan_to_num(painted - real)[0, ..., 1].astype(float)
    axis = np.arange(SIZE) - 0.5 * (SIZE - 1)
    assert (arcs.sum(axis=0) * axis).sum() / arcs.sum() == pytest.approx(0.4, abs=0.1)
    assert (arcs.sum(axis=1) * axis).sum() / arcs.sum() == pytest.approx(-0.3, abs=0.1)


def test_catalogue_comes_before_what_is_drawn(cutouts, survey, tmp_path):
    images, catalogue = cutouts
    table = pd.read_csv(catalogue)
    table["theta_E"] = [1.1] * 4 + [-1.0] * 4
    table["REDSHIFT"] = 0.5
    table["velocity_dispersion"] = 280.0
    table.to_csv(catalogue, index=False)
    *_, truth = both(survey, images, catalogue, tmp_path, population=Fixed())
    assert (truth["einstein_radius_arcsec"][:4] == 1.1).all()
    # 4 pi (280 / c)^2 in arcsec is 2.26; D_ls / D_s from 0.5 to 2 is 0.64 in a flat universe
    np.testing.assert_allclose(truth["einstein_radius_arcsec"][4:], 2.26 * 0.64, rtol=0.03)
    assert set(truth["deflector_redshift"]) == {0.5} and set(truth["velocity_dispersion_km_s"]) == {280.0}


def test_arcs_are_as_sharp_as_the_local_psf(cutouts, survey, tmp_path):
    images, catalogue = cutouts
    population = Fixed(einstein_radius_arcsec=0.05, source_mag=17.0, offset_arcsec=0.2, point=True)
    peaks = {}
    for fwhm in (0.7, 1.4):
        widths = dict.fromkeys(survey.band_names, fwhm)
        real, painted, truth = both(
            survey, images, catalogue, tmp_path / str(fwhm), population=population, psf=widths
        )  # fmt: skip
        peaks[fwhm] = (painted - real)[0, ..., 1].max()
        assert truth["einstein_radius_over_seeing"][0] == pytest.approx(0.05 / fwhm)
    assert 2.5 < peaks[0.7] / peaks[1.4] < 4.0  # 4, but for the pixels


def test_psf_images_are_measured(cutouts, survey, tmp_path):
    images, catalogue = cutouts
    y, x = np.mgrid[:25, :25] - 12.0
    width = 1.6 / survey.pixel_scale_arcsec
    image = (1.0 + (x**2 + y**2) * 4.0 * (2.0 ** (1.0 / 3.0) - 1.0) / width**2) ** -3.0
    (tmp_path / "psf").mkdir()
    for band in survey.band_names:
        fits.writeto(tmp_path / "psf" / f"psf_{band}.fits", image.astype(np.float32))
    *_, truth = both(survey, images, catalogue, tmp_path, population=Fixed(), psf=tmp_path / "psf")
    np.testing.assert_allclose(truth["einstein_radius_over_seeing"], 1.5 / 1.6, rtol=0.03)


def test_foreign_units_are_refused_with_both_numbers(cutouts, survey, tmp_path):
    images, catalogue = cutouts
    kids = dataclasses.replace(get_survey("kids"), pixel_scale_arcsec=survey.pixel_scale_arcsec)
    with pytest.raises(
        InputError, match=r"no galaxy of 8 can be used.*rms of band g of tile gal0 must .*2\.2e-12 .*got 2\.0"
    ):
        paint(kids, images, catalogue, tmp_path / "out", **QUICK)
    assert not (tmp_path / "out").exists()


def test_one_foreign_image_ends_nothing(cutouts, survey, tmp_path):
    images, catalogue = cutouts
    for band in survey.band_names:
        path = images / f"gal3_{band}_sci.fits"
        fits.writeto(path, fits.getdata(path) * 1e-9, overwrite=True)
    out = paint(survey, images, catalogue, tmp_path / "out", population=Fixed(), **QUICK)
    refused = pd.read_csv(out / REFUSED_FILE, dtype=str)
    assert list(refused["id"]) == ["g3"]
    assert "must be within a factor 5 of the 2.01 of survey des, got 2" in refused["reason"][0]
    assert len(Shards(out)) == 7
    wide = paint(survey, images, catalogue, tmp_path / "wide", population=Fixed(), noise_factor=1e12, **QUICK)
    assert len(Shards(wide)) == 8 and not (wide / REFUSED_FILE).exists()


def test_broken_and_missing_images_are_listed(cutouts, survey, tmp_path):
    images, catalogue = cutouts
    path = images / "gal1_g_sci.fits"
    path.write_bytes(path.read_bytes()[:4000])
    for band in survey.band_names:
        (images / f"gal2_{band}_sci.fits").unlink()
    (images / "gal4_z_sci.fits").unlink()
    out = paint(survey, images, catalogue, tmp_path / "out", lens_fraction=1.0, population=Fixed(), **QUICK)
    refused = pd.read_csv(out / REFUSED_FILE, dtype=str, keep_default_na=False)
    reasons = dict(zip(refused["id"], refused["reason"], strict=True))
    assert "no image is called gal2" in reasons["g2"]
    assert any("cut short" in reason for reason in refused["reason"])
    pixels, truth = read(out)
    place = list(truth["id"]).index("g4")
    assert np.isnan(pixels[place, ..., 3]).all() and np.isfinite(pixels[place, ..., :3]).all()
    assert truth["kind"][place] == "lens"


def test_another_pixel_scale_is_resampled_with_its_flux(tmp_path, survey, sky, wcs, write_bands):
    pixels = sky(81, at=[(40, 40)], mag=17.0)
    write_bands(tmp_path / "c", "a", pixels, header=wcs(81, 0.2).to_header())
    options = {"population": Fixed(source_mag=18.0, einstein_radius_arcsec=0.3, offset_arcsec=0.6, point=True)}
    real, painted, truth = both(survey, tmp_path / "c", None, tmp_path, **options)
    # the galaxy, in a circle that both hold
    sums = []
    for image, scale in ((pixels, 0.2), (real[0], survey.pixel_scale_arcsec)):
        axis = (np.arange(len(image)) - 0.5 * (len(image) - 1)) * scale
        sums.append(image[np.hypot(axis, axis[:, None]) < 4.0].sum(axis=0))
    np.testing.assert_allclose(sums[1], sums[0], rtol=0.02)
    # arcs are painted after that
    arcs = (painted - real)[0].astype(float).sum(axis=(0, 1))
    np.testing.assert_allclose(arcs, 10.0 ** (-0.4 * (18.0 - 30.0)) * 1.5, rtol=0.05)
    manifest = json.loads((tmp_path / "real" / "manifest.json").read_text())
    assert manifest["onto"]["resampled_from_arcsec"] == [0.2]


def test_another_zero_point_is_converted(tmp_path, survey, sky, wcs, write_bands):
    pixels, header = sky(45, at=[(22, 22)]), wcs(45).to_header()
    header["MAGZP"] = 27.5
    write_bands(tmp_path / "c", "a", pixels / np.float32(10.0), header=header)
    real, _ = read(paint(survey, tmp_path / "c", None, tmp_path / "out", lens_fraction=0.0, **QUICK))
    np.testing.assert_allclose(real[0], pixels[2:43, 2:43], rtol=1e-5)


def test_a_pixel_scale_that_cannot_be_is_refused(tmp_path, survey, sky, wcs, write_bands):
    write_bands(tmp_path / "c", "a", sky(45, at=[(22, 22)]), header=wcs(45, 3.0).to_header())
    with pytest.raises(InputError, match=r"a pixel of survey des must be about 0.263 arcsec wide, .* say 3 arcsec"):
        paint(survey, tmp_path / "c", None, tmp_path / "out", **QUICK)


def test_a_masked_middle_is_refused(tmp_path, survey, sky, write_bands):
    pixels = sky(45, at=[(22, 22)])
    pixels[20:24, 20:24] = np.nan
    write_bands(tmp_path / "c", "a", pixels)
    with pytest.raises(InputError, match=r"galaxy must be whole in one band at least, got masked pixels"):
        paint(survey, tmp_path / "c", None, tmp_path / "out", **QUICK)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"lens_fraction": 1.5}, r"lens_fraction must be from 0 to 1, got 1.5"),
        ({"noise_factor": 1.0}, r"noise_factor must be above 1, got 1.0"),
        ({"size": 5}, r"size must be a whole number of at least 11, got 5"),
        ({"psf": {"Y": 0.9}}, r"unknown band of survey des 'Y'"),
        ({"psf": {"g": 90.0}}, r"width of the PSF in g must be from 0 to 20 arcsec, got 90"),
    ],
)
def test_bad_arguments_are_refused(cutouts, survey, tmp_path, options, message):
    with pytest.raises(InputError, match=message):
        paint(survey, *cutouts, tmp_path / "out", **{**QUICK, **options})


def test_a_lens_has_the_mass_of_such_a_galaxy(cutouts, survey, tmp_path):
    """The Einstein radius is drawn with the galaxy's brightness in view."""

    @dataclass(frozen=True)
    class Ladder(Fixed):
        def draw_scene(self, survey, *, side_arcsec, rng) -> Scene:
            mag = rng.uniform(16.0, 22.0)
            scene = super().draw_scene(survey, side_arcsec=side_arcsec, rng=rng)
            # bright in g, r, i, z as the galaxies of this folder are
            part = dataclasses.replace(light(mag), mags=(mag + 3.0, mag + 1.6, mag, mag - 0.5, mag - 0.8, mag - 0.9))
            radius = 10.0 ** (-0.1 * (mag - 19.0))
            return dataclasses.replace(
                scene, light=(part,), einstein_radius_arcsec=radius, masses=(IsothermalMass(0.0, 0.0, radius),)
            )  # fmt: skip

    *_, truth = both(survey, *cutouts, tmp_path, population=Ladder())
    drawn_mag = 19.0 - 10.0 * np.log10(truth["einstein_radius_arcsec"])
    assert np.abs(drawn_mag - 19.0).mean() < 0.8  # of drawn ones from 16 to 22: 1.6
    assert math.isfinite(truth["arc_snr"].sum())
