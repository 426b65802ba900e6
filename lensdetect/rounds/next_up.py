"""What people should grade next in a finished search."""

from __future__ import annotations

import logging
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from astropy.io import fits

from lensdetect import __version__
from lensdetect.artifact import find_detector, load_card, load_detector
from lensdetect.errors import InputError, LensdetectError
from lensdetect.rounds.choosing import AMONG, NOVELTY, Wishes, choose, nearest_to
from lensdetect.rounds.held_out import HeldOut, rule_of
from lensdetect.rounds.searched import Form, SearchedSky
from lensdetect.rounds.shortlist import shortlist
from lensdetect.runs import writable, write_folder, write_whole
from lensdetect.search.pictures import cutout_name
from lensdetect.text import for_header, shown, write_csv

logger = logging.getLogger(__name__)

#: Cut and looked at at once, so that memory does not grow with their number.
_CUT = 512
#: Letters of text that a card of a FITS header holds.
_CARD = 68
#: Side of the cutouts that people are shown, in pixels of the survey.
_SIZE = 101
#: Graded objects that novelty is measured from, at most: the newest.
_MOST_SEEN = 2000
LIKE = "like"


@dataclass(frozen=True)
class NextUp:
    """What was chosen.

    Parameters
    ----------
    table : DataFrame
        ``id``, ``file`` (cutout, beside the table), ``ra_deg``, ``dec_deg``, ``tile``,
        ``logit``, ``probability``, ``why``; in the order in which it was chosen.
    path : Path
        Where it is.
    missing : DataFrame
        ``id`` and ``reason`` of what was chosen and has no pixels.
    """

    table: pd.DataFrame
    path: Path
    missing: pd.DataFrame


def choose_next(
    sky: SearchedSky,
    output: Path | str,
    *,
    count: int,
    wishes: Wishes | None = None,
    like: str | None = None,
    graded: Collection[str] = (),
    model: Path | str | None = None,
    held_out: HeldOut | None = None,
    measure: bool = False,
    among: int = AMONG,
    seed: int = 0,
    trust_model: bool = False,
) -> NextUp:
    """Choose objects to grade, and write the table and cutouts that ``lensdetect grade`` takes.

    Parameters
    ----------
    sky : SearchedSky
    output : path
        A table to write, ``NAME.csv``; the cutouts go to ``NAME.cutouts/`` beside it.
    count : int
        How many.
    wishes : Wishes, optional
        Why; for their score, if not given.
    like : str, optional
        Id of an object: those that look most like it to the detector, instead.
    graded : collection of str
        Ids of what is graded already; never chosen.
    model : str or path, optional
        Detector whose features tell what is alike, and whose rounds say what is
        held out; the first of the search if not given.
    held_out : HeldOut, optional
        For a detector that has been through no round.
    measure : bool
        Whether to choose from what is held out, to be measured on, and not from the rest.
    among : int
        How many of the best, of each detector, are looked at.
    seed : int
        Of what is chosen at random.
    trust_model : bool
        Whether to load a detector whose program does more than compute.

    Returns
    -------
    NextUp

    Raises
    ------
    InputError
        If there is nothing left to choose from, a way needs what is not there, or
        the detector or the object to be like is not found.
    """
    path = Path(output)
    if path.suffix != ".csv":
        raise InputError(f"what to grade next is written as a table NAME.csv, got {output}")
    wishes, folder = wishes or Wishes(), _detector(sky, model)
    card, among = load_card(folder), max(among, count)
    best = shortlist(
        sky,
        among=among,
        without={*map(str, graded)},
        held_out=rule_of(card, held_out),
        reach_arcsec=card.size * card.pixel_scale_arcsec,
        measure=measure,
        seed=seed,
    )
    if like is None and NOVELTY not in dict(wishes.shares):
        rows, ways = choose(wishes, count, **_known(best), among=among, seed=seed)
    else:
        looks = _Looks(sky, load_detector(folder, trust_model=trust_model))
        features = looks.of_best(best, among)
        if like is None:
            rows, ways = choose(
                *(wishes, count),
                **_known(best),
                features=features,
                seen=looks.of_ids(graded, _MOST_SEEN),
                among=among,
                seed=seed,
            )
        else:
            rows, ways = _like(like, looks, features, count), LIKE
    return _write(sky, best.iloc[rows].assign(why=ways).reset_index(drop=True), path)


def _detector(sky: SearchedSky, model: Path | str | None) -> Path:
    if model is not None:
        return find_detector(model)
    if not sky.detectors:
        raise InputError(f"{sky.folder} does not say which detector scored it: name one with --model")
    try:
        return find_detector(sky.detectors[0])
    except LensdetectError as error:
        raise InputError(
            f"{sky.detectors[0]}, by which was searched, must be found, got: {error}: name its folder with --model"
        ) from error


def _known(best: pd.DataFrame) -> dict[str, np.ndarray]:
    members = best[[name for name in best if name.startswith("logit_")]].to_numpy(float)
    return {"logit": best["logit"].to_numpy(), "members": members, "fair": best["at_random"].to_numpy(bool)}


class _Looks:
    """What a detector makes of objects of a search."""

    def __init__(self, sky: SearchedSky, detector):
        self._sky, self._detector = sky, detector

    def of(self, objects: pd.DataFrame) -> np.ndarray:
        """Features ``(n, dim)``; NaN where there are no pixels."""
        found = []
        for start in range(0, max(len(objects), 1), _CUT):
            pixels, _ = self._sky.cut(objects.iloc[start : start + _CUT], self._detector.card)
            found.append(self._detector.embed(pixels))
        return np.concatenate(found)

    def of_best(self, best: pd.DataFrame, among: int) -> np.ndarray:
        """Features of the best ``among``, NaN for the others."""
        some = self.of(best.head(among))
        features = np.full((len(best), some.shape[1]), np.nan, np.float32)
        features[: len(some)] = some
        return features

    def of_ids(self, ids: Collection[str], most: int) -> np.ndarray:
        """Features of objects by id, of the last ``most`` of them; those that have none are left out."""
        found = self.of(self._sky.objects([*ids][-most:]))
        return found[np.isfinite(found).all(axis=1)]


def _like(example: str, looks: _Looks, features: np.ndarray, count: int) -> np.ndarray:
    """Rows of what looks most like an object."""
    found = looks.of_ids([example], 1)
    if not len(found):
        raise InputError(f"what others shall be like must be an object of the search with pixels, got {shown(example)}")
    rows = np.flatnonzero(np.isfinite(features).all(axis=1))
    return rows[nearest_to(features[rows], found[0])][:count]


def _write(sky: SearchedSky, chosen: pd.DataFrame, path: Path) -> NextUp:
    """Cut what was chosen in the survey's own pixels, and write cutouts and table."""
    survey = sky.survey
    form = Form(survey.name, survey.bands, survey.pixel_scale_arcsec, _SIZE)
    pixels, reasons = sky.cut(chosen, form)
    good = np.array([reason == "" for reason in reasons], bool)
    missing = chosen.loc[~good, ["id"]].assign(reason=[reason for reason in reasons if reason])
    table, pixels = chosen[good].reset_index(drop=True), pixels[good]
    folder = path.with_suffix(".cutouts")
    names = [cutout_name(number, name) for number, name in enumerate(table["id"], start=1)]
    table.insert(1, "file", [f"{folder.name}/{name}" for name in names])

    def write(partial: Path) -> None:
        for name, cutout, row in zip(names, pixels, table.itertuples(index=False), strict=True):
            _cube(cutout, row, form).writeto(partial / name)

    with writable(path.parent, what="what to grade next"):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_folder(folder, write, replace=True)
        columns = ["id", "file", "ra_deg", "dec_deg", "tile", "logit", "probability", "why"]
        write_whole(path, lambda file: write_csv(table[columns], file))
    return NextUp(table[columns], path, missing)


def _cube(cutout: np.ndarray, row, form: Form) -> fits.PrimaryHDU:
    """Planes in the order of the bands, with the place on the sky; how it lies there, the tile knows."""
    header = fits.Header()
    header["RA_TARG"], header["DEC_TARG"] = (row.ra_deg, "[deg] ICRS"), (row.dec_deg, "[deg] ICRS")
    for number, band in enumerate(form.bands, start=1):
        header[f"BAND{number}"] = (band.name, f"plane {number}")
        header[f"MAGZP{number}"] = (band.zero_point_mag, "AB mag of one flux unit")
    header["OBJECT"], header["CREATOR"] = for_header(row.id, longest=_CARD), f"lensdetect {__version__}"
    return fits.PrimaryHDU(np.ascontiguousarray(np.moveaxis(cutout, -1, 0)), header)
