"""Tiles that are not what they seem: nothing of them is lost or mistaken without a word."""

from __future__ import annotations

import dataclasses
import gzip

import numpy as np
import pytest
from astropy.io import fits

from lensdetect.errors import InputError
from lensdetect.flags import names
from lensdetect.images.cutouts import open_tile
from lensdetect.images.index import index_tiles
from lensdetect.survey import SURVEYS

KIDS, CFHTLS, LSST = SURVEYS["kids"], SURVEYS["cfhtls"], SURVEYS["lsst"]
SIDE = 120


def header(scale_arcsec=0.2, *, ra_deg=180.0, crpix=60.5, **cards) -> fits.Header:
    step = scale_arcsec / 3600.0
    place = {"CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRVAL1": ra_deg, "CRVAL2": 0.0, "CRPIX1": crpix}
    return fits.Header(place | {"CRPIX2": 60.5, "CD1_1": -step, "CD2_2": step} | cards)


def sky(survey, band, seed=0) -> np.ndarray:
    (row,) = survey.select([band])
    rng = np.random.default_rng([seed, *band.encode()])
    return (row.noise_sigma * rng.standard_normal((SIDE, SIDE))).astype(np.float32)


def write_band(folder, name, band="r", survey=KIDS, *, pixels=None, **where) -> None:
    pixels = sky(survey, band) if pixels is None else pixels
    fits.PrimaryHDU(pixels, header(survey.pixel_scale_arcsec, **where)).writeto(folder / name)


def write_tile(folder, survey=KIDS, ra_deg=180.0) -> None:
    for band in survey.band_names:
        write_band(folder, survey.tile_file(ra_deg, 0.0, band=band), band, survey, ra_deg=ra_deg)


def test_all_images_of_a_zipped_file_are_found(tmp_path):
    units = [fits.ImageHDU(sky(KIDS, band), header(), name=f"SCI_{band.upper()}") for band in "ugri"]
    fits.HDUList([fits.PrimaryHDU(), *units]).writeto(tmp_path / "plain.fits")
    (tmp_path / "zipped.fits.gz").write_bytes(gzip.compress((tmp_path / "plain.fits").read_bytes(), 1))
    first = fits.HDUList([fits.PrimaryHDU(sky(KIDS, "u"), header(BAND="u")), *units[1:]])
    first.writeto(tmp_path / "first.fits.gz")
    tiles = {tile.name: tile for tile in index_tiles(tmp_path, KIDS).tiles}
    assert {name: tile.missing_bands for name, tile in tiles.items()} == {"plain": (), "zipped": (), "first": ()}
    with open_tile(tiles["plain"], KIDS) as plain, open_tile(tiles["zipped"], KIDS) as zipped:
        np.testing.assert_array_equal(plain.cut([60], [60], size=41).pixels, zipped.cut([60], [60], size=41).pixels)


def test_keywords_of_a_compression_that_was_undone_say_nothing(tmp_path):
    stale = {"ZIMAGE": True, "ZBITPIX": -32, "ZNAXIS": 2, "ZNAXIS1": 10000, "ZNAXIS2": 10000}
    write_band(tmp_path, "field_r_sci.fits", **stale)
    (tile,) = index_tiles(tmp_path, KIDS).tiles
    assert (tile.shape, tile.problem) == ((SIDE, SIDE), "")


def test_a_real_unpacked_image_has_its_own_size(shared_data):
    from lensdetect.images.headers import read_headers

    (path, *_) = sorted((shared_data / "des_griz" / "krojas_lrg10" / "lens").glob("*.fits"))
    assert {plane.shape for plane in read_headers(path).planes} == {(50, 50)}


def test_two_images_that_claim_one_band_are_a_problem_with_both_names(tmp_path):
    write_tile(tmp_path)
    (tmp_path / "again").mkdir()
    write_band(tmp_path / "again", KIDS.tile_file(180.0, 0.0, band="r"))
    (tile,) = index_tiles(tmp_path, KIDS).tiles
    assert tile.problem.startswith("r sci of it is in ") and tile.problem.endswith("leave one of the two")
    assert tile.problem.count("KiDS_DR4.0_180.0_0.0_r_sci.fits") == 2


def test_tiles_of_one_piece_of_sky_in_different_bands_are_one(tmp_path):
    for number, band in enumerate("ugri"):
        write_band(tmp_path, f"field.{number}{number}.{band}.code{number}7.fits", band)
    write_band(tmp_path, "other.r.fits", ra_deg=181.0)
    other, tile = sorted(index_tiles(tmp_path, KIDS).tiles, key=lambda tile: len(tile.images))
    assert (other.name, other.missing_bands) == ("other", ("u", "g", "i"))
    assert (tile.name, tile.missing_bands, tile.problem) == ("field", (), "")


def test_such_tiles_on_different_grids_are_a_problem_that_names_the_file(tmp_path):
    write_band(tmp_path, "a1.g.fits", "g")
    write_band(tmp_path, "b2.r.fits", "r", crpix=60.0)
    (tile,) = index_tiles(tmp_path, KIDS).tiles
    assert "must be on one grid of pixels" in tile.problem and ".fits" in tile.problem


def test_an_extension_of_no_known_kind_is_never_science(tmp_path):
    for band in "ugri":
        units = [fits.ImageHDU(sky(KIDS, band), header(), name=name) for name in ("IMAGE", "NONESUCH", "MODEL")]
        fits.HDUList([fits.PrimaryHDU(), *units]).writeto(tmp_path / f"field_{band}.fits")
    index = index_tiles(tmp_path, KIDS)
    (tile,) = index.tiles
    assert {image.unit for image in tile.images.values()} == {1}
    assert {reason for _, reason in index.aside} == {
        "extension NONESUCH: no known kind of image",
        "model: no image of the sky",
    }


def test_name_and_header_that_disagree_are_told(tmp_path):
    write_tile(tmp_path)
    write_band(tmp_path, "odd_g.fits", "g", FILTER="r_SDSS")
    ((path, reason),) = index_tiles(tmp_path, KIDS).unused
    assert path.endswith("odd_g.fits")
    assert reason == "its name says band g and its header says band r: correct one of them"


def test_nothing_usable_says_why_of_the_first_few(tmp_path):
    for number in range(7):
        write_band(tmp_path, f"product_{number}.fits")
    with pytest.raises(InputError, match=r"got none in .*: product_0.fits: nothing tells the bands .*; and 2 more$"):
        index_tiles(tmp_path, KIDS)


def test_masks_of_unknown_bits_are_told_and_left_aside(tmp_path):
    write_tile(tmp_path, LSST)
    mask = np.full((SIDE, SIDE), 4, np.int32)
    fits.PrimaryHDU(mask, header()).writeto(tmp_path / LSST.tile_file(180.0, 0.0, band="r", kind="msk"))
    index = index_tiles(tmp_path, LSST)
    assert [path.rsplit("/", 1)[-1] for path in index.unknown_masks] == ["lsst_180.0_0.0_r_msk.fits"]
    with open_tile(index.tiles[0], LSST) as tile:
        assert np.isfinite(tile.cut([60], [60], size=41).pixels).all()


def test_single_unknown_bits_stand_in_the_reason(tmp_path):
    write_tile(tmp_path)
    mask = np.zeros((SIDE, SIDE), np.int32)
    mask[60, 60], mask[50, 50] = 1 << 20, 64
    fits.PrimaryHDU(mask, header()).writeto(tmp_path / KIDS.tile_file(180.0, 0.0, band="r", kind="msk"))
    (tile,) = index_tiles(tmp_path, KIDS).tiles
    with open_tile(tile, KIDS) as opened:
        cutouts = opened.cut([60], [60], size=41)
    assert np.isnan(cutouts.pixels).sum() == 1
    assert cutouts.reasons == ["bits 20 of its mask are of unknown meaning and were left aside"]


@pytest.mark.parametrize(("kind", "none", "fine"), [("var", np.inf, 1.0), ("rms", 0.0, 1.0), ("weight", 0.0, 2.0)])
def test_variance_rms_and_weight_say_where_there_is_no_pixel(tmp_path, kind, none, fine):
    write_tile(tmp_path)
    plane = np.full((SIDE, SIDE), fine, np.float32)
    plane[60, 58:62] = none
    write_band(tmp_path, f"KiDS_DR4.0_180.0_0.0_r_{kind}.fits", pixels=plane)
    (tile,) = index_tiles(tmp_path, KIDS).tiles
    with open_tile(tile, KIDS) as opened:
        assert np.isnan(opened.cut([60], [60], size=41).pixels).sum(axis=(0, 1, 2)).tolist() == [0, 0, 4, 0]


def test_a_weight_of_all_zeros_blanks_its_band(tmp_path):
    write_tile(tmp_path)
    write_band(tmp_path, "KiDS_DR4.0_180.0_0.0_r_wei.fits", pixels=np.zeros((SIDE, SIDE), np.float32))
    (tile,) = index_tiles(tmp_path, KIDS).tiles
    with open_tile(tile, KIDS) as opened:
        cutouts = opened.cut([60], [60], size=41)
    assert np.isnan(cutouts.pixels[..., 2]).all()
    assert "masked" in names(int(cutouts.flags[0]))


def test_a_sky_that_was_left_in_is_told_with_its_size(tmp_path):
    for band in "ugri":
        pedestal = np.float32(40.0 * KIDS.select([band])[0].noise_sigma)
        write_band(tmp_path, KIDS.tile_file(180.0, 0.0, band=band), band, pixels=sky(KIDS, band) + pedestal)
    (tile,) = index_tiles(tmp_path, KIDS).tiles
    with pytest.raises(InputError, match=r"sky of band u of tile .* must be near 0, got .*times its rms: subtract"):
        open_tile(tile, KIDS)


def test_a_unit_in_the_header_is_a_zero_point(tmp_path):
    write_band(tmp_path, "a_r.fits", survey=LSST, BUNIT="uJy")
    write_band(tmp_path, "a_i.fits", "i", LSST, BUNIT="nJy")
    write_band(tmp_path, "a_g.fits", "g", LSST, BUNIT="furlongs")
    (tile,) = index_tiles(tmp_path, LSST).tiles
    assert tile.zero_point_offset_mag == pytest.approx({"r": -7.5})


def test_a_pattern_of_a_user_s_own_survey(tmp_path):
    from lensdetect.survey import FilePattern, SurveyFiles

    files = SurveyFiles(patterns=(FilePattern("obs{*}-{tile}-{band}", zero_point_mag=1.0),), band_words=(("red", "r"),))
    mine = dataclasses.replace(KIDS, files=files)
    write_band(tmp_path, "obs17-north-red.fits")
    (tile,) = index_tiles(tmp_path, mine).tiles
    assert (tile.name, tile.zero_point_offset_mag) == ("north", {"r": 1.0})
