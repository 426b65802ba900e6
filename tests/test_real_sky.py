"""The gauge of detectors on real skies: what it reads, what it refuses to measure, and its table."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from lensdetect import artifact
from lensdetect.errors import InputError

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"


@pytest.fixture(autouse=True)
def benchmarks(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))


def module(name):
    return importlib.import_module(name)


def small_set(name="kids_field", count=8, *, size=21, bands=("g", "r", "i"), **columns):
    table = pd.DataFrame({"id": [str(n) for n in range(count)], "kind": "galaxy", "is_lens": False})
    table["fold"] = np.arange(count) % 4
    pixels = np.random.default_rng(1).normal(size=(count, size, size, len(bands))).astype(np.float32)
    return module("real_sets").RealSet(name, pixels, bands, (30.0,) * len(bands), 0.2, table.assign(**columns))


# --- sets and folds


def test_strips_stay_whole_and_fill_folds_evenly():
    sets = module("real_sets")
    strip = np.repeat(np.arange(40), 5)
    fold = sets.deal_strips(strip, num_folds=4, seed=1)
    assert all(len(set(fold[strip == number])) == 1 for number in range(40))
    np.testing.assert_array_equal(np.bincount(fold), [50] * 4)
    np.testing.assert_array_equal(fold, sets.deal_strips(strip, num_folds=4, seed=1))
    assert np.any(fold != sets.deal_strips(strip, num_folds=4, seed=2))


def test_training_part_shares_no_pixel_with_what_is_held_out():
    # 0.2 arcsec: 20 arcsec are 100 pixels. The second is in fold 1 but near the first, of fold 0; the third is in
    # another image at the same place, the fourth far away.
    found = small_set(count=4, image=["a", "a", "b", "a"], x=[0.0, 60.0, 0.0, 400.0], y=0.0)
    found = module("dataclasses").replace(found, table=found.table.assign(fold=[0, 1, 1, 1]))
    part = module("real_sets").training_part(found, held_out=[0])
    np.testing.assert_array_equal(part, [False, False, True, True])


def test_another_scale_keeps_flux_and_marks_what_is_outside():
    sets = module("real_sets")
    found = small_set(count=2, size=51)
    y, x = np.mgrid[-25:26, -25:26]
    found.pixels[:] = np.exp(-0.5 * (x**2 + y**2) / 9.0)[..., None]
    coarse = sets.at_scale(found, pixel_scale_arcsec=0.3, size=41)
    assert coarse.shape == (2, 41, 41, 3)
    np.testing.assert_allclose(np.nansum(coarse[0, ..., 0]), found.pixels[0, ..., 0].sum(), rtol=1e-4)
    assert np.isnan(coarse[:, 0]).all() and np.isfinite(coarse[:, 8:33, 8:33]).all()
    assert sets.at_scale(found, pixel_scale_arcsec=0.201, size=31).shape == (2, 31, 31, 3)


def test_unknown_set_and_missing_folder_are_told(tmp_path):
    sets = module("real_sets")
    with pytest.raises(InputError, match="unknown real set 'cfhtls_grade'.*cfhtls_graded"):
        sets.load_set("cfhtls_grade")
    with pytest.raises(InputError, match="real set des_griz must lie in .*: give the folder of SOURCES.md"):
        sets.load_set("des_griz", folder=tmp_path)
    with pytest.raises(InputError, match="bands of kids_field must be some of g, r, i, got u"):
        small_set().in_bands("u")


@pytest.mark.parametrize(
    ("name", "bands", "kinds"),
    [
        ("cfhtls_graded", "gri", {"lens": 78, "negative": 124, "ambiguous": 44}),
        ("des_griz", "griz", {"galaxy": 56, "lens": 1}),
        ("kids_ugri", "ugri", {"unlabelled": 2, "lensed quasar": 1}),
    ],
)
def test_real_sets_are_read(shared_data, name, bands, kinds):
    found = module("real_sets").load_set(name, folder=shared_data)
    assert found.bands == tuple(bands) and found.table["kind"].value_counts().to_dict() == kinds
    assert found.pixels.shape[0] == len(found.table) == found.table["id"].nunique()
    truths = {"lens": [True], "lensed quasar": [True], "negative": [False], "galaxy": [False]}
    for kind, rows in found.table.groupby("kind"):
        assert list(rows["is_lens"].dropna().unique()) == truths.get(kind, [])
    assert set(found.table["fold"]) <= set(range(4))


def test_graded_objects_are_red_and_central(shared_data):
    found = module("real_sets").load_set("cfhtls_graded", folder=shared_data)
    middle = found.pixels[:, 55:66, 55:66].reshape(len(found), -1, 3)
    g, r, i = np.nanmedian(np.nansum(middle, axis=1), axis=0)
    assert g < r < i
    # the object is in the middle, not in a corner
    corner = found.pixels[:, :11, :11].reshape(len(found), -1)
    assert np.nanmedian(np.nansum(middle, axis=(1, 2))) > 20 * np.nanmedian(np.abs(np.nansum(corner, axis=1)))
    assert found.clipped.shape == found.pixels.shape[:3] and 0.01 < found.clipped.mean() < 0.02


def test_galaxies_are_found_and_stars_are_not():
    fields = module("field_sources")
    rng = np.random.default_rng(5)
    y, x = np.mgrid[:200, :200]
    image = rng.normal(scale=1.0, size=(200, 200, 3))
    for x0, y0, sigma, flux in [(50, 60, 4.0, 8e3), (140, 150, 1.6, 8e3), (150, 40, 4.0, 2e2)]:
        image += flux * np.exp(-0.5 * ((x - x0) ** 2 + (y - y0) ** 2) / sigma**2)[..., None] / (2 * np.pi * sigma**2)
    found = fields.find_galaxies(image.astype(np.float32), zero_point_mag=30.0, faintest_i_mag=21.8)
    assert len(found) == 1
    np.testing.assert_allclose(found.loc[0, ["x", "y"]].to_numpy(float), [50, 60], atol=1)
    assert found.loc[0, "i_mag"] == pytest.approx(30 - 2.5 * np.log10(8e3), abs=0.1)


# --- 8-bit pictures


def test_picture_keeps_faint_pixels_clips_cores_and_refills_negative_sky(rng):
    eight = module("eight_bit")
    pixels = rng.normal(scale=1.5, size=(3, 60, 60, 3)).astype(np.float32)
    pixels[:, 30, 30] = 5000.0
    pixels[:, 20, 20] = (3.0, 20.0, 150.0)
    pixels[0, 5, 5, 1] = np.nan
    undone = eight.as_picture(pixels, rng=rng)
    assert np.isnan(undone[:, 30, 30]).all() and np.isnan(undone[0, 5, 5]).all()
    np.testing.assert_allclose(undone[:, 20, 20, 2], 0.82 * 150.0, rtol=1e-5)
    sky = (pixels > 2.0) & (pixels < 10.0) & np.isfinite(undone)
    np.testing.assert_allclose(undone[sky], pixels[sky], rtol=0.12)
    negative = (pixels < 0.0) & np.isfinite(undone)
    assert (undone[negative] <= 0.0).all() and np.std(undone[negative]) == pytest.approx(0.9, abs=0.1)


# --- what may be measured


def seen_of(tmp_path, values):
    (tmp_path / "real_sky.json").write_text(values if isinstance(values, str) else json.dumps(values))
    card = SimpleNamespace(training={}, survey="kids")
    return module("real_sky_systems").read_seen(tmp_path / "model" / "1", card)


def test_record_beside_a_run_says_which_folds_were_seen(tmp_path):
    seen = seen_of(tmp_path, {"simulated": ["des"], "real": {"kids_field": [1, 2]}, "num_folds": 4})
    np.testing.assert_array_equal(seen.unseen(small_set()), [True, False, False, True] * 2)
    assert seen.unseen(small_set("cfhtls_graded")).all()
    assert not seen.unseen(small_set("sky des")).any() and not seen.unseen(small_set("sky des 8-bit")).any()
    assert seen.describe() == "des; kids_field 1,2"


def test_written_record_is_read_again_and_names_no_unknown_set(tmp_path):
    systems = module("real_sky_systems")
    systems.write_seen(tmp_path, simulated={"des"}, real={"kids_field": {np.int64(2), 1}})
    seen = systems.read_seen(tmp_path, SimpleNamespace(training={}, survey="kids"))
    assert seen == systems.Seen({"kids_field": frozenset([1, 2])}, frozenset(["des"]))
    with pytest.raises(InputError, match="real sets in the record must be some of"):
        systems.write_seen(tmp_path, simulated=[], real={"kids": [1]})


def test_arcs_painted_on_seen_galaxies_are_not_measured(tmp_path):
    seen = seen_of(tmp_path, {"simulated": [], "real": {"kids_field": [0]}})
    painted = small_set("sky painted", onto=["kids_field"] * 4 + ["cfhtls_fields"] * 4)
    np.testing.assert_array_equal(seen.unseen(painted), [False, True, True, True] + [True] * 4)


def test_without_a_record_the_survey_of_the_card_was_seen(tmp_path):
    seen = module("real_sky_systems").read_seen(tmp_path, SimpleNamespace(training={}, survey="kids"))
    assert not seen.unseen(small_set("sky kids")).any() and seen.unseen(small_set("sky des")).all()
    assert "no record" in seen.describe()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ("{", "real_sky.json must be JSON"),
        ({"real": {}}, "must have simulated, and may have real"),
        ({"simulated": [], "folds": 1}, r"got \['folds', 'simulated'\]"),
        ({"simulated": [], "real": {"kids_felt": [0]}}, "real sets in .* must be some of cfhtls_graded"),
        (
            {"simulated": [], "real": {"kids_field": [4]}},
            r"folds of kids_field in .* must be some of 0 to 3, got \[4\]",
        ),
        ({"simulated": [], "num_folds": 5}, "must speak of 4 folds of seed 20261126, got 5 of seed 20261126"),
    ],
)
def test_record_of_another_form_is_refused(tmp_path, values, message):
    with pytest.raises(InputError, match=message):
        seen_of(tmp_path, values)


class FakeDetector:
    """Its logit is a number of its own plus the row's ``brightness``."""

    def __init__(self, number, *, folds=(), bands="gri"):
        systems = module("real_sky_systems")
        self.number, self.bands = number, bands
        self.seen = systems.Seen(
            {"kids_field": frozenset(folds), "cfhtls_graded": frozenset(folds)}, frozenset(["kids"])
        )

    def takes(self, bands):
        return set(bands) <= set(self.bands)

    def logits(self, found, bands):
        return self.number + found.table["brightness"].to_numpy(float)


def test_committee_measures_what_no_member_has_seen():
    systems = module("real_sky_systems")
    both = systems.System("both", (FakeDetector(0, folds=[0]), FakeDetector(10, folds=[1])))
    scores = both.scores(small_set(brightness=0.0), "gri")
    np.testing.assert_array_equal(scores, [np.nan, np.nan, 5.0, 5.0] * 2)


def test_joined_scores_are_of_one_detector_that_has_not_seen_the_fold():
    systems = module("real_sky_systems")
    members = tuple(FakeDetector(10 * k, folds=set(range(4)) - {k}) for k in range(4))
    joined = systems.System("joined", members, joined=True)
    np.testing.assert_array_equal(joined.scores(small_set(brightness=0.0), "gri"), [0.0, 10.0, 20.0, 30.0] * 2)
    # what none has seen is shared out, one detector an object
    unseen = joined.scores(small_set("des_griz", brightness=0.0), "gri")
    np.testing.assert_array_equal(unseen, [0.0, 10.0, 20.0, 30.0] * 2)


def test_detector_scores_by_the_scorer_with_its_views_and_at_its_own_scale(monkeypatch):
    systems = module("real_sky_systems")
    calibration = artifact.Calibration(slope=2.0, intercept=1.0, bands=("g", "i"))
    card = SimpleNamespace(training={}, survey="kids", pixel_scale_arcsec=0.3, size=11)
    card.calibration_of = lambda bands: calibration
    given = []

    def scorer(cutouts, *, bands, zero_points_mag, views):
        assert (bands, zero_points_mag, cutouts.shape[1:]) == (("g", "i"), (30.0, 30.0), (11, 11, 2)) and views == 8
        given.append(cutouts)
        return SimpleNamespace(logit=cutouts[:, 1, 3, 0])

    scorer.card, scorer.bands = card, ("g", "r", "i")
    monkeypatch.setattr(systems.artifact, "find_detector", Path, raising=False)
    monkeypatch.setattr(systems.artifact, "load_detector", lambda folder: scorer, raising=False)
    found, detector = small_set(size=25), systems.Detector("x", views=8)
    logit = detector.logits(found, "gi")
    (cutouts,) = given
    np.testing.assert_allclose(logit, 2.0 * cutouts[:, 1, 3, 0] + 1.0, rtol=1e-5)
    assert detector.logits(found, "gi") is logit and detector.takes("gr") and not detector.takes("u")


# --- the table


def rows_of(*members, joined=False, bands="gri"):
    systems, rows = module("real_sky_systems"), module("real_sky_rows")
    graded = small_set("cfhtls_graded", 40, brightness=np.arange(40.0))
    graded = module("dataclasses").replace(graded, table=graded.table.assign(kind=np.repeat(["negative", "lens"], 20)))
    system = systems.System("S", members, joined)
    return rows.measure(system, rows.REAL[0], bands, lambda name: graded)


def test_row_counts_lenses_and_tells_folds():
    row = rows_of(FakeDetector(0, folds=[1, 2, 3]))
    assert (row["status"], row["folds"]) == ("measured", "cfhtls_graded 0 of 0-3")
    assert (row["lenses"], row["non_lenses"], row["left_out_seen"]) == (5, 5, 30)
    assert (row["auroc"], row["tpr0"], row["tpr_at_fpr_0.1"], row["others_at_half"]) == (1.0, 1.0, 1.0, 0)
    assert row["looked_at_per_lens"] == 1.0


def test_what_was_seen_whole_has_no_figures():
    row = rows_of(FakeDetector(0, folds=range(4)))
    assert row["status"].startswith("seen") and "auroc" not in row


def test_bands_that_are_not_taken_give_no_row():
    assert rows_of(FakeDetector(0, bands="r")) is None
    assert rows_of(FakeDetector(0), bands="ugri") is None


def test_figures_are_counted_by_hand():
    rows = module("real_sky_rows")
    # from the top: 3 lenses, an other, 2 lenses, 3 others, 1 lens, 196 others, 4 lenses
    lenses = np.array([300.0, 299, 298, 296, 295, 291, 1, 2, 3, 4])
    others = np.concatenate([[297.0, 294, 293, 292], np.arange(196) / 1000 + 200])
    found = rows.figures(lenses, others)
    assert (found["tpr0"], found["tpr_at_fpr_0.01"], found["tpr_at_fpr_0.015"]) == (0.3, 0.5, 0.5)
    assert (found["tpr_at_fpr_0.1"], found["tpr10"]) == (0.6, 0.6)
    assert (found["others_at_half"], found["looked_at_per_lens"]) == (1, 6 / 5)
    # one lens in 1,000 objects: 0.5 x 0.001 found among 0.005 x 0.999 others
    assert found["looked_at_per_lens_rare"] == pytest.approx(1 + 0.005 * 0.999 / (0.5 * 0.001))
    for name in ("auroc", "tpr_at_fpr_0.01", "tpr0", "tpr10", "looked_at_per_lens_rare"):
        assert found[f"{name}_low"] <= found[name] <= found[f"{name}_high"]


def test_table_ranks_at_low_false_positive_rates_and_goes_into_a_page(tmp_path):
    table, rows = module("real_sky_table"), module("real_sky_rows")
    others = np.arange(100.0)
    # good in the mean and empty at the top, against half at the top and half at the bottom
    scores = {"mean": np.full(20, 80.5), "top": np.repeat([200.0, 30.0], 10)}
    made = [
        {"comparison": "C", "kind": "ordinary", "bands": "gri", "system": name, "trained_on": "kids", "folds": "all"}
        | {"status": "measured"}
        | rows.figures(lenses, others)
        for name, lenses in scores.items()
    ]
    made.append(made[0] | {"system": "blind", "status": "seen: nothing is left to be measured"})
    assert made[0]["auroc"] > made[1]["auroc"]
    text = table.as_markdown(pd.DataFrame(made))
    assert text.index("| `top` |") < text.index("| `mean` |")
    assert "Trained on it, so not measured: `blind`." in text and "| `blind`" not in text
    page = tmp_path / "page.md"
    page.write_text(f"before {table.BEGIN} old {table.END} after")
    table.into_page(page, text)
    table.into_page(page, text)
    assert page.read_text() == f"before {table.BEGIN}\n\n{text}\n{table.END} after"
    page.write_text("no marks")
    with pytest.raises(InputError, match="must hold <!-- table: begin --> and then"):
        table.into_page(page, text)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--detector", "arcformer_small_subtracted-groun"], "arcformer_small_subtracted-ground"),
        (["--committee", "a,b"], "--committee must be LABEL=A,B,... with two detectors or more, got 'a,b'"),
        (["--joined", "x=a"], "--joined must be LABEL=A,B,... with two detectors or more"),
    ],
)
def test_command_tells_mistakes_in_one_line(capsys, tmp_path, arguments, message):
    assert module("real_sky").main([*arguments, "--output", str(tmp_path)]) == 2
    told = capsys.readouterr().err
    assert message in told and told.count("\n") == 1


def test_page_of_the_gauge_has_its_marks():
    table = module("real_sky_table")
    text = (BENCHMARKS / "real_sky.md").read_text()
    assert text.count(table.BEGIN) == text.count(table.END) == 1


def test_arcs_are_painted_in_the_pixels_of_the_set_and_zeros_are_no_masked_pixels(tmp_path):
    painted, sets = module("painted_sky"), module("real_sets")
    rng = np.random.default_rng(1)
    noise = [band.noise_sigma for band in module("lensdetect.survey").SURVEYS["cfhtls"].select("gri")]
    pixels = (rng.normal(size=(6, 61, 61, 3)) * noise).astype(np.float32)
    pixels[:, 5, 5] = 0.0
    table = pd.DataFrame({"id": list("abcdef"), "kind": "galaxy", "is_lens": False, "fold": [0, 1, 2, 3, 0, 1]})
    found = sets.RealSet("cfhtls_fields", pixels, ("g", "r", "i"), (30.0,) * 3, 0.186, table)
    how = {"seed": 3, "workers": 1, "lens_fraction": 1.0, "psf": {"g": 0.8, "r": 0.7, "i": 0.7}}
    stamps = painted.paint_galaxies(found, tmp_path, **how)
    assert stamps.pixels.shape == (6, 61, 61, 3) and stamps.table["has_source"].all()
    np.testing.assert_array_equal(sorted(stamps.table["row"]), range(6))
    np.testing.assert_array_equal(stamps.table["fold"], table["fold"].to_numpy()[stamps.table["row"]])
    added = stamps.pixels - pixels[stamps.table["row"]]
    assert np.isfinite(added).all() and (added.max(axis=(1, 2, 3)) > 0).all()
    again = painted.paint_galaxies(found, tmp_path, **how)
    np.testing.assert_array_equal(again.pixels, stamps.pixels)
