import dataclasses

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

from lensdetect.errors import InputError
from lensdetect.simulation.scene import SCENE_BANDS, ImageLight
from lensdetect.simulation.sky.deconvolution import deconvolve, segment_weight
from lensdetect.simulation.sky.parameters import SkySourcePopulation
from lensdetect.simulation.sky.real_galaxies import nearest_real_galaxy, read_real_galaxies
from lensdetect.simulation.sky.sources import draw_source

NOISE = 0.002


def gaussian(size, sigma_pix, *, centre=None):
    axis = np.arange(size) - size // 2
    x0, y0 = centre or (0.0, 0.0)
    image = np.exp(-0.5 * ((axis - x0) ** 2 + (axis[:, None] - y0) ** 2) / sigma_pix**2)
    return image / image.sum()


@pytest.fixture
def folder(tmp_path):
    """Two round galaxies of a standard deviation of 8 pixels, under a PSF of 2."""
    rng = np.random.default_rng(0)
    psf = gaussian(33, 2.0)
    seen = gaussian(81, 68.0**0.5)
    images = [20.0 * seen + rng.normal(0.0, NOISE, seen.shape), 5.0 * seen + rng.normal(0.0, NOISE, seen.shape)]
    fits.HDUList([fits.PrimaryHDU(images[0]), fits.ImageHDU(images[1])]).writeto(tmp_path / "images.fits")
    fits.HDUList([fits.PrimaryHDU(psf), fits.ImageHDU(psf)]).writeto(tmp_path / "psfs.fits")
    table = Table(
        {
            "IDENT": [7, 8],
            "MAG": [22.0, 23.5],
            "GAL_FILENAME": ["images.fits"] * 2,
            "PSF_FILENAME": ["psfs.fits"] * 2,
            "GAL_HDU": [0, 1],
            "PSF_HDU": [0, 1],
            "PIXEL_SCALE": [0.03] * 2,
            "NOISE_VARIANCE": [NOISE**2] * 2,
        }
    )
    table.write(tmp_path / "catalogue.fits")
    return tmp_path


def rewrite(folder, change):
    table = Table.read(folder / "catalogue.fits")
    change(table)
    table.write(folder / "catalogue.fits", overwrite=True)


def test_a_galaxy_is_normalised_and_has_its_own_size(folder):
    galaxy = read_real_galaxies(folder).galaxy(0)
    assert galaxy.image.dtype == np.float32
    assert galaxy.image.min() >= 0.0
    assert galaxy.image.sum() == pytest.approx(1.0, abs=1e-5)
    # a Gaussian's half-light radius is 1.18 standard deviations; the PSF that is left widens it by a tenth
    assert galaxy.radius_arcsec == pytest.approx(1.18 * 8.0 * 0.03, rel=0.15)
    assert galaxy.mag == 22.0


def test_deconvolution_takes_the_psf_out_and_keeps_the_flux():
    image = 100.0 * gaussian(81, 13.0**0.5)  # a galaxy of 3 pixels under a PSF of 2
    sharp = deconvolve(image, gaussian(33, 2.0), noise_variance=1e-10, left_fwhm_pix=2.3548)
    assert sharp.sum() == pytest.approx(100.0, rel=1e-3)
    np.testing.assert_allclose(sharp, 100.0 * gaussian(81, 10.0**0.5), atol=0.02 * sharp.max())


def test_deconvolution_leaves_an_image_where_it_is():
    image = 100.0 * gaussian(81, 4.0, centre=(5.0, -3.0))
    sharp = deconvolve(image, gaussian(33, 1.5), noise_variance=1e-10, left_fwhm_pix=3.0)
    assert np.unravel_index(np.argmax(sharp), sharp.shape) == (37, 45)


def test_the_segment_leaves_neighbours_out():
    image = 10.0 * (gaussian(81, 3.0) + gaussian(81, 3.0, centre=(28.0, 28.0)))
    weight = segment_weight(image, noise_sigma=NOISE)
    assert weight[40, 40] == pytest.approx(1.0, abs=1e-3)
    assert weight[68, 68] == pytest.approx(0.0, abs=1e-6)


def test_galaxies_of_like_magnitude_are_drawn(folder):
    rng = np.random.default_rng(1)
    mags = {nearest_real_galaxy(str(folder), 22.1, mag_max=23.0, rng=rng).mag for _ in range(10)}
    assert mags == {22.0}


def test_galaxies_are_read_once(folder):
    rng = np.random.default_rng(1)
    first, second = (nearest_real_galaxy(str(folder), 22.1, mag_max=23.0, rng=rng) for _ in range(2))
    assert first is second


def test_a_path_that_is_no_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"need a folder with a GalSim RealGalaxyCatalog, .*nowhere is none"):
        read_real_galaxies(tmp_path / "nowhere")


def test_a_folder_without_a_catalogue_is_refused(folder):
    (folder / "catalogue.fits").unlink()
    with pytest.raises(InputError, match=r"must hold one FITS table with a column GAL_FILENAME .* it holds 0"):
        read_real_galaxies(folder)


def test_missing_columns_are_named(folder):
    rewrite(folder, lambda table: table.remove_columns(["PSF_HDU", "NOISE_VARIANCE"]))
    with pytest.raises(InputError, match=r"2 rows and lacks PSF_HDU, NOISE_VARIANCE"):
        read_real_galaxies(folder)


def test_a_missing_image_file_is_named(folder):
    (folder / "images.fits").unlink()
    with pytest.raises(InputError, match=r"galaxy 7 must be image 0 of .*images\.fits, which cannot be read"):
        read_real_galaxies(folder).galaxy(0)


def test_a_missing_extension_is_named(folder):
    def move(table):
        table["GAL_HDU"] = [5, 1]

    rewrite(folder, move)
    with pytest.raises(InputError, match=r"galaxy 7 must be image 5 of"):
        read_real_galaxies(folder).galaxy(0)


def test_too_bright_a_limit_is_refused(folder):
    with pytest.raises(InputError, match=r"brighter than real_mag_max = 20, its brightest has 22\.00"):
        nearest_real_galaxy(str(folder), 22.0, mag_max=20.0, rng=np.random.default_rng(0))


def test_the_hubble_galaxies_serve_as_sources(shared_data):
    folder = shared_data / "cosmos_galaxies"
    sources = dataclasses.replace(SkySourcePopulation(), real_sources=str(folder), real_share=1.0)
    rng = np.random.default_rng(2)
    source = draw_source(sources, (0.2, 0.1), mag=23.5, redshift=1.2, quasar=False, rng=rng)
    [light] = source.light
    assert isinstance(light, ImageLight)
    assert light.pixel_arcsec == pytest.approx(0.03)
    assert light.mags[SCENE_BANDS.index("i")] == pytest.approx(23.5)
    assert 0.05 < source.radius_arcsec < 1.0
