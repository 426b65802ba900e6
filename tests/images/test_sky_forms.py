"""Places on the sky and numbers on disk in all the forms that survey images have."""

from __future__ import annotations

from contextlib import closing

import numpy as np
import pytest
from astropy.io import fits

from lensdetect.images.cutouts import open_tile
from lensdetect.images.index import index_tiles
from lensdetect.images.pixels import Rows
from lensdetect.survey import SURVEYS

KIDS = SURVEYS["kids"]
SIDE, STEP = 120, 0.2 / 3600.0
X, Y = 41, 77


def place(ctype=("RA---TAN", "DEC--TAN"), ra=150.0, dec=2.0, angle=0.0, flip=1.0, **more) -> fits.Header:
    cos, sin = STEP * np.cos(angle), STEP * np.sin(angle)
    cards = {"CTYPE1": ctype[0], "CTYPE2": ctype[1], "CRVAL1": ra, "CRVAL2": dec, "CRPIX1": 60.5, "CRPIX2": 60.5}
    return fits.Header(cards | {"CD1_1": -flip * cos, "CD1_2": sin, "CD2_1": flip * sin, "CD2_2": cos} | more)


SIP = {"A_ORDER": 2, "B_ORDER": 2, "A_2_0": 2e-5, "B_0_2": -1e-5, "A_1_1": 1e-5}
FORMS = {
    "plain": place(),
    "tpv": place(("RA---TPV", "DEC--TPV"), PV1_1=1.0, PV1_5=2e-3, PV2_1=1.0, PV2_5=-1e-3),
    "sip": place(("RA---TAN-SIP", "DEC--TAN-SIP"), **SIP),
    "rotated": place(angle=0.7),
    "flipped": place(flip=-1.0),
    "across zero": place(ra=0.001),
    "near the pole": place(dec=89.97),
}


def image(header: fits.Header, dtype="f4") -> np.ndarray:
    rng = np.random.default_rng(3)
    y, x = np.mgrid[:SIDE, :SIDE]
    light = 300.0 * np.exp(-0.5 * ((x - X) ** 2 + (y - Y) ** 2) / 2.0**2)
    return (light + rng.standard_normal((SIDE, SIDE))).astype(dtype)


@pytest.mark.parametrize("form", FORMS)
def test_objects_are_cut_where_the_header_puts_them(form, tmp_path):
    header = FORMS[form]
    fits.writeto(tmp_path / "field_r.fits", image(header) * np.float32(2.4e-12), header)
    (tile,) = index_tiles(tmp_path, KIDS).tiles
    assert tile.problem == ""
    ra, dec = tile.wcs.all_pix2world([X], [Y], 0)
    np.testing.assert_allclose(np.concatenate(tile.pixels(ra, dec)), [X, Y], atol=1e-3)
    with open_tile(tile, KIDS) as opened:
        plane = opened.cut(*tile.pixels(ra, dec), size=21).pixels[0, ..., 2]
    assert np.unravel_index(plane.argmax(), plane.shape) == (10, 10)


@pytest.mark.parametrize("ending", [".fits", ".fits.gz", ".fits.fz"])
@pytest.mark.parametrize(("dtype", "scale", "zero"), [("f8", 1, 0), ("f4", 1, 0), ("i2", 0.1, 5), ("u2", 1, 0)])
def test_numbers_on_disk_keep_their_values(tmp_path, dtype, scale, zero, ending):
    values = image(FORMS["plain"], "f8")
    units = np.rint((values + (1000.0 if dtype == "u2" else 0.0)) * 10) if dtype[-2] in "iu" else values
    stored = units.astype(dtype)
    cls = fits.CompImageHDU if ending.endswith("fz") else fits.ImageHDU
    how = {"compression_type": "GZIP_1", "quantize_level": 0.0} if ending.endswith("fz") else {}
    unit = cls(stored, FORMS["plain"], **how)
    if dtype == "i2" and not ending.endswith("fz"):
        unit.header["BSCALE"], unit.header["BZERO"] = scale, zero
    fits.HDUList([fits.PrimaryHDU(), unit]).writeto(tmp_path / f"field_r{ending}")
    with fits.open(tmp_path / f"field_r{ending}") as opened:
        expected = opened[1].data.astype("f4")
    (tile,) = index_tiles(tmp_path, KIDS).tiles
    (place,) = tile.images.values()
    with closing(Rows(place)) as rows:
        np.testing.assert_array_equal(np.asarray(rows.read(0, SIDE), "f4"), expected)
