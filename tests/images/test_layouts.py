"""Files as each survey ships them become one tile each, with the right pixels in the right unit."""

from __future__ import annotations

import numpy as np
import pytest

from lensdetect.images.cutouts import open_tile
from lensdetect.images.index import index_tiles
from lensdetect.survey import SURVEYS

from .survey_files import BAD, LAYOUTS, SOURCE_XY, Pointing

SIZE = 61


@pytest.mark.parametrize("layout", LAYOUTS)
def test_two_neighbours_are_two_tiles_with_their_source(layout, tmp_path):
    name, write, unmasked = LAYOUTS[layout]
    survey = SURVEYS[name]
    pointings = [Pointing(survey, number) for number in (0, 1)]
    for one in pointings:
        write(tmp_path, one)
    index = index_tiles(tmp_path, survey)
    assert (len(index.tiles), [tile.problem for tile in index.tiles], index.unused) == (2, ["", ""], [])
    for tile, one in zip(sorted(index.tiles, key=lambda tile: tile.corners_deg[0]), pointings, strict=True):
        assert tile.missing_bands == ()
        check_source(tile, one, survey, unmasked)


def check_source(tile, one, survey, unmasked) -> None:
    x, y = tile.pixels(*tile.sky(np.array([SOURCE_XY[0]]), np.array([SOURCE_XY[1]])))
    with open_tile(tile, survey) as opened:
        pixels = opened.cut(x, y, size=SIZE).pixels[0]
    half = SIZE // 2
    bad = np.s_[BAD[0].start - int(SOURCE_XY[1]) + half :, BAD[1].start - int(SOURCE_XY[0]) + half :]
    for number, band in enumerate(survey.band_names):
        plane = pixels[..., number]
        assert np.unravel_index(np.nanargmax(plane[: half + 7, : half + 7]), (half + 7, half + 7)) == (half, half)
        # the light around the middle, bits of what was detected there notwithstanding
        inner = plane[half - 7 : half + 8, half - 7 : half + 8]
        assert inner.sum() == pytest.approx(0.9946 * one.flux(band), rel=0.01), band
        assert np.isnan(plane[bad][:4, :4]).all() == (band not in unmasked), band
        assert np.isnan(plane).sum() == (16 if band not in unmasked else 0)


def test_every_survey_with_files_of_its_own_is_tested():
    assert {name for name, survey in SURVEYS.items() if survey.files.patterns} == {row[0] for row in LAYOUTS.values()}
