"""Tiles are found by their names and known by their headers."""

from __future__ import annotations

import dataclasses
import json
import os
import pickle

import numpy as np
import pytest
from astropy.io import fits

from lensdetect.errors import InputError
from lensdetect.images.index import index_tiles
from lensdetect.survey import SURVEYS

from .tile_files import KIDS, header, sky, write_image, write_tile


def test_files_of_a_tile_go_together(tmp_path):
    write_tile(tmp_path)
    write_image(tmp_path / KIDS.tile_file(180.0, 0.5, band="r", kind="wei"), np.ones((300, 320), np.float32))
    write_image(tmp_path / KIDS.tile_file(180.0, 0.5, band="r", kind="msk"), np.zeros((300, 320), np.uint8))
    (tile,) = index_tiles(tmp_path, KIDS).tiles
    assert tile.name == "KiDS_DR4.0_180.0_0.5"
    assert set(tile.images) == {*((band, "sci") for band in "ugri"), ("r", "wei"), ("r", "msk")}
    assert (tile.shape, tile.problem, tile.missing_bands) == ((300, 320), "", ())
    assert tile.pixel_scale_arcsec == pytest.approx(0.2)
    assert np.ptp([dec for _, dec in tile.corners_deg]) * 3600 == pytest.approx(300 * 0.2, rel=1e-6)
    assert pickle.loads(pickle.dumps(tile)) == tile


def test_positions_go_to_pixels_and_back(tmp_path):
    write_tile(tmp_path)
    (tile,) = index_tiles(tmp_path, KIDS).tiles
    x, y = np.array([0.0, 12.5, 319.0]), np.array([0.0, 200.0, 299.0])
    assert np.allclose(tile.pixels(*tile.sky(x, y)), [x, y], atol=1e-6)
    assert np.isnan(tile.pixels(np.array([np.nan]), np.array([0.5]))).all()


@pytest.mark.parametrize("ending", [".fz", ".gz"])
def test_compressed_images_are_found(tmp_path, ending):
    write_tile(tmp_path, ending=ending)
    (tile,) = index_tiles(tmp_path, KIDS).tiles
    assert (tile.shape, tile.problem, len(tile.images)) == ((300, 320), "", 4)


def test_one_file_with_all_bands(tmp_path):
    planes = np.stack([sky((120, 130), band=band) for band in "ugri"])
    fits.PrimaryHDU(planes, header((120, 130))).writeto(tmp_path / "field.fits")
    units = [fits.ImageHDU(sky((120, 130), band=band), header((120, 130)), name=f"{band}_SCI") for band in "gri"]
    fits.HDUList([fits.PrimaryHDU(), *units]).writeto(tmp_path / "other.fits")
    field, other = index_tiles(tmp_path, KIDS).tiles
    assert [field.images[band, "sci"].plane for band in "ugri"] == [0, 1, 2, 3]
    assert [other.images[band, "sci"].unit for band in "gri"] == [1, 2, 3]
    assert other.missing_bands == ("u",)


def test_bands_of_different_size_on_one_grid_share_a_frame(tmp_path):
    write_tile(tmp_path, bands="gri")
    larger = sky((310, 324), band="u")
    place = header((300, 320))
    place["CRPIX1"] += 3
    place["CRPIX2"] += 7
    fits.PrimaryHDU(larger, place).writeto(tmp_path / KIDS.tile_file(180.0, 0.5, band="u"))
    (tile,) = index_tiles(tmp_path, KIDS).tiles
    assert tile.problem == ""
    assert (tile.images["u", "sci"].x_offset_pix, tile.images["u", "sci"].y_offset_pix) == (-3, -7)


def test_a_missing_band_is_no_problem(tmp_path):
    write_tile(tmp_path, bands="gri")
    (tile,) = index_tiles(tmp_path, KIDS).tiles
    assert (tile.problem, tile.missing_bands) == ("", ("u",))


def break_truncated(folder):
    path = folder / KIDS.tile_file(180.0, 0.5, band="g")
    os.truncate(path, path.stat().st_size // 2)


def break_wcs(folder):
    with fits.open(folder / KIDS.tile_file(180.0, 0.5, band="r"), mode="update") as units:
        units[0].header["CD1_1"] = units[0].header["CD2_2"] = 40.0


def break_no_wcs(folder):
    fits.PrimaryHDU(sky((300, 320), band="r")).writeto(folder / KIDS.tile_file(180.0, 0.5, band="r"), overwrite=True)


def break_grid(folder):
    path = folder / KIDS.tile_file(180.0, 0.5, band="i")
    path.unlink()
    write_image(path, sky((300, 320), band="i"), shift=(0.5, 0.0))


def break_shape(folder):
    path = folder / KIDS.tile_file(180.0, 0.5, band="i")
    fits.PrimaryHDU(sky((300, 310), band="i")).writeto(path, overwrite=True)


def break_text(folder):
    (folder / KIDS.tile_file(180.0, 0.5, band="u")).write_text("not an image")


@pytest.mark.parametrize(
    ("break_it", "reason"),
    [
        (break_truncated, r"_g_sci.fits: cut short: its headers ask for \d+ bytes, got \d+"),
        (break_wcs, "must be about 0.2 arcsec wide, its world coordinates say 1.44e"),
        (break_no_wcs, "world coordinates must be in its header, got none"),
        (break_grid, r"must be on one grid of pixels, got shifts of its corners by \(-?0.50, 0.00\)"),
        (break_shape, r"must be of one size, got \(300, 310\) beside \(300, 320\)"),
        (break_text, "_u_sci.fits: cut short, damaged or not FITS"),
    ],
)
def test_what_is_wrong_with_a_tile_is_its_problem(tmp_path, break_it, reason):
    write_tile(tmp_path)
    write_tile(tmp_path, ra_deg=181.0)
    break_it(tmp_path)
    index = index_tiles(tmp_path, KIDS)
    assert len(index.tiles) == 2
    assert [tile.name for tile in index.usable] == ["KiDS_DR4.0_181.0_0.5"]
    with pytest.raises(AssertionError, match=reason):
        raise AssertionError(index["KiDS_DR4.0_180.0_0.5"].problem)


def test_zero_points_come_from_images_and_catalogues(tmp_path):
    write_tile(tmp_path)
    with fits.open(tmp_path / KIDS.tile_file(180.0, 0.5, band="g"), mode="update") as units:
        units[0].header["MAGZP"] = 0.1
    table = fits.BinTableHDU.from_columns([fits.Column("ID", "J", array=[1])])
    table.header["DMAG_U"], table.header["DMAG_G"] = 0.05, -0.02
    fits.HDUList([fits.PrimaryHDU(), table]).writeto(tmp_path / "KiDS_DR4.0_180.0_0.5_ugriZYJHKs_cat.fits")
    index = index_tiles(tmp_path, KIDS)
    (tile,) = index.tiles
    assert tile.zero_point_offset_mag == pytest.approx({"u": 0.05, "g": 0.08})
    assert index.unused == []


def test_a_cache_is_used_until_a_file_changes(tmp_path, monkeypatch):
    from lensdetect.images.index_cache import HeaderCache

    # What has just been written may change again within a step of the file system's clock, and is not kept.
    monkeypatch.setattr("lensdetect.images.index_cache.has_settled", lambda stat: True)
    write_tile(tmp_path)
    opened = []
    read = HeaderCache._read
    monkeypatch.setattr(HeaderCache, "_read", lambda cache, path: opened.append(path.name) or read(cache, path))
    cache = tmp_path / "work" / "index.json"
    first = index_tiles(tmp_path, KIDS, cache=cache)
    assert len(opened) == 4
    assert index_tiles(tmp_path, KIDS, cache=cache) == first
    assert len(opened) == 4
    changed = tmp_path / KIDS.tile_file(180.0, 0.5, band="u")
    os.utime(changed, ns=(1, 1))
    index_tiles(tmp_path, KIDS, cache=cache)
    assert opened[4:] == [changed.name]
    cache.write_text("{")
    assert index_tiles(tmp_path, KIDS, cache=cache) == first
    assert len(json.loads(cache.read_text())["files"]) == 4


def test_a_cache_that_cannot_be_written_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("lensdetect.images.index_cache.has_settled", lambda stat: True)
    write_tile(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="index of tiles must be writable to .*choose another place"):
        index_tiles(tmp_path, KIDS, cache=tmp_path / "file" / "index.json")


def test_names_of_other_patterns(tmp_path):
    survey = dataclasses.replace(KIDS, tile_pattern="{kind}{band}-{ra:.2f}{dec:.2f}.fits")
    for band in "gr":
        write_image(tmp_path / f"sci{band}-180.00+0.50.fits", sky((120, 120), band=band))
    (tile,) = index_tiles(tmp_path, survey).tiles
    assert (tile.name, tile.missing_bands) == ("180.00+0.50", ("u", "i"))


def test_nothing_to_search(tmp_path):
    (tmp_path / "notes.txt").write_text("")
    with pytest.raises(InputError, match="tiles must be FITS images, got none"):
        index_tiles(tmp_path, KIDS)
    write_tile(tmp_path)
    with pytest.raises(InputError, match=r"unknown tile 'KiDS_DR4.0_180.0_0.6': did you mean KiDS_DR4.0_180.0_0.5"):
        index_tiles(tmp_path, KIDS)["KiDS_DR4.0_180.0_0.6"]


def test_a_file_whose_bands_nothing_tells_is_listed(tmp_path):
    write_tile(tmp_path)
    write_image(tmp_path / "picture.fits", np.zeros((10, 10), np.float32))
    index = index_tiles(tmp_path, KIDS)
    ((path, reason),) = index.unused
    assert path.endswith("picture.fits")
    assert reason == "nothing tells the bands of its 1 images among u, g, r, i"
    assert len(index.tiles) == 1


def test_real_fields_are_found(shared_data):
    (field,) = index_tiles(shared_data / "cfhtls_gri_field", SURVEYS["cfhtls"]).tiles
    assert (field.shape, field.problem, field.missing_bands) == ((440, 440), "", ("u", "z"))
    assert field.pixel_scale_arcsec == pytest.approx(0.186, abs=1e-4)
    index = index_tiles(shared_data / "kids_ugri", KIDS)
    assert [tile.shape for tile in index.usable] == [(75, 75), (101, 101), (101, 101)]
    assert ("u", "wei") in index["KIDS_SLID_10058881_SID_8668"].images
