"""FITS files that hold all bands of an object."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.io import fits

from lensdetect import flags
from lensdetect.data import open_cutouts
from lensdetect.errors import InputError


def read_all(path, survey, **options):
    source = open_cutouts(path, survey=survey, **options)
    return source.read(np.arange(len(source)))


@pytest.fixture
def planes(rng):
    return rng.normal(size=(4, 11, 11)).astype(np.float32)


def extensions(planes, names, *, keyword="EXTNAME", **options):
    units = [fits.PrimaryHDU()]
    for plane, name in zip(planes, names, strict=False):
        unit = fits.CompImageHDU(plane, **options) if options else fits.ImageHDU(plane)
        if name:
            unit.header[keyword] = name
        units.append(unit)
    return fits.HDUList(units)


def test_cube_is_in_the_order_of_the_survey(planes, tmp_path, bologna):
    fits.PrimaryHDU(planes).writeto(tmp_path / "a.fits")
    batch = read_all(tmp_path / "a.fits", bologna, size=11)
    assert batch.ids == ["a"] and batch.flags.tolist() == [0]
    assert batch.pixels[0].tobytes() == np.moveaxis(planes, 0, -1).tobytes()


def test_declared_bands_say_the_order(planes, tmp_path, bologna):
    fits.PrimaryHDU(planes[:3]).writeto(tmp_path / "a.fits")
    batch = read_all(tmp_path, bologna, bands=("i", "r", "g"), size=11)
    np.testing.assert_array_equal(batch.pixels[0, ..., 3], planes[0])
    np.testing.assert_array_equal(batch.pixels[0, ..., 1], planes[2])
    assert flags.names(batch.flags[0]) == ("missing_band",) and batch.reasons == ["band u not given"]


@pytest.mark.parametrize("keyword", ["EXTNAME", "FILTER", "BAND"])
def test_headers_that_name_bands_outrank_the_order(planes, tmp_path, bologna, keyword):
    extensions(planes, ("r SDSS", "SCI_I", "G", "u"), keyword=keyword).writeto(tmp_path / "a.fits")
    batch = read_all(tmp_path, bologna, size=11)
    np.testing.assert_array_equal(batch.pixels[0], np.moveaxis(planes[[3, 2, 0, 1]], 0, -1))


def test_compressed_extensions(planes, tmp_path, bologna):
    units = extensions(planes, "ugri", compression_type="GZIP_1", quantize_level=0)
    units.writeto(tmp_path / "a.fits.fz")
    batch = read_all(tmp_path, bologna, size=11)
    assert batch.ids == ["a"] and batch.pixels[0].tobytes() == np.moveaxis(planes, 0, -1).tobytes()


def test_file_that_lacks_a_named_band_is_kept(planes, tmp_path, bologna):
    extensions(planes, "ugr").writeto(tmp_path / "a.fits")
    batch = read_all(tmp_path, bologna, size=11)
    assert flags.names(batch.flags[0]) == ("missing_band",) and batch.reasons == ["no image of band i"]


def test_header_against_declaration_is_refused(planes, tmp_path, bologna):
    extensions(planes, "g").writeto(tmp_path / "a.fits")
    with pytest.raises(InputError, match="a.fits: its header names g, but r was declared"):
        open_cutouts(tmp_path / "a.fits", survey=bologna, bands=("r",), size=11)


def test_wrong_number_of_planes_is_refused(planes, tmp_path, bologna):
    for number in (3, 4):
        fits.PrimaryHDU(planes[:number]).writeto(tmp_path / f"{number}.fits")
    batch = read_all(tmp_path, bologna, size=11)
    assert [flags.names(value) for value in batch.flags] == [("unreadable",), ()]
    wanted = "3.fits: must hold 4 images for u, g, r, i, got 3: name each that it holds, in order, with --bands"
    assert wanted in batch.reasons[0]


def test_one_image_of_no_named_band_sends_nobody_in_a_circle(planes, tmp_path, bologna):
    for name in "ab":
        fits.PrimaryHDU(planes[0]).writeto(tmp_path / f"{name}.fits")
    batch = read_all(tmp_path, bologna, size=11)
    wanted = "tells which of u, g, r, i its image is: call it object_r.fits or r/object.fits, or name its band alone"
    assert all(wanted in reason for reason in batch.reasons)


def test_text_named_fits_is_one_flagged_row_among_many(planes, tmp_path, bologna):
    fits.PrimaryHDU(planes).writeto(tmp_path / "good.fits")
    (tmp_path / "bad.fits").write_text("not an image")
    batch = read_all(tmp_path, bologna, size=11)
    assert batch.ids == ["bad", "good"] and batch.refused.tolist() == [True, False]
    assert "bad.fits: not a FITS file: it must begin with SIMPLE" in batch.reasons[0]


def test_text_named_fits_alone_is_an_error(tmp_path, bologna):
    (tmp_path / "bad.fits").write_text("not an image")
    with pytest.raises(InputError, match="bad.fits: not a FITS file: it must begin with SIMPLE"):
        open_cutouts(tmp_path / "bad.fits", survey=bologna)


@pytest.mark.parametrize("size", [10, 11, 14, 15])
@pytest.mark.parametrize("held", [12, 13])
def test_crop_and_pad_keep_the_centre(tmp_path, bologna, held, size):
    image = np.zeros((4, held, held), np.float32) + np.arange(1, 5, dtype=np.float32)[:, None, None]
    image[:, held // 2, held // 2] = 7.0
    fits.PrimaryHDU(image).writeto(tmp_path / "a.fits")
    fit, word = ("crop", "cropped") if size < held else ("pad", "padded")
    batch = read_all(tmp_path, bologna, size=size, fit=fit)
    assert flags.names(batch.flags[0]) == (word,)
    assert batch.reasons == [f"{held} x {held} pixels {word} to {size} x {size}"]
    assert (batch.pixels[0, size // 2, size // 2] == 7.0).all()
    assert np.isfinite(batch.pixels[0]).sum() == 4 * min(size, held) ** 2


def test_padding_is_not_masked_and_not_identical(tmp_path, bologna, planes):
    extensions(planes[:, :5, :5], "ug").writeto(tmp_path / "a.fits")
    batch = read_all(tmp_path, bologna, size=11, fit="pad")
    assert flags.names(batch.flags[0]) == ("missing_band", "padded")


def test_real_single_band_frames(shared_data, kids):
    path = shared_data / "kids_ugri" / "KiDS-test_g.fits"
    batch = read_all(path, kids, bands=("g",))
    np.testing.assert_array_equal(batch.pixels[0, ..., 1], fits.getdata(path))
    assert np.isnan(batch.pixels[0][..., [0, 2, 3]]).all() and batch.reasons == ["bands u, r, i not given"]


def test_real_larger_frames_are_cropped_only_when_asked(shared_data, kids):
    folder = shared_data / "kids_r_unlabelled" / "fits_cutouts"
    refused = read_all(folder, kids, bands=("r",))
    assert len(refused) == 92 and refused.refused.all()
    assert all("151 x 151 pixels, 101 x 101 are needed: cut its centre out" in reason for reason in refused.reasons)
    batch = read_all(folder, kids, bands=("r",), fit="crop")
    assert all(flags.names(value)[-1] == "cropped" for value in batch.flags)
    np.testing.assert_array_equal(batch.pixels[5, ..., 2], fits.getdata(batch.paths[5])[25:126, 25:126])


def test_real_extensions_with_one_wrong_name_for_all_go_by_order(shared_data, kids):
    # the headers of these files say band i in each of g, r and i
    batch = read_all(shared_data / "des_griz" / "krojas_lrg10" / "lens", kids, bands=("g", "r", "i"), fit="pad")
    assert len(batch) == 10 and not batch.refused.any()
    np.testing.assert_array_equal(batch.pixels[0, 25:75, 25:75, 2], fits.getdata(batch.paths[0], 1))
