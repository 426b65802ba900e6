"""Whole runs: the same bytes always, resumed, killed, refused."""

from __future__ import annotations

import dataclasses
import json
import resource
import signal
import subprocess
import sys

import numpy as np
import pytest
from astropy.io import fits

from lensdetect.errors import InputError
from lensdetect.simulation.tiles import NO_DEFECTS, TileRates, simulate_tiles
from lensdetect.simulation.tiles.layout import name_finely, tile_centres, tile_name
from lensdetect.survey import SURVEYS

KIDS = SURVEYS["kids"]
SMALL = {"tiles": 2, "density": 3.0, "seed": 5, "tile_shape_pix": (200, 260), "lens_fraction": 0.2, "progress": False}


def files_of(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def one_worker(tmp_path_factory):
    return simulate_tiles(KIDS, tmp_path_factory.mktemp("one") / "tiles", workers=1, **SMALL)


def test_two_workers_write_the_same_bytes(one_worker, tmp_path):
    two = simulate_tiles(KIDS, tmp_path / "two", workers=2, **SMALL)
    found, wanted = files_of(two), files_of(one_worker)
    assert found.keys() == wanted.keys()
    assert [name for name in wanted if found[name] != wanted[name]] == []


def test_a_tile_without_truth_is_made_again_and_others_are_kept(one_worker, tmp_path):
    wanted = files_of(one_worker)
    folder = simulate_tiles(KIDS, tmp_path / "again", workers=1, **SMALL)
    gone, kept = sorted((folder / "truth").iterdir())
    gone.unlink()
    position = gone.stem.removeprefix("KIDS_")
    (folder / f"KiDS_DR4.0_{position}_r_sci.fits").unlink()
    before = kept.stat().st_mtime_ns
    simulate_tiles(KIDS, folder, workers=1, **SMALL)
    assert files_of(folder) == wanted
    assert kept.stat().st_mtime_ns == before


def test_manifest(one_worker):
    manifest = json.loads((one_worker / "tiles.json").read_text())
    assert manifest["complete"] is True
    assert (manifest["survey"], manifest["count"], manifest["seed"]) == ("kids", 2, 5)
    assert manifest["tile_shape_pix"] == [200, 260]
    assert manifest["density_per_arcmin2"] == 3.0
    assert len(manifest["tiles"]) == 2
    assert not (one_worker / "manifest.json").exists()  # which would make it a folder of stamps


def test_a_killed_run_leaves_whole_tiles_and_goes_on(one_worker, tmp_path, wait_for):
    folder = tmp_path / "killed"
    code = (
        "from lensdetect.simulation.tiles import simulate_tiles; from lensdetect.survey import SURVEYS; "
        f"simulate_tiles(SURVEYS['kids'], {str(folder)!r}, workers=1, **{SMALL!r})"
    )
    process = subprocess.Popen([sys.executable, "-c", code])
    wait_for(lambda: list(folder.glob("truth/*.parquet")), process)
    process.send_signal(signal.SIGKILL)
    process.wait()
    wanted = files_of(one_worker)
    whole = {path.stem for path in folder.glob("truth/*.parquet")}
    for name, content in files_of(folder).items():
        if any(tile.removeprefix("KIDS_") in name for tile in whole):
            assert content == wanted[name]
    simulate_tiles(KIDS, folder, workers=1, **SMALL)
    assert files_of(folder) == wanted


def test_a_full_disk_is_one_clear_error(tmp_path):
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    try:
        with pytest.raises(InputError, match=r"tiles must be writable to .*, got File too large: make room \(0.0 GB"):
            simulate_tiles(KIDS, tmp_path / "full", workers=1, **SMALL)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert [path.name for path in (tmp_path / "full").rglob("*") if path.is_file()] == ["tiles.json"]


@pytest.mark.parametrize(
    "change, message",
    [
        ({"tiles": 0}, "tiles must be a whole number of at least 1, got 0"),
        ({"density": 0.0}, "density must be above 0, got 0.0: it is the number of targets per square arcmin"),
        ({"density": float("nan")}, "density must be above 0, got nan"),
        ({"seed": -1}, "seed must be a whole number of at least 0, got -1"),
        ({"workers": 0}, "workers must be a whole number of at least 1, got 0"),
        ({"tile_shape_pix": (200, 50)}, "tile_shape_pix must be a whole number of at least 101, got 50"),
        ({"lens_fraction": 1.5}, "lens_fraction must be from 0 to 1, got 1.5"),
        ({"centre_deg": (0.0, 85.0)}, "tiles must lie within 80 degrees of the equator, got one at 85.0"),
    ],
)
def test_bad_arguments_are_refused_before_anything_is_written(tmp_path, change, message):
    with pytest.raises(InputError, match=message):
        simulate_tiles(KIDS, tmp_path / "new", **{**SMALL, **change})
    assert not (tmp_path / "new").exists()


def test_rates_out_of_range_are_refused():
    with pytest.raises(InputError, match="the rate bad_columns must be 0 or more, got -1"):
        TileRates(bad_columns=-1.0)
    with pytest.raises(InputError, match="the rate blank_strip is a probability, at most 1, got 2"):
        TileRates(blank_strip=2.0)


def test_a_survey_without_names_for_tiles_is_refused(tmp_path):
    nameless = dataclasses.replace(KIDS, tile_pattern="")
    with pytest.raises(InputError, match="survey kids must state a tile_pattern with {band} and {kind} to make tiles"):
        simulate_tiles(nameless, tmp_path / "new", **SMALL)


def test_another_simulation_in_the_folder_is_refused(one_worker):
    before = files_of(one_worker)
    with pytest.raises(InputError, match="another simulation: seed is 5 there and 6 here: choose another folder"):
        simulate_tiles(KIDS, one_worker, workers=1, **{**SMALL, "seed": 6})
    assert files_of(one_worker) == before


def test_an_unwritable_folder_is_refused(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(InputError, match=r"must be writable to .*file.tiles, got Not a directory: choose another"):
        simulate_tiles(KIDS, tmp_path / "file" / "tiles", **SMALL)


def test_tiles_as_large_as_those_of_kids_are_named_as_there():
    centres = tile_centres(4, KIDS, shape_pix=(19500, 18500), centre_deg=(180.0, -30.0))
    survey = name_finely(KIDS, centres)
    assert survey.tile_pattern == KIDS.tile_pattern
    names = [survey.tile_file(*centre, band="r") for centre in centres]
    assert names[0] == "KiDS_DR4.0_180.6_-30.5_r_sci.fits"
    assert len({tile_name(survey, *centre) for centre in centres}) == 4


def test_tiles_overlap_by_500_pixels_or_more_far_from_the_equator():
    centres = tile_centres(2, KIDS, shape_pix=(19500, 18500), centre_deg=(10.0, -31.0))
    apart_deg = abs(centres[0][0] - centres[1][0]) * np.cos(np.radians(-31.0))
    assert 17500 < apart_deg * 3600 / 0.2 <= 18001


def test_a_survey_without_a_catalogue_gets_plain_columns(tmp_path):
    arguments = {**SMALL, "tiles": 1, "rates": NO_DEFECTS}
    folder = simulate_tiles(SURVEYS["legacy"], tmp_path / "legacy", workers=1, **arguments)
    (catalogue,) = folder.glob("legacy_*_cat.fits")
    names = fits.getdata(catalogue).names
    assert {"ID", "RA", "DEC", "MAG_g", "MAG_z", "MAG_AUTO", "IS_STAR"} <= set(names)


@pytest.mark.slow
def test_memory_does_not_grow_with_the_rows_of_a_tile(tmp_path):
    peaks = []
    for rows in (1024, 4096):
        arguments = {**SMALL, "tiles": 1, "tile_shape_pix": (rows, 6000)}
        code = (
            "from lensdetect.simulation.tiles import simulate_tiles; "
            "from lensdetect.survey import SURVEYS; "
            f"simulate_tiles(SURVEYS['kids'], {str(tmp_path / str(rows))!r}, workers=1, **{arguments!r}); "
            # ru_maxrss would begin with what the process that runs the tests has in memory
            "print(next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')))"
        )
        out = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
        peaks.append(int(out) / 1e6)
    assert peaks[1] < 1.5
    assert peaks[1] < peaks[0] + 0.3
