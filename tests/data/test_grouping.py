"""Which FITS files are one object, and what is beside their images."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.io import fits

from lensdetect import flags
from lensdetect.data import open_cutouts
from lensdetect.errors import InputError
from lensdetect.survey import SURVEYS

SIDE = 11


@pytest.fixture
def write(tmp_path, rng):
    """Writes an image or several, and gives their pixels."""

    def make(name: str, shape=(SIDE, SIDE), *, pixels=None, **header) -> np.ndarray:
        pixels = rng.normal(size=shape).astype(np.float32) if pixels is None else pixels
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        fits.writeto(tmp_path / name, pixels, fits.Header(header))
        return pixels

    return make


def read(path, survey="kids", **options):
    source = open_cutouts(path, survey=SURVEYS[survey], **({"size": SIDE} | options))
    return source, source.read(np.arange(len(source)))


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("a_{}_sci.fits", "a"),
        ("{}/lens-7.fits", "lens-7"),
        ("lens-7/{}.fits", "lens-7"),
        ("deep/down/lens.{}.image.fits", "lens"),
        ("images/{}/x1.fits", "x1"),
        ("{}/science/x1_sci.fits", "x1"),
        ("x1/{}/image.fits", "x1"),
        ("band_{}/x1.fits", "x1"),
        ("KiDS-{}/x1.fits", "x1"),
        ("{0}/x1_{0}.fits", "x1"),
    ],
)
def test_one_file_a_band_in_any_layout(tmp_path, write, pattern, name):
    pixels = [write(pattern.format(band)) for band in "ugri"]
    source, batch = read(tmp_path)
    assert (source.ids, batch.flags.tolist()) == ([name], [0])
    np.testing.assert_array_equal(batch.pixels[0], np.stack(pixels, axis=-1))


@pytest.mark.parametrize("pattern", ["{}/x{}.fits", "x{1}_{0}.fits", "x{1}/{0}.fits"])
def test_bands_beside_those_of_the_survey_are_left_aside_and_told(tmp_path, write, pattern):
    for band in [*"ugri", "Z", "z", "Y", "Ks"]:
        for number in (1, 2):
            write(pattern.format(band, number))
    source, batch = read(tmp_path)
    assert (source.ids, batch.flags.tolist()) == (["x1", "x2"], [0, 0])
    assert sorted({reason.split(":")[0] for _, reason in source.aside}) == ["band Ks", "band Y", "band Z", "band z"]


def test_weights_variances_and_masks_are_used(tmp_path, write):
    for band in "ugri":
        write(f"a_{band}_sci.fits")
    weight, spread, mask = np.ones((3, SIDE, SIDE), np.float32)
    weight[0, 0], spread[1, 1], mask[...] = 0.0, np.inf, 0.0
    mask[2, 2], mask[3, 3] = 64, 8  # no pixel, and the halo of a star
    write("a_u_wht.fits", pixels=weight)
    write("a_g_var.fits", pixels=spread)
    write("a_r_msk.fits", pixels=mask.astype(np.int16))
    _, batch = read(tmp_path)
    assert [np.argwhere(np.isnan(plane)).tolist() for plane in np.moveaxis(batch.pixels[0], -1, 0)] == [
        [[0, 0]], [[1, 1]], [[2, 2]], []
    ]  # fmt: skip


def test_what_is_no_image_of_the_sky_is_counted_and_no_object(tmp_path, write):
    for name in ("a_r_sci.fits", "a_r_psf.fits", "a_r_model.fits", "a_g_sci.fits", "a_z_sci.fits", "b_r_wht.fits"):
        write(name)
    source, batch = read(tmp_path, bands=("r",))
    assert source.ids == ["a"] and not batch.refused.any()
    assert sorted(reason for _, reason in source.aside) == [
        "band g: not asked for",
        "band z: none of u, g, r, i",
        "model: no image of the sky",
        "psf: no image of the sky",
        "wei: without an image",
    ]


def test_weights_alone_are_an_error_that_names_them(tmp_path, write):
    write("a_r_wht.fits")
    with pytest.raises(InputError, match="images of the sky must be among the files, got a_r_wht.fits: wei: without"):
        read(tmp_path)


def test_two_files_of_one_band_refuse_the_object(tmp_path, write):
    for name in ("a_r.fits", "a_r_sci.fits", "b_r.fits"):
        write(name)
    source, batch = read(tmp_path)
    assert (source.ids, batch.refused.tolist()) == (["a", "b"], [True, False])
    assert "sci of a is in" in batch.reasons[0] and "leave one of the two" in batch.reasons[0]


def test_objects_called_alike_in_two_folders_are_two(tmp_path, write):
    for folder in ("one", "two"):
        for band in "gr":
            write(f"{folder}/cutout_{band}.fits")
    source, _ = read(tmp_path)
    assert source.ids == ["one/cutout", "two/cutout"]


def test_stacks_of_one_band_are_many_objects(tmp_path, write):
    pixels = [write(f"set/{band}.fits", (6, SIDE, SIDE)) for band in "griz"]
    source, batch = read(tmp_path, "des")
    assert source.ids == [f"set-{number}" for number in range(6)]
    np.testing.assert_array_equal(batch.pixels, np.stack(pixels, axis=-1))


def test_a_cube_whose_name_has_the_word_of_a_band_is_one_object(tmp_path, write):
    write("candidate-g-7.fits", (4, SIDE, SIDE))
    source, batch = read(tmp_path)
    assert (source.ids, batch.flags.tolist()) == (["candidate-g-7"], [0])


def test_bands_of_a_cube_of_the_legacy_surveys(tmp_path, write):
    planes = write("cutout_1.fits", (3, SIDE, SIDE), BANDS="grz", SURVEY="ls-dr9")
    _, batch = read(tmp_path, "legacy_dr10")
    np.testing.assert_array_equal(batch.pixels[0][..., [0, 1, 3]], np.moveaxis(planes, 0, -1))
    assert flags.names(batch.flags[0]) == ("missing_band",) and batch.reasons == ["no image of band i"]


@pytest.mark.parametrize("named", [False, True])
def test_images_and_psfs_in_turn(tmp_path, rng, named):
    images = rng.normal(size=(4, SIDE, SIDE)).astype(np.float32)
    units = [fits.PrimaryHDU()]
    for band, image in zip("griz", images, strict=True):
        units.append(fits.ImageHDU(image, name=f"{band}_image" if named else None))
        units.append(fits.ImageHDU(rng.random((7, 7)).astype(np.float32), name=f"{band}_psf" if named else None))
    fits.HDUList(units).writeto(tmp_path / "hsc_1.fits")
    _, batch = read(tmp_path, "hsc", bands=("g", "r", "i", "z"))
    np.testing.assert_array_equal(batch.pixels[0, ..., :4], np.moveaxis(images, 0, -1))
    assert not batch.refused.any()
    if not named:
        message = "must hold 5 images for g, r, i, z, y, got 4 beside 4 of PSFs: name each that it holds, in order"
        with pytest.raises(InputError, match=message):
            read(tmp_path, "hsc")


def test_psfs_larger_than_images_are_told_by_their_pixels(tmp_path, rng):
    width = np.square(np.indices((15, 15)) - 7.0).sum(axis=0)
    psf = (np.exp(-0.5 * width / 4.0) / np.exp(-0.5 * width / 4.0).sum()).astype(np.float32)
    images = rng.normal(0.0, 2.4e-12, (4, SIDE, SIDE)).astype(np.float32)
    units = [fits.ImageHDU(pixels) for image in images for pixels in (image, psf)]
    fits.HDUList([fits.PrimaryHDU(), *units]).writeto(tmp_path / "a.fits")
    _, batch = read(tmp_path)
    assert batch.reasons == [""]
    np.testing.assert_array_equal(batch.pixels[0], np.moveaxis(images, 0, -1))


@pytest.mark.parametrize("side", [5, 11, 40])
def test_both_ways_to_fit(tmp_path, write, side):
    write("a.fits", (4, side, side))
    _, batch = read(tmp_path, fit="both")
    word = {5: ("padded",), 11: (), 40: ("cropped",)}[side]
    assert flags.names(batch.flags[0]) == word and np.isfinite(batch.pixels[0, SIDE // 2, SIDE // 2]).all()
