"""Cutouts hold the right pixels, in the right unit, and say what is wrong with them."""

from __future__ import annotations

import dataclasses
import os

import numpy as np
import pytest
from astropy.io import fits
from astropy.nddata import Cutout2D

from lensdetect.errors import InputError
from lensdetect.flags import names
from lensdetect.images.cutouts import open_tile
from lensdetect.images.index import index_tiles
from lensdetect.images.resampling import overlap, resample, source_size
from lensdetect.survey import SURVEYS

from .tile_files import KIDS, header, sky, write_image, write_tile

SHAPE = (700, 320)


@pytest.fixture
def folder(tmp_path):
    write_tile(tmp_path, SHAPE)
    return tmp_path


def open_first(folder, survey=KIDS, **how):
    return open_tile(index_tiles(folder, survey).tiles[0], survey, **how)


def path_of(folder, band, kind="sci"):
    return folder / KIDS.tile_file(180.0, 0.5, band=band, kind=kind)


def flag_names(cutouts) -> list[set[str]]:
    return [set(names(int(flags))) for flags in cutouts.flags]


def test_pixels_are_those_of_cutout2d(folder, rng):
    x, y = rng.uniform(-20.0, 340.0, 60), rng.uniform(-20.0, 720.0, 60)
    with open_first(folder) as tile:
        cutouts = tile.cut(x, y)
    assert (cutouts.pixels.shape, cutouts.pixels.dtype) == ((60, 101, 101, 4), np.float32)
    images = [fits.getdata(path_of(folder, band)) for band in "ugri"]
    for number, place in enumerate(zip(x, y, strict=True)):
        for band, image in enumerate(images):
            expected = Cutout2D(image, np.floor(np.add(place, 0.5)), 101, mode="partial", fill_value=np.nan).data
            np.testing.assert_array_equal(cutouts.pixels[number, ..., band], expected)


@pytest.mark.parametrize("ending", [".fz", ".gz"])
def test_compressed_tiles_hold_the_same_pixels(tmp_path, ending):
    for kind in ("plain", "packed"):
        (tmp_path / kind).mkdir()
        write_tile(tmp_path / kind, SHAPE, bands="gr", ending=ending if kind == "packed" else "")
    x, y = np.array([10.0, 160.0, 300.0]), np.array([20.0, 640.0, 250.0])
    with open_first(tmp_path / "plain") as plain, open_first(tmp_path / "packed") as packed:
        np.testing.assert_array_equal(packed.cut(x, y).pixels, plain.cut(x, y).pixels)


def test_scaled_integers_and_cubes(tmp_path):
    planes = np.stack([sky((150, 150), band=band) for band in "ugri"])
    fits.PrimaryHDU(planes, header((150, 150))).writeto(tmp_path / "cube.fits")
    with open_first(tmp_path) as tile:
        pixels = tile.cut([75], [75]).pixels[0]
    np.testing.assert_array_equal(np.moveaxis(pixels, -1, 0), planes[:, 25:126, 25:126])
    (tmp_path / "cube.fits").unlink()
    for band in "ugri":
        unit = fits.PrimaryHDU(sky((150, 150), band=band).astype(np.float64), header((150, 150)))
        unit.scale("int16", bscale=1e-14)
        unit.writeto(path_of(tmp_path, band))
    with open_first(tmp_path) as tile:
        np.testing.assert_allclose(tile.cut([75], [75]).pixels[0], pixels, atol=1e-14)


def test_an_edge_is_nan_and_flagged(folder):
    with open_first(folder) as tile:
        cutouts = tile.cut([160.0, 5.0, 2000.0], [350.0, 350.0, 350.0])
    assert flag_names(cutouts) == [set(), {"edge"}, {"edge", "blank"}]
    assert np.isnan(cutouts.pixels[1, :, :45]).all() and np.isfinite(cutouts.pixels[1, :, 45:]).all()
    assert cutouts.reasons == ["", "", "no data in any band: NaN, or one value throughout"]


def test_an_edge_of_whole_numbers_is_nan(tmp_path, rng):
    survey = dataclasses.replace(KIDS, bands=tuple(dataclasses.replace(band, noise_sigma=10.0) for band in KIDS.bands))
    for band in survey.band_names:
        write_image(tmp_path / KIDS.tile_file(180.0, 0.5, band=band), rng.normal(0, 10, (300, 320)).astype(">i2"))
    with open_tile(index_tiles(tmp_path, survey).tiles[0], survey) as tile:
        cutouts = tile.cut([5.0], [150.0])
    assert np.isnan(cutouts.pixels[0, :, :45]).all()
    assert np.isfinite(cutouts.pixels[0, :, 45:]).all()
    assert "edge" in names(int(cutouts.flags[0]))


def test_weights_masks_and_zeros_become_nan(folder):
    weight, mask = np.ones(SHAPE, np.float32), np.zeros(SHAPE, np.uint8)
    weight[300:310] = 0.0
    mask[400:410, 160] = 64
    mask[320:340, 110:210] = 8
    write_image(path_of(folder, "g", "wei"), weight)
    write_image(path_of(folder, "r", "msk"), mask)
    with fits.open(path_of(folder, "u"), mode="update") as units:
        units[0].data[:, 150:152] = 0.0
        units[0].data[330, 170] = np.inf
    with open_first(folder) as tile:
        cutouts = tile.cut([160.0], [350.0])
    gone = np.isnan(cutouts.pixels[0])
    u, g, r, i = np.moveaxis(gone, -1, 0)
    assert u[:, 40:42].all() and u[30, 60] and u.sum() == 2 * 101 + 1
    assert g[:10].all() and g.sum() == 10 * 101
    assert r[100, 50] and r.sum() == 1
    assert not i.any()
    # a tenth of g is gone; the halo of a star in r's mask leaves its pixels but not the trust in them
    assert flag_names(cutouts) == [{"masked", "bad_background"}]


def test_a_missing_band_is_a_plane_of_nan(tmp_path):
    write_tile(tmp_path, bands="gri")
    with open_first(tmp_path) as tile:
        cutouts = tile.cut([160.0], [150.0])
    assert np.isnan(cutouts.pixels[..., 0]).all() and np.isfinite(cutouts.pixels[..., 1:]).all()
    assert flag_names(cutouts) == [{"missing_band"}]
    assert np.isnan(tile.noise_sigma[0])


def test_bands_of_another_size_are_cut_at_the_same_place(tmp_path):
    image = sky((300, 320), band="r")
    write_image(path_of(tmp_path, "r"), image)
    wide = np.full((310, 330), np.nan, np.float32)
    wide[7:307, 3:323] = image * 2.0
    place = header((300, 320))
    place["CRPIX1"] += 3
    place["CRPIX2"] += 7
    fits.PrimaryHDU(wide, place).writeto(path_of(tmp_path, "g"))
    with open_first(tmp_path) as tile:
        pixels = tile.cut([100.0, 270.0], [200.0, 250.0]).pixels
    np.testing.assert_array_equal(pixels[..., 1], 2.0 * pixels[..., 2])


def test_zero_points_bring_flux_to_the_unit_of_the_survey(folder):
    with open_first(folder) as tile:
        before = tile.cut([160.0], [350.0]).pixels
    with fits.open(path_of(folder, "g"), mode="update") as units:
        units[0].header["DMAG_G"] = 0.1
    with open_first(folder) as tile:
        after = tile.cut([160.0], [350.0]).pixels
    np.testing.assert_allclose(after[..., 1], before[..., 1] * 10**-0.04, rtol=1e-5)
    np.testing.assert_array_equal(after[..., [0, 2, 3]], before[..., [0, 2, 3]])


def test_implausible_noise_stops_the_tile_with_both_numbers(folder):
    with fits.open(path_of(folder, "r"), mode="update") as units:
        units[0].data *= 1e10
    with pytest.raises(InputError, match=r"band r .* within a factor 5 of the 2.4e-12 of survey kids, got 0.02"):
        open_first(folder)
    with open_first(folder, noise_factor=1e11) as tile:
        assert tile.noise_sigma[2] == pytest.approx(0.024, rel=0.1)


def test_a_tile_with_a_problem_is_not_opened(folder):
    os.truncate(path_of(folder, "r"), 10_000)
    with pytest.raises(InputError, match="cut short"):
        open_first(folder)


@pytest.mark.parametrize("ending", ["", ".gz"])
def test_files_that_broke_after_the_index_was_made(tmp_path, ending):
    write_tile(tmp_path, SHAPE, ending=ending)
    (tile,) = index_tiles(tmp_path, KIDS).tiles
    path = tmp_path / (path_of(tmp_path, "r").name + ending)
    os.truncate(path, path.stat().st_size // 3)
    with pytest.raises(InputError, match="_r_sci.fits.*: cut short.*fetch it again"):
        open_tile(tile, KIDS)
    path.unlink()
    with pytest.raises(InputError, match="No such file"):
        open_tile(tile, KIDS)


def test_other_pixel_scales_keep_their_flux(tmp_path):
    axis = np.arange(400) - 200
    star = np.exp(-0.5 * (axis[:, None] ** 2 + axis**2) / 6.0**2).astype(np.float32)
    for band in "ugri":
        image = sky((400, 400), band=band) * 0.3 + 1e-9 * star
        write_image(path_of(tmp_path, band), image.astype(np.float32), scale_arcsec=0.1)
    with open_first(tmp_path) as tile:
        coarse = tile.cut([200.0], [200.0], size=61)
    assert coarse.pixels.shape == (1, 61, 61, 4)
    assert coarse.pixels[0].sum(axis=(0, 1)) == pytest.approx(1e-9 * star.sum(), rel=0.02)
    # in new pixels the star stands in the middle one and is half as wide
    assert np.unravel_index(coarse.pixels[0, ..., 1].argmax(), (61, 61)) == (30, 30)
    with open_first(tmp_path, scale_arcsec=0.1) as tile:
        fine = tile.cut([200.0], [200.0], size=121)
    assert coarse.pixels[0, 30, 30, 1] == pytest.approx(fine.pixels[0, 59:62, 59:62, 1].sum() * 4 / 9, rel=0.03)


@pytest.mark.parametrize(("size", "ratio"), [(101, 2.0), (101, 0.62), (64, 1.315), (5, 1.07)])
def test_resampling_shares_pixels_out(size, ratio, rng):
    count = source_size(size, ratio)
    assert (count - size) % 2 == 0 and count >= size * ratio - 1e-6
    weights = overlap(size, ratio)
    np.testing.assert_allclose(weights.sum(axis=1), ratio, rtol=1e-4)
    plane = np.zeros((count, count), np.float32)
    middle = count // 2
    plane[middle, middle] = 1.0
    assert resample(plane, size=size, ratio=ratio).sum() == pytest.approx(1.0, rel=1e-4)
    flat = np.ones((3, count, count), np.float32)
    flat[1, :, : count // 2] = np.nan
    result = resample(flat, size=size, ratio=ratio)
    np.testing.assert_allclose(result[np.isfinite(result)], ratio**2, rtol=1e-3)
    assert np.isfinite(result[[0, 2]]).all()
    assert 0.4 < np.mean(np.isfinite(result[1])) < 0.75


def test_order_of_positions_does_not_matter(folder, rng):
    x, y = rng.uniform(0.0, 320.0, 40), rng.uniform(0.0, 700.0, 40)
    order = rng.permutation(40)
    with open_first(folder) as tile:
        straight, mixed, none = tile.cut(x, y), tile.cut(x[order], y[order]), tile.cut([], [])
    np.testing.assert_array_equal(mixed.pixels, straight.pixels[order])
    np.testing.assert_array_equal(mixed.flags, straight.flags[order])
    assert (len(none), none.pixels.shape) == (0, (0, 101, 101, 4))


def test_real_kids_cutouts(shared_data):
    index = index_tiles(shared_data / "kids_ugri", KIDS)
    with open_tile(index["KIDS_SLID_10058881_SID_8668"], KIDS) as tile:
        cutouts = tile.cut([50.0], [50.0])
    assert "masked" in flag_names(cutouts)[0]
    gone = np.isnan(cutouts.pixels[0]).mean(axis=(0, 1))
    assert 0.05 < gone[0] < 0.2 and (gone[1:] < 0.01).all()


def test_real_cfhtls_field(shared_data):
    survey = SURVEYS["cfhtls"]
    (tile,) = index_tiles(shared_data / "cfhtls_gri_field", survey).tiles
    with open_tile(tile, survey) as opened, open_tile(tile, survey, scale_arcsec=0.2) as resampled:
        noise = opened.noise_sigma[1:4] / [band.noise_sigma for band in survey.bands[1:4]]
        coarse = resampled.cut([220.0], [220.0]).pixels
        fine = opened.cut([220.0], [220.0], size=109).pixels
    assert ((0.7 < noise) & (noise < 1.3)).all()
    # 101 pixels of 0.2 arcsec are 108.6 of 0.186
    ratio = coarse[0, 5:-5, 5:-5, 2].sum() / fine[0, 5:-5, 5:-5, 2].sum()
    assert ratio == pytest.approx(1.0, abs=0.1)
