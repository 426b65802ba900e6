"""The main job on a simulated sky: make a small survey, search it for lenses, compare with the truth."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from lensdetect import artifact
from lensdetect.errors import InputError
from lensdetect.runs import write_whole
from lensdetect.search import Cut, Search, committee_of, search_survey
from lensdetect.search.completeness import FOUND
from lensdetect.simulation import simulate_tiles
from lensdetect.simulation.tiles import TileRates
from lensdetect.stamps import undetected
from lensdetect.survey import get_survey

#: Whose sky: that with everything that fools in it.
_SURVEY = "kids"
#: Share of lenses among the galaxies: many more than in the sky, few enough to be searched for.
LENS_FRACTION = 0.1
#: Galaxies to be searched per square arcmin: a crowded sky, so that a small one is enough.
_DENSITY = 12.0
#: Catalogues have fainter galaxies and stars too, as real ones have.
_SELECT = "MAG_AUTO < 21.5"
_CANDIDATES = 50
#: How the report names a true lens that the label rule leaves out.
_HARDLY_SEEN = "lens, but too faint or small to be labelled as one"
#: What goes wrong in a tile of the size of KiDS's would cover one of a hundredth of it; some of it is left.
_RATES = TileRates(
    satellite_trails=0.5,
    aeroplane_trails=0.1,
    bad_columns=0.5,
    shallow_strips=0.2,
    dead_strips=0.2,
    blank_strip=0.1,
    dead_border_pix=10,
    bright_stars_per_arcmin2=0.02,
)


@dataclass(frozen=True)
class Demo:
    """What the demonstration made.

    Parameters
    ----------
    found : Search
        With the lenses that were hidden in the sky as its known ones.
    truth : DataFrame
        One row an object of the catalogues.
    """

    found: Search
    truth: pd.DataFrame

    def report(self) -> str:
        """The best with their truth, and what became of the hidden lenses."""
        named = self.truth["kind"].where(~undetected(self.truth), _HARDLY_SEEN)
        kinds = dict(zip(self.truth["id"], named, strict=True))
        shown = self.found.candidates.head(10)
        lines = [
            f"{row.rank:>4}  {row.id}  logit {row.logit:7.3f}  {kinds.get(row.id, '?')}" for row in shown.itertuples()
        ]
        numbers, known = self.found.numbers, self.found.known
        first = int((known.loc[known["fate"] == FOUND, "rank"] <= len(known)).sum())
        missed = known.loc[known["fate"] != FOUND, "fate"].value_counts().to_dict()
        return "\n".join(
            [
                *lines,
                "",
                f"{numbers['objects scored']:,} galaxies of {numbers['rows of the catalogue']:,} catalogue rows "
                f"in {numbers['tiles']} overlapping tiles were scored with {numbers['detectors']}.",
                f"Of {len(known)} lenses hidden in them {first} are among the first {len(known)} candidates"
                + "".join(f", {count} missed for {why}" for why, count in missed.items())
                + ".",
            ]
        )


def run_demo(
    output: Path | str,
    *,
    tiles: int = 4,
    side_pix: int = 800,
    seed: int = 2026,
    workers: int | None = None,
) -> Demo:
    """Simulate a small survey, search it with the detector that comes with the package, compare.

    Parameters
    ----------
    output : path
        Folder for ``survey/`` (tiles, catalogues, truth), ``hidden_lenses.csv``
        and ``found/`` with the report. A second run uses what is there.
    tiles : int
        Number of tiles, which overlap.
    side_pix : int
        Height and width of a tile.
    seed : int
        Of the simulation; another one than that of the training stamps.
    workers : int, optional
        Processes that simulate; by default one a core. The search of so few
        objects is done in this process.

    Returns
    -------
    Demo

    Raises
    ------
    InputError
        If the folder cannot be written or holds something else, or the seed is
        that of the training stamps.
    """
    card = artifact.load_card(artifact.find_detector(survey=_SURVEY))
    if seed == card.training.get("data_seed"):
        raise InputError(f"the detector was trained on stamps of seed {seed}: give the demonstration another --seed")
    output, survey = Path(output), get_survey(_SURVEY)
    sky = simulate_tiles(
        survey,
        output / "survey",
        tiles=tiles,
        density=_DENSITY,
        seed=seed,
        tile_shape_pix=(side_pix, side_pix),
        workers=workers,
        lens_fraction=LENS_FRACTION,
        rates=_RATES,
    )
    truth = _truth(sky)
    hidden = output / "hidden_lenses.csv"
    lenses = truth[truth["is_lens"]].assign(name=lambda rows: rows["id"], grade="simulated")
    write_whole(hidden, lambda file: lenses[["name", "ra_deg", "dec_deg", "grade"]].to_csv(file, index=False))
    found = search_survey(
        sky,
        sky / "*_cat.fits",
        output / "found",
        survey=survey,
        committee=committee_of([None], survey),
        select=_SELECT,
        prior=LENS_FRACTION,
        cut=Cut(top=_CANDIDATES),
        known=hidden,
        workers=1,
        command="lensdetect demo",
    )
    return Demo(found, truth)


def _truth(sky: Path) -> pd.DataFrame:
    """Truth of all objects that a catalogue lists, each once."""
    tables = [pd.read_parquet(path) for path in sorted((sky / "truth").glob("*.parquet"))]
    truth = pd.concat(tables, ignore_index=True)
    return truth[truth["id"] != ""].drop_duplicates("id").reset_index(drop=True)
