"""The graded objects of a round on disk: who learns, who is held out, and their pixels."""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from lensdetect.artifact import Card
from lensdetect.errors import InputError
from lensdetect.rounds.converted import manifest_of
from lensdetect.rounds.held_out import HELD_OUT, LEARN, HeldOut
from lensdetect.rounds.searched import SearchedSky
from lensdetect.runs import write_folder, write_whole
from lensdetect.stamps import Shards, Stamp, write_manifest, write_shard
from lensdetect.text import write_csv

logger = logging.getLogger(__name__)

_SHARD = 500
_LABELS = "labels.parquet"
#: What a round puts beside its training.
GRADED, HELD, OBJECTS = "graded", "held_out", "objects.csv"


@dataclass(frozen=True)
class Prepared:
    """Graded objects with their pixels.

    Parameters
    ----------
    folder : Path
        With ``graded/`` and, where there is something, ``held_out/`` (stamps as of
        a simulation, in the form that the detector takes), and ``objects.csv``.
    objects : DataFrame
        All graded objects: ``id``, ``ra_deg``, ``dec_deg``, ``tile``, ``is_lens``,
        ``posterior``, ``weight``, ``kind``, ``side`` and ``reason``, why one is left out.
    """

    folder: Path
    objects: pd.DataFrame

    @property
    def graded(self) -> tuple[Shards, pd.DataFrame]:
        """Stamps to learn from, and their labels in the same order."""
        return _open(self.folder / GRADED)

    @property
    def held_out(self) -> tuple[Shards, pd.DataFrame] | None:
        """Stamps to measure on, and their labels; None where there are none."""
        return _open(self.folder / HELD) if (self.folder / HELD).is_dir() else None

    @property
    def missing(self) -> pd.DataFrame:
        """Objects without pixels, each with its reason."""
        return self.objects[self.objects["reason"] != ""]


def _open(folder: Path) -> tuple[Shards, pd.DataFrame]:
    return Shards(folder), pd.read_parquet(folder / _LABELS)


def prepare(folder: Path, labels: pd.DataFrame, sky: SearchedSky, card: Card, *, held_out: HeldOut) -> Prepared:
    """Cut the graded objects out and divide them; what is there already stays.

    Parameters
    ----------
    folder : Path
        Of the round, held by it.
    labels : DataFrame
        From ``labels_of``.
    sky : SearchedSky
    card : Card
        Of the detector that is to learn.
    held_out : HeldOut

    Returns
    -------
    Prepared

    Raises
    ------
    InputError
        If no graded object is one of the search, none has pixels, or all are held out.
    """
    path = folder / OBJECTS
    if not path.is_file():
        _cut_all(folder, labels, sky, card, held_out=held_out)
    objects = pd.read_csv(path, dtype={"id": str, "tile": str, "kind": str}, keep_default_na=False)
    return Prepared(folder, objects)


def _cut_all(folder: Path, labels: pd.DataFrame, sky: SearchedSky, card: Card, *, held_out: HeldOut) -> None:
    objects = _with_places(labels, sky, card, held_out=held_out)
    used = np.flatnonzero((objects["reason"] == "") & objects["side"].isin([LEARN, HELD_OUT]))
    pixels, reasons = sky.cut(objects.iloc[used], card)
    objects.loc[objects.index[used], "reason"] = reasons
    good = np.array([reason == "" for reason in reasons], bool)
    if not good.any():
        reason = next(iter(reasons), "all of them lie at the border of what is held out")
        raise InputError(f"graded objects must have pixels to learn from, got none of {len(objects)}: {reason}")
    table, pixels = objects.iloc[used[good]].reset_index(drop=True), pixels[good]
    learn = (table["side"] == LEARN).to_numpy()
    if not learn.any():
        raise InputError(
            f"a round must have graded objects outside of what is held out, got none of {len(table)}: "
            "grade others, chosen by lensdetect next"
        )
    for name, rows in ((GRADED, np.flatnonzero(learn)), (HELD, np.flatnonzero(~learn))):
        if len(rows):
            write = lambda partial, rows=rows: _write_stamps(partial, table.iloc[rows], pixels[rows], card)  # noqa: E731
            write_folder(folder / name, write, replace=True)
    # last: where it is, all is there
    write_whole(folder / OBJECTS, lambda file: write_csv(objects, file))


def _with_places(labels: pd.DataFrame, sky: SearchedSky, card: Card, *, held_out: HeldOut) -> pd.DataFrame:
    """Labels with positions, sides, and the reason of those that are no object of the search."""
    objects = labels.merge(sky.objects(labels["id"]), on="id", how="left", sort=False)
    known = np.isfinite(objects["ra_deg"].to_numpy(float)) & np.isfinite(objects["dec_deg"].to_numpy(float))
    if not known.any():
        raise InputError(
            f"graded objects must be objects of the search in {sky.folder}, got {len(objects)} that are none, the "
            f"first {objects['id'].iloc[0]}: give the search that was graded"
        )
    side = np.full(len(objects), "", object)
    place = objects.loc[known, ["ra_deg", "dec_deg"]].to_numpy(float)
    side[known] = held_out.sides(*place.T, reach_arcsec=card.size * card.pixel_scale_arcsec)
    reason = np.where(known, "", "is no object of this search")
    columns = ["id", "ra_deg", "dec_deg", "tile", "is_lens", "posterior", "weight", "kind"]
    return objects[columns].assign(tile=objects["tile"].fillna(""), side=side, reason=reason)


def _write_stamps(folder: Path, table: pd.DataFrame, pixels: np.ndarray, card: Card) -> None:
    write_manifest(folder, manifest_of(card))
    for number, start in enumerate(range(0, len(table), _SHARD)):
        rows = zip(table[start : start + _SHARD].itertuples(), pixels[start : start + _SHARD], strict=True)
        write_shard(folder, number, [Stamp(cutout, _truth(row)) for row, cutout in rows])
    labels = table[["id", "is_lens", "posterior", "weight", "kind"]]
    write_whole(folder / _LABELS, lambda file: labels.to_parquet(file, index=False))


def _truth(row) -> dict:
    """Truth of a graded object, of whose arcs nothing is measured."""
    return {
        "id": row.id,
        "is_lens": bool(row.is_lens),
        "has_source": bool(row.is_lens),
        "kind": row.kind,
        "einstein_radius_arcsec": math.nan,
        "arc_pixel_count": 0,
        "arc_flux_sigma": 0.0,
        "arc_snr": 0.0,
        "seed": 0,
    }
