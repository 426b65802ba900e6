from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from astropy.io import fits
from astropy.wcs import WCS, FITSFixedWarning

from lensdetect.cli import build_parser

SIDE = 120


@pytest.fixture
def sky(tmp_path):
    """A tile of the survey of the detector, and five objects."""
    rng = np.random.default_rng(1)
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crval, wcs.wcs.crpix = ["RA---TAN", "DEC--TAN"], [180.0, 0.0], [60.5, 60.5]
    wcs.wcs.cdelt = [-0.2 / 3600, 0.2 / 3600]
    folder = tmp_path / "tiles"
    folder.mkdir()
    for band in "ugri":
        image = rng.normal(0.0, 2e-12, (SIDE, SIDE)).astype(np.float32)
        fits.PrimaryHDU(image, wcs.to_header()).writeto(folder / f"field_{band}_sci.fits")
    x, y = rng.uniform(25, 95, (2, 5))
    ra_deg, dec_deg = wcs.wcs_pix2world(x, y, 0)
    pd.DataFrame({"id": list("abcde"), "ra": ra_deg, "dec": dec_deg, "mag": 18.0}).to_csv(
        tmp_path / "objects.csv", index=False
    )
    return tmp_path


def command(sky, *more):
    place = ("--tiles", sky / "tiles", "--catalogue", sky / "objects.csv", "--output", sky / "found")
    return ("search", *place, "--survey", "bologna", "--workers", 1, *more)


def test_a_search_with_a_real_detector(lensdetect, shipping, sky):
    result = lensdetect(*command(sky, "--prior", "1e-3", "--top", 3, "--scene", 0, "--reject", "none"))
    assert result.code == 0, result.err
    table = pd.read_csv(sky / "found" / "candidates.csv")
    assert len(table) == 3 and table["logit"].is_monotonic_decreasing
    assert "objects scored: 5" in result.out and "report.html" in result.out
    assert "lensdetect search --tiles" in (sky / "found" / "report.html").read_text()
    scores = pd.read_parquet(sky / "found" / "scores" / "field.parquet")
    names = [name for name in scores if name.startswith("logit_")]
    assert names == ["logit_arcformer_test_bologna_1"] and scores["logit"].notna().all()
    # the seam changes nothing: the same cutouts give the same logits
    import lensdetect as package

    detector = package.load_detector(shipping)
    row = table.iloc[0]
    with fits.open(next((sky / "found" / "cutouts").glob("00001_*"))) as units:
        pixels = np.moveaxis(units[0].data, 0, -1)[None].astype(np.float32)
    assert detector(pixels).logit[0] == pytest.approx(row["logit"], abs=1e-5)


def test_eight_views_score_as_the_detector_does_and_are_another_search(lensdetect, shipping, sky):
    result = lensdetect(*command(sky, "--views", 8, "--reject", "none"))
    assert result.code == 0 and "detectors: arcformer_test-bologna/1, mean of 8 views" in result.out
    import lensdetect as package

    row = pd.read_csv(sky / "found" / "candidates.csv").iloc[0]
    with fits.open(next((sky / "found" / "cutouts").glob("00001_*"))) as units:
        pixels = np.moveaxis(units[0].data, 0, -1)[None].astype(np.float32)
    assert package.load_detector(shipping)(pixels, views=8).logit[0] == pytest.approx(row["logit"], abs=1e-5)
    again = lensdetect(*command(sky, "--reject", "none"))
    assert again.code == 2 and "holds another search: detectors is" in again.err and "mean of 8 views" in again.err


def test_failures_are_exit_status_1(lensdetect, shipping, sky):
    with (sky / "objects.csv").open("a") as file:
        file.write("f,,,18.0\n")
    result = lensdetect(*command(sky))
    assert result.code == 1 and "objects without a position" in result.out


def test_names_and_numbers_are_columns_on_request(lensdetect, shipping, sky):
    table = pd.read_csv(sky / "objects.csv").rename(columns={"ra": "lon", "dec": "lat"})
    table.to_csv(sky / "objects.csv", index=False)
    assert "name it with --columns ra_deg=NAME" in lensdetect(*command(sky)).err
    assert lensdetect(*command(sky, "--columns", "ra_deg=lon", "dec_deg=lat")).code == 0


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--select", "magg < 20"), "did you mean mag"),
        (("--select", "lrg"), "has no named selections"),
        (("--views", "4"), "argument --views: invalid choice: 4 (choose from 1, 8)"),
        (("--reject", "trails"), "unknown flag 'trails': did you mean trail"),
        (("--top", "3", "--threshold", "0.5"), "got both: leave one out"),
        (("--columns", "ra"), "--columns must be ROLE=NAME"),
        (("--model", "arcfrmer"), "unknown trained detector or folder 'arcfrmer'"),
        (("--known", "nowhere.csv"), "nothing at nowhere.csv"),
        (("--tiles", "nowhere"), "tiles must be FITS images, got none"),
        (("--survey", "kidz"), "did you mean kids"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(lensdetect, shipping, sky, more, message):
    result = lensdetect(*command(sky, *more))
    assert result.code == 2 and message in result.err


def test_a_lensed_quasar_is_named(lensdetect, shipping, shared_data, tmp_path):
    objects = "id,ra,dec\nquasar,186.53342,-0.10061\n"
    (tmp_path / "objects.csv").write_text(objects)
    (tmp_path / "known.csv").write_text("name,ra,dec,grade\nSDSS J1226-0006,186.5334,-0.1006,confident\n")
    result = lensdetect(
        "search", "--tiles", shared_data / "kids_ugri" / "KIDS_186*", "--catalogue", tmp_path / "objects.csv",
        "--survey", "kids", "--output", tmp_path / "found", "--known", tmp_path / "known.csv", "--workers", 1,
        "--reject", "none",
    )  # fmt: skip
    row = pd.read_csv(tmp_path / "found" / "candidates.csv").iloc[0]
    assert result.code == 0, result.out
    assert row["known_lens"] == "SDSS J1226-0006" and row["separation_arcsec"] < 1.0
    assert "Of 1 known lenses in the footprint 1 are found" in (tmp_path / "found" / "report.html").read_text()


def test_a_real_field_in_three_bands(lensdetect, shipping, shared_data, tmp_path):
    folder = shared_data / "cfhtls_gri_field"
    with warnings.catch_warnings():
        # its header spells a keyword as was usual before 2002
        warnings.simplefilter("ignore", FITSFixedWarning)
        wcs = WCS(fits.getheader(folder / "CFHTLS-test_r.fits"))
    ra_deg, dec_deg = wcs.all_pix2world(np.linspace(60, 380, 6), np.linspace(350, 80, 6), 0)
    pd.DataFrame({"id": list("abcdef"), "ra": ra_deg, "dec": dec_deg}).to_csv(tmp_path / "objects.csv", index=False)
    result = lensdetect(
        "search", "--tiles", folder, "--catalogue", tmp_path / "objects.csv", "--survey", "cfhtls",
        "--output", tmp_path / "found", "--workers", 1,
    )  # fmt: skip
    assert result.code == 0, result.out
    assert "objects scored: 6" in result.out


def test_the_catalogue_in_either_spelling():
    for word in ("--catalogue", "--catalog"):
        searched = ["search", "--tiles", "t", word, "a.csv", "b.csv", "--survey", "kids", "--output", "o"]
        assert build_parser().parse_args(searched).catalogue == ["a.csv", "b.csv"]
        painted = ["simulate", "--survey", "kids", "--onto", "t", word, "a.csv", "--output", "o"]
        assert build_parser().parse_args(painted).catalogue == "a.csv"


def test_a_catalogue_beside_the_tiles_is_exit_status_1(lensdetect, shipping, sky):
    table = pd.read_csv(sky / "objects.csv")
    table.assign(ra=table["ra"] / 15).to_csv(sky / "objects.csv", index=False)
    result = lensdetect(*command(sky))
    assert result.code == 1 and "0 of 5 objects lie in any tile: they have right ascensions 11.99" in result.out
    assert "0 of 5 objects" in (sky / "found" / "report.html").read_text()
