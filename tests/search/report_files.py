"""A made-up report: what a search would have found, with the names that catalogues may have."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from lensdetect import flags
from lensdetect.artifact import Calibration
from lensdetect.images.index import TileIndex
from lensdetect.runs import writable
from lensdetect.search import Committee, Cut, Member
from lensdetect.search.candidates import Ranked
from lensdetect.search.completeness import FATE_COLUMNS
from lensdetect.search.report import Findings, write_report
from lensdetect.search.report_pictures import Pictures
from lensdetect.search.slices import Job
from lensdetect.survey import get_survey

SIDE, COUNT = 41, 12
#: What catalogues may call an object.
ODD_IDS = {
    1: "<script>window.hit = 1</script>",
    2: "../../../etc/passwd",
    3: '"><img src=x onerror="window.hit = 1">',
    4: "abc\u202egnp.exe",
    5: "=HYPERLINK(1)",
    6: "</script><script>window.hit = 1</script>",
    7: "' onmouseover='window.hit = 1",
    8: 'one, "two"\nthree',
    9: "{{ 7 * 7 }}",
}


def table(count: int = COUNT) -> pd.DataFrame:
    """Candidates of two tiles; the last two are near misses of one scene."""
    rank = np.arange(1, count + 1)
    return pd.DataFrame(
        {
            "rank": rank,
            "row": rank[::-1].copy(),
            "id": [ODD_IDS.get(number, f"galaxy {number}") for number in rank],
            "ra_deg": 180.0 + 0.01 * rank,
            "dec_deg": np.where(rank % 2, -1.5, 2.25),
            "tile": np.where(rank % 3, "north <b>", "south"),
            "logit": 8.0 - rank,
            "probability": 1.0 / rank,
            "flags": np.where(rank % 4, 0, flags.bits("edge")) | np.where(rank > 10, flags.bits("saturated"), 0),
            "reason": np.where(rank > 10, "near miss: saturated", ""),
            "merged": 0,
            "known_lens": np.where(rank == 2, "<i>Ring</i>", ""),
            "separation_arcsec": np.where(rank == 2, 0.4, np.nan),
            "known_grade": np.where(rank == 2, "A", ""),
            "known_list": np.where(rank == 2, "a list", ""),
            "near_miss": rank > 10,
            "scene": np.minimum(rank, 11),
        }
    )


def findings(folder: Path, candidates: pd.DataFrame) -> Findings:
    kids = get_survey("kids")
    committee = Committee((Member("made up", Calibration(lens_fraction=0.5)),), None, kids.band_names, SIDE, 0.2)
    ranked = Ranked(candidates, objects=len(candidates), scored=len(candidates), eligible=len(candidates))
    tiles = pd.DataFrame({"tile": ["south"], "objects": [7], "problem": ["<b>cut short</b>"]})
    known, notes = pd.DataFrame(columns=FATE_COLUMNS), ["<b>a note</b>"]
    job, index, sources = Job(kids, folder, committee, prior=1e-3), TileIndex([], kids, []), {"command": "ls <b>"}
    return Findings(job, index, tiles, ranked, known, {"candidates": len(candidates)}, notes, Cut(top=50), sources)


def write_pictures(folder: Path, candidates: pd.DataFrame, *, without: tuple[int, ...] = (), seed: int = 5) -> Pictures:
    """Galaxies, each larger than the one before."""
    rng, pictures = np.random.default_rng(seed), Pictures(folder, candidates["rank"])
    y, x = np.mgrid[:SIDE, :SIDE] - SIDE // 2
    for rank in candidates["rank"]:
        light = 60.0 * np.exp(-np.hypot(x, y) / (2.0 + 0.2 * rank))
        pixels = (light[..., None] + rng.normal(size=(SIDE, SIDE, 4))) * 1e-12
        if rank not in without:
            pictures.add(rank, pixels, axes=(-1.0, 0.0, 0.0, 1.0))
    return pictures


def write(folder: Path, candidates: pd.DataFrame, *, without: tuple[int, ...] = (), seed: int = 5) -> Pictures:
    """Write a report with its pictures, but for some."""
    with writable(folder):
        pictures = write_pictures(folder, candidates, without=without, seed=seed)
        pictures.lost["north <b>"] = "it is <b>gone</b>"
        write_report(findings(folder, candidates), pictures, folder / "report.html")
    return pictures
