"""From a search of a real field to lenses that are planted onto its own galaxies, with nothing given beside it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from astropy.io import fits
from astropy.wcs import WCS

from lensdetect.inspection.pictures import Cubes
from lensdetect.inspection.preparing import Wishes, prepare
from lensdetect.inspection.sources import open_source
from lensdetect.search import Cut, committee_of, search_survey
from lensdetect.survey import get_survey

#: The field has no coordinates of its own, and pixels that are wider than KiDS's.
RA_DEG, DEC_DEG, SCALE_ARCSEC = 130.0, 0.5, 0.339


def lay_out(data: Path, folder: Path) -> tuple[Path, Path]:
    """A tile of KiDS and its catalogue of galaxies."""
    kids, tiles = get_survey("kids"), folder / "tiles"
    tiles.mkdir()
    for band in kids.band_names:
        with fits.open(data / f"field_{band}.fits.fz") as file:
            pixels = next(unit.data for unit in file if unit.data is not None).astype(np.float32)
        wcs = WCS(naxis=2)
        wcs.wcs.ctype, wcs.wcs.crval = ["RA---TAN", "DEC--TAN"], [RA_DEG, DEC_DEG]
        wcs.wcs.crpix = 0.5 * (np.array(pixels.shape[::-1]) + 1.0)
        wcs.wcs.cdelt = [-SCALE_ARCSEC / 3600.0, SCALE_ARCSEC / 3600.0]
        fits.PrimaryHDU(pixels, wcs.to_header()).writeto(tiles / kids.tile_file(RA_DEG, DEC_DEG, band=band))
    sources = pd.read_csv(data / "sources_r22.csv").query("is_galaxy == 1")
    ra, dec = wcs.wcs_pix2world(sources["x_pix"], sources["y_pix"], 1)
    names = [f"source {row}" for row in sources.index]
    pd.DataFrame({"ID": names, "RAJ2000": ra, "DECJ2000": dec}).to_csv(folder / "catalogue.csv", index=False)
    return tiles, folder / "catalogue.csv"


@pytest.mark.slow
def test_lenses_are_planted_onto_galaxies_of_a_real_field(shared_data, tmp_path):
    tiles, catalogue = lay_out(shared_data / "kids_field", tmp_path)
    kids = get_survey("kids")
    found = search_survey(
        tiles, catalogue, tmp_path / "found", survey=kids, committee=committee_of([], kids), cut=Cut(top=60), workers=1,
        progress=False, ordinary=80,
    )  # fmt: skip
    assert len(found.ordinary) == 80 and not set(found.ordinary["id"]) & set(found.candidates["id"])
    desk, notes = prepare(found.folder, None, Wishes())
    with desk.store as store:
        mixed = [one for one in store.subjects() if one.planted in ("lens", "dud")]
    count = -(-len(found.candidates) // 20)
    assert notes == [
        f"mixed in: {count} simulated lenses painted onto, and {count} duds of, objects drawn at random from all that "
        "the search did not list"
    ]
    galaxies = open_source(found.folder).ordinary
    kept = Cubes(found.folder / "grading" / "given", [one.member for one in mixed], num_bands=4)
    for one in mixed:
        before = galaxies.collection.read(galaxies.members[one.about["galaxy"]])
        after = kept.read(one.member)
        seen = np.isfinite(before)
        assert np.array_equal(np.isfinite(after), seen)
        added = np.where(seen, after - before, 0.0)
        if one.planted == "dud":
            assert not added.any()
        else:
            noise = 1.48 * np.nanmedian(np.abs(before[..., 2] - np.nanmedian(before[..., 2])))
            middle = len(added) // 2
            light = added[middle - 25 : middle + 26, middle - 25 : middle + 26, 2]
            # much more light than the noise of a pixel of this image, and hardly any taken away by its own noise
            assert light.sum() > 20 * noise and -light[light < 0].sum() < 0.2 * light.sum()
