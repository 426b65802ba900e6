"""The graded objects of a round on disk: who learns, who is held out, and their pixels."""

from __future__ import annotations

import logging
import math
import shutil
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from lensdetect.artifact import Card
from lensdetect.errors import InputError
from lensdetect.rounds.converted import manifest_of
from lensdetect.rounds.held_out import HELD_OUT, LEARN, HeldOut
from lensdetect.rounds.searched import SearchedSky
from lensdetect.rounds.ungraded import UNGRADED, ungraded_labels
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
        All graded objects, and those of kind ``UNGRADED`` that are learned from beside them: ``id``, ``ra_deg``,
        ``dec_deg``, ``tile``, ``is_lens``, ``posterior``, ``weight``, ``kind``, ``side`` and ``reason``, why one
        is left out.
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
        """Graded objects without pixels, each with its reason."""
        return self.objects[(self.objects["reason"] != "") & (self.objects["kind"] != UNGRADED)]


def _open(folder: Path) -> tuple[Shards, pd.DataFrame]:
    return Shards(folder), pd.read_parquet(folder / _LABELS)


def prepare(
    folder: Path,
    labels: pd.DataFrame,
    sky: SearchedSky,
    card: Card,
    *,
    held_out: HeldOut,
    ungraded: int = 0,
    graded: Collection[str] = (),
    seed: int = 0,
) -> Prepared:
    """Cut the graded objects out and divide them, with ungraded ones; what is there already stays.

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
    ungraded : int
        How many objects that nobody graded are learned from beside them.
    graded : collection of str
        Ids of all that people looked at, also where they are too unsure for a label.
    seed : int
        Of which these are.

    Returns
    -------
    Prepared

    Raises
    ------
    InputError
        If no graded object is one of the search, or none that is not held out has pixels.
    """
    path = folder / OBJECTS
    if not path.is_file():
        objects = _with_places(labels, sky, card, held_out=held_out)
        if ungraded:
            how = {"without": {*labels["id"], *graded}, "held_out": held_out, "seed": seed}
            more = ungraded_labels(sky, ungraded, **how, reach_arcsec=card.size * card.pixel_scale_arcsec)
            if len(more):
                objects = pd.concat([objects, _with_places(more, sky, card, held_out=held_out)], ignore_index=True)
        _cut_all(folder, objects, sky, card)
    objects = pd.read_csv(path, dtype={"id": str, "tile": str, "kind": str}, keep_default_na=False)
    return Prepared(folder, objects)


def _cut_all(folder: Path, objects: pd.DataFrame, sky: SearchedSky, card: Card) -> None:
    for name, side in ((GRADED, LEARN), (HELD, HELD_OUT)):
        rows = objects.index[(objects["reason"] == "") & (objects["side"] == side)]
        objects.loc[rows, "reason"] = _write_side(folder / name, objects.loc[rows], sky, card)
    graded = objects[objects["kind"] != UNGRADED]
    left = graded.loc[graded["side"] == LEARN, "reason"]
    if not (left == "").any():
        reason = left.iloc[0] if len(left) else "all of them are held out or at the border of that"
        raise InputError(
            f"a round must have graded objects with pixels to learn from, got none of {len(graded)}: {reason}"
        )
    # last: where it is, all is there
    write_whole(folder / OBJECTS, lambda file: write_csv(objects, file))


def _write_side(folder: Path, table: pd.DataFrame, sky: SearchedSky, card: Card) -> list[str]:
    """Stamps of some objects, a shard at a time; why there are no pixels of each, or nothing."""
    # neighbours on a tile are read together
    order = np.argsort(table["tile"].to_numpy(str), kind="stable")
    reasons = np.full(len(table), "", object)

    def write(partial: Path) -> None:
        write_manifest(partial, manifest_of(card))
        for number, start in enumerate(range(0, len(order), _SHARD)):
            rows = order[start : start + _SHARD]
            pixels, reasons[rows] = sky.cut(table.iloc[rows], card)
            good = reasons[rows] == ""
            if good.any():
                shown = zip(table.iloc[rows[good]].itertuples(), pixels[good], strict=True)
                write_shard(partial, number, [Stamp(cutout, _truth(row)) for row, cutout in shown])
        labels = table.iloc[order[reasons[order] == ""]][["id", "is_lens", "posterior", "weight", "kind"]]
        write_whole(partial / _LABELS, lambda file: labels.to_parquet(file, index=False))

    if len(table):
        write_folder(folder, write, replace=True)
        if (reasons != "").all():
            shutil.rmtree(folder)
    return reasons.tolist()


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
