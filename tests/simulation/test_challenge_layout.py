"""The challenge's own file layout, read back by astropy and beside genuine files."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from astropy.io import fits
from astropy.wcs import WCS

from lensdetect.simulation import simulate
from lensdetect.stamps import Shards
from lensdetect.survey import SURVEYS

BOLOGNA = SURVEYS["bologna"]
FOLDERS = {"r": "Band1", "i": "Band2", "g": "Band3", "u": "Band4"}
ARGUMENTS = {"count": 12, "seed": 4, "shard_size": 5, "workers": 1}


def path_of(folder, band: str, name: str):
    return folder / "Public" / FOLDERS[band] / f"imageSDSS_{band.upper()}-{name}.fits"


@pytest.fixture(scope="module")
def challenge(tmp_path_factory):
    return simulate(BOLOGNA, tmp_path_factory.mktemp("layout") / "challenge", layout="challenge", **ARGUMENTS)


@pytest.fixture(scope="module")
def shards(tmp_path_factory):
    return Shards(simulate(BOLOGNA, tmp_path_factory.mktemp("layout") / "shards", **ARGUMENTS))


def test_pixels_are_those_of_the_shards_and_masked_ones_100(challenge, shards):
    pixels = shards.read(np.arange(12))
    assert np.isnan(pixels).any()  # this seed draws masks: otherwise the next line tests nothing
    for number, name in enumerate(shards.truth["id"]):
        for axis, band in enumerate(BOLOGNA.band_names):
            plane = fits.getdata(path_of(challenge, band, name)).astype(np.float32)
            assert np.array_equal(
                plane, np.where(np.isnan(pixels[number, ..., axis]), 100.0, pixels[number, ..., axis])
            )


def test_truth_table_is_the_challenges(challenge, shards):
    table = pd.read_csv(challenge / "classifications.csv")
    truth = shards.truth
    assert list(table["ID"]) == [int(name) for name in truth["id"]]
    assert list(table["is_lens"]) == [int(value) for value in truth["is_lens"]]
    assert list(table["numb_pix_lensed_image"]) == list(truth["arc_pixel_count"])
    assert table["flux_lensed_image_in_sigma"].to_numpy() == pytest.approx(truth["arc_flux_sigma"].to_numpy(), rel=1e-5)
    radius = np.degrees(np.sqrt(table["Einstein_area"] / np.pi)) * 3600.0
    assert radius.to_numpy() == pytest.approx(truth["einstein_radius_arcsec"].to_numpy(), rel=1e-6)


def test_nothing_else_is_left(challenge):
    assert sorted(path.name for path in challenge.iterdir()) == ["Public", "classifications.csv", "simulation.json"]


def test_files_are_like_the_genuine_ones(challenge, shared_data):
    genuine = path_of(shared_data / "bologna_ground", "g", "100002")
    ours = path_of(challenge, "g", "100000")
    assert ours.stat().st_size == genuine.stat().st_size
    with fits.open(genuine) as theirs, fits.open(ours) as own:
        assert len(own) == 1
        for key in ("BITPIX", "NAXIS", "NAXIS1", "NAXIS2", "CRPIX1", "CRPIX2", "CTYPE1", "CTYPE2", "CUNIT1", "CUNIT2"):
            assert own[0].header[key] == theirs[0].header[key]
        for key in ("CDELT1", "CDELT2", "CRVAL1", "CRVAL2"):
            assert own[0].header[key] == pytest.approx(theirs[0].header[key], rel=1e-6)
        assert len(own[0].header.tostring()) == len(theirs[0].header.tostring()) == 2880
        scale = WCS(own[0].header).proj_plane_pixel_scales()[0].to_value("arcsec")
    assert scale == pytest.approx(0.2)
    table = shared_data / "bologna_ground" / "classifications.csv"
    assert list(pd.read_csv(challenge / "classifications.csv").columns) == list(pd.read_csv(table, nrows=1).columns)


def test_resume_of_a_broken_run(challenge, tmp_path):
    first = simulate(BOLOGNA, tmp_path / "broken", layout="challenge", **ARGUMENTS)
    wanted = (first / "classifications.csv").read_bytes()
    (first / "classifications.csv").unlink()
    path_of(first, "u", "100003").unlink()
    simulate(BOLOGNA, first, layout="challenge", **ARGUMENTS)
    assert (first / "classifications.csv").read_bytes() == wanted
    assert path_of(first, "u", "100003").read_bytes() == path_of(challenge, "u", "100003").read_bytes()
