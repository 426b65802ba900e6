from __future__ import annotations

import dataclasses
import json
import shutil

import numpy as np
import pandas as pd
import pytest

from lensdetect import load_detector
from lensdetect.artifact import load_card
from lensdetect.artifact.weights import read_weights
from lensdetect.errors import InputError
from lensdetect.rounds import HeldOut, Mixture, SearchedSky, retrain
from lensdetect.stamps import Shards

from .round_sky import RULE, write_simulated


def round_of(sky, simulated, output, **more):
    how = {"start": sky.detector, "stamps": [simulated], "held_out": RULE, "epochs": 2, "seed": 3}
    return retrain(more.pop("search", sky.searched), more.pop("grades", sky.grades), output, **(how | more))


@pytest.fixture(scope="module")
def first(graded_sky, simulated, tmp_path_factory):
    """The first round; not to be changed."""
    return round_of(graded_sky, simulated, tmp_path_factory.mktemp("rounds") / "one")


@pytest.fixture(scope="module")
def second(graded_sky, simulated, first, tmp_path_factory):
    """The next round, from there: what is held out is known from the card."""
    return round_of(graded_sky, simulated, tmp_path_factory.mktemp("rounds") / "two", start=first.folder, held_out=None)


def test_a_round_leaves_a_detector_that_scores(first):
    detector = load_detector(first.folder)
    assert detector.folder == first.model and detector.card.name == "arcformer_test"
    logit, probability = detector(first.prepared.graded[0].read(np.arange(5)))
    assert np.isfinite(logit).all() and np.isfinite(probability).all()


def test_pixels_are_those_that_were_searched(graded_sky, first):
    # some from cutouts/, the others from the tile
    logits = pd.read_parquet(next((graded_sky.found / "scores").glob("*.parquet"))).set_index("id")
    shards, labels = first.prepared.graded
    candidates = set(pd.read_parquet(graded_sky.found / "candidates.parquet")["id"])
    assert 0 < labels["id"].isin(candidates).sum() < len(labels)
    again = load_detector(graded_sky.detector)(shards.read(np.arange(len(labels)))).logit
    name = next(name for name in logits if name.startswith("logit_arcformer"))
    np.testing.assert_allclose(again, logits.loc[labels["id"], name], atol=1e-4)


def test_no_round_touches_what_is_held_out(graded_sky, first, second):
    place = graded_sky.objects.set_index("id")
    held = {*place.index[RULE.holds(place["ra"].to_numpy(), place["dec"].to_numpy())]}
    for done in (first, second):
        learned, measured = ({*part[1]["id"]} for part in (done.prepared.graded, done.prepared.held_out))
        assert len(held) > 10 and measured == held and not learned & held
        # nor anything that shares a pixel with it
        ours, theirs = (place.loc[sorted(ids), ["ra", "dec"]].to_numpy() for ids in (learned, held))
        away = np.abs(ours[:, None] - theirs).max(axis=2).min() * 3600
        assert away > 33 * 0.2 - 0.01
    assert load_card(second.model).training["rounds"][1]["held_out"] == dataclasses.asdict(RULE)


def test_what_is_held_out_cannot_change(graded_sky, simulated, first, tmp_path):
    with pytest.raises(InputError, match="cannot change from round to round: it is 0.3 of the sky in cells of 0.5"):
        round_of(graded_sky, simulated, tmp_path / "round", start=first.folder, held_out=HeldOut(0.1, 0.5))


def test_the_card_tells_the_history(graded_sky, first, second):
    rounds = load_card(second.model).training["rounds"]
    assert [one["digest"] for one in rounds] == [load_card(graded_sky.detector).digest, load_card(first.model).digest]
    assert rounds[0]["from"] == "arcformer_test-bologna/1" and rounds[0]["simulated"] == 160
    labels = first.prepared.graded[1]
    assert rounds[0]["lenses"] == labels["is_lens"].sum()
    assert rounds[0]["others"] == labels.loc[~labels["is_lens"], "kind"].value_counts().to_dict()
    assert rounds[0]["held_out_objects"] == len(first.prepared.held_out[1])
    assert load_card(second.model).training["weights"]["name"] == "arcformer_test-bologna/1"


def test_it_is_compared_on_what_is_held_out(graded_sky, first):
    shards, labels = first.prepared.held_out
    table = first.comparison
    assert set(table["detector"]) == {"before", "after", "ratio"}
    for name, folder in (("before", graded_sky.detector), ("after", first.model)):
        logit = load_detector(folder)(shards.read(np.arange(len(labels)))).logit
        above = logit[labels["is_lens"]][:, None] > logit[~labels["is_lens"]]
        row = table[(table["detector"] == name) & (table["figure"] == "AUROC")].iloc[0]
        assert row["value"] == pytest.approx(above.mean(), abs=1e-6)
    measured_on = load_card(first.model).training["measured_on"]
    assert measured_on["set"] == "test" and measured_on["sha256"] == shards.sha256()


def test_early_layers_learn_at_a_lower_rate(first):
    plan = load_card(first.model).training["plan"]
    assert plan["name"] == "fine_tune" and dict(plan["stages"][0]["part_rates"]) == {"stem": 0.3}


@pytest.mark.slow
def test_rounds_teach(graded_sky, simulated, tmp_path):
    done = round_of(graded_sky, simulated, tmp_path / "round", epochs=40)
    auroc = done.comparison[done.comparison["figure"] == "AUROC"].set_index("detector")["value"]
    assert auroc["after"] > max(0.9, auroc["before"])


def test_a_finished_round_stays_as_it_is(graded_sky, simulated, first):
    before = {path: path.stat().st_mtime_ns for path in first.folder.rglob("*") if path.is_file()}
    again = round_of(graded_sky, simulated, first.folder)
    pd.testing.assert_frame_equal(again.comparison, first.comparison)
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_another_round_does_not_go_on_in_its_folder(graded_sky, simulated, first):
    with pytest.raises(InputError, match="holds another retraining: seed is 3 there and 4 here"):
        round_of(graded_sky, simulated, first.folder, seed=4)
    fewer = graded_sky.grades.iloc[:100]
    with pytest.raises(InputError, match="holds another retraining: grades is"):
        round_of(graded_sky, simulated, first.folder, grades=fewer)


@pytest.mark.slow
def test_an_interrupted_round_ends_where_it_would_have(graded_sky, simulated, first, tmp_path, monkeypatch):
    """Once while it cuts, once in the training, once before it is compared."""
    from lensdetect.training import Run

    save, output = Run.save_epoch, tmp_path / "round"

    def stop_after(self, *args, **kwargs):
        save(self, *args, **kwargs)
        raise KeyboardInterrupt

    def stop(*args, **kwargs):
        raise KeyboardInterrupt

    for place, how in (
        ("lensdetect.rounds.prepared.write_shard", stop),
        ("lensdetect.training.Run.save_epoch", stop_after),
        ("lensdetect.rounds.retraining.compare", stop),
    ):
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(place, how)
            round_of(graded_sky, simulated, output)
    done = round_of(graded_sky, simulated, output)
    pd.testing.assert_frame_equal(
        done.comparison.drop(columns="figure"), first.comparison.drop(columns="figure"), rtol=0.05, atol=0.05
    )
    found, wanted = read_weights(done.model), read_weights(first.model)
    for name, values in wanted.items():
        np.testing.assert_allclose(found[name], values, rtol=1e-3, atol=1e-4, err_msg=name)


@pytest.mark.slow
def test_objects_that_cannot_be_used_are_listed(graded_sky, simulated, tmp_path):
    more = pd.DataFrame({"id": ["nobody"], "posterior": [0.9], "kind": [""], "planted": [""]})
    grades = pd.concat([graded_sky.grades, more], ignore_index=True)
    done = round_of(graded_sky, simulated, tmp_path / "round", grades=grades, epochs=1)
    assert done.prepared.missing[["id", "reason"]].values.tolist() == [["nobody", "is no object of this search"]]


def copy_of(graded_sky, tmp_path, **told):
    """The search, which says something else of itself."""
    found = shutil.copytree(graded_sky.found, tmp_path / "found")
    manifest = json.loads((found / "search.json").read_text())
    (found / "search.json").write_text(json.dumps(manifest | told))
    return found


@pytest.mark.slow
def test_without_tiles_what_has_cutouts_is_learned_from(graded_sky, simulated, tmp_path):
    found = copy_of(graded_sky, tmp_path, tiles=[str(tmp_path / "gone")])
    done = round_of(graded_sky, simulated, tmp_path / "round", search=SearchedSky(found), epochs=1, measured=False)
    objects = done.prepared.objects
    kept = objects[(objects["reason"] == "") & (objects["side"] != "border")]
    candidates = pd.read_parquet(found / "candidates.parquet")["id"]
    assert len(kept) and kept["id"].isin(candidates).all() and done.comparison is None
    assert done.prepared.missing["reason"].str.contains("tiles must be FITS images, got none in").all()


@pytest.mark.slow
def test_the_card_tells_of_objects_that_nobody_graded(graded_sky, simulated, tmp_path):
    sky = SearchedSky(copy_of(graded_sky, tmp_path, prior=0.01))
    some = {"search": sky, "grades": graded_sky.grades.iloc[:60], "ungraded": 10}
    done = round_of(graded_sky, simulated, tmp_path / "round", **some, epochs=1, measured=False)
    assert load_card(done.model).training["rounds"][0]["others"]["ungraded"] == 10
    assert json.loads((done.folder / "round.json").read_text())["ungraded"] == 10


def test_tiles_that_have_moved_are_named(graded_sky, tmp_path):
    found = copy_of(graded_sky, tmp_path, tiles=[str(tmp_path / "gone")])
    card = load_card(graded_sky.detector)
    sky = SearchedSky(found, tiles=[graded_sky.tiles])
    pixels, reasons = sky.cut(sky.objects(graded_sky.objects["id"]), card)
    assert set(reasons) == {""} and np.isfinite(pixels).all()


def test_a_damaged_cutout_is_cut_again(graded_sky, tmp_path):
    found = copy_of(graded_sky, tmp_path, tiles=[str(graded_sky.tiles)])
    card, one = load_card(graded_sky.detector), pd.read_parquet(found / "candidates.parquet")["id"].iloc[0]
    sound = SearchedSky(found).cut(SearchedSky(found).objects([one]), card)[0]
    next((found / "cutouts").glob("00001_*")).write_bytes(b"no FITS")
    again, reasons = SearchedSky(found).cut(SearchedSky(found).objects([one]), card)
    np.testing.assert_allclose(again, sound, rtol=1e-5)
    assert reasons == [""]


def test_another_pixel_scale_is_cut_from_the_tiles(graded_sky):
    card = dataclasses.replace(load_card(graded_sky.detector), pixel_scale_arcsec=0.3, size=21)
    sky = graded_sky.searched
    objects = sky.objects(graded_sky.objects["id"])
    pixels, reasons = sky.cut(objects, card)
    assert pixels.shape == (len(objects), 21, 21, 4) and set(reasons) == {""}
    # flux is kept: 2.25 pixels have become one
    before = sky.cut(objects, load_card(graded_sky.detector))[0]
    middle = (slice(None), slice(8, 25), slice(8, 25), 2), (slice(None), slice(5, 16), slice(5, 16), 2)
    assert pixels[middle[1]].sum() == pytest.approx(before[middle[0]].sum(), rel=0.2)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda grades: grades.iloc[:0], "labels need grades, got none"),
        (lambda grades: grades.assign(id="x" + grades["id"]), "must be objects of the search in .* 144 that are none"),
        (
            lambda grades: grades.assign(posterior=0.0),
            "must hold 5 graded lenses and 5 others .* got 0 and",
        ),
    ],
    ids=["no grades", "of another search", "no lens is held out"],
)
def test_grades_that_cannot_be_used(graded_sky, simulated, tmp_path, change, message):
    with pytest.raises(InputError, match=message):
        round_of(graded_sky, simulated, tmp_path / "round", grades=change(graded_sky.grades))
    assert not (tmp_path / "round" / "plan.json").exists()


def test_one_class_needs_stamps(graded_sky, tmp_path):
    with pytest.raises(InputError, match="others alone: grade more, or mix simulated stamps in with --stamps"):
        grades = graded_sky.grades.assign(posterior=0.0)
        round_of(graded_sky, None, tmp_path / "round", grades=grades, stamps=[], measured=False)


@pytest.mark.parametrize(
    ("manifest", "message"),
    [
        ({"pixel_scale_arcsec": 0.3}, "takes pixels of 0.2 arcsec, got 0.3 arcsec"),
        ({"survey": "des", "bands": ["w", "x", "y", "z"]}, "must have some of the bands u, g, r, i, got w, x, y, z"),
    ],
    ids=["pixel scale", "bands"],
)
def test_stamps_that_do_not_fit(graded_sky, tmp_path, manifest, message):
    stamps = write_simulated(tmp_path / "stamps", count=8, seed=1, **manifest)
    with pytest.raises(InputError, match=message):
        round_of(graded_sky, stamps, tmp_path / "round")
    assert not (tmp_path / "round").exists()


def test_stamps_of_another_survey_come_in_the_flux_unit_of_the_detector(graded_sky, tmp_path):
    from lensdetect.rounds.converted import ConvertedStamps

    card = load_card(graded_sky.detector)
    told = {"survey": "cfhtls", "bands": ["i", "r", "g"]}
    stamps = write_simulated(tmp_path / "stamps", count=8, seed=1)
    shards = Shards(stamps)
    np.save(stamps / "00000.npy", shards.read(np.arange(8))[..., :3])
    manifest = json.loads((stamps / "manifest.json").read_text()) | told
    (stamps / "manifest.json").write_text(json.dumps(manifest))
    found = ConvertedStamps(stamps, card).read(np.arange(8))
    # zero point 30 to zero point 0
    raw = np.load(stamps / "00000.npy")
    np.testing.assert_allclose(found[..., 3], raw[..., 0] * 10 ** (-0.4 * 30), rtol=1e-5)
    assert np.isnan(found[..., 0]).all()


def test_a_share_out_of_range():
    with pytest.raises(InputError, match="the share of graded objects must be from 0.01 to 1"):
        Mixture(share=0.0)


def test_a_folder_that_is_no_search(tmp_path):
    with pytest.raises(InputError, match="must be the output of lensdetect search, with search.json"):
        SearchedSky(tmp_path)
