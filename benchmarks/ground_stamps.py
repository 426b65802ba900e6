"""Stamps that the detector for ground-based surveys learns from: simulated ones with real cutouts among them.

    lensdetect simulate --survey ground --population ground.toml --count 48000 --seed 101 --output simulated
    python benchmarks/ground_stamps.py paint --seeds 1 2 3 4 5 6 --output painted
    python benchmarks/ground_stamps.py mix --simulated simulated --painted painted --held-out 0 --output mix_0

``paint`` puts arcs of the training sky onto real galaxies that are no lenses, once for each seed. ``mix`` makes one
folder of stamps for ``lensdetect train``: shards of simulated stamps (linked, not copied), painted galaxies, the same
galaxies as they are, and the graded lenses and look-alikes, each as often as it shall be seen. Whatever lies in a fold
that is held out, or shares pixels with it, is left out; real_sky.py measures on that fold. Arcs are never painted
onto the graded look-alikes: networks that saw that unlearned arcs.
"""

from __future__ import annotations

import argparse
import json
import math
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from painted_sky import paint_galaxies
from real_sets import NUM_FOLDS, SEED, RealSet, at_scale, load_set, training_part

from lensdetect.simulation.sky import training_sky
from lensdetect.stamps import Shards, Stamp, write_shard
from lensdetect.survey import SURVEYS, Survey, flux_from_mag

GROUND, SIZE, SHARD_SIZE = SURVEYS["ground"], 101, 500

#: Sets whose galaxies are no lenses, with the width of the PSF in g, r, i in arcsec: of the survey's
#: typical seeing; of the KiDS field, whose pixels are wide, our estimate from its stars.
ORDINARY = {"kids_field": (1.05, 0.90, 1.00), "cfhtls_fields": (0.82, 0.72, 0.68), "des_griz": (1.11, 0.95, 0.88)}

#: Sets of which cutouts stand in a mix, if nothing else is said.
ALL = (*ORDINARY, "cfhtls_graded")

#: How often a real cutout stands in a mix, by what it is: a few hundred galaxies among ten thousand simulated stamps.
TIMES = {"ordinary": 6, "negative": 16, "lens": 24}

#: Kinds of real cutouts in a mix, painted ones aside.
REAL_KINDS = ("real", "graded")

#: Painted arcs with smaller Einstein radii are left out: they look like any blend, and unteach arcs.
SMALLEST_PAINTED_ARCSEC = 1.3


def in_units_of(found: RealSet, survey: Survey) -> np.ndarray:
    """Cutouts as stamps of a survey: float32 ``(n, 101, 101, band)``, NaN where the set has no band."""
    pixels = at_scale(found, pixel_scale_arcsec=survey.pixel_scale_arcsec, size=SIZE)
    out = np.full((*pixels.shape[:3], len(survey.bands)), np.nan, np.float32)
    for place, (name, zero_point) in enumerate(zip(found.bands, found.zero_points_mag, strict=True)):
        if name in survey.band_names:
            band = survey.band_names.index(name)
            out[..., band] = pixels[..., place] * flux_from_mag(zero_point, survey.bands[band].zero_point_mag)
    return out


def ids_of(found: RealSet) -> list[str]:
    """Ids that tell the set too."""
    return [f"{found.name}__{number}" for number in range(len(found))]


def paint_all(output: Path, seeds: list[int]) -> None:
    """Paint arcs onto every ordinary galaxy, once a seed."""
    for name in ORDINARY:
        for seed in seeds:
            _painted_onto(name, output, seed)


def _painted_onto(name: str, folder: Path, seed: int) -> RealSet:
    """The galaxies of a set with arcs on all of them, painted now or before."""
    psf = dict(zip("gri", ORDINARY[name], strict=True))
    how = {"lens_fraction": 1.0, "population": training_sky(), "psf": psf}
    return paint_galaxies(load_set(name), folder, seed=seed, workers=1, **how)


def mix(
    output: Path, *, simulated: Path, shards: int, painted: Path | None, held_out: list[int], sets: Sequence[str] = ALL
) -> None:
    """Write one folder of stamps of all kinds."""
    output.mkdir(parents=True)
    stamps = [*_real(sets, held_out), *(_painted(painted, held_out) if painted else ())]
    order = np.random.default_rng(len(stamps)).permutation(len(stamps))
    starts = range(0, len(order), SHARD_SIZE)
    for number, start in enumerate(starts):
        write_shard(output, number, (stamps[place] for place in order[start : start + SHARD_SIZE]))
    paths = Shards(simulated).paths[:shards]
    for number, path in enumerate(paths, start=len(starts)):
        for suffix in (".npy", ".parquet"):
            os.link(path.with_suffix(suffix), output / f"{number:05d}{suffix}")
    manifest = json.loads((simulated / "manifest.json").read_text()) | {"real_sky": _seen(sets, held_out, painted)}
    (output / "manifest.json").write_text(json.dumps(manifest, indent=2))
    print(f"{output}: {len(stamps)} real and painted among {len(Shards(output))}, folds {held_out} left out")


def _seen(sets: Sequence[str], held_out: list[int], painted: Path | None) -> dict:
    """What a detector of these stamps has seen, as real_sky.py reads it from its card."""
    folds = [fold for fold in range(NUM_FOLDS) if fold not in held_out]
    simulated = ["ground", *(["painted"] if painted else [])]
    real = dict.fromkeys((*sets, *(ORDINARY if painted else ())), folds)
    return {"simulated": simulated, "real": real, "num_folds": NUM_FOLDS, "fold_seed": SEED}


def _real(sets: Sequence[str], held_out: list[int]) -> Iterator[Stamp]:
    for name in sets:
        found = load_set(name)
        usable = training_part(found, held_out=held_out) & found.table["is_lens"].notna().to_numpy()
        pixels, ids = in_units_of(found, GROUND), ids_of(found)
        for row in np.flatnonzero(usable):
            is_lens = bool(found.table["is_lens"].iloc[row])
            kind = "ordinary" if name != "cfhtls_graded" else ("lens" if is_lens else "negative")
            if name != "cfhtls_graded" and is_lens:
                continue
            yield from [Stamp(pixels[row], _truth(ids[row], is_lens=is_lens))] * TIMES[kind]


def _truth(id_: str, *, is_lens: bool) -> dict:
    nothing = {"einstein_radius_arcsec": math.nan, "arc_pixel_count": 0, "arc_flux_sigma": 0.0, "arc_snr": 0.0}
    return {
        "id": id_,
        "is_lens": is_lens,
        "has_source": is_lens,
        "kind": "graded" if is_lens else "real",
        "seed": 0,
        **nothing,
    }


def _painted(folder: Path, held_out: list[int]) -> Iterator[Stamp]:
    for name in ORDINARY:
        galaxies = load_set(name)
        usable = training_part(galaxies, held_out=held_out) & ~galaxies.table["is_lens"].fillna(False).to_numpy(bool)
        for seed in sorted(int(path.name.rpartition("-")[2]) for path in folder.glob(f"{name}-[0-9]*")):
            found = _painted_onto(name, folder, seed)
            wide = (found.table["einstein_radius_arcsec"] >= SMALLEST_PAINTED_ARCSEC).to_numpy()
            is_lens = found.table["is_lens"].fillna(False).to_numpy(bool)
            found = found.take(is_lens & wide & usable[found.table["row"]])
            truths = found.table.assign(is_lens=True, id=f"{name}__" + found.table["row"].astype(str))
            for pixels, truth in zip(in_units_of(found, GROUND), truths.to_dict("records"), strict=True):
                yield Stamp(pixels, truth)


def main() -> None:
    """Run one of the two steps."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    steps = parser.add_subparsers(dest="step", required=True)
    painting = steps.add_parser("paint")
    painting.add_argument("--seeds", type=int, nargs="+", default=[1])
    mixing = steps.add_parser("mix")
    mixing.add_argument("--simulated", type=Path, required=True)
    mixing.add_argument("--shards", type=int, default=24)
    mixing.add_argument("--painted", type=Path)
    mixing.add_argument("--sets", nargs="*", choices=ALL, default=ALL, help="whose cutouts (default: all)")
    mixing.add_argument("--held-out", type=int, nargs="*", default=[])
    for step in (painting, mixing):
        step.add_argument("--output", type=Path, required=True)
    args = parser.parse_args()
    if args.step == "paint":
        paint_all(args.output, args.seeds)
    else:
        how = {"simulated": args.simulated, "shards": args.shards, "painted": args.painted}
        mix(args.output, held_out=args.held_out, sets=args.sets, **how)


if __name__ == "__main__":
    main()
