"""The fast path takes what is proved and nothing else: it never differs from astropy in silence."""

from __future__ import annotations

import io
import warnings

import numpy as np
import pytest
from astropy.io import fits

from lensdetect.errors import InputError
from lensdetect.images.cards import prove
from lensdetect.images.fits import UniformReader, read_planes

PIXELS = np.random.default_rng(3).normal(size=(7, 9)).astype(np.float32)


def plain(*cards: str, after_end: str = "", pixels: np.ndarray = PIXELS) -> bytes:
    """A file of one image with cards of one's own before END."""
    whole = fits.PrimaryHDU(pixels).header.tostring().split("END   ")[0].rstrip()
    count = -(-len(whole) // 80)
    header = whole.ljust(80 * count) + "".join(card.ljust(80)[:80] for card in cards) + "END".ljust(80)
    header += after_end.ljust(80) if after_end else ""
    header = header.ljust(-(-len(header) // 2880) * 2880)
    data = pixels.astype(">f4").tobytes()
    return header.encode("latin-1") + data.ljust(-(-len(data) // 2880) * 2880, b"\0")


def card(keyword: str, value, start: int = 8) -> str:
    return f"{keyword:{start}}= {value:>20}"


WHOLE = plain()
#: What must be left to astropy -> the file.
DOUBTFUL = {
    "scale": plain(card("BSCALE", 2.5)),
    "scale in lower case": plain(card("bscale", 2.5)),
    "scale in mixed case": plain(card("BScale", 2.5)),
    "zero in lower case": plain(card("bzero", 100)),
    "indented scale": plain(card("  BSCALE", 2.5)),
    "scale after a tab": plain("\t" + card("BSCALE", 2.5)),
    "scale without a blank": plain("BSCALE  =2.5"),
    "scale, equals too early": plain("BSCALE= 2.5"),
    "long name of one word": plain("HIERARCH BSCALE = 2.5"),
    "long name in lower case": plain("HIERARCH bzero = 100"),
    "blank": plain(card("BLANK", 7)),
    "axis twice": plain(card("NAXIS1", 7)),
    "type twice": plain(card("BITPIX", 16)),
    "number of axes twice": plain(card("NAXIS", 1)),
    "first card twice": plain(card("SIMPLE", "T")),
    "third axis of two": plain(card("NAXIS3", 2)),
    "groups": plain(card("GROUPS", "T"), card("PCOUNT", 0), card("GCOUNT", 1)),
    "groups count": plain(card("GCOUNT", 2)),
    "continued": plain("FILTER  = 'r&'", "CONTINUE  'x'"),
    "name twice": plain("FILTER  = 'r       '", "FILTER  = 'g       '"),
    "name that is a number": plain(card("FILTER", 3)),
    "name with a quote": plain("FILTER  = 'it''s    '"),
    "after the end": plain(after_end=card("BSCALE", 2.5)),
    "end with text": plain("END     x"),
    "end with a sign": plain("END=    "),
    "control character": plain("OBJECT  = 'a\x07'"),
    "not ascii": plain("OBJECT  = '\xe9'"),
    "order of cards": WHOLE[:240] + WHOLE[320:400] + WHOLE[240:320] + WHOLE[400:],
    "type unknown": WHOLE.replace(card("BITPIX", -32).encode(), card("BITPIX", -16).encode()),
    "not simple": WHOLE.replace(b"                   T", b"                   F", 1),
    "axis in the wrong place": WHOLE.replace(b"NAXIS1  =                    9", b"NAXIS1  = 9                   "),
}


def by_astropy(data: bytes) -> list[tuple[np.ndarray, tuple[str, ...]]]:
    planes = []
    with warnings.catch_warnings(), fits.open(io.BytesIO(data)) as units:
        warnings.simplefilter("ignore")
        for unit in units:
            if unit.is_image and unit.data is not None:
                planes += list(unit.data.reshape(-1, *unit.data.shape[-2:]).astype(np.float32))
    return planes


def agrees(path, data: bytes) -> bool:
    """Whether a file is refused, or read as by astropy; by both readers."""
    path.write_bytes(data)
    good = path.with_name("good.fits")
    good.write_bytes(WHOLE)
    many = np.empty((2, 7, 9), np.float32)
    done = UniformReader((7, 9)).read([str(good), str(path)], many)
    try:
        found = [plane.pixels for plane in read_planes(str(path))]
    except InputError:
        return not done[1]
    expected = by_astropy(data)
    if done[1] and many[1].tobytes() != expected[0].tobytes():
        return False
    return [plane.tobytes() for plane in found] == [plane.tobytes() for plane in expected]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", DOUBTFUL)
def test_a_header_with_any_doubt_goes_through_astropy(tmp_path, kind):
    data = DOUBTFUL[kind]
    layout = prove(data)
    # the names of bands are looked at where the pixels are read
    assert layout is None or kind.startswith("name") or kind == "axis in the wrong place"
    assert agrees(tmp_path / "image.fits", data)


@pytest.mark.parametrize(
    "cards",
    [
        ("HIERARCH range x = 9.79E-05 / radians", "COMMENT = 5", "HISTORY BSCALE  = 2.5", "        BSCALE  = 2.5"),
        (card("ZIMAGE", "T"), card("ZNAXIS1", 10_000), card("ZTILE1", 10_000)),
        (card("BSCALE1", 2.5), card("XBSCALE", 2.5), "ENDING  = 'no'"),
    ],
)
def test_what_means_nothing_for_the_pixels_is_fast(tmp_path, cards):
    data = plain(*cards)
    assert prove(data).shape == (7, 9)
    assert agrees(tmp_path / "image.fits", data)


@pytest.mark.parametrize("shape", [(1, 7, 9), (1, 1, 7, 9), (3, 7, 9)])
@pytest.mark.parametrize("kind", ["plain", "int16", "scaled", "blank", "gz", "fz"])
def test_axes_of_length_one_are_no_axes(tmp_path, shape, kind):
    pixels = np.random.default_rng(1).integers(1, 99, shape).astype(np.int16 if kind in {"int16", "blank"} else ">f4")
    unit = (
        fits.CompImageHDU(pixels, compression_type="GZIP_1", quantize_level=0)
        if kind == "fz"
        else fits.PrimaryHDU(pixels)
    )
    if kind == "blank":
        unit.header["BLANK"] = 7
    path = tmp_path / ("image.fits.gz" if kind == "gz" else "image.fits")
    fits.HDUList([fits.PrimaryHDU(), unit] if kind == "fz" else [unit]).writeto(path)
    if kind == "scaled":
        path.write_bytes(path.read_bytes().replace(card("EXTEND", "T").encode(), card("BSCALE", 2.0).encode()))
    planes = read_planes(str(path))
    expected = pixels.reshape(-1, 7, 9).astype(np.float32)
    if kind == "scaled":
        expected = expected * 2
    if kind == "blank":
        expected[expected == 7] = np.nan
    np.testing.assert_array_equal([plane.pixels for plane in planes], expected)


def test_a_stale_claim_of_compression_is_no_claim(tmp_path):
    # as in real, unpacked DES images
    (tmp_path / "a.fits").write_bytes(plain(card("ZIMAGE", "T"), card("ZNAXIS1", 10**6), card("ZNAXIS2", 10**6)))
    assert read_planes(str(tmp_path / "a.fits"))[0].pixels.shape == (7, 9)
