"""Do rounds of grading and retraining pay? On a simulated search whose contaminants are new, and on real pixels.

    python benchmarks/rounds.py sky --output rounds          # simulated; resumable, the same command goes on
    python benchmarks/rounds.py real --output rounds --start runs/ground --stamps ground    # ../shared/data
    python benchmarks/rounds.py table --output rounds        # tables and docs/rounds.png

``sky``: a detector learns lenses, plain ellipticals and groups of survey kids. It searches a sky that has spirals,
rings, mergers, edge-on discs, satellites, chance neighbours, stars and pairs too, at one lens in 1,000, of 10,010
objects; 200 of the highest are graded by a simulated person, it is trained further on them, ranks again, and
so three times. Every round begins with the first detector and has all grades so far, so that 600 grades taken at
random, no grades, and ungraded objects beside the grades (``lensdetect retrain --ungraded``) can be compared with it.
It is measured on another sky of the same kind. Three skies are dealt to search and test in three ways ("seeds").
Early layers stay as they are (rounds_maps.py).

``real``: a detector that has seen no real lens learns from the graded CFHTLS objects of three folds and is measured on
the fourth; four times. Choosing, mixing, training and comparing are those of
``lensdetect retrain`` and ``lensdetect next``.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import keras
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from rounds_maps import Maps, Tail, joined

from lensdetect.artifact import find_detector, load_card, load_detector, title_of
from lensdetect.artifact.card import Card
from lensdetect.cli.retrain import comparison_text
from lensdetect.data.pipeline import Stamps, evaluation_batches
from lensdetect.figures import save_figure
from lensdetect.metrics import false_positives_by_kind, roc_curve, threshold_at
from lensdetect.network import spec_from_dict
from lensdetect.rounds import Mixture, choose, compare, labels_of, mix
from lensdetect.rounds.choosing import RANDOM, SCORE, USUAL, parse_wishes
from lensdetect.rounds.converted import manifest_of, survey_of
from lensdetect.rounds.mixing import plan_for
from lensdetect.rounds.ungraded import UNGRADED
from lensdetect.simulation import simulate
from lensdetect.simulation.sky import FoolerRates, SkyPopulation
from lensdetect.stamps import Shards, undetected
from lensdetect.survey import SURVEYS
from lensdetect.training import Run, export, get_plan, resume, train
from lensdetect.training.checkpoint import load_weights
from lensdetect.training.record import build_from_record

KIDS = SURVEYS["kids"]
#: What the first detector learns are the lenses of this sky, and these kinds of others.
LEARNED = SkyPopulation(foolers=FoolerRates(ring=0.0, merger=0.0, edge_on=0.0))
KNOWN_KINDS = ("elliptical", "group")
#: What it searches: mergers and rings about as often as in the sky (major mergers 1-3 %, Darg+ 2010, MNRAS 401, 1043).
SKY = SkyPopulation(foolers=FoolerRates(ring=0.01, merger=0.02, edge_on=0.03))
PARTS, OTHERS, SOURCES = (1, 2, 3), 5000, 500
#: Instead of a way to choose, and how many ungraded objects are learned from where any are.
NO_GRADES, MANY = "none", 2000
PRIOR, COMPLETENESS, ROUNDS, GRADES = 1e-3, 0.7, 3, 200
#: Share of the lenses that a grader recognises, and of the others that he takes for one.
GRADERS = {"perfect": (1.0, 0.0), "85 % and 5 %": (0.85, 0.05)}
MIXTURE, REAL_MIXTURE = Mixture(), Mixture(share=0.5)
#: Share of lenses among what a grader is shown, for his posterior.
_SHOWN_PRIOR = 0.1


@dataclass(frozen=True)
class Condition:
    """What is graded, by whom, with how many ungraded objects beside it, and on which deal of the skies."""

    seed: int
    way: str
    grader: str
    ungraded: int

    def path(self, folder: Path) -> Path:
        """Where its figures are."""
        beside = f"_{self.ungraded}" if self.ungraded else ""
        return folder / f"result_{self.way}_{self.grader[:7].strip()}{beside}_{self.seed}.csv"


#: What is compared, the most telling first, and what the table calls it.
LABELS = {
    (USUAL, "perfect", 0): "among the 2,000 highest",
    (RANDOM, "perfect", 0): "at random",
    (USUAL, "85 % and 5 %", 0): "among the 2,000 highest, recall 85 %, false alarms 5 %",
    (USUAL, "perfect", MANY): "among the 2,000 highest, and 2,000 ungraded",
    (NO_GRADES, "perfect", 0): "none, trained as long",
    (NO_GRADES, "perfect", MANY): "none, 2,000 ungraded alone",
    (RANDOM, "perfect", MANY): "at random, and 2,000 ungraded",
    (SCORE, "perfect", 0): "the very highest",
}
CONDITIONS = [Condition(seed, *how) for how in LABELS for seed in PARTS]


class Chosen:
    """Some stamps of a set, under labels of their own."""

    def __init__(self, stamps: Stamps, rows: np.ndarray, is_lens: np.ndarray):
        self._stamps, self._rows = stamps, np.asarray(rows)
        self.shape, self.manifest = stamps.shape, {**stamps.manifest, "seed": None}
        self.truth = pd.DataFrame({"id": [str(row) for row in self._rows], "is_lens": is_lens, "has_source": is_lens})

    def read(self, rows: np.ndarray) -> np.ndarray:
        """Pixels of some of them."""
        return self._stamps.read(self._rows[np.asarray(rows)])

    def sha256(self) -> str:
        """Of what is chosen, and of whose stamps."""
        return f"{self._stamps.sha256()} {self._rows.tolist()} {self.truth['is_lens'].tolist()}"


def others_of(part: int, folder: Path) -> Shards:
    """Stamps of one sky that are no lenses."""
    name = folder / f"others_{part}"
    return Shards(simulate(KIDS, name, count=OTHERS, seed=200 + part, population=SKY, lens_fraction=0.0, workers=1))


def lenses_of(part: int, folder: Path) -> tuple[Shards, np.ndarray]:
    """Stamps of the same sky with a source, and the rows of those whose arcs can be seen."""
    name = folder / f"lenses_{part}"
    found = Shards(simulate(KIDS, name, count=SOURCES, seed=300 + part, population=SKY, lens_fraction=1.0, workers=1))
    return found, np.flatnonzero(found.truth["is_lens"])


def learned_by_heart(folder: Path) -> Chosen:
    """What the first detector was trained on."""
    stamps = Shards(simulate(KIDS, folder / "learned", count=6000, seed=101, population=LEARNED, workers=1))
    truth = stamps.truth
    rows = np.flatnonzero(~undetected(truth) & (truth["is_lens"] | truth["kind"].isin(KNOWN_KINDS)))
    return Chosen(stamps, rows, truth["is_lens"].to_numpy(bool)[rows])


def first_detector(folder: Path) -> Path:
    """The detector that has not seen most kinds of what fools."""
    stamps, run = learned_by_heart(folder), Run(folder / "base")
    if not run.model_folder.exists():
        plan = get_plan("adamw").with_epochs(12)
        plan = replace(plan, augmentation=replace(plan.augmentation, band_sets=()))
        if run.exists:
            resume(run.folder, stamps, survey=KIDS)
        else:
            train("arcformer_tiny", stamps, run.folder, survey=KIDS, plan=plan, seed=1)
        export(run, stamps, survey=KIDS)
    return run.model_folder


def skies(seed: int, folder: Path, tail: Tail) -> tuple[Maps, Maps]:
    """The sky to be searched, at one lens in 1,000, and the sky to be measured on."""
    held = PARTS[seed - 1]
    searched = [part for part in PARTS if part != held]
    lenses = {}
    for part in PARTS:
        stamps, rows = lenses_of(part, folder)
        lenses[part] = tail.maps(stamps, folder / f"maps_lenses_{part}.npy").some(rows)
    others = {part: tail.maps(others_of(part, folder), folder / f"maps_others_{part}.npy") for part in PARTS}
    few = np.arange(int(OTHERS * PRIOR))
    pool = joined([*(others[part] for part in searched), *(lenses[part].some(few) for part in searched)])
    return pool, joined([others[held], lenses[held]])


def logits(model: keras.Model, stamps: Stamps) -> np.ndarray:
    """Of all stamps, in order."""
    rows = np.arange(len(stamps.truth))
    return model.predict(evaluation_batches(stamps, rows, batch_size=256), verbose=0)[:, 0].astype(np.float64)


def trained_further(
    output: Path, graded: Stamps, labels: pd.DataFrame, simulated: list, *, start: Path, mixture: Mixture, seed: int
) -> keras.Model:
    """The detector of a round, as ``lensdetect retrain`` trains it."""
    card, run = load_card(start), Run(output)
    together = mix(graded, labels, simulated, mixture=mixture)
    survey = survey_of(card, SURVEYS[card.survey])
    if run.exists:
        resume(output, together, survey=survey)
    else:
        plan = plan_for(card.training["plan"])
        train(spec_from_dict(card.spec), together, output, survey=survey, plan=plan, seed=seed, weights=start)
    model = build_from_record(run.read_plan(), size=card.size, fresh=True)
    load_weights(run.checkpoint / run.read_state()["latest"], model)
    return model


def graded_by(grader: str, is_lens: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Posterior of each object after one look of a grader whose skill is known."""
    recall, false_alarms = GRADERS[grader]
    says = rng.random(len(is_lens)) < np.where(is_lens, recall, false_alarms)
    lens, other = (recall, false_alarms), (1.0 - recall, 1.0 - false_alarms)
    yes, no = ((p * _SHOWN_PRIOR / (p * _SHOWN_PRIOR + q * (1.0 - _SHOWN_PRIOR))) for p, q in (lens, other))
    return np.where(says, yes, no)


def run_rounds(one: Condition, folder: Path, tail: Tail) -> Iterator[dict]:
    """False positives for each lens after every round, and by kind."""
    learned = tail.maps(learned_by_heart(folder), folder / "maps_learned.npy")
    pool, test = skies(one.seed, folder, tail)
    truth = pool.truth["is_lens"].to_numpy(bool)
    tail.start_again()
    before = tail.logits(test)
    posterior = graded_by(one.grader, truth, np.random.default_rng([one.seed, len(one.grader)]))
    rows = np.zeros(0, int)
    for number in range(1, ROUNDS + 1):
        if one.way != NO_GRADES:
            # by the detector of the round before; chance needs none
            pool_logit = np.zeros(len(truth)) if one.way == RANDOM else tail.logits(pool)
            free = np.setdiff1d(np.arange(len(truth)), rows)
            picked, _ = choose(parse_wishes(one.way), GRADES, logit=pool_logit[free], seed=one.seed * 10 + number)
            rows = np.concatenate([rows, free[picked]])
        if number < ROUNDS and one.way in (RANDOM, NO_GRADES):
            continue
        tail.train(taught(one, learned, pool, rows, posterior), plan_for(None), seed=one.seed)
        after = tail.logits(test)
        kinds = json.dumps(pool.truth["kind"].iloc[rows].value_counts().to_dict())
        graded = {"round": number, "graded": len(rows), "lenses graded": int(truth[rows].sum()), "kinds graded": kinds}
        told = told_of(test, before, after, **asdict(one), **graded)
        was, now = (told[f"{name} false positives"] for name in ("before", "after"))
        print(f"{one}, {len(rows)} grades: {was:.1f} -> {now:.1f} for each lens", flush=True)
        yield told


def taught(one: Condition, learned: Maps, pool: Maps, rows: np.ndarray, posterior: np.ndarray) -> Stamps:
    """What was graded, and some that was not, among what the detector knows."""
    rng = np.random.default_rng(one.seed)
    if one.way == NO_GRADES and not one.ungraded:
        # as much training: others that it knows, as if they had been graded
        rows = rng.permutation(np.flatnonzero(~learned.truth["is_lens"]))[: ROUNDS * GRADES]
        labels = pd.DataFrame({"is_lens": False, "weight": 1.0, "kind": ["known"] * len(rows)})
        return mix(learned.some(rows), labels, [learned], mixture=MIXTURE)
    free = rng.permutation(np.setdiff1d(np.arange(len(pool.truth)), rows))[: one.ungraded]
    kinds = np.where(pool.truth["is_lens"].iloc[rows], "", pool.truth["kind"].iloc[rows])
    table = pd.DataFrame({"id": rows.astype(str), "posterior": posterior[rows], "kind": kinds})
    others = pd.DataFrame({"id": free.astype(str), "posterior": PRIOR, "kind": UNGRADED})
    labels = labels_of(pd.concat([table, others], ignore_index=True))
    shown = pool.some(labels["id"].astype(int).to_numpy(), labels[["id", "is_lens"]])
    return mix(shown, labels, [learned], mixture=MIXTURE)


def told_of(test: Maps, before: np.ndarray, after: np.ndarray, **names) -> dict:
    """Figures of a detector beside those of the first."""
    is_lens = test.truth["is_lens"].to_numpy(bool)
    table = compare(is_lens, {"before": before, "after": after}, completeness=(COMPLETENESS,), prior=PRIOR)
    found = dict(names)
    for row in table.itertuples():
        short = next((word for word in ("AUROC", "false positives", "purity") if word in row.figure), None)
        if short is not None:
            found |= {f"{row.detector} {short}": row.value, f"{row.detector} {short} low": row.low,
                      f"{row.detector} {short} high": row.high}  # fmt: skip
    kind = test.truth["kind"].to_numpy(object)
    for name, logit in (("before", before), ("after", after)):
        threshold = threshold_at(roc_curve(is_lens, logit), COMPLETENESS)
        rates = false_positives_by_kind(is_lens, logit, kind=kind, threshold=threshold)
        found[f"{name} kinds"] = json.dumps({row.kind: [row.false_positives, row.count] for row in rates})
    return found


def run_sky(folder: Path) -> None:
    """All conditions; what is there already stays."""
    first_detector(folder)
    tail = Tail(Run(folder / "base"))
    for one in CONDITIONS:
        if not one.path(folder).is_file():
            pd.DataFrame(run_rounds(one, folder, tail)).to_csv(one.path(folder), index=False)


def run_real(folder: Path, start: str, stamps: Path | None) -> None:
    """Graded objects of three folds teach, the fourth measures."""
    from real_sets import NUM_FOLDS, load_set, training_part

    first = find_detector(start)
    card, name = load_card(first), title_of(load_card(first), first).replace("/", "_")
    stamps = stamps or simulate(SURVEYS[card.survey], folder / card.survey, count=2500, seed=77, workers=1)
    simulated, found = [Shards(stamps)], load_set("cfhtls_graded")
    real = Plain(in_units_of(card, found), found.table["is_lens"].fillna(False).to_numpy(bool), manifest_of(card))
    known, fold_of = found.table["is_lens"].notna().to_numpy(), found.table["fold"].to_numpy()
    before, after = load_detector(first)(real.read(np.arange(len(found)))).logit, np.full(len(found), np.nan)
    for fold in range(NUM_FOLDS):
        path = folder / f"real_{name}_{fold}.npy"
        if not path.is_file():
            rows = np.flatnonzero(training_part(found, held_out=[fold]) & known)
            is_lens = real.truth["is_lens"].to_numpy(bool)[rows]
            labels = labels_of(pd.DataFrame({"id": rows.astype(str), "posterior": np.where(is_lens, 0.97, 0.03)}))
            graded, run = Chosen(real, rows, is_lens), folder / f"run_{name}_{fold}"
            how = {"start": first, "mixture": REAL_MIXTURE, "seed": fold}
            np.save(path, logits(trained_further(run, graded, labels, simulated, **how), real))
            print(f"fold {fold}: learned from {len(rows)}", flush=True)
            keras.backend.clear_session()
        after[fold_of == fold] = np.load(path)[fold_of == fold]
    is_lens = real.truth["is_lens"].to_numpy(bool)[known]
    table = compare(is_lens, {"before": before[known].astype(float), "after": after[known]})
    table.to_csv(folder / f"real_{name}.csv", index=False)
    print(comparison_text(table))


class Plain:
    """Stamps in memory."""

    def __init__(self, pixels: np.ndarray, is_lens: np.ndarray, manifest: dict):
        self._pixels, self.shape, self.manifest = pixels, pixels.shape[1:], manifest
        self.truth = pd.DataFrame({"id": [str(n) for n in range(len(is_lens))], "is_lens": is_lens})

    def read(self, rows: np.ndarray) -> np.ndarray:
        """Pixels of some of them."""
        return self._pixels[np.asarray(rows)]

    def sha256(self) -> str:
        """Of the pixels."""
        return str(float(np.nansum(self._pixels)))


def in_units_of(card: Card, found) -> np.ndarray:
    """Real cutouts in the bands, pixels and flux unit of a detector."""
    from real_sets import at_scale

    from lensdetect.artifact.conversion import plan_conversion

    used = [name for name in found.bands if name in card.band_names]
    zero_points = [found.zero_points_mag[found.bands.index(name)] for name in used]
    pixels = at_scale(found.in_bands(used), pixel_scale_arcsec=card.pixel_scale_arcsec, size=card.size)
    out = np.full((len(pixels), card.size, card.size, len(card.bands)), np.nan, np.float32)
    plan_conversion(card, bands=used, zero_points_mag=zero_points).fill(out, pixels)
    return out


def show(folder: Path) -> None:
    """Tables in Markdown, and the figure."""
    results = [pd.read_csv(path) for path in sorted(folder.glob("result_*.csv"))]
    table = pd.concat(results, ignore_index=True)
    print("| graded | grades | " + " | ".join(f"seed {seed}" for seed in PARTS) + " | fewer, times |")
    print("|---|---|---|---|---|---|")
    first = table.drop_duplicates("seed").set_index("seed")
    print("| nothing | 0 | " + " | ".join(_cell(first, seed, "before") for seed in PARTS) + " | |")
    for how, label in LABELS.items():
        for graded, rows in _of(table, how).groupby("graded"):
            by_seed = rows.set_index("seed")
            cells = " | ".join(_cell(by_seed, seed, "after") for seed in PARTS)
            factor = np.exp(np.log(rows["ratio false positives"]).mean())
            print(f"| {label} | {graded} | {cells} | {factor:.1f} |")
    _show_kinds(table)
    save_figure(_figure(table), Path(__file__).resolve().parents[1] / "docs" / "rounds.png")


def _of(table: pd.DataFrame, how: tuple[str, str, int]) -> pd.DataFrame:
    """Figures of one row of ``LABELS``."""
    way, grader, ungraded = how
    return table[(table["way"] == way) & (table["grader"] == grader) & (table["ungraded"] == ungraded)]


def _cell(by_seed: pd.DataFrame, seed: int, detector: str) -> str:
    if seed not in by_seed.index:
        return "not run"
    row = by_seed.loc[seed]
    value, low, high = (row[f"{detector} false positives{end}"] for end in ("", " low", " high"))
    return f"{value:.1f} ({low:.1f}-{high:.1f})"


def _show_kinds(table: pd.DataFrame) -> None:
    """False positives by kind, of all seeds together, before and after the last round."""
    last = _of(table, next(iter(LABELS)))
    last = last[last["round"] == ROUNDS]
    print("\n| kind | objects | taken before | taken after three rounds |\n|---|---|---|---|")
    before, after = ([json.loads(text) for text in last[f"{name} kinds"]] for name in ("before", "after"))
    for kind in sorted({kind for one in before for kind in one}):
        places = ((before, 1), (before, 0), (after, 0))
        count, was, now = (sum(one[kind][place] for one in ones) for ones, place in places)
        print(f"| {kind}{'' if kind in KNOWN_KINDS else ' (new)'} | {count} | {was} | {now} |")


def _figure(table: pd.DataFrame) -> Figure:
    figure = Figure(figsize=(6.4, 6.0), layout="constrained")
    axes = figure.add_subplot()
    start = table.drop_duplicates("seed")["before false positives"]
    for number, (how, label) in enumerate(LABELS.items()):
        rows = _of(table, how)
        if len(rows):
            _draw(axes, rows, start, colour=f"C{number}", label=label)
    axes.scatter(np.zeros(len(start)), start, color="black", s=14, label="the first detector")
    axes.set(yscale="log", xlabel="objects graded", ylabel=f"false positives for each lens, {COMPLETENESS:.0%} found")
    axes.legend(frameon=False, fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.12))
    return figure


def _draw(axes, rows: pd.DataFrame, start: pd.Series, *, colour: str, label: str) -> None:
    """All seeds as points; their geometric mean, where all were run, as a line, or a square of one step alone."""
    grouped = np.log(rows["after false positives"]).groupby(rows["graded"])
    mean = np.exp(grouped.mean()[grouped.size() == len(PARTS)])
    if not len(mean):
        axes.plot([], [], color=colour, marker=".", linestyle="", label=f"{label} (not all deals)")
    elif len(mean) > 1:
        axes.plot([0, *mean.index], [np.exp(np.log(start).mean()), *mean], color=colour, marker="o", label=label)
    else:
        axes.plot(mean.index, mean, color=colour, marker="s", linestyle="", label=label)
    axes.scatter(rows["graded"], rows["after false positives"], color=colour, s=14, alpha=0.5)


def main() -> None:
    """Run one of the steps."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("step", choices=("sky", "real", "table"))
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--start", default="arcformer_small-bologna", help="of real: a detector that has seen none")
    parser.add_argument("--stamps", type=Path, help="of real: simulated stamps to mix in (default: 2,500 are made)")
    args = parser.parse_args()
    args.output.mkdir(parents=True, exist_ok=True)
    if args.step == "real":
        run_real(args.output, args.start, args.stamps)
    else:
        {"sky": run_sky, "table": show}[args.step](args.output)


if __name__ == "__main__":
    main()
