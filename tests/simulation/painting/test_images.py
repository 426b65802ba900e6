"""Which file holds which band of which object."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.io import fits

from lensdetect.errors import InputError
from lensdetect.simulation.painting.images import PlaneAt, find_images, read_pixels
from lensdetect.survey import get_survey

DES = get_survey("des")


def write(path, *, shape=(20, 20), **header) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    fits.writeto(path, np.zeros(shape, np.float32), fits.Header(header))


@pytest.mark.parametrize(
    ("files", "name"),
    [
        (["a_g_sci.fits", "a_z_sci.fits"], "a"),
        (["DES0200-2000_G.fits", "DES0200-2000_Z.fits"], "DES0200-2000"),
        (["DES_180.0_-0.5_g_sci.fits.gz", "DES_180.0_-0.5_z_sci.fits.gz"], "DES_180.0_-0.5"),
        (["image-g-17.fits", "image-z-17.fits"], "17"),
        (["g/obj5.fits", "z/obj5.fits"], "obj5"),
        (["folder/g.fits", "folder/z.fits"], "folder"),
    ],
)
def test_bands_are_read_from_names(tmp_path, files, name):
    for file in files:
        write(tmp_path / file)
    sets, refused = find_images(tmp_path, DES)
    assert (list(sets), refused) == ([name], [])
    assert [place and place.path for place in sets[name].planes] == [
        str(tmp_path / files[0]), None, None, str(tmp_path / files[1])
    ]  # fmt: skip


def test_weights_masks_and_psfs_are_passed_over(tmp_path):
    for kind in ("sci", "wei", "msk", "psf", "var"):
        write(tmp_path / f"a_r_{kind}.fits")
    sets, _ = find_images(tmp_path, DES)
    assert [place.path for place in sets["a"].planes if place] == [str(tmp_path / "a_r_sci.fits")]
    sets, _ = find_images(tmp_path, DES, psf=True)
    assert [place.path for place in sets["a"].planes if place] == [str(tmp_path / "a_r_psf.fits")]


def test_weights_and_masks_say_which_pixels_are_none(tmp_path):
    write(tmp_path / "a_r_sci.fits", shape=(4, 6))
    weight, mask = np.ones((4, 6), np.float32), np.zeros((4, 6), np.int16)
    weight[0, 0], mask[1, 1], mask[2, 2] = 0.0, 2, 4  # saturated, and interpolated
    fits.writeto(tmp_path / "a_r_wei.fits", weight)
    fits.writeto(tmp_path / "a_r_msk.fits", mask)
    sets, _ = find_images(tmp_path, DES)
    part = read_pixels(sets["a"].planes[1], slice(0, 4), slice(0, 6))
    assert np.argwhere(np.isnan(part)).tolist() == [[0, 0], [1, 1]]


def test_header_tells_the_band_where_no_name_does(tmp_path):
    write(tmp_path / "obj1.fits", FILTER="r DECam SDSS c0002 6415.0 1480.0")
    sets, _ = find_images(tmp_path, DES)
    assert [place is not None for place in sets["obj1"].planes] == [False, True, False, False]


def test_a_cube_has_the_bands_of_the_survey(tmp_path):
    write(tmp_path / "obj1.fits", shape=(4, 20, 20))
    sets, _ = find_images(tmp_path, DES)
    assert [place.plane for place in sets["obj1"].planes] == [0, 1, 2, 3]
    sets, _ = find_images(tmp_path, DES, plane_bands=("z", "i", "r", "g"))
    assert [place.plane for place in sets["obj1"].planes] == [3, 2, 1, 0]


def test_a_cube_of_one_band_is_a_stack_of_objects(tmp_path):
    for band in "griz":
        write(tmp_path / f"stack_{band}.fits", shape=(7, 20, 20))
    sets, _ = find_images(tmp_path, DES)
    assert sets["stack"].count == 7
    assert sets["stack"].member(3)[1] == PlaneAt(str(tmp_path / "stack_r.fits"), 0, 3)


def test_extensions_are_bands_by_their_headers_or_as_told(tmp_path):
    units = [fits.ImageHDU(np.zeros((9, 9), np.float32), name=name) for name in ("i", "g")]
    fits.HDUList([fits.PrimaryHDU(), *units]).writeto(tmp_path / "named.fits")
    for unit in units:
        unit.header["BAND"] = "i"  # as copied from one to the other
        del unit.header["EXTNAME"]
    fits.HDUList([fits.PrimaryHDU(), *units]).writeto(tmp_path / "copied.fits")
    sets, refused = find_images(tmp_path, DES)
    assert [place and place.unit for place in sets["named"].planes] == [2, None, 1, None]
    assert len(refused) == 1
    assert "nothing tells the bands of its 2 images among g, r, i, z: name them in order" in refused[0][1]
    sets, refused = find_images(tmp_path / "copied.fits", DES, plane_bands=("g", "r"))
    assert [place and place.unit for place in sets["copied"].planes] == [1, 2, None, None]


def test_two_files_of_one_band_are_not_mixed(tmp_path):
    write(tmp_path / "one" / "a_g.fits")
    write(tmp_path / "two" / "a_g.fits")
    sets, refused = find_images(tmp_path, DES)
    assert len(sets) == 1
    assert refused[0][0].endswith("two/a_g.fits") and "band g of a is in" in refused[0][1]


def test_a_file_that_is_none_is_listed(tmp_path):
    (tmp_path / "a_g.fits").write_text("no image")
    write(tmp_path / "b_g.fits")
    sets, refused = find_images(tmp_path, DES)
    assert list(sets) == ["b"] and "cut short, damaged or not FITS" in refused[0][1]


def test_no_files_at_all(tmp_path):
    with pytest.raises(InputError, match=r"images must be FITS files, got none in .*: give a file, a folder or a"):
        find_images(tmp_path / "nowhere", DES)


@pytest.mark.parametrize("name", ["a.fits", "a.fits.gz", "a.fits.fz"])
def test_parts_of_plain_and_compressed_images(tmp_path, name, rng):
    image = rng.standard_normal((40, 30)).astype(np.float32)
    if name.endswith("fz"):
        fits.HDUList(
            [fits.PrimaryHDU(), fits.CompImageHDU(image, compression_type="GZIP_2", quantize_level=0)]
        ).writeto(tmp_path / name)
    else:
        fits.writeto(tmp_path / name, image)
    part = read_pixels(PlaneAt(str(tmp_path / name), int(name.endswith("fz"))), slice(5, 9), slice(20, 30))
    np.testing.assert_array_equal(part, image[5:9, 20:30])
