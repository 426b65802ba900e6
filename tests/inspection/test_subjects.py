"""What is graded, what is mixed in, and in what order it comes."""

from __future__ import annotations

import errno
import json

import numpy as np
import pandas as pd
import pytest
from astropy.io import fits

from lensdetect.errors import InputError
from lensdetect.inspection.order import lessons_of, showings_of
from lensdetect.inspection.pictures import Cubes, turned
from lensdetect.inspection.planting import plant
from lensdetect.inspection.preparing import Wishes, prepare
from lensdetect.inspection.sources import open_source
from lensdetect.inspection.store import Store, Subject
from lensdetect.inspection.tokens import Grader
from lensdetect.survey import get_survey

from .served import SIZE, galaxy, write_search

KIDS = get_survey("kids")


def subjects(count: int) -> list[Subject]:
    return [Subject(f"galaxy {number}", "objects", str(number), number=number) for number in range(count)]


def order_of(count: int, grader: str = "Ann", *, seed: int = 0, repeats: float = 0.0):
    return showings_of(subjects(count), grader, seed=seed, repeats=repeats, secret="s")


def ids(showings) -> list[str]:
    return [one.subject.id for one in showings]


# ---- order -----------------------------------------------------------------------------------------------------------


def test_order_is_shuffled_for_each_grader_by_the_seed():
    ann = ids(order_of(200))
    assert ann == ids(order_of(200)) and sorted(ann) == sorted(ids(order_of(200, "Bob")))
    others = [ids(order_of(200, "Bob")), ids(order_of(200, seed=1)), [one.id for one in subjects(200)]]
    for other in others:
        # no more of them are in one place than by chance
        assert sum(one == two for one, two in zip(ann, other, strict=True)) < 8


def test_keys_differ_and_say_nothing():
    keys = [one.key for grader in ("Ann", "Bob") for one in order_of(100, grader, repeats=0.2)]
    assert len(set(keys)) == len(keys) and all(len(key) == 20 for key in keys)
    other_secret = showings_of(subjects(100), "Ann", seed=0, repeats=0.0, secret="t")
    assert not {one.key for one in other_secret} & set(keys)


def test_repeats_come_at_the_rate_and_later_and_turned():
    shown = order_of(4000, repeats=0.1)
    again = [one for one in shown if one.number == 1]
    # 400 wanted; binomial, five sigma
    assert abs(len(again) - 400) < 100 and len(shown) == 4000 + len(again)
    place = {(one.subject.id, one.number): number for number, one in enumerate(shown)}
    first = {one.subject.id: one for one in shown if one.number == 0}
    for one in again:
        assert place[one.subject.id, 1] - place[one.subject.id, 0] > 800
        assert one.turn != first[one.subject.id].turn


def test_what_is_added_changes_no_order_of_the_others():
    few, many = ids(order_of(100)), ids(order_of(150))
    assert [one for one in many if one in set(few)] == few


def test_lessons_are_shown_in_training_and_nowhere_else():
    some = [Subject(str(number), "objects", "x", training=number < 3, number=number) for number in range(8)]
    assert len(showings_of(some, "Ann", seed=0, repeats=0.0, secret="s")) == 5
    assert sorted(ids(lessons_of(some, "Ann", seed=0, secret="s"))) == ["0", "1", "2"]


def test_eight_turns_are_eight_pictures(rng):
    pixels = rng.normal(size=(5, 5, 2))
    pictures = {turned(pixels, turn).tobytes() for turn in range(8)}
    assert len(pictures) == 8 and turned(pixels, 0) is not None and np.array_equal(turned(pixels, 0), pixels)


# ---- where it is from ------------------------------------------------------------------------------------------------


def test_search_gives_its_candidates_and_names_known_lenses(found):
    source = open_source(found)
    assert [one.id for one in source.subjects] == [f"galaxy {number}" for number in range(14)]
    assert source.subjects[1].planted == "known" and source.subjects[1].truth == 1.0
    assert source.subjects[0].truth is None and source.subjects[0].about["rank"] == 1
    assert source.objects.read(source.subjects[3].member).shape == (SIZE, SIZE, 4)
    # of an older version, which drew none
    assert not source.ordinary.members and source.ordinary.more.startswith("give the same search once more, or")


def test_cutouts_have_the_bands_and_the_scale_of_the_search_not_of_its_survey(found):
    """CFHTLS has u, g, r, i and z in pixels of 0.186 arcsec; a detector may take four of them, resampled to 0.2."""
    said = {"survey": "cfhtls", "bands": ["u", "g", "r", "i"], "pixel_scale_arcsec": 0.2}
    (found / "search.json").write_text(json.dumps(said))
    source = open_source(found)
    assert source.survey.band_names == ("u", "g", "r", "i") and source.survey.pixel_scale_arcsec == 0.2
    assert source.objects.read(source.subjects[3].member).shape == (SIZE, SIZE, 4)
    (found / "search.json").write_text(json.dumps({"survey": "cfhtls"}))
    with pytest.raises(InputError, match="must say bands, pixel_scale_arcsec of its cutouts: give the same"):
        open_source(found)


@pytest.mark.parametrize(
    ("grade", "truth"), [("confident", 1.0), ("A", 1.0), ("probable", None), ("B", None), ("", None)]
)
def test_known_lens_counts_as_one_where_its_list_is_sure(found, grade, truth):
    table = pd.read_parquet(found / "candidates.parquet")
    table.loc[1, "known_grade"] = grade
    table.to_parquet(found / "candidates.parquet")
    subject = open_source(found).subjects[1]
    assert (subject.planted, subject.truth) == ("known", truth)


def test_near_misses_are_graded(found):
    table = pd.read_parquet(found / "candidates.parquet").assign(near_miss=[False] * 12 + [True] * 2)
    table.to_parquet(found / "candidates.parquet")
    assert len(open_source(found).subjects) == 14


def test_candidates_without_cutout_are_left_out_and_counted(found):
    next((found / "cutouts").glob("00005_*")).unlink()
    source = open_source(found)
    assert len(source.subjects) == 13 and source.notes == ["1 of 14 have no cutout and are left out"]
    for path in (found / "cutouts").iterdir():
        path.unlink()
    with pytest.raises(InputError, match="got none in .*: give the same search once more, which cuts them out"):
        open_source(found)


def test_search_without_candidates_is_said(tmp_path):
    empty = write_search(tmp_path / "empty", count=0)
    with pytest.raises(InputError, match="there must be candidates with cutouts to grade, got none in .*: search with"):
        open_source(empty)
    (empty / "candidates.parquet").unlink()
    with pytest.raises(InputError, match="must hold a finished search, got no candidates.parquet: run the same search"):
        open_source(empty)


def test_array_and_folder_and_table_can_be_graded(tmp_path, rng):
    pixels = np.stack([galaxy(rng, size=31) for _ in range(3)])
    np.save(tmp_path / "some.npy", pixels)
    (tmp_path / "stamps").mkdir()
    for number, one in enumerate(pixels):
        fits.PrimaryHDU(np.moveaxis(one, -1, 0)).writeto(tmp_path / "stamps" / f"s{number}.fits")
    rows = "".join(f"object {number},stamps/s{number}.fits\n" for number in (2, 0))
    (tmp_path / "list.csv").write_text("id,file\n" + rows)
    for name, count, first in (("some.npy", 3, 0), ("stamps", 3, 0), ("list.csv", 2, 2)):
        source = open_source(tmp_path / name, survey="kids", size=31)
        assert len(source.subjects) == count
        assert np.allclose(source.objects.read(source.subjects[0].member), pixels[first])
    assert [one.id for one in source.subjects] == ["object 2", "object 0"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id,name\na,b\n", "must have the columns id and file, got id, name"),
        ("id,file\na,x.fits\na,y.fits\n", "must have an id of its own and a file, got 'a' and 'y.fits'"),
        ("id,file\n", "must have a row for each object, got none"),
    ],
)
def test_table_that_names_no_files_is_refused(tmp_path, text, message):
    (tmp_path / "list.csv").write_text(text)
    with pytest.raises(InputError, match=message):
        open_source(tmp_path / "list.csv", survey="kids")


def test_cutouts_must_say_where_they_are_from(tmp_path, rng):
    np.save(tmp_path / "some.npy", galaxy(rng)[None])
    with pytest.raises(InputError, match="does not say which survey it is from: say it with --survey"):
        open_source(tmp_path / "some.npy")
    with pytest.raises(InputError, match="got nothing at .*nowhere: check the path"):
        open_source(tmp_path / "nowhere")


# ---- what is mixed in ------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_lenses_are_painted_onto_the_objects_that_the_search_drew(tmp_path):
    folder = write_search(tmp_path / "found", count=8, ordinary=6)
    galaxies = open_source(folder).ordinary
    assert list(galaxies.members) == [f"ordinary {number}" for number in range(6)]
    desk, notes = prepare(folder, None, Wishes(planted=0.25, repeats=0.0, seed=3))
    assert notes == [
        "mixed in: 2 simulated lenses painted onto, and 2 duds of, objects drawn at random from all that the search "
        "did not list"
    ]
    with desk.store as store:
        mixed = [one for one in store.subjects() if one.planted in ("lens", "dud")]
    lenses, duds = mixed[:2], mixed[2:]
    assert [one.planted for one in mixed] == ["lens"] * 2 + ["dud"] * 2 and [one.truth for one in mixed] == [1, 1, 0, 0]
    # of the first five drawn: three to paint on, two duds, each galaxy once
    names = {one.about["galaxy"] for one in mixed}
    assert len(names) == 4 and names < {f"ordinary {number}" for number in range(5)} and all(one.turn for one in mixed)
    kept = Cubes(folder / "grading" / "given", [one.member for one in mixed], num_bands=4)
    for one in lenses:
        added = kept.read(one.member) - galaxies.collection.read(galaxies.members[one.about["galaxy"]])
        # light is added near the middle, of an arc that a person could see, and none is taken away
        r_sigma = KIDS.bands[2].noise_sigma
        assert added[20:41, 20:41, 2].sum() > 20 * r_sigma and abs(np.median(added)) < 0.1 * r_sigma
        assert 0.2 < one.about["einstein_radius_arcsec"] < 4.0
    for one in duds:
        drawn = galaxies.collection.read(galaxies.members[one.about["galaxy"]])
        assert np.array_equal(kept.read(one.member), drawn)
    # what was needed for painting is not left behind
    assert [path.name for path in (folder / "grading").iterdir()] == ["given"]


@pytest.mark.slow
def test_another_store_of_the_same_search_mixes_in_its_own(tmp_path):
    folder = write_search(tmp_path / "found", count=8, ordinary=6)
    for number in range(2):
        wishes = Wishes(planted=0.25, repeats=0.0, seed=number)
        desk, _ = prepare(folder, f"sqlite:///{tmp_path}/{number}.sqlite", wishes)
        desk.store.close()
    desk, _ = prepare(folder, f"sqlite:///{tmp_path}/0.sqlite", Wishes())
    with desk.store:
        ann = Grader(1, "Ann", False, None)
        assert len([desk.picture(ann, key) for key in desk.work(ann)["keys"]]) == 8 + 4


def test_mixed_in_stay_when_the_search_is_given_once_more_with_other_objects(tmp_path):
    folder = write_search(tmp_path / "found", count=8, ordinary=1)
    desk, _ = prepare(folder, None, Wishes(planted=0.1, repeats=0.0))
    desk.store.close()
    for path in (folder / "ordinary").iterdir():
        path.unlink()
    desk, _ = prepare(folder, None, Wishes())
    with desk.store as store:
        assert [one.id for one in store.subjects()][8:] == ["ordinary 0+dud"]
        ann = Grader(1, "Ann", False, None)
        assert len([desk.picture(ann, key) for key in desk.work(ann)["keys"]]) == 9


@pytest.mark.parametrize(
    ("ordinary", "note"),
    [
        (None, "the search drew no ordinary objects, as it is of an older version: give the same search once more, or "
         "galaxies with --others"),
        (0, "the search has no ordinary objects with cutouts beside its candidates: give galaxies with --others"),
    ],
)  # fmt: skip
def test_search_without_ordinary_objects_mixes_in_nothing_and_says_so(tmp_path, ordinary, note):
    folder = write_search(tmp_path / "found", count=8, ordinary=ordinary)
    desk, notes = prepare(folder, None, Wishes())
    desk.store.close()
    assert notes == [f"no lenses and duds are mixed in: {note}"]


def test_others_are_refused_where_the_search_drew_its_own(tmp_path, rng):
    folder = write_search(tmp_path / "found", count=8, ordinary=3)
    np.save(tmp_path / "others.npy", galaxy(rng)[None])
    with pytest.raises(InputError, match="--others is for what has no ordinary .* has 3 of them: leave it out"):
        prepare(folder, None, Wishes(others=tmp_path / "others.npy"))


def test_too_few_galaxies_are_said_and_what_there_is_is_used(tmp_path):
    folder = write_search(tmp_path / "found", count=2, ordinary=1)
    galaxies = open_source(folder).ordinary
    mixed, notes = plant(galaxies, KIDS, tmp_path, lenses=2, duds=3, seed=3, taken={"ordinary 0+dud"})
    assert [made.id for made in mixed] == ["ordinary 0+dud+"]
    assert notes[1].startswith("wanted were 2 lenses and 3 duds: give the same search once more with a larger --ordin")


def test_disk_that_fills_while_lenses_and_duds_are_made_is_said_and_nothing_is_begun(tmp_path, monkeypatch):
    folder = write_search(tmp_path / "found", count=8, ordinary=3)

    def full(*_, **__) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("lensdetect.inspection.planting.write_whole", full)
        with pytest.raises(
            InputError, match="^lenses and duds to be mixed in must be writable to .*found, got No space"
        ):
            prepare(folder, None, Wishes(planted=0.1))
    desk, _ = prepare(folder, None, Wishes(planted=0.0))
    with desk.store as store:
        assert len(store.subjects()) == 8


@pytest.mark.slow
def test_galaxies_that_cannot_be_painted_on_are_told_before_grading_begins(tmp_path):
    folder = write_search(tmp_path / "found", count=8, ordinary=3)
    for path in (folder / "ordinary").iterdir():
        fits.PrimaryHDU(np.full((4, SIZE, SIZE), np.nan, np.float32)).writeto(path, overwrite=True)
    with pytest.raises(InputError, match="^no lenses can be mixed in: no galaxy of 2 can be used; .*: --planted 0$"):
        prepare(folder, None, Wishes(planted=0.1, repeats=0.0))
    desk, _ = prepare(folder, None, Wishes(planted=0.0, repeats=0.0))
    desk.store.close()


def test_known_lenses_and_duds_that_were_given_are_kept(found, tmp_path, rng):
    np.save(tmp_path / "lenses.npy", np.stack([galaxy(rng) for _ in range(2)]))
    np.save(tmp_path / "others.npy", np.stack([galaxy(rng) for _ in range(1)]))
    wishes = Wishes(lenses=tmp_path / "lenses.npy", others=tmp_path / "others.npy", planted=0.05, repeats=0.0)
    desk, notes = prepare(found, None, wishes)
    desk.store.close()
    assert notes[0].startswith("mixed in: 0 simulated lenses painted onto, and 1 duds of, the galaxies given with")
    for name in ("lenses.npy", "others.npy"):
        (tmp_path / name).unlink()
    desk, _ = prepare(found, None, Wishes())
    with desk.store as store:
        planted = [one for one in store.subjects() if one.collection == "given"]
        assert [one.planted for one in planted] == ["known", "known", "dud"]
        ann = Grader(1, "Ann", False, None)
        assert len([desk.picture(ann, key) for key in desk.work(ann)["keys"]]) == 14 + 3
    with pytest.raises(InputError, match="--lenses and --others are for when grading begins"):
        prepare(found, None, wishes)


def test_grading_goes_on_as_it_was_begun(found):
    desk, _ = prepare(found, None, Wishes(seed=5, planted=0.0))
    keys = desk.work(Grader(1, "Ann", False, None))["keys"]
    desk.store.close()
    desk, notes = prepare(found, None, Wishes())
    assert desk.work(Grader(1, "Ann", False, None))["keys"] == keys and notes == []
    desk.store.close()
    with pytest.raises(InputError, match="^--seed must stay 5, with which grading was begun"):
        prepare(found, None, Wishes(seed=6))


def test_database_of_other_objects_is_refused(found, tmp_path):
    url = f"sqlite:///{tmp_path}/other.sqlite"
    with Store(url) as store:
        store.add_subjects([Subject("elsewhere", "objects", "x")])
    with pytest.raises(InputError, match="must hold grades of the same objects, got others, as 'elsewhere': choose"):
        prepare(found, url, Wishes())


@pytest.mark.slow
def test_training_tells_the_answer_of_lessons_only(found, tmp_path, rng):
    np.save(tmp_path / "others.npy", np.stack([galaxy(rng) for _ in range(9)]))
    wishes = Wishes(others=tmp_path / "others.npy", planted=0.05, repeats=0.0, training=1)
    desk, _ = prepare(found, None, wishes)
    with desk.store as store:
        ann = Grader(1, "Ann", False, None)
        work = desk.work(ann)
        answers = [desk.lesson(ann, key) for key in work["lessons"]]
        assert sorted(one["is_lens"] for one in answers) == [False, True]
        assert len([one for one in store.subjects() if one.training]) == 2 and not set(work["lessons"]) & set(
            work["keys"]
        )
        for key in work["keys"]:
            with pytest.raises(Exception, match="there is no lesson of this key"):
                desk.lesson(ann, key)
        told = desk.take(ann, [{"grade_id": "0" * 32, "key": work["lessons"][0], "grade": 5.0}])
        assert list(told["refused"].values()) == ["what is shown with its answer gets no grade"]
