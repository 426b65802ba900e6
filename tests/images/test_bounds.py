"""What a file claims is held against a limit before memory is taken."""

from __future__ import annotations

import gzip
import os

import numpy as np
import pytest
from astropy.io import fits

from lensdetect.errors import InputError
from lensdetect.images.bounds import most_bytes, open_file
from lensdetect.images.fits import read_planes
from lensdetect.images.headers import read_headers
from lensdetect.images.pixels import Image, Rows


def claiming(*cards: str) -> bytes:
    first = ["SIMPLE  =                    T", "BITPIX  =                  -32"]
    text = "".join(card.ljust(80) for card in [*first, *cards, "END"])
    return text.ljust(2880).encode().ljust(5760, b"\0")


def axes(*lengths: int) -> list[str]:
    cards = [f"NAXIS   = {len(lengths):20}"]
    return cards + [f"NAXIS{number:<3}= {length:20}" for number, length in enumerate(lengths, 1)]


HUGE = claiming(*axes(200_000, 200_000))
ENDLESS = claiming("NAXIS   =           2147483647")


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_huge_images_are_refused_unread(tmp_path, pack):
    path = tmp_path / ("a.fits" if pack is bytes else "a.fits.gz")
    path.write_bytes(pack(HUGE))
    message = r"claims 200000 x 200000 pixels, the limit is 16,777,216: raise it with --max-pixels \(max_pixels"
    with pytest.raises(InputError, match=message):
        read_planes(str(path))
    with pytest.raises(InputError, match=r"claims 200000 x 200000 pixels, the limit is 1,000,000,000|cut short"):
        read_headers(path)


def test_the_limit_can_be_raised_and_lowered(tmp_path):
    fits.PrimaryHDU(np.ones((20, 30), np.float32)).writeto(tmp_path / "a.fits")
    assert len(read_planes(str(tmp_path / "a.fits"), max_pixels=600)) == 1
    with pytest.raises(InputError, match="claims 20 x 30 pixels, the limit is 599: raise it"):
        read_planes(str(tmp_path / "a.fits"), max_pixels=599)
    with pytest.raises(InputError, match="claims 20 x 30 pixels, the limit is 599: raise it"):
        read_headers(tmp_path / "a.fits", max_pixels=599)


def test_all_images_of_a_file_count(tmp_path):
    units = [fits.PrimaryHDU(), *(fits.ImageHDU(np.ones((20, 30), np.float32)) for _ in range(3))]
    fits.HDUList(units).writeto(tmp_path / "a.fits")
    with pytest.raises(InputError, match="claims 20 x 30 pixels beside 1,200 in other images, the limit is 1,700"):
        read_planes(str(tmp_path / "a.fits"), max_pixels=1700)
    assert len(read_headers(tmp_path / "a.fits", max_pixels=600).planes) == 3


@pytest.mark.parametrize("keyword", ["NAXIS   ", "naxis   ", "  NAXIS ", "TFIELDS "])
def test_counts_without_end_are_refused_at_once(tmp_path, keyword):
    path = tmp_path / "a.fits"
    path.write_bytes(ENDLESS.replace(b"NAXIS   ", keyword.encode()))
    for read in (read_planes, read_headers):
        with pytest.raises(InputError, match=rf"(?i){keyword.strip()} must be 999 or less, got 2147483647"):
            read(str(path))


# without EXTEND astropy looks at the second unit together with the first
@pytest.mark.parametrize("extend", [["EXTEND  =                    T"], []])
def test_a_count_without_end_is_refused_behind_a_good_unit(tmp_path, extend):
    behind = ENDLESS[:2880].replace(b"SIMPLE  =                    T", b"XTENSION= 'IMAGE   '          ")
    path = tmp_path / "a.fits"
    path.write_bytes(claiming(*axes(), *extend)[:2880] + behind)
    for read in (read_planes, read_headers):
        with pytest.raises(InputError, match="NAXIS must be 999 or less, got 2147483647"):
            read(str(path))


def test_headers_that_run_into_one_another_are_refused(tmp_path):
    path = tmp_path / "a.fits.fz"
    compressed(path)
    path.write_bytes(path.read_bytes().replace(b"END   ", b"       ", 1))
    for read in (read_planes, read_headers):
        with pytest.raises(InputError, match="two headers run into one another|cut short"):
            read(str(path))


def compressed(path, **changes) -> None:
    image = np.arange(120, dtype=np.int32).reshape(10, 12)
    kind = changes.pop("kind", "RICE_1")
    fits.HDUList([fits.PrimaryHDU(), fits.CompImageHDU(image, compression_type=kind)]).writeto(path)
    with fits.open(path, mode="update", disable_image_compression=True) as units:
        for keyword, value in changes.items():
            units[1].header[keyword] = value


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"ZNAXIS1": 200_000, "ZNAXIS2": 200_000}, "claims 200000 x 200000 pixels, the limit is"),
        ({"ZTILE1": 200_000, "ZTILE2": 200_000}, "tiles must be no larger than the image"),
        ({"ZNAXIS2": 100}, "its image has 100 tiles, its table 10 rows"),
        ({"ZNAXIS": 5000}, "ZNAXIS must be 999 or less|NAXIS must be 999 or less"),
    ],
)
def test_claims_of_compressed_images(tmp_path, changes, message):
    compressed(tmp_path / "a.fits.fz", **changes)
    with pytest.raises(InputError, match=message):
        read_planes(str(tmp_path / "a.fits.fz"))


@pytest.mark.parametrize("kind", ["PLIO_1", "HCOMPRESS_1"])
def test_streams_of_other_tiles_are_refused(tmp_path, kind):
    path = tmp_path / "a.fits.fz"
    compressed(path, kind=kind)
    with fits.open(path, disable_image_compression=True) as units:
        start = units[1].fileinfo()["datLoc"] + units[1].header["NAXIS1"] * units[1].header["NAXIS2"]
    data = bytearray(path.read_bytes())
    # the size of the first tile as it stands in its stream: words in all, or height and width
    data[start + 6 : start + 8] = b"\x7f\xff"
    path.write_bytes(data)
    for read in (read_planes, lambda path: Rows(Image(path, 1)).read(0, 5)):
        with pytest.raises(InputError, match=f"damaged: tile 0 does not hold what {kind} makes of"):
            read(str(path))


def test_a_bomb_is_not_unpacked(tmp_path):
    fits.PrimaryHDU(np.ones((9, 9), np.float32)).writeto(tmp_path / "a.fits")
    packed = gzip.compress((tmp_path / "a.fits").read_bytes() + bytes(2 * most_bytes(100)), 1)
    (tmp_path / "a.fits.gz").write_bytes(packed)
    assert len(packed) < most_bytes(100) / 100
    with pytest.raises(InputError, match=r"unpacks to at least [\d,]+ bytes, 100 pixels need [\d,]+ at most: raise it"):
        read_planes(str(tmp_path / "a.fits.gz"), max_pixels=100)
    # of a tile, no more than it says that it holds
    (tmp_path / "a.fits.gz").write_bytes(gzip.compress((tmp_path / "a.fits").read_bytes() + bytes(1 << 26), 1))
    with pytest.raises(InputError, match="unpacks to more than the [\\d,]+ bytes that its images can need"):
        Rows(Image(str(tmp_path / "a.fits.gz"), 0, None, (9, 9)))


def test_only_files_are_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe.fits")
    (tmp_path / "folder.fits").mkdir()
    (tmp_path / "link.fits").symlink_to(tmp_path / "gone.fits")
    for name, message in (
        ("pipe", "must be a file, got a folder, pipe"),
        ("folder", "must be a file"),
        ("link", "No such"),
    ):
        with pytest.raises(InputError, match=message):
            open_file(tmp_path / f"{name}.fits")
