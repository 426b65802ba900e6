"""On real images of three surveys."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from astropy.io import fits
from astropy.wcs import WCS

from lensdetect.errors import InputError
from lensdetect.simulation.bologna import BolognaPopulation
from lensdetect.simulation.painting import paint
from lensdetect.stamps import Shards
from lensdetect.survey import get_survey

QUICK = {"seed": 3, "workers": 1, "progress": False}


def both(survey: str, images, catalogue, folder, **options) -> tuple[np.ndarray, np.ndarray, pd.DataFrame]:
    """The same galaxies as they are, and with arcs."""
    found = []
    for fraction in (0.0, 1.0):
        out = paint(
            get_survey(survey), images, catalogue, folder / str(fraction), lens_fraction=fraction, **QUICK, **options
        )  # fmt: skip
        found.append(Shards(out))
    return *(shards.read(np.arange(len(shards))) for shards in found), found[1].truth


def test_des_galaxies_in_stacks(shared_data, tmp_path):
    folder = shared_data / "des_griz" / "deeplenstronomy_46"
    pd.DataFrame({"id": [f"d{n}" for n in range(6)], "index": range(6)}).to_csv(tmp_path / "c.csv", index=False)
    real, painted, truth = both("des", folder, tmp_path / "c.csv", tmp_path, size=61)
    np.testing.assert_array_equal(real[4, ..., 2], fits.getdata(folder / "i.fits")[4, 15:76, 15:76])
    assert truth["has_source"].all() and truth["is_lens"].sum() >= 4
    lenses = truth["is_lens"].to_numpy()
    assert (truth["arc_snr"][lenses] > 15.0).all()
    assert (np.nansum(painted - real, axis=(1, 2, 3))[lenses] > 0.0).all()


def test_des_galaxies_of_three_bands_with_their_own_psf(shared_data, tmp_path):
    folder = shared_data / "des_griz" / "krojas_lrg10"
    options = {"plane_bands": ("g", "r", "i"), "psf": folder / "lensPSF", "size": 51, "population": BolognaPopulation()}
    real, painted, truth = both("des", folder / "lens", None, tmp_path, **options)
    assert len(truth) == 10 and truth["id"].str.startswith("DES_").all()
    assert np.isnan(painted[..., 3]).all() and np.isfinite(painted[:, 5:45, 5:45, :3]).all()
    # ten PSFs of their own: ten different widths
    assert (truth["einstein_radius_arcsec"] / truth["einstein_radius_over_seeing"]).nunique() == 10


def test_kids_objects_with_a_blank_strip(shared_data, tmp_path):
    real, painted, truth = both("kids", shared_data / "kids_ugri", None, tmp_path)
    assert list(truth["id"]) == ["KIDS_186.53375_-0.1005556", "KIDS_SLID_10058881_SID_8668", "KiDS-test"]
    assert np.isnan(real[2, ..., 0]).all()  # there is no u
    assert 0.02 < np.isnan(real[1, ..., 0]).mean() < 0.7  # zeros of the strip are no sky
    np.testing.assert_array_equal(np.isnan(real), np.isnan(painted))


def test_kids_in_other_units_is_refused_with_both_numbers(shared_data, tmp_path):
    folder = shared_data / "kids_r_unlabelled"
    with pytest.raises(
        InputError,
        match=r"no galaxy of 92 can be used.*band r of tile .* must be .* of the 2\.57e-12 of survey kids, got 0\.0",
    ):
        paint(get_survey("kids"), folder, None, tmp_path / "out", plane_bands=("r",), **QUICK)


@pytest.mark.filterwarnings("ignore:RADECSYS")
def test_cfhtls_field_as_a_tile(shared_data, tmp_path):
    folder = shared_data / "cfhtls_gri_field"
    header = fits.getheader(folder / "CFHTLS-test_r.fits")
    ra, dec = WCS(header).all_pix2world([200.2, 60.0, 430.0, 900.0], [150.7, 300.0, 20.0, 20.0], 0)
    pd.DataFrame({"ID": ["a", "b", "c", "off"], "RA": ra, "DEC": dec}).to_csv(tmp_path / "c.csv", index=False)
    real, painted, truth = both("cfhtls", folder, tmp_path / "c.csv", tmp_path, size=61)
    assert list(truth["id"]) == ["a", "b", "c"]
    tile = fits.getdata(folder / "CFHTLS-test_r.fits")
    np.testing.assert_array_equal(real[0, ..., 2], tile[151 - 30 : 151 + 31, 200 - 30 : 200 + 31])
    assert np.isnan(real[..., 0]).all() and np.isnan(real[..., 4]).all()  # u and z are not there
    assert np.isfinite(painted[1, ..., 1:4]).all()
    assert pd.read_csv(tmp_path / "1.0" / "refused.csv")["id"].tolist() == ["off"]
