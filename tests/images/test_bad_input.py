"""Survey files of which something is missing, cut or of another size: one clear line, and nothing silently wrong."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from lensdetect.errors import InputError
from lensdetect.images.cutouts import open_tile
from lensdetect.images.index import index_tiles
from lensdetect.survey import SURVEYS

from .survey_files import BAD, LAYOUTS, SIDE, Pointing

DES, WRITE_DES, _ = SURVEYS["des"], *LAYOUTS["des"][1:]


def leave_out(path: Path, name: str) -> None:
    """Take an extension out of a file, byte by byte."""
    with fits.open(path, disable_image_compression=True) as units:
        spans = [(unit.name, unit.fileinfo()) for unit in units]
    data = path.read_bytes()
    path.write_bytes(b"".join(data[at["hdrLoc"] : at["datLoc"] + at["datSpan"]] for unit, at in spans if unit != name))


@pytest.fixture
def band_file(tmp_path) -> Path:
    """The file of r of one tile, all bands of which are there."""
    WRITE_DES(tmp_path, Pointing(DES, 0))
    (path,) = (path for path in tmp_path.glob("*_r.fits.fz"))
    return path


def cut_r(tmp_path) -> np.ndarray:
    (tile,) = index_tiles(tmp_path, DES).tiles
    with open_tile(tile, DES) as opened:
        middle = np.array([0.5 * (SIDE - 1)])
        return opened.cut(middle, middle, size=SIDE).pixels[0, ..., DES.band_names.index("r")]


@pytest.mark.parametrize("name", ["SCI", "MSK", "WGT"])
def test_each_extension_missing(tmp_path, band_file, name):
    whole = cut_r(tmp_path)
    leave_out(band_file, name)
    (tile,) = index_tiles(tmp_path, DES).tiles
    assert tile.problem == ""
    # without its image a band is missing; without a mask the weight of this survey says nothing of bad pixels
    assert tile.missing_bands == (("r",) if name == "SCI" else ())
    left = cut_r(tmp_path)
    assert np.isfinite(left[BAD]).all() == (name == "MSK")
    assert np.isnan(left).all() == (name == "SCI")
    if name == "WGT":
        np.testing.assert_array_equal(left, whole)


@pytest.mark.parametrize("share", [0.5, 0.98])
def test_a_truncated_fz_is_a_problem_of_its_tile(tmp_path, band_file, share):
    os.truncate(band_file, int(share * band_file.stat().st_size))
    (tile,) = index_tiles(tmp_path, DES).tiles
    assert band_file.name in tile.problem and "cut short" in tile.problem
    with pytest.raises(InputError, match="cut short"):
        open_tile(tile, DES)


def test_a_mask_of_another_size_is_a_problem_with_both(tmp_path, band_file):
    mask = fits.CompImageHDU(np.zeros((SIDE, SIDE - 1), "i4"), name="MSK", compression_type="GZIP_1")
    with fits.open(band_file) as units:
        fits.HDUList([units[0].copy(), units["SCI"].copy(), mask, units["WGT"].copy()]).writeto(
            band_file, overwrite=True
        )
    (tile,) = index_tiles(tmp_path, DES).tiles
    assert f"must be of one size, got ({SIDE}, {SIDE - 1}) beside ({SIDE}, {SIDE})" in tile.problem
