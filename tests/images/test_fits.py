"""Every way of decoding a FITS file gives the pixels that astropy gives."""

from __future__ import annotations

import gzip

import numpy as np
import pytest
from astropy.io import fits

from lensdetect.errors import InputError
from lensdetect.images.fits import UniformReader, read_planes


def same_bits(one: np.ndarray, other: np.ndarray) -> bool:
    return one.dtype == other.dtype == np.float32 and one.tobytes() == other.tobytes()


def by_astropy(path) -> np.ndarray:
    return fits.getdata(path).astype(np.float32)


def real_images(shared_data):
    folders = ("bologna_ground", "kids_ugri", "kids_r_unlabelled", "cfhtls_gri_field", "des_griz", "psf")
    return [path for folder in folders for path in sorted((shared_data / folder).rglob("*.fits"))]


def test_every_real_file_is_read_bit_for_bit_as_by_astropy(shared_data):
    paths = real_images(shared_data)
    assert len(paths) > 150
    for path in paths:
        with fits.open(path) as units:
            expected = [plane for unit in units for plane in unit.data.reshape(-1, *unit.data.shape[-2:])]
        found = read_planes(str(path))
        assert len(found) == len(expected), path
        assert all(same_bits(plane.pixels, want.astype("f4")) for plane, want in zip(found, expected, strict=True)), (
            path
        )


def test_many_genuine_files_are_read_at_once_bit_for_bit(shared_data):
    paths = [str(path) for path in sorted((shared_data / "bologna_ground").rglob("*.fits"))]
    images = np.empty((len(paths), 101, 101), np.float32)
    assert UniformReader((101, 101)).read(paths, images).all()
    assert all(same_bits(image, by_astropy(path)) for image, path in zip(images, paths, strict=True))


@pytest.fixture
def image(rng):
    return rng.normal(0.0, 1.0, (7, 9)).astype(np.float32)


WRITERS = {
    "float64": lambda image, path: fits.PrimaryHDU(image.astype(float)).writeto(path),
    "int16": lambda image, path: fits.PrimaryHDU((image * 100).astype(np.int16)).writeto(path),
    "uint16 by BZERO": lambda image, path: fits.PrimaryHDU((abs(image) * 100).astype(np.uint16)).writeto(path),
    "extension": lambda image, path: fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(image)]).writeto(path),
    "compressed": lambda image, path: fits.CompImageHDU(image, compression_type="GZIP_1", quantize_level=0).writeto(
        path
    ),
}


@pytest.mark.parametrize("kind", WRITERS)
def test_files_that_are_not_plain_are_read_as_by_astropy(image, tmp_path, kind):
    path = tmp_path / "image.fits"
    WRITERS[kind](image, path)
    (plane,) = read_planes(str(path))
    assert same_bits(plane.pixels, by_astropy(path))


def test_scaled_float_is_scaled(image, tmp_path):
    path = tmp_path / "image.fits"
    unit = fits.PrimaryHDU(image)
    unit.writeto(path)
    raw = path.read_bytes().replace(b"EXTEND  =                    T", b"BSCALE  =                  2.5")
    path.write_bytes(raw)
    (plane,) = read_planes(str(path))
    np.testing.assert_allclose(plane.pixels, 2.5 * image, rtol=1e-6)
    assert not UniformReader((7, 9)).read([str(path)], np.empty((1, 7, 9), np.float32)).any()


def test_gzip_is_unpacked(image, tmp_path):
    path = tmp_path / "image.fits.gz"
    fits.PrimaryHDU(image).writeto(path)
    assert path.read_bytes()[:2] == b"\x1f\x8b"
    assert same_bits(read_planes(str(path))[0].pixels, image)


def test_cube_gives_its_planes_in_order(rng, tmp_path):
    cube = rng.normal(size=(3, 5, 6)).astype(np.float32)
    fits.PrimaryHDU(cube).writeto(tmp_path / "cube.fits")
    planes = read_planes(str(tmp_path / "cube.fits"))
    assert all(same_bits(plane.pixels, want) for plane, want in zip(planes, cube, strict=True))


def test_names_of_bands_come_from_the_header(image, tmp_path):
    unit = fits.PrimaryHDU(image)
    unit.header["FILTER"] = "r.MP9601"
    unit.writeto(tmp_path / "image.fits")
    assert read_planes(str(tmp_path / "image.fits"))[0].names == ("r.MP9601",)


def damaged(image, path, kind):
    fits.PrimaryHDU(image).writeto(path)
    whole = path.read_bytes()
    two = fits.HDUList([fits.PrimaryHDU(image), fits.ImageHDU(image)])
    if kind == "second image cut":
        two.writeto(path, overwrite=True)
        whole = path.read_bytes()
        return whole[: 3 * 2880 + 40]
    return {
        "pixels cut": whole[: 2880 + 100],
        "header cut": whole[:400],
        "empty": b"",
        "text": b"id,is_lens\n1,0\n",
        "gzip cut": gzip.compress(whole)[:-30],
        "no image": fits.PrimaryHDU().header.tostring().encode(),
    }[kind]


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("pixels cut", "cut short: its header asks for 5760 bytes, got 2980"),
        ("header cut", "cut short: its header has no END card in 400 bytes"),
        ("empty", "not a FITS file: it must begin with SIMPLE, got b''"),
        ("text", "not a FITS file: it must begin with SIMPLE, got b'id,is_len'"),
        ("gzip cut", "cut short, damaged or not gzip"),
        ("second image cut", "cut short: its header asks for 11520 bytes, got 8680"),
        ("no image", "holds no image"),
    ],
)
def test_damaged_files_are_refused_with_their_name(image, tmp_path, kind, message):
    path = tmp_path / "image.fits"
    path.write_bytes(damaged(image, path, kind))
    with pytest.raises(InputError, match=f"image.fits.*{message}"):
        read_planes(str(path))


def test_absent_file_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"gone.fits: cannot be read: No such file"):
        read_planes(str(tmp_path / "gone.fits"))


def test_many_files_at_once_leaves_out_what_differs(rng, tmp_path):
    images = rng.normal(size=(6, 7, 9)).astype(np.float32)
    paths = [tmp_path / f"{number}.fits" for number in range(6)]
    for path, image in zip(paths, images, strict=True):
        fits.PrimaryHDU(image).writeto(path)
    paths[1].write_bytes(paths[1].read_bytes()[:-2880])
    fits.PrimaryHDU(images[2].T).writeto(paths[2], overwrite=True)
    fits.HDUList([fits.PrimaryHDU(images[3]), fits.ImageHDU(images[3])]).writeto(paths[3], overwrite=True)
    paths[4].unlink()
    found = np.empty_like(images)
    done = UniformReader((7, 9)).read([*map(str, paths[:5]), None], found)
    assert done.tolist() == [True, False, False, False, False, False]
    assert same_bits(found[0], images[0])
