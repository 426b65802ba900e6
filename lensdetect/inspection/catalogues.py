"""The catalogues that grading ends in: lenses, contaminants by class, and truth to train on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from lensdetect.errors import InputError
from lensdetect.images.names import strip_ending
from lensdetect.images.written_tables import Meaning, write_tables
from lensdetect.inspection.combining import with_product
from lensdetect.inspection.standing import standing_grades
from lensdetect.inspection.subjects import TOLD
from lensdetect.runs import writable, write_whole
from lensdetect.text import write_csv

#: What becomes of an object.
LENS, CONTAMINANT, UNDECIDED, KNOWN, PLANTED = "lens", "contaminant", "undecided", "known", "planted"
VERDICTS = (LENS, CONTAMINANT, UNDECIDED, KNOWN, PLANTED)
RULES = ("published", "posterior")

#: Columns of the catalogues, in their order, for readers of FITS tables.
MEANINGS: dict[str, Meaning] = {
    "id": Meaning("meta.id;meta.main", "name of the object"),
    "ra_deg": Meaning("pos.eq.ra;meta.main", "right ascension, ICRS", "deg"),
    "dec_deg": Meaning("pos.eq.dec;meta.main", "declination, ICRS", "deg"),
    "tile": Meaning("meta.id;obs.field", "tile in which it lies deepest"),
    "posterior": Meaning("stat.probability", "chance to be a lens, from the grades and the prior"),
    "log_odds": Meaning("stat.likelihood", "natural logarithm of posterior / (1 - posterior)"),
    "num_grades": Meaning("meta.number", "graders"),
    "mean_grade": Meaning("meta.code.class;stat.mean", "mean grade: 5 sure, 3 maybe, 1 interesting, 0 no"),
    "recognised": Meaning("meta.number", "graders who gave 1 or more"),
    "is_candidate": Meaning("meta.code", "two or more recognise it, or one gives 5"),
    "kind": Meaning("meta.code.class", "what most graders say it is instead"),
    "notes": Meaning("meta.note", "what graders wrote"),
    "product": Meaning("stat.likelihood", "probability of the network times mean grade over 5"),
    "rank": Meaning("stat.rank", "place in the list of the search"),
    "logit": Meaning("stat.likelihood", "score of the network"),
    "probability": Meaning("stat.probability", "score of the network, calibrated"),
    "flags": Meaning("meta.code.qual", "sum of bits of lensdetect.flags"),
    "reason": Meaning("meta.note", "what to know of it"),
    "near_miss": Meaning("meta.code", "in the list but for a flag"),
    "scene": Meaning("meta.id", "objects that lie near one another share one"),
    "known_lens": Meaning("meta.id.cross", "nearest known lens"),
    "known_grade": Meaning("meta.code.class", "what its list calls it"),
    "verdict": Meaning("meta.code.class", "lens, contaminant, undecided; known, planted: not judged"),
    "planted": Meaning("meta.code", "whether it was mixed in, or known before"),
    "truth": Meaning("meta.code", "1 for a lens, 0 for none, where it is known"),
    "cutout": Meaning("meta.id;meta.file", "name of its cutout"),
}
_COUNTS = ("rank", "flags", "scene")
#: Not in the catalogues: there it is the same in all rows, or none of the reader's business.
_INNER = ("verdict", "planted", "truth", "cutout")


@dataclass(frozen=True)
class Rule:
    """Which objects are lenses, and which are sure to be none.

    Parameters
    ----------
    name : str
        "published": two or more graders recognise it, or one gives 5; a contaminant is
        recognised by none. "posterior": the posterior is at least ``least``; that of
        a contaminant is below ``least`` and at most ``1 - least``.
    least : float
        Between 0 and 1.

    Raises
    ------
    InputError
        If there is no such rule, or ``least`` is out of range.
    """

    name: str = "published"
    least: float = 0.5

    def __post_init__(self):
        """Refuse what is no rule."""
        if self.name not in RULES:
            raise InputError(f"a rule must be one of {', '.join(RULES)}, got {self.name!r}")
        if not 0 < self.least < 1:
            raise InputError(f"the least posterior must be between 0 and 1, got {self.least}: 0.5 is usual")

    @property
    def text(self) -> str:
        """The rule in words."""
        if self.name == "published":
            return (
                "a lens is recognised (grade 1 or more) by two or more graders, or one gives 5; a contaminant by none"
            )
        most = min(self.least, 1 - self.least)
        return f"a lens has a posterior of {self.least:g} or more, a contaminant one of {most:g} or less"

    def verdicts(self, combined: pd.DataFrame) -> np.ndarray:
        """Text ``(n,)``: lens, contaminant or undecided."""
        if self.name == "published":
            lens, none = combined["is_candidate"].to_numpy(bool), combined["recognised"].to_numpy() == 0
        else:
            posterior = combined["posterior"].to_numpy()
            lens, none = posterior >= self.least, posterior <= 1 - self.least
        return np.select([lens, none], [LENS, CONTAMINANT], UNDECIDED).astype(object)


def sort_out(combined: pd.DataFrame, subjects: pd.DataFrame, log: pd.DataFrame, *, rule: Rule) -> pd.DataFrame:
    """All graded objects with what is known of them, and what each is found to be.

    Parameters
    ----------
    combined : DataFrame
        As ``combine`` gives it.
    subjects : DataFrame
        As ``read_subjects`` gives it.
    log : DataFrame
        Whose notes are taken.
    rule : Rule

    Returns
    -------
    DataFrame
        One row an object, the highest posterior first; ``verdict`` is one of
        ``VERDICTS``: "known" where the truth was known before, "planted" what was mixed in. Columns
        of the search that no object has a value of are left out.
    """
    about = subjects.drop_duplicates("id").set_index("id").reindex(combined["id"])
    table = combined.assign(**{name: about[name].to_numpy() for name in TOLD}, cutout=_cutouts(about["member"]))
    table = with_product(table, about["probability"])
    verdict = np.where(table["truth"].notna(), KNOWN, rule.verdicts(table))
    # a dud may be an object of the search once more, turned
    own = (about["collection"] == "objects").to_numpy() & ~about["planted"].isin(["lens", "dud"]).to_numpy()
    table["verdict"] = np.where(own, verdict, PLANTED).astype(object)
    table["notes"] = _notes(log).reindex(table["id"]).fillna("").to_numpy(object)
    table = table.sort_values(["posterior", "mean_grade", "id"], ascending=[False, False, True], ignore_index=True)
    return _whole_numbers(table[[name for name in MEANINGS if name not in _unknown(table)]])


def _cutouts(members: pd.Series) -> np.ndarray:
    """Names of cutouts as images are called in training: without the ending."""
    return np.array([strip_ending(name) if name.endswith(".fits") else name for name in members.fillna("")], object)


def _unknown(table: pd.DataFrame) -> set[str]:
    """Columns of the search in which nothing is known."""
    empty = {"": True, False: True}
    return {
        name for name in (*TOLD, "product") if all(pd.isna(value) or value in empty for value in table[name].tolist())
    } - {"probability"}


def _whole_numbers(table: pd.DataFrame) -> pd.DataFrame:
    whole = [name for name in _COUNTS if name in table and table[name].notna().all()]
    return table.astype(dict.fromkeys(whole, np.int64))


def _notes(log: pd.DataFrame) -> pd.Series:
    """What graders wrote, by object; who wrote it stays with the log."""
    standing = standing_grades(log)
    noted = standing[standing["note"].str.strip() != ""]
    return noted.groupby("id")["note"].agg(" | ".join)


def write_catalogues(objects: pd.DataFrame, folder: Path, *, rule: Rule) -> dict[str, Path]:
    """Write the catalogues of lenses and of contaminants, all objects, and truth to train on.

    Parameters
    ----------
    objects : DataFrame
        As ``sort_out`` gives it.
    folder : Path
        Existing.
    rule : Rule
        For the headers.

    Returns
    -------
    dict
        Path by what it holds, in words.

    Raises
    ------
    InputError
        If they cannot be written.
    """
    written = {}
    lenses = objects[objects["verdict"] == LENS]
    contaminants = objects[objects["verdict"] == CONTAMINANT].assign(unnamed=lambda table: table["kind"] == "")
    contaminants = contaminants.sort_values(["unnamed", "kind", "posterior", "id"], ascending=[True, True, False, True])
    for name, table in (("lenses", lenses), ("contaminants", contaminants.drop(columns="unnamed"))):
        shown = table.drop(columns=[column for column in _INNER if column in table])
        paths = write_tables(shown, folder, name=name, meanings=MEANINGS, comments=(f"rule: {rule.text}",))
        written[f"{len(table):,} {name}"] = paths["fits"]
    written["all objects"] = write_tables(objects, folder, name="objects", meanings=MEANINGS)["parquet"]
    truth = training_truth(objects)
    path = folder / "grades.csv"
    with writable(folder, what="grades"):
        write_whole(path, lambda file: write_csv(truth, file))
    written[f"truth of {len(truth):,} cutouts, to train on"] = path
    return written


def training_truth(objects: pd.DataFrame) -> pd.DataFrame:
    """Truth to train on: objects found to be lenses or contaminants, and those known before.

    Parameters
    ----------
    objects : DataFrame
        As ``sort_out`` gives it.

    Returns
    -------
    DataFrame
        ``id``, the name of the cutout, under which ``lensdetect train --data`` looks for
        it; ``is_lens`` (1, 0); ``kind``; ``object``, its own id; ``posterior``, ``mean_grade``, ``num_grades``.
    """
    known = objects["verdict"] == KNOWN
    some = objects[(objects["verdict"].isin([LENS, CONTAMINANT]) | known) & (objects["cutout"] != "")]
    is_lens = np.where(some["verdict"] == KNOWN, some["truth"] == 1.0, some["verdict"] == LENS)
    columns = {
        "id": some["cutout"],
        "is_lens": is_lens.astype(np.int64),
        "kind": np.where(is_lens, "lens", some["kind"]),
        "object": some["id"],
    }
    rest = {name: some[name] for name in ("posterior", "mean_grade", "num_grades")}
    return pd.DataFrame(columns | rest).sort_values("id", ignore_index=True)
