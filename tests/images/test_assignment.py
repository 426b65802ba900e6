"""Each object goes to the tile where it lies deepest."""

from __future__ import annotations

import os

import numpy as np
import pandas as pd
import pytest

from lensdetect.images.assignment import assign
from lensdetect.images.index import TileIndex, index_tiles
from lensdetect.images.tiles import Tile

from .tile_files import KIDS, header, write_tile


def objects_at(ra_deg, dec_deg) -> pd.DataFrame:
    count = len(ra_deg)
    return pd.DataFrame({
        "row": np.arange(count), "id": [f"object{number}" for number in range(count)],
        "ra_deg": np.asarray(ra_deg, float), "dec_deg": np.asarray(dec_deg, float),
    })  # fmt: skip


def header_tile(name: str, ra_deg: float, dec_deg: float, *, shape=(300, 300), problem="") -> Tile:
    """A tile that has no files."""
    text = header(shape, ra_deg=ra_deg, dec_deg=dec_deg).tostring(endcard=False, padding=False)
    tile = Tile(name, {}, shape, text, pixel_scale_arcsec=0.2, problem=problem)
    height, width = shape
    corners = tile.sky(
        np.array([-0.5, width - 0.5, width - 0.5, -0.5]), np.array([-0.5, -0.5, height - 0.5, height - 0.5])
    )
    return Tile(name, {}, shape, text, tuple(zip(*map(list, corners), strict=True)), 0.2, problem=problem)


def test_overlapping_tiles_by_depth(tmp_path):
    step_deg = 250 * 0.2 / 3600.0
    index = TileIndex([header_tile("west", 180.0, 0.0), header_tile("east", 180.0 + step_deg, 0.0)], KIDS, [])
    # the middle of the overlap lies 125 pixels from both middles
    ra = 180.0 + np.array([0.0, 120.0, 130.0, 250.0]) * 0.2 / 3600.0
    found = assign(objects_at(ra, np.zeros(4)), index)
    assert list(found["tile"]) == ["west", "west", "east", "east"]
    assert np.allclose(found["depth_pix"], [150.0, 30.0, 30.0, 150.0], atol=1e-3)
    assert np.allclose(found["x_pix"], [149.5, 29.5, 269.5, 149.5], atol=1e-3)
    assert np.allclose(found["y_pix"], 149.5, atol=1e-3)
    assert (found["reason"] == "").all()


def test_objects_without_a_tile_keep_their_row_and_say_why():
    index = TileIndex([header_tile("only", 180.0, 0.0)], KIDS, [])
    found = assign(objects_at([180.0, 190.0, np.nan, 0.0, 180.0], [0.0, 0.0, 0.0, 0.0, 95.0]), index)
    assert list(found["id"]) == [f"object{number}" for number in range(5)]
    assert list(found["tile"]) == ["only", "", "", "", ""]
    outside = "outside every tile"
    assert list(found["reason"]) == ["", outside, "no position", outside, "no position"]
    assert found.loc[1:, ["x_pix", "y_pix", "depth_pix"]].isna().all(axis=None)


def test_a_broken_tile_gets_only_what_lies_in_no_other():
    near = 60 * 0.2 / 3600.0
    tiles = [header_tile("broken", 180.0, 0.0, problem="cut short"), header_tile("whole", 180.0 + near, 0.0)]
    edge = 149.0 * 0.2 / 3600.0
    found = assign(objects_at([180.0, 180.0 - edge], [0.0, 0.0]), TileIndex(tiles, KIDS, []))
    assert list(found["tile"]) == ["whole", "broken"]


@pytest.mark.parametrize(("ra_deg", "dec_deg"), [(0.0, 0.0), (359.99999, -40.0), (123.0, 85.0)])
def test_edges_belong_to_the_tile_anywhere_on_the_sky(ra_deg, dec_deg):
    tile = header_tile("tile", ra_deg, dec_deg, shape=(200, 500))
    x, y = np.array([-0.4, 499.4, 250.0, 250.0, -0.6, 250.0]), np.array([100.0, 100.0, -0.4, 199.4, 100.0, 199.6])
    found = assign(objects_at(*tile.sky(x, y)), TileIndex([tile], KIDS, []))
    assert list(found["tile"]) == ["tile"] * 4 + [""] * 2
    assert np.allclose(found["depth_pix"][:4], 0.1, atol=1e-3)


def test_no_objects():
    found = assign(objects_at([], []), TileIndex([header_tile("tile", 1.0, 1.0)], KIDS, []))
    assert len(found) == 0
    assert {"tile", "x_pix", "y_pix", "depth_pix", "reason"} <= set(found)


def test_truncated_tile_of_files_still_has_a_place(tmp_path):
    write_tile(tmp_path, (120, 120))
    path = tmp_path / KIDS.tile_file(180.0, 0.5, band="u")
    os.truncate(path, 4000)
    index = index_tiles(tmp_path, KIDS)
    found = assign(objects_at([180.0], [0.5]), index)
    assert list(found["tile"]) == ["KiDS_DR4.0_180.0_0.5"]
    assert "cut short" in index[found["tile"][0]].problem


def test_of_many_objects_and_tiles_only_near_ones_are_brought_together(rng, monkeypatch):
    tiles = [header_tile(f"{n}", 150.0 + n % 20, n // 20 - 5.0, shape=(18_500, 18_500)) for n in range(200)]
    count = 100_000
    objects = objects_at(rng.uniform(149.0, 171.0, count), rng.uniform(-6.0, 6.0, count))
    projected, pixels = [], Tile.pixels

    def counted(tile, ra_deg, dec_deg):
        projected.append(len(ra_deg))
        return pixels(tile, ra_deg, dec_deg)

    monkeypatch.setattr(Tile, "pixels", counted)
    found = assign(objects, TileIndex(tiles, KIDS, []))
    # Each is tried in the few tiles whose circle it lies in, and each tile is asked once.
    assert len(projected) == 200 and sum(projected) < 3 * count
    assert 0.7 < np.mean(found["tile"] != "") < 0.95
