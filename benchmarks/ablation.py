"""What is worth its cost: detectors trained with one change at a time, over seeds, judged on the gauge's real sets.

    lensdetect simulate --survey ground --population ground.toml --count 24000 --seed 101 --output SKIES/ground
    lensdetect simulate --survey kids --count 12000 --seed 103 --output SKIES/kids
    python benchmarks/ablation.py queue --skies SKIES --runs RUNS queue.txt     one "CHANGE SEED" a line
    python benchmarks/ablation.py table --skies SKIES --runs RUNS --page benchmarks/ablation.md

``queue`` trains what its file names, one after the other, each in a process of its own with one thread: what is
finished is left as it is, what was interrupted goes on, what fails is told and passed over, and lines may be added
while it runs. Each run leaves plan.json, history.csv, the weights of every epoch and scores.npz: the logits of the
sets in g, r, i, in one view, in eight, and with the weights of the last epochs averaged.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import tensorflow as tf
from ablation_changes import CHANGES, Change, Part
from ablation_table import both_tables, is_done
from ground_stamps import SIZE, in_units_of, mix, paint_all
from real_sets import NUM_FOLDS, RealSet, load_set
from real_sky_skies import load_sky, make_sky
from real_sky_table import into_page
from scipy.special import expit

from lensdetect.artifact.views import views_of
from lensdetect.data.pipeline import evaluation_batches
from lensdetect.data.taught import TaughtStamps
from lensdetect.network import build_detector, operations
from lensdetect.stamps import Shards
from lensdetect.survey import SURVEYS
from lensdetect.training import Run, export, resume, train
from lensdetect.training.checkpoint import load_weights
from lensdetect.training.record import build_from_record

#: What every run is scored on: real sets, and one simulated sky that no change is trained on.
REAL_SETS = ("cfhtls_graded", "kids_field", "cfhtls_fields", "cfhtls_gri_field", "des_griz")
SKY, SKY_COUNT, SKY_SEED = "bologna", 500, 7120

#: Epochs whose weights are averaged.
AVERAGED = 3


def load_sets(skies: Path) -> dict[str, RealSet]:
    """Sets that every run is scored on, by name, in g, r, i."""
    sky = load_sky(SKY, make_sky(SKY, skies, count=SKY_COUNT, seed=SKY_SEED, workers=1))
    return {name: load_set(name).in_bands("gri") for name in REAL_SETS} | {sky.name: sky.in_bands("gri")}


def train_one(name: str, seed: str, *, skies: Path, runs: Path) -> None:
    """Train what a change says, or go on with it, and score the sets; once for each fold where it takes real ones."""
    change, sets = CHANGES[name], load_sets(skies)
    start = None if change.start is None else artifact_of(change.start, seed, skies=skies, runs=runs)
    if change.mix is None:
        stamps = taught(change, simulated(change, skies), runs=runs, seed=seed)
        fit_and_score(change, stamps, runs / name / seed, seed=seed, start=start, sets=sets)
        return
    for fold in range(NUM_FOLDS):
        own = {key: found.take((found.table["fold"] == fold).to_numpy()) for key, found in sets.items()}
        stamps = taught(change, mixed(name, change, fold, skies=skies), runs=runs, seed=seed)
        fit_and_score(change, stamps, runs / name / seed / f"fold_{fold}", seed=seed, start=start, sets=own)


def simulated(change: Change, skies: Path) -> Part:
    """The part of the pool that a change is trained on."""
    pool = Shards(skies / change.sky)
    rows, is_lens = change.rule(pool.truth)
    return Part(pool, rows, is_lens=is_lens)


def mixed(name: str, change: Change, fold: int, *, skies: Path) -> Shards:
    """Real cutouts of the other folds among simulated stamps, made now or before."""
    folder, painted = skies / f"mix-{name}-{fold}", None
    if change.mix.painted:
        painted = skies / "onto_real"
        paint_all(painted, list(change.mix.painted))
    if not (folder / "manifest.json").exists():
        shutil.rmtree(folder, ignore_errors=True)
        how = {"simulated": skies / change.sky, "shards": change.mix.shards, "painted": painted}
        mix(folder, held_out=[fold], sets=change.mix.sets, **how)
    return Shards(folder)


def taught(change: Change, stamps, *, runs: Path, seed: str):
    """The same stamps, with what the teachers of a change say of them."""
    if not change.teachers:
        return stamps
    wanted = np.ones(len(stamps.truth), bool)
    if change.taught is not None:
        wanted = stamps.truth["kind"].isin(change.taught).to_numpy()
    each = [_teacher_logits(Run(runs / name / seed), stamps, np.flatnonzero(wanted)) for name in change.teachers]
    probability = np.full(len(wanted), np.nan)
    probability[wanted] = expit(np.mean(each, axis=0))
    return TaughtStamps(stamps, probability, share=change.teachers_share)


def _teacher_logits(run: Run, stamps, rows: np.ndarray) -> np.ndarray:
    model = _last_epoch(run)
    return model.predict(evaluation_batches(stamps, rows, batch_size=256), verbose=0)[:, 0]


def _last_epoch(run: Run):
    model = build_from_record(run.read_plan(), size=SIZE, fresh=True)
    load_weights(_epochs(run)[-1], model)
    return model


def _epochs(run: Run) -> list[Path]:
    return sorted((run.folder / "epochs").glob("epoch_*.npz"))


def artifact_of(name: str, seed: str, *, skies: Path, runs: Path) -> Path:
    """Artifact of a finished run, made now or before."""
    run, change = Run(runs / name / seed), CHANGES[name]
    if not run.model_folder.exists():
        export(run, simulated(change, skies), survey=SURVEYS[change.survey])
    return run.model_folder


def fit_and_score(
    change: Change, stamps, folder: Path, *, seed: str, start: Path | None, sets: dict[str, RealSet]
) -> None:
    """One training, from its plan or from where it was interrupted."""
    survey, run = SURVEYS[change.survey], Run(folder)
    if (folder / "scores.npz").exists():
        return
    if folder.exists() and not run.exists:
        shutil.rmtree(folder)
    with _kept_epochs(run):
        if run.exists:
            resume(folder, stamps, survey=survey)
        else:
            how = {"survey": survey, "plan": change.plan, "seed": int(seed), "weights": start}
            train(change.detector, stamps, folder, **how)
    score_run(run, survey=survey, sets=sets)


@contextmanager
def _kept_epochs(run) -> Iterator[None]:
    """Keep the weights of each epoch beside the checkpoint, which holds the last and the best only."""
    done = threading.Event()

    def watch() -> None:
        while True:
            last = done.wait(2.0)
            for path in run.checkpoint.glob("epoch_*.npz"):
                kept = run.folder / "epochs" / path.name
                if not kept.exists():
                    kept.parent.mkdir(exist_ok=True)
                    os.link(path, kept)
            if last:
                return

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def score_run(run, *, survey, sets: dict[str, RealSet]) -> None:
    """Logits of all sets with the last epoch, in one view and in eight, and with averaged weights."""
    model, epochs = _last_epoch(run), _epochs(run)
    cutouts = {name: in_units_of(found, survey) for name, found in sets.items()}
    scores = {}
    for name, pixels in cutouts.items():
        scores[f"{name}/one"] = _logits(model, pixels)
        views = [_logits(model, np.ascontiguousarray(view)) for view in views_of(pixels, 8)]
        scores[f"{name}/eight"] = np.mean(views, axis=0)
    if len(epochs) >= AVERAGED:
        _average_weights(model, epochs[-AVERAGED:])
        scores |= {f"{name}/averaged": _logits(model, pixels) for name, pixels in cutouts.items()}
    partial = run.folder / ".scores.npz"
    np.savez(partial, **scores)
    partial.replace(run.folder / "scores.npz")


def _logits(model, pixels: np.ndarray) -> np.ndarray:
    # a fold may have nothing of a set
    return model.predict(pixels, batch_size=64, verbose=0)[:, 0].astype(float) if len(pixels) else np.empty(0)


def _average_weights(model, paths: list[Path]) -> None:
    each = []
    for path in paths:
        load_weights(path, model)
        each.append([np.asarray(variable) for variable in model.weights])
    for variable, *values in zip(model.weights, *each, strict=True):
        if "seed_generator" not in variable.path:
            variable.assign(np.mean(values, axis=0))


def costs(names: Iterable[str]) -> dict[str, tuple[int, float]]:
    """Multiply-adds of a score, and images a second in one thread, of the detectors of some changes.

    They take turns, in batches of 64, and each has its fastest: other work on the machine slows all alike.
    """
    own = {name: CHANGES[name] for name in names}
    models = {name: build_detector(it.detector, SURVEYS[it.survey].bands, size=SIZE) for name, it in own.items()}
    fastest_s = dict.fromkeys(own, np.inf)
    for _ in range(8):
        for name, model in models.items():
            batch = np.zeros((64, *model.input_shape[1:]), np.float32)
            began_s = time.perf_counter()
            model.predict_on_batch(batch)
            fastest_s[name] = min(fastest_s[name], time.perf_counter() - began_s)
    return {name: (operations(model), 64 / fastest_s[name]) for name, model in models.items()}


def run_queue(file: Path, *, skies: Path, runs: Path) -> int:
    """Train what the file names until nothing is left; the number of runs that failed."""
    failed: set[tuple[str, str]] = set()
    while True:
        lines = [tuple(line.split()) for line in file.read_text().splitlines() if line.strip()]
        left = [line for line in lines if line not in failed and not is_done(runs.joinpath(*line))]
        if not left:
            return len(failed)
        name, seed = left[0]
        words = ["one", name, seed, "--skies", str(skies), "--runs", str(runs)]
        began_s = time.monotonic()
        child = subprocess.run([sys.executable, __file__, *words], check=False)
        print(f"{name} {seed}: exit {child.returncode} after {time.monotonic() - began_s:.0f} s", flush=True)
        if child.returncode:
            failed.add((name, seed))


def main() -> int:
    """One of the steps."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    steps = parser.add_subparsers(dest="step", required=True)
    queue, one, table = (steps.add_parser(name) for name in ("queue", "one", "table"))
    queue.add_argument("file", type=Path)
    one.add_argument("change", choices=CHANGES)
    one.add_argument("seed")
    table.add_argument("--page", type=Path)
    for step in (queue, one, table):
        step.add_argument("--skies", type=Path, required=True)
        step.add_argument("--runs", type=Path, required=True)
    args = parser.parse_args()
    if args.step == "queue":
        return min(run_queue(args.file, skies=args.skies, runs=args.runs), 1)
    tf.config.threading.set_intra_op_parallelism_threads(1)
    if args.step == "one":
        train_one(args.change, args.seed, skies=args.skies, runs=args.runs)
        return 0
    done = [path.name for path in args.runs.iterdir() if path.name in CHANGES]
    text = both_tables(args.runs, load_sets(args.skies), costs(done))
    print(text)
    if args.page is not None:
        into_page(args.page, text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
