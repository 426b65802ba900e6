"""Files as each survey ships them become one tile each, and a lens in them is found with the right pixels."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from astropy.io import fits
from astropy.wcs import WCS

from lensdetect.artifact import Calibration
from lensdetect.images.cutouts import open_tile
from lensdetect.images.index import index_tiles
from lensdetect.search import Committee, Cut, Member, committee_of, search_survey
from lensdetect.survey import SURVEYS

from .survey_files import ARC_RADIUS_PIX, BAD, LAYOUTS, SOURCE_XY, Pointing, lens

SIZE = 61


@dataclass(frozen=True)
class RingOfLight:
    """Makes a scorer of the light where the arcs are, over the noise of the reference band, less than a galaxy has."""

    noise_sigma: float
    band: int

    def __call__(self):
        """Make it."""
        y, x = np.mgrid[:SIZE, :SIZE] - SIZE // 2
        ring = np.abs(np.hypot(x, y) - ARC_RADIUS_PIX) < 1.0

        def score(cutouts):
            light = np.nan_to_num(cutouts[..., self.band])[:, ring].mean(axis=1)
            return np.log1p(np.maximum(light, 0.0) / self.noise_sigma)[:, None].astype(np.float32)

        return score


def cheap_committee(survey) -> Committee:
    band = survey.band_names.index(survey.reference_band)
    members = (Member("ring", Calibration(slope=1.0, lens_fraction=0.5)),)
    scorer = RingOfLight(survey.bands[band].noise_sigma, band)
    return Committee(members, scorer, survey.band_names, size=SIZE, pixel_scale_arcsec=survey.pixel_scale_arcsec)


def write_layout(folder: Path, layout: str) -> tuple:
    """Two neighbouring tiles, of which both have the lens; the survey, the tiles, and bands without a mask."""
    name, write, unmasked = LAYOUTS[layout]
    survey = SURVEYS[name]
    pointings = [Pointing(survey, number) for number in (0, 1)]
    folder.mkdir()
    for one in pointings:
        write(folder, one)
    return survey, pointings, unmasked


def places_of(pointings: list[Pointing]) -> pd.DataFrame:
    """The lens in each tile, and places of nothing."""
    rows = []
    for one in pointings:
        places = np.array([SOURCE_XY, (25.0, 30.0), (90.0, 30.0), (30.0, 95.0)])
        ra_deg, dec_deg = WCS(one.header()).all_pix2world(*places.T, 0)
        names = [f"lens {one.number}", *(f"nothing {one.number}.{place}" for place in range(3))]
        rows.append(pd.DataFrame({"id": names, "ra": ra_deg, "dec": dec_deg}))
    return pd.concat(rows)


@pytest.fixture
def no_report(monkeypatch):
    """It takes longer than the search."""
    monkeypatch.setattr("lensdetect.search.run.write_report", lambda *args: None)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_lens_is_found_in_the_files_of_a_survey(layout, tmp_path, no_report):
    survey, pointings, unmasked = write_layout(tmp_path / "tiles", layout)
    places_of(pointings).to_csv(tmp_path / "objects.csv", index=False)
    found = search_survey(
        tmp_path / "tiles", tmp_path / "objects.csv", tmp_path / "found", survey=survey,
        committee=cheap_committee(survey), cut=Cut(top=4, rejected=()), workers=1, progress=False,
    )  # fmt: skip
    assert (len(found.tiles), found.tiles["problem"].tolist(), found.notes) == (2, ["", ""], [])
    best = found.candidates.head(2).sort_values("id")
    assert best["id"].tolist() == ["lens 0", "lens 1"] and best["tile"].nunique() == 2
    assert found.candidates["logit"].iloc[1] > 3.0 + found.candidates["logit"].iloc[2]
    for row, one in zip(best.itertuples(), pointings, strict=True):
        (path,) = (tmp_path / "found" / "cutouts").glob(f"{row.rank:05d}_lens_{one.number}.fits")
        check_cutout(path, row, one, survey, unmasked)


def check_cutout(path: Path, row, one: Pointing, survey, unmasked: str) -> None:
    """A cutout has the lens in its middle, by its coordinates too, in the survey's unit."""
    with fits.open(path) as units:
        planes, header = units[0].data, units[0].header
    ra_deg, dec_deg = WCS(header).celestial.all_pix2world(SIZE // 2, SIZE // 2, 0)
    assert np.hypot(ra_deg - row.ra_deg, dec_deg - row.dec_deg) * 3600 < 0.5 * survey.pixel_scale_arcsec
    assert [header[f"BAND{number}"] for number in range(1, len(planes) + 1)] == list(survey.band_names)
    check_pixels(np.moveaxis(planes, 0, -1), one, survey, unmasked)


def check_pixels(pixels: np.ndarray, one: Pointing, survey, unmasked: str) -> None:
    half = SIZE // 2
    row, column = int(SOURCE_XY[1]), int(SOURCE_XY[0])
    bad = np.s_[BAD[0].start - row + half :, BAD[1].start - column + half :]
    for number, band in enumerate(survey.band_names):
        plane = pixels[..., number]
        # the light around the middle, bits of what was detected there notwithstanding
        inner = plane[half - 7 : half + 8, half - 7 : half + 8]
        injected = lens(one.flux(band), band)[row - 7 : row + 8, column - 7 : column + 8]
        assert inner.sum() == pytest.approx(injected.sum(), rel=0.01), band
        assert np.corrcoef(inner.ravel(), injected.ravel())[0, 1] > 0.99, band
        assert np.isnan(plane[bad][:4, :4]).all() == (band not in unmasked), band
        assert np.isnan(plane).sum() == (16 if band not in unmasked else 0)


@pytest.mark.slow
def test_a_real_detector_finds_it(tmp_path, no_report):
    survey, pointings, _ = write_layout(tmp_path / "tiles", "kids")
    places_of(pointings).to_csv(tmp_path / "objects.csv", index=False)
    found = search_survey(
        tmp_path / "tiles", tmp_path / "objects.csv", tmp_path / "found", survey=survey,
        committee=committee_of([None], survey), cut=Cut(top=4, rejected=()), workers=1, progress=False,
    )  # fmt: skip
    assert set(found.candidates["id"].head(2)) == {"lens 0", "lens 1"}


def test_what_is_cut_is_what_was_injected_in_both_tiles(tmp_path):
    survey, pointings, unmasked = write_layout(tmp_path / "tiles", "unions")
    index = index_tiles(tmp_path / "tiles", survey)
    assert (len(index.tiles), [tile.problem for tile in index.tiles], index.unused) == (2, ["", ""], [])
    for tile, one in zip(sorted(index.tiles, key=lambda tile: tile.corners_deg[0]), pointings, strict=True):
        assert tile.missing_bands == ()
        with open_tile(tile, survey) as opened:
            pixels = opened.cut(*np.array([SOURCE_XY]).T, size=SIZE).pixels[0]
        check_pixels(pixels, one, survey, unmasked)


def test_every_survey_with_files_of_its_own_is_tested():
    assert {name for name, survey in SURVEYS.items() if survey.files.patterns} == {row[0] for row in LAYOUTS.values()}
