from __future__ import annotations

import dataclasses

import keras
import numpy as np
import pandas as pd
import pytest

import lensdetect
from lensdetect import flags
from lensdetect.artifact import Calibration, Card, Scores, build_detector, load_detector, save_detector
from lensdetect.data import read_truth
from lensdetect.errors import InputError
from lensdetect.network import DETECTORS, spec_to_dict
from lensdetect.scoring import check_truth, check_writable, compare, open_images, rank, summary, write_table
from lensdetect.scoring.report import aligned, counts_lines, probability_text, ranked_lines
from lensdetect.scoring.results import best_mosaic
from lensdetect.survey import SURVEYS

SIZE = 17
BOLOGNA = SURVEYS["bologna"]


@pytest.fixture(scope="module")
def card():
    return Card(
        name="arcformer_test",
        survey="bologna",
        spec=spec_to_dict(DETECTORS["arcformer_test"]),
        bands=BOLOGNA.bands,
        pixel_scale_arcsec=0.2,
        size=SIZE,
        flux_unit="AB zero point 0",
        training={},
        metrics={"ugri": {"auroc": 0.9, "stamps": 100, "lenses": 40}},
        licence="BSD-3-Clause",
        calibration=(Calibration(2.0, 0.5, lens_fraction=0.4, bands=BOLOGNA.band_names),),
    )


@pytest.fixture(scope="module")
def scorer(card, tmp_path_factory):
    keras.utils.set_random_seed(1)
    folder = tmp_path_factory.mktemp("models") / "arcformer_test-bologna" / "1"
    return load_detector(save_detector(build_detector("arcformer_test", size=SIZE), folder, card=card))


@pytest.fixture
def cutouts(rng):
    sigma = [band.noise_sigma for band in BOLOGNA.bands]
    brightness = np.geomspace(1, 100, 150)[:, None, None, None]
    return (brightness * rng.normal(0, sigma, (150, SIZE, SIZE, 4))).astype(np.float32)


class Brightness:
    """Stands in for a detector: the logit is the middle pixel of r."""

    title = "brightness/1"

    def __init__(self, card):
        self.card = card

    def __call__(self, cutouts, *, prior=None, **_):
        logit = cutouts[:, SIZE // 2, SIZE // 2, 2].astype(np.float32)
        return Scores(logit, self.card.probability(logit, prior=prior))


class LastIsBest:
    """Stands in for a detector: the logit is the number of the image."""

    title = "last/1"

    def __init__(self, card):
        self.card, self.seen = card, 0

    def __call__(self, cutouts, **_):
        logit = np.arange(self.seen, self.seen + len(cutouts), dtype=np.float32)
        self.seen += len(cutouts)
        return Scores(logit, logit)


def test_array_gives_the_table_of_the_scorer(scorer, cutouts):
    table = lensdetect.score(cutouts, scorer, survey="bologna")
    assert table.columns.tolist() == ["id", "path", "logit", "probability", "flags", "reason"]
    found = table.set_index("id")["logit"].loc[[f"array-{row}" for row in range(150)]]
    expected = scorer(cutouts)
    np.testing.assert_allclose(found, expected.logit, rtol=1e-4, atol=1e-5)
    assert table["logit"].is_monotonic_decreasing
    np.testing.assert_allclose(table["probability"], 1 / (1 + np.exp(-(2.0 * table["logit"] + 0.5))), rtol=1e-5)


def test_path_of_a_detector_and_of_images(scorer, cutouts, tmp_path):
    np.save(tmp_path / "stack.npy", cutouts[:3])
    table = lensdetect.score(tmp_path / "stack.npy", scorer.folder, survey=BOLOGNA)
    assert sorted(table["id"]) == ["stack-0", "stack-1", "stack-2"]


def test_array_of_no_declared_survey(scorer, cutouts):
    with pytest.raises(InputError, match="an array does not say its survey, and so not its flux unit: .*--survey"):
        lensdetect.score(cutouts, scorer)


def test_three_bands_of_a_survey_of_their_own(scorer, cutouts):
    declared = {"bands": ("r", "g", "i"), "pixel_scale_arcsec": 0.2, "zero_point_mag": (30.0, 25.0, 0.0)}
    counts = cutouts[..., [2, 1, 3]] * np.array([1e12, 1e10, 1], np.float32)
    table = lensdetect.score(counts, scorer, **declared)
    expected = lensdetect.score(cutouts[..., 1:], scorer, survey="bologna", bands=("g", "r", "i"))
    assert table["id"].tolist() == expected["id"].tolist()
    np.testing.assert_allclose(table["logit"], expected["logit"], rtol=1e-4, atol=1e-5)
    for one in (table, expected):
        assert (one["flags"] == flags.bits("missing_band")).all()
    assert set(table["reason"]) == {"of the detector's bands, u not given"}


def test_best_cutouts_are_those_of_the_first_rows(card, cutouts, rng):
    cutouts[:, SIZE // 2, SIZE // 2, 2] = 1e-10 * rng.integers(0, 20, 150)  # with ties
    source = open_images(cutouts[..., ::-1], card, survey="bologna", bands=("i", "r", "g", "u"))
    ranking = rank(source, Brightness(card), keep=25)
    rows = [int(name.split("-")[1]) for name in ranking.table["id"][:25]]
    np.testing.assert_array_equal(ranking.best, cutouts[rows])
    assert ranking.table["logit"].is_monotonic_decreasing


def test_best_cutouts_are_in_the_unit_and_bands_of_the_card(card, cutouts):
    declared = {"bands": ("g", "r"), "pixel_scale_arcsec": 0.2, "zero_point_mag": 25.0}
    source = open_images(cutouts[..., 1:3] * 1e10, card, **declared)
    ranking = rank(source, LastIsBest(card), keep=2)
    np.testing.assert_allclose(ranking.best[0][..., 1:3], cutouts[-1][..., 1:3], rtol=1e-5)
    assert np.isnan(ranking.best[..., [0, 3]]).all()


def test_bands_that_the_detector_does_not_take_are_dropped_and_told(card, cutouts):
    more = np.concatenate([cutouts, cutouts[..., :1]], axis=-1)
    images = open_images(more, card, survey="Bologna", bands=("u", "g", "r", "i", "z"))
    assert images.told == ["bands that detector arcformer_test does not take, dropped: z"]
    ranking = rank(images, LastIsBest(card), keep=1)
    np.testing.assert_array_equal(ranking.best[0], cutouts[-1])
    with pytest.raises(InputError, match="takes the bands u, g, r, i or some of them, got z: train one"):
        open_images(cutouts[..., :1], card, survey="bologna", bands=("z",))


def test_another_pixel_scale_is_resampled_with_its_flux_and_told(card, cutouts):
    blob = np.exp(-0.5 * (np.hypot(*(np.mgrid[:35, :35] - 17)) / 3.0) ** 2).astype(np.float32)
    fine = np.repeat(blob[None, ..., None], 4, axis=-1)
    declared = {"bands": ("u", "g", "r", "i"), "pixel_scale_arcsec": 0.1, "zero_point_mag": 0.0}
    images = open_images(np.concatenate([fine, fine]), card, **declared)
    assert images.told == ["resampled from 0.1 to 0.2 arcsec, flux kept"]
    ranking = rank(images, LastIsBest(card), keep=1)
    assert ranking.best.shape == (1, SIZE, SIZE, 4)
    np.testing.assert_allclose(ranking.best[0].sum(axis=(0, 1)), blob.sum(), rtol=1e-3)
    assert np.unravel_index(ranking.best[0, ..., 2].argmax(), (SIZE, SIZE)) == (SIZE // 2, SIZE // 2)
    with pytest.raises(InputError, match="takes pixels of 0.2 arcsec, got 0.1 arcsec: leave --no-resample out"):
        open_images(fine, card, **declared, resample=False)


def test_all_that_is_wrong_is_told_at_once(card, cutouts):
    with pytest.raises(InputError, match="does not say its survey.*--survey.*; detector .* takes the bands .*got z"):
        open_images(cutouts[..., :1], card, bands=("z",))


def test_mosaic_is_cropped_and_tells_logit_probability_and_prior(card, rng):
    pixels = rng.normal(0.0, 2e-12, (2, 9, 9, 4)).astype(np.float32)
    images = open_images(pixels, card, survey="bologna", trust_units=True)
    for prior, words in ((None, "where 40 % of the images are lenses"), (1e-4, "where 1 image in 10,000 is a lens")):
        ranking = rank(images, Brightness(card), keep=2, prior=prior, progress=False)
        figure = best_mosaic(ranking)
        assert [axes.images[0].get_array().shape for axes in figure.axes] == [(9, 9, 3)] * 2
        row = ranking.table.iloc[0]
        text = f"logit {row['logit']:.2f}   P {probability_text(row['probability'])}"
        assert figure.axes[0].get_title() == f"{row['id']}\n{text}"
        assert words in figure.get_suptitle() and words in summary(ranking)


def test_refused_and_numberless_come_last_with_reasons(card, cutouts):
    cutouts[:, SIZE // 2, SIZE // 2, 2] = 1e-10 * np.arange(150)
    cutouts[100, SIZE // 2, SIZE // 2, 2] = np.nan  # the stand-in gives no number for it
    cutouts[7] = np.nan
    ranking = rank(open_images(cutouts, card, survey="bologna"), Brightness(card), keep=3)
    assert ranking.num_refused == 2 and ranking.table["id"][0] == "array-149"
    last = ranking.table.tail(2).set_index("id")
    assert last["logit"].isna().all() and last["probability"].isna().all()
    assert last["reason"].to_dict() == {
        "array-7": "no data in any band: NaN, or one value throughout",
        "array-100": "the detector gives no finite number for such pixels",
    }


def test_prior_by_bayes(scorer, cutouts):
    plain = lensdetect.score(cutouts, scorer, survey="bologna")
    rare = lensdetect.score(cutouts, scorer, survey="bologna", prior=1e-3)
    odds = plain["probability"] / (1 - plain["probability"]) * (1e-3 / 0.999) / (0.4 / 0.6)
    np.testing.assert_allclose(rare["probability"], odds / (1 + odds), rtol=1e-4)
    with pytest.raises(InputError, match="prior must be a fraction between 0 and 1, got 0"):
        lensdetect.score(cutouts, scorer, survey="bologna", prior=0.0)


def test_prior_needs_that_of_the_calibration(card, cutouts):
    without = dataclasses.replace(card, calibration=(Calibration(2.0, 0.5, bands=BOLOGNA.band_names),))
    with pytest.raises(InputError, match="what share of the stamps it was calibrated on were lenses"):
        rank(open_images(cutouts, without, survey="bologna"), Brightness(without), prior=0.1)


def test_inputs_of_two_surveys(card, cutouts, tmp_path):
    from lensdetect.stamps import Stamp, write_manifest, write_shard

    truth = {"id": "1", "is_lens": True, "has_source": True, "kind": "lens", "einstein_radius_arcsec": 1.0}
    truth |= {"arc_pixel_count": 1, "arc_flux_sigma": 1.0, "arc_snr": 1.0, "seed": 1}
    for survey in ("bologna", "kids"):
        (tmp_path / survey).mkdir()
        write_shard(tmp_path / survey, 0, [Stamp(cutouts[0], truth)])
        manifest = {"survey": survey, "bands": ["u", "g", "r", "i"], "pixel_scale_arcsec": 0.2, "seed": 1}
        write_manifest(tmp_path / survey, manifest)
    with pytest.raises(InputError, match="must be from one survey, got bologna, kids: score each"):
        open_images([tmp_path / "bologna", tmp_path / "kids"], card)
    assert open_images(tmp_path / "kids", card).source.frame.survey.name == "kids"


@pytest.fixture
def table():
    return pd.DataFrame(
        {
            "id": ["a", "b", "c", "d"],
            "path": "x.npy",
            "logit": np.array([2.0, 1.0, -1.0, np.nan], np.float32),
            "probability": np.array([0.9, 0.7, 1e-6, np.nan], np.float32),
            "flags": [0, flags.bits("masked", "padded"), 0, flags.bits("blank")],
            "reason": ["", "some", "", "no data in any band"],
        }
    )


def test_comparison_leaves_out_what_it_cannot_compare(table):
    truth = pd.DataFrame({"id": ["a", "c", "d"], "is_lens": [True, False, True]})
    found = compare(table, truth)
    assert found.table["id"].tolist() == ["a", "c"] and found.metrics.auroc == 1.0
    assert (found.num_refused, found.num_unknown) == (1, 1)
    assert "1 left out without a score" in found.report() and "1 left out without a row of truth" in found.report()
    assert compare(table, truth.tail(1)) is None


def test_comparison_leaves_out_arcs_that_cannot_be_seen(table):
    ids = table["id"][table["logit"].notna()].tolist()
    truth = pd.DataFrame({"id": ids, "is_lens": [True] + [False] * (len(ids) - 1), "has_source": [True] * len(ids)})
    truth.loc[len(ids) - 1, "has_source"] = False
    found = compare(table, truth)
    assert found.num_undetected == len(ids) - 2 and found.num_unknown == 0
    assert found.metrics.num_lenses == found.metrics.num_others == 1
    assert f"{len(ids) - 2} left out with arcs that cannot be seen" in found.report()


def test_truth_that_cannot_be_joined(tmp_path):
    (tmp_path / "truth.csv").write_text("id,is_lens\n7,1\n8,0\n")
    truth = read_truth(tmp_path / "truth.csv")
    with pytest.raises(InputError, match="got none for 2 images such as a; its ids are such as 7"):
        check_truth(["a", "b"], truth)
    with pytest.raises(InputError, match="got 7 twice"):
        check_truth(["7", "7"], truth)
    check_truth(["7", "9"], truth)


def test_table_survives_its_file(table, tmp_path):
    write_table(table, tmp_path / "scores.parquet")
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "scores.parquet"), table, check_dtype=False)
    write_table(table, tmp_path / "scores.csv")
    back = pd.read_csv(tmp_path / "scores.csv", keep_default_na=False, na_values={"logit": "", "probability": ""})
    np.testing.assert_array_equal(back["logit"].to_numpy(np.float32), table["logit"])
    assert back["reason"].tolist() == table["reason"].tolist()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("scores.txt", "must end in one of .csv, .parquet, got '.txt'"),
        ("nowhere/scores.csv", "must be in a folder that exists and can be written to"),
        ("file/scores.csv", "must be in a folder that exists and can be written to"),
        ("folder.csv", "must be a file to write, got a folder"),
    ],
)
def test_places_that_cannot_be_written(tmp_path, name, message):
    (tmp_path / "file").touch()
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(InputError, match=message):
        check_writable(tmp_path / name)
    assert check_writable(tmp_path / "scores.csv") == tmp_path / "scores.csv"


def test_report_is_aligned_and_counts(table):
    lines = ranked_lines(table, rows=3).splitlines()
    assert lines[0].split() == ["rank", "id", "logit", "probability", "flags"]
    assert lines[2].endswith("masked padded") and lines[3].split() == ["3", "c", "-1.000", "1.0e-06"]
    counts = counts_lines(table)
    assert "4 images: 3 scored, 1 refused" in counts and "flags: blank 1, masked 1, padded 1" in counts
    assert "refused d: no data in any band" in counts
    assert ranked_lines(table.tail(1)) == ""


def test_columns_of_text():
    assert (
        aligned({"name": ["a", "bcd"], "n": ["1", "10"], "empty": ["", ""]}, left=("name",))
        == "name   n\na      1\nbcd   10"
    )
    assert [probability_text(value) for value in (1.0, 0.0123, 3.2e-5, np.nan)] == ["1.000", "0.012", "3.2e-05", ""]
