"""Simulated skies for the gauge: made once into a folder, read as the real sets are."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import numpy as np
from eight_bit import as_picture
from real_sets import NUM_FOLDS, RealSet

from lensdetect.simulation import simulate
from lensdetect.stamps import Shards
from lensdetect.survey import SURVEYS

SKIES = ("bologna", "kids", "des", "hsc", "cfhtls")

#: Those whose stamps are shown once more as 8-bit pictures, and what stands behind their names then.
PICTURED, PICTURE = ("cfhtls", "kids"), "8-bit"

#: Side of the sky that a detector sees, in arcsec.
_SIDE_ARCSEC = 20.0

#: Bands of detectors; others of a survey are left out.
_BANDS = "ugri"


def make_sky(name: str, folder: Path, *, count: int, seed: int, workers: int) -> Path:
    """Simulate a sky, or go on with one, or leave it as it is.

    Parameters
    ----------
    name : str
        Of ``SKIES``.
    folder : path
        Of all skies.
    count, seed, workers : int

    Returns
    -------
    Path
        Of this sky.
    """
    survey = SURVEYS[name]
    size = 2 * math.ceil(0.5 * _SIDE_ARCSEC / survey.pixel_scale_arcsec) + 1
    place = Path(folder) / f"{name}-{count}-{seed}"
    simulate(survey, place, count=count, seed=seed, size=size, workers=workers)
    return place


def load_sky(name: str, folder: Path) -> RealSet:
    """A sky as a set: what has a source that cannot be seen has no truth.

    Parameters
    ----------
    name : str
        Of ``SKIES``.
    folder : path
        That ``make_sky`` returned.

    Returns
    -------
    RealSet
        Named "sky " and the name.
    """
    survey, shards = SURVEYS[name], Shards(folder)
    bands = tuple(band for band in survey.band_names if band in _BANDS)
    places = [survey.band_names.index(band) for band in bands]
    truth = shards.truth
    pixels = shards.read(np.arange(len(shards)))[..., places]
    known = truth["is_lens"] | ~truth["has_source"]
    table = truth.assign(
        is_lens=truth["is_lens"].astype("boolean").where(known), fold=np.arange(len(truth)) % NUM_FOLDS
    )
    points = tuple(survey.bands[place].zero_point_mag for place in places)
    return RealSet(f"sky {name}", pixels, bands, points, survey.pixel_scale_arcsec, table)


def pictured(sky: RealSet, *, seed: int) -> RealSet:
    """The same stamps in g, r, i, as they would come out of the 8-bit pictures of CFHTLS."""
    three = sky.in_bands("gri")
    factors = 10.0 ** (-0.4 * (np.array(three.zero_points_mag) - 30.0))
    pixels = as_picture((three.pixels * factors).astype(np.float32), rng=np.random.default_rng(seed))
    return dataclasses.replace(three, name=f"{sky.name} {PICTURE}", pixels=pixels, zero_points_mag=(30.0,) * 3)
