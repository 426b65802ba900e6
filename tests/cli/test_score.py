from __future__ import annotations

import json
import shutil
import signal

import numpy as np
import pandas as pd
import pytest
from matplotlib.image import imread

import lensdetect as package
from lensdetect import flags
from lensdetect.artifact import scorer

COLUMNS = ["id", "path", "logit", "probability", "flags", "reason"]


@pytest.fixture
def scores(tmp_path):
    return tmp_path / "scores.csv"


def read(path) -> pd.DataFrame:
    return pd.read_csv(path, dtype={"id": str}, keep_default_na=False, na_values={"logit": "", "probability": ""})


def band_files(folder, band):
    return sorted(folder.glob(f"Public/Band*/imageSDSS_{band.upper()}-*.fits"))


def test_table_is_ranked_and_whole(lensdetect, detector, stamps, scores):
    result = lensdetect("score", stamps, "--model", detector, "--output", scores)
    table = read(scores)
    assert result.code == 0
    assert table.columns.tolist() == COLUMNS
    assert len(table) == 6 and table["logit"].is_monotonic_decreasing and (table["reason"] == "").all()
    assert "6 images: 6 scored, 0 refused" in result.out
    assert table["id"][0] in result.out.splitlines()[1]


def test_shards_and_challenge_files_score_alike(lensdetect, detector, stamps, challenge, scores, tmp_path):
    lensdetect("score", stamps, "--model", detector, "--output", scores)
    lensdetect("score", challenge, "--model", detector, "--output", tmp_path / "other.csv")
    one, other = read(scores), read(tmp_path / "other.csv")
    assert one["id"].tolist() == other["id"].tolist()
    np.testing.assert_allclose(one["logit"], other["logit"], rtol=1e-5, atol=1e-5)


def test_parquet_by_extension(lensdetect, detector, stamps, tmp_path):
    assert lensdetect("score", stamps, "--model", detector, "--output", tmp_path / "scores.parquet").code == 0
    table = pd.read_parquet(tmp_path / "scores.parquet")
    assert table.columns.tolist() == COLUMNS
    assert table["logit"].dtype == np.float32 and table["flags"].dtype == np.int64


def test_pictures_and_figures_of_merit(lensdetect, detector, challenge, scores, tmp_path):
    truth = challenge / "classifications.csv"
    result = lensdetect(
        *("score", challenge, "--model", detector, "--output", scores),
        *("--truth", truth, "--figure", tmp_path / "top.png"),
    )
    assert result.code == 0
    assert "AUROC" in result.out and "truth" in result.out.splitlines()[0]
    for name in ("top.png", "scores_truth.png"):
        assert imread(tmp_path / name).shape[0] > 200
        assert name in result.out


def test_prior_lowers_probability_and_keeps_order(lensdetect, detector, stamps, scores, tmp_path):
    lensdetect("score", stamps, "--model", detector, "--output", scores)
    lensdetect("score", stamps, "--model", detector, "--output", tmp_path / "sky.csv", "--prior", "1e-4")
    one, sky = read(scores), read(tmp_path / "sky.csv")
    assert one["id"].tolist() == sky["id"].tolist()
    odds = one["probability"] / (1 - one["probability"]) * (1e-4 / (1 - 1e-4)) / (40 / 60)
    np.testing.assert_allclose(sky["probability"], odds / (1 + odds), rtol=1e-4)


def test_eight_views(lensdetect, detector, stamps, scores):
    result = lensdetect("score", stamps, "--model", detector, "--output", scores, "--views", "8")
    assert result.code == 0 and "detector: arcformer_test-bologna/1, mean of 8 views" in result.out
    table = package.score(stamps, detector, views=8)
    assert read(scores)["id"].tolist() == table["id"].tolist()
    np.testing.assert_allclose(read(scores)["logit"], table["logit"], rtol=1e-5, atol=1e-5)
    assert table.attrs["detector"] == "arcformer_test-bologna/1, mean of 8 views"


@pytest.mark.parametrize("views", ["2", "0", "eight"])
def test_other_views_are_refused(lensdetect, detector, stamps, scores, views):
    result = lensdetect("score", stamps, "--model", detector, "--output", scores, "--views", views)
    assert result.code == 2 and "argument --views: invalid" in result.err and not scores.exists()


def test_one_truncated_file_among_six_is_one_refused_row(lensdetect, detector, challenge, scores):
    broken = band_files(challenge, "g")[2]
    broken.write_bytes(broken.read_bytes()[:3000])
    result = lensdetect("score", challenge, "--model", detector, "--output", scores)
    last = read(scores).iloc[-1]
    assert result.code == 1
    assert "6 images: 5 scored, 1 refused" in result.out and f"refused {last['id']}: " in result.out
    assert np.isnan(last["logit"]) and last["flags"] & flags.bits("unreadable") and str(broken) in last["reason"]


def test_only_file_truncated_could_not_be_done(lensdetect, detector, write_cube, pixels, tmp_path, scores):
    path = write_cube(tmp_path / "galaxy.fits", pixels[0])
    path.write_bytes(path.read_bytes()[:3000])
    result = lensdetect("score", path, "--model", detector, "--survey", "bologna", "--output", scores)
    assert result.code == 2 and "galaxy.fits" in result.err
    assert not scores.exists()


def test_text_named_fits(lensdetect, detector, write_cube, pixels, tmp_path, scores):
    folder = write_cube(tmp_path / "images" / "galaxy.fits", pixels[0]).parent
    (folder / "notes.fits").write_text("no picture here\n")
    result = lensdetect("score", folder, "--model", detector, "--survey", "bologna", "--output", scores)
    assert result.code == 1 and "refused notes: " in result.out
    (folder / "galaxy.fits").unlink()
    assert lensdetect("score", folder, "--model", detector, "--survey", "bologna", "--output", scores).code == 2


def test_empty_folder(lensdetect, detector, tmp_path, scores):
    (tmp_path / "empty").mkdir()
    result = lensdetect("score", tmp_path / "empty", "--model", detector, "--output", scores)
    assert result.code == 2 and "empty holds no images" in result.err
    assert not scores.exists()


def test_missing_path(lensdetect, detector, tmp_path, scores):
    result = lensdetect("score", tmp_path / "nowhere", "--model", detector, "--output", scores)
    assert result.code == 2 and "nowhere does not exist" in result.err


def test_folder_without_a_band_and_the_way_out(lensdetect, detector, challenge, scores):
    for path in band_files(challenge, "u"):
        path.unlink()
    result = lensdetect("score", challenge, "--model", detector, "--output", scores)
    assert result.code == 2 and "must hold files of band u" in result.err and "--bands g,r,i" in result.err
    result = lensdetect("score", challenge, "--model", detector, "--output", scores, "--bands", "g,r,i")
    assert result.code == 0 and "flags: missing_band 6" in result.out


def test_other_size_is_fitted_unless_refused(lensdetect, detector, challenge, pixels, tmp_path, scores):
    np.save(tmp_path / "narrow.npy", pixels[:, :-1])
    command = ("score", tmp_path / "narrow.npy", "--survey", "bologna", "--model", detector, "--output", scores)
    result = lensdetect(*command, "--fit", "refuse")
    assert result.code == 1 and "6 refused" in result.out and "--fit pad" in result.out
    assert "and 1 more" in result.out
    assert read(scores)["logit"].isna().all()
    result = lensdetect(*command)
    assert result.code == 0 and "flags: padded 6" in result.out


def test_blank_stamp_is_refused(lensdetect, detector, pixels, tmp_path, scores):
    pixels[4] = np.nan
    np.save(tmp_path / "stack.npy", pixels)
    result = lensdetect("score", tmp_path / "stack.npy", "--survey", "bologna", "--model", detector, "--output", scores)
    assert result.code == 1 and "refused stack-4: no data in any band: NaN, or one value throughout" in result.out


def test_undeclared_images_are_refused(lensdetect, detector, pixels, tmp_path, scores):
    np.save(tmp_path / "stack.npy", pixels)
    result = lensdetect("score", tmp_path / "stack.npy", "--model", detector, "--output", scores)
    assert result.code == 2 and "stack.npy does not say its survey" in result.err and "--zero-point" in result.err
    assert not scores.exists()


def test_declared_zero_point_is_converted(lensdetect, detector, stamps, pixels, tmp_path, scores):
    lensdetect("score", stamps, "--model", detector, "--output", scores)
    np.save(tmp_path / "stack.npy", pixels[..., [3, 2, 1, 0]] * 1e12)  # zero point 0 to 30
    result = lensdetect(
        *("score", tmp_path / "stack.npy", "--model", detector, "--output", tmp_path / "other.csv"),
        *("--bands", "i,r,g,u", "--pixel-scale", "0.2", "--zero-point", "30,30,30,30"),
    )
    assert result.code == 0
    np.testing.assert_allclose(read(tmp_path / "other.csv")["logit"], read(scores)["logit"], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--bands", "a,b,c,d"], "takes the bands u, g, r, i or some of them, got a, b, c, d"),
        (["--pixel-scale", "0.4", "--no-resample"], "takes pixels of 0.2 arcsec, got 0.4 arcsec"),
        (["--pixel-scale", "-1"], "must be more than 0 arcsec, got -1"),
        (["--zero-point", "30,29"], "one for each of u, g, r, i, got"),
        (["--survey", "kids"], "come from survey kids, got others beside it"),
    ],
)
def test_foreign_images_print_both(lensdetect, detector, pixels, tmp_path, options, message):
    np.save(tmp_path / "stack.npy", pixels)
    declared = ["--bands", "u,g,r,i", "--pixel-scale", "0.2", "--zero-point", "0"]
    result = lensdetect("score", tmp_path / "stack.npy", "--model", detector, *declared, *options)
    assert result.code == 2 and message in result.err


def test_half_a_declaration(lensdetect, detector, pixels, tmp_path):
    np.save(tmp_path / "stack.npy", pixels)
    result = lensdetect("score", tmp_path / "stack.npy", "--model", detector, "--pixel-scale", "0.2")
    assert result.code == 2 and "got no --bands, --zero-point: give all three" in result.err


def test_stamps_of_another_survey(lensdetect, detector, stamps):
    result = lensdetect("score", stamps, "--model", detector, "--survey", "kids")
    assert result.code == 2 and "holds stamps of survey bologna, got --survey kids" in result.err


def test_changed_weight_byte(lensdetect, copied_detector, stamps, scores):
    path = copied_detector / "variables" / "variables.data-00000-of-00001"
    content = bytearray(path.read_bytes())
    content[100] ^= 1
    path.write_bytes(content)
    result = lensdetect("score", stamps, "--model", copied_detector, "--output", scores)
    assert result.code == 2 and "variables.data-00000-of-00001 is changed" in result.err
    assert not scores.exists()


def test_card_changed_to_other_bands(lensdetect, copied_detector, stamps, scores):
    card = copied_detector / "assets.extra" / "card.json"
    card.write_text(card.read_text().replace('"name": "u"', '"name": "z"'))
    result = lensdetect("score", stamps, "--model", copied_detector, "--output", scores)
    assert result.code == 2 and "card.json must be as it was written" in result.err and not scores.exists()
    values = json.loads(card.read_text().replace('"u"', '"z"'))
    del values["card_sha256"]
    card.write_text(json.dumps(values))
    result = lensdetect("score", stamps, "--model", copied_detector, "--output", scores)
    assert result.code == 0 and "dropped: u" in result.out


def test_unwritable_output_is_told_before_anything(lensdetect, detector, stamps, tmp_path, monkeypatch):
    monkeypatch.setattr(scorer.Scorer, "__call__", lambda *_, **__: pytest.fail("scored all the same"))
    (tmp_path / "file").write_text("not a folder")
    for option in ("--output", "--figure"):
        path = tmp_path / "file" / ("scores.csv" if option == "--output" else "top.png")
        result = lensdetect("score", stamps, "--model", detector, "--output", tmp_path / "scores.csv", option, path)
        assert result.code == 2 and "must be in a folder that exists and can be written to" in result.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file"]


def test_full_disk_is_one_line(lensdetect, detector, stamps, scores, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pd.DataFrame, "to_csv", full)
    result = lensdetect("score", stamps, "--model", detector, "--output", scores)
    assert result.code == 2 and "could not be written (No space left on device)" in result.err
    assert not list(scores.parent.glob("*scores*"))


def test_unknown_detector_has_the_nearest(lensdetect, shipping, stamps):
    result = lensdetect("score", stamps, "--model", "arcformer_tset-bologna")
    assert result.code == 2 and "did you mean arcformer_test-bologna?" in result.err


def test_truth_of_other_images(lensdetect, detector, stamps, tmp_path, scores):
    (tmp_path / "truth.csv").write_text("id,is_lens\n7,1\n8,0\n")
    result = lensdetect("score", stamps, "--model", detector, "--truth", tmp_path / "truth.csv", "--output", scores)
    assert result.code == 2 and "truth must have a row for some image" in result.err
    assert not scores.exists()


def test_interrupt_leaves_nothing(lensdetect, detector, stamps, scores, tmp_path, monkeypatch):
    call = scorer.Scorer.__call__

    def interrupted(*args, **kwargs):
        signal.raise_signal(signal.SIGINT)
        return call(*args, **kwargs)

    monkeypatch.setattr(scorer.Scorer, "__call__", interrupted)
    result = lensdetect("score", stamps, "--model", detector, "--output", scores, "--figure", tmp_path / "top.png")
    assert (
        result.code == 2
        and result.err == "lensdetect: error: interrupted: nothing was written; run the same command again\n"
    )
    assert not list(tmp_path.iterdir())


def test_a_run_prints_nothing_on_stderr(start, detector, stamps, tmp_path, patience_s):
    process = start("score", stamps, "--model", detector, "--output", tmp_path / "scores.csv")
    out, err = process.communicate(timeout=patience_s)
    assert (process.returncode, err) == (0, "")
    assert out.startswith("rank  id")


def test_genuine_stamps_have_a_score_or_a_reason(lensdetect, shared_data, scores):
    folder = shared_data / "bologna_ground"
    result = lensdetect("score", folder, "--truth", folder / "classifications.csv", "--output", scores)
    table = read(scores)
    assert result.code in {0, 1}
    assert sorted(table["id"]) == ["100002", "100004", "100008", "100013", "100023", "100026"]
    assert (table["logit"].notna() | (table["reason"] != "")).all()
    # Its colours are false, which is said and no reason to refuse it.
    odd = table.set_index("id").loc["100013"]
    assert odd["flags"] & flags.bits("identical_bands") and "hold the same bytes" in odd["reason"]
    assert "3 lenses, 3 others" in result.out


@pytest.fixture
def real(lensdetect, shared_data, scores):
    """Scores real images with the detector for KiDS; None where these do not come with the checkout."""

    def run(folder, *options):
        return lensdetect(
            "score", shared_data / folder, "--model", "arcformer_small_subtracted-ground", "--output", scores, *options
        )

    return run


def test_real_cutouts_with_one_file_a_band_are_one_object_each(real, scores):
    result = real("kids_ugri", "--survey", "KiDS")
    table = read(scores).set_index("id")
    assert (result.code, set(table.index)) == (
        0,
        {"KIDS_186.53375_-0.1005556", "KIDS_SLID_10058881_SID_8668", "KiDS-test"},
    )
    assert flags.names(table["flags"]["KiDS-test"]) == ("missing_band",)
    result = real("kids_ugri", "--survey", "kids", "--bands", "r")
    assert len(read(scores)) == 3 and "left aside: 5 files (band g: not asked for)" in result.out


@pytest.mark.parametrize(
    ("folder", "options", "numbers"),
    [
        ("kids_r_unlabelled/fits_cutouts", ("--bands", "r"), ("0.2 arcsec", "0.214 arcsec", "2.4e-12", "0.023")),
        ("des_griz/krojas_lrg10/lens", ("--bands", "g,r,i"), ("0.263 arcsec", "the headers say 30", "2.2e-12")),
    ],
)
def test_real_images_of_another_survey_are_refused_with_both_numbers(real, scores, folder, options, numbers):
    result = real(folder, "--survey", "kids", *options)
    assert result.code == 2 and not scores.exists()
    for number in (*numbers, "--trust-units"):
        assert number in result.err


def test_copied_stamps_with_one_id_each_cannot_be_given_truth(lensdetect, detector, challenge, tmp_path):
    shutil.copytree(challenge, tmp_path / "Data.1")
    result = lensdetect(
        *("score", challenge, tmp_path / "Data.1", "--model", detector),
        *("--truth", challenge / "classifications.csv", "--output", tmp_path / "scores.csv"),
    )
    assert result.code == 2 and "images must have ids of their own to be given truth" in result.err
