"""Which file holds which band of which object, where images are cutouts."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.io import fits

from lensdetect.errors import InputError
from lensdetect.images.cutouts import open_tile
from lensdetect.images.index import TileIndex, index_tiles
from lensdetect.images.pixels import Image, Rows
from lensdetect.survey import get_survey

DES = get_survey("des")


def write(path, *, shape=(20, 20), **header) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    fits.writeto(path, np.zeros(shape, np.float32), fits.Header(header))


def find(path, **options) -> TileIndex:
    return index_tiles(path, DES, cutouts=True, **options)


def paths(index: TileIndex, name: str) -> list[str | None]:
    """File of each band."""
    images = index[name].images
    return [images[band, "sci"].path if (band, "sci") in images else None for band in DES.band_names]


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
    index = find(tmp_path)
    assert ([tile.name for tile in index.tiles], index.unused) == ([name], [])
    assert paths(index, name) == [str(tmp_path / files[0]), None, None, str(tmp_path / files[1])]
    tile = index[name]
    assert (tile.problem, tile.corners_deg, tile.pixel_scale_arcsec) == ("", (), DES.pixel_scale_arcsec)


def test_psfs_are_passed_over_unless_they_are_wanted(tmp_path):
    for kind in ("sci", "wei", "msk", "psf", "var"):
        write(tmp_path / f"a_r_{kind}.fits")
    index = find(tmp_path)
    assert paths(index, "a")[1] == str(tmp_path / "a_r_sci.fits")
    assert {kind for _, kind in index["a"].images} == {"sci", "wei", "msk", "var"}
    assert paths(find(tmp_path, of_psf=True), "a")[1] == str(tmp_path / "a_r_psf.fits")


def test_psfs_of_bands_may_be_of_different_size(tmp_path):
    for band, side in (("g", 23), ("r", 25)):
        write(tmp_path / f"psf_{band}.fits", shape=(side, side))
    (tile,) = find(tmp_path, of_psf=True).tiles
    assert tile.problem == "" and {image.shape for image in tile.images.values()} == {(23, 23), (25, 25)}


def test_in_a_folder_of_psfs_they_may_be_called_anything(tmp_path):
    write(tmp_path / "psf" / "a_r.fits")
    assert paths(find(tmp_path / "psf", of_psf=True), "a")[1] == str(tmp_path / "psf" / "a_r.fits")


def test_weights_and_masks_say_which_pixels_are_none(tmp_path, rng):
    image = rng.normal(0.0, DES.bands[1].noise_sigma, (15, 15)).astype(np.float32)
    weight, mask = np.ones(image.shape, np.float32), np.zeros(image.shape, np.int16)
    weight[0, 0], mask[1, 1], mask[2, 2] = 0.0, 2, 4  # saturated, and interpolated
    for kind, pixels in (("sci", image), ("wei", weight), ("msk", mask)):
        fits.writeto(tmp_path / f"a_r_{kind}.fits", pixels)
    with open_tile(find(tmp_path)["a"], DES) as opened:
        part = opened.cut(np.array([7.0]), np.array([7.0]), size=15).pixels[0, ..., 1]
    assert np.argwhere(np.isnan(part)).tolist() == [[0, 0], [1, 1]]


def test_header_tells_the_band_where_no_name_does(tmp_path):
    write(tmp_path / "obj1.fits", FILTER="r DECam SDSS c0002 6415.0 1480.0")
    assert [path is not None for path in paths(find(tmp_path), "obj1")] == [False, True, False, False]


def test_a_cube_has_the_bands_of_the_survey(tmp_path):
    write(tmp_path / "obj1.fits", shape=(4, 20, 20))
    for bands in (None, ("z", "i", "r", "g")):
        images = find(tmp_path, plane_bands=bands)["obj1"].images
        assert [images[band, "sci"].plane for band in bands or DES.band_names] == [0, 1, 2, 3]


def test_a_cube_of_one_band_is_a_stack_of_objects(tmp_path):
    for band in "griz":
        write(tmp_path / f"stack_{band}.fits", shape=(7, 20, 20))
    index = find(tmp_path)
    assert index.stacks == {"stack": 7} and len(index) == 7
    assert index["stack-3"].images["r", "sci"] == Image(str(tmp_path / "stack_r.fits"), 0, 3, (20, 20))


def test_extensions_are_bands_by_their_headers_or_as_told(tmp_path):
    units = [fits.ImageHDU(np.zeros((9, 9), np.float32), name=name) for name in ("i", "g")]
    fits.HDUList([fits.PrimaryHDU(), *units]).writeto(tmp_path / "named.fits")
    for unit in units:
        unit.header["BAND"] = "i"  # as copied from one to the other
        del unit.header["EXTNAME"]
    fits.HDUList([fits.PrimaryHDU(), *units]).writeto(tmp_path / "copied.fits")
    index = find(tmp_path)
    assert {band: image.unit for (band, _), image in index["named"].images.items()} == {"i": 1, "g": 2}
    ((path, reason),) = index.unused
    assert path.endswith("copied.fits")
    assert "nothing tells the bands of its 2 images among g, r, i, z: name them in order with plane_bands" in reason
    images = find(tmp_path / "copied.fits", plane_bands=("g", "r"))["copied"].images
    assert {band: image.unit for (band, _), image in images.items()} == {"g": 1, "r": 2}


def test_two_files_of_one_band_are_not_mixed(tmp_path):
    write(tmp_path / "one" / "a_g.fits")
    write(tmp_path / "two" / "a_g.fits")
    (tile,) = find(tmp_path).tiles
    assert tile.problem.endswith("two/a_g.fits: leave one of the two")


def test_a_file_that_is_none_is_a_problem_of_its_object_alone(tmp_path):
    (tmp_path / "a_g.fits").write_text("no image")
    write(tmp_path / "b_g.fits")
    index = find(tmp_path)
    assert [tile.name for tile in index.usable] == ["b"]
    assert "cut short, damaged or not FITS" in index["a"].problem


def test_no_files_at_all(tmp_path):
    with pytest.raises(InputError, match=r"tiles must be FITS images, got none in .*: give a folder, a file or a"):
        find(tmp_path / "nowhere")


@pytest.mark.parametrize("name", ["a.fits", "a.fits.gz", "a.fits.fz"])
def test_rows_of_plain_and_compressed_images(tmp_path, name, rng):
    image = rng.standard_normal((40, 30)).astype(np.float32)
    if name.endswith("fz"):
        fits.HDUList(
            [fits.PrimaryHDU(), fits.CompImageHDU(image, compression_type="GZIP_2", quantize_level=0)]
        ).writeto(tmp_path / name)
    else:
        fits.writeto(tmp_path / name, image)
    rows = Rows(Image(str(tmp_path / name), int(name.endswith("fz"))))
    np.testing.assert_array_equal(rows.read(5, 9), image[5:9])
    rows.close()
