"""Grades that the server does not take: they stay in the browser, and get into the log another way."""

from __future__ import annotations

import csv
import time
from pathlib import Path

import pandas as pd
import pytest

from lensdetect.inspection import read_log, read_merged, read_subjects
from lensdetect.inspection.desk import Desk
from lensdetect.inspection.keys import PictureKeys
from lensdetect.inspection.preparing import Wishes, prepare
from lensdetect.inspection.tokens import Grader, add_grader, revoke

from .screen import BACKSPACE, Screen
from .served import write_search


def saved_table(screen, downloads) -> Path:
    screen.run("(byId('kept').open = true)")
    screen.browser.find_element("id", "kept-save").click()
    path, stop = downloads / "grades_kept.csv", time.monotonic() + 20
    while not (path.is_file() and path.stat().st_size) and time.monotonic() < stop:
        time.sleep(0.05)
    return path


def kept_rows(screen) -> list[list[str]]:
    return screen.run("[...byId('kept-rows').rows].map((row) => [...row.cells].map((cell) => cell.textContent))")


def merged(path: Path, found: Path) -> pd.DataFrame:
    return read_merged([path], subjects=read_subjects(found), log=read_log(found), keys=PictureKeys(found))


def refusing(screen, status: int, body: str = "") -> None:
    """Let the server answer grades so, until it is mended."""
    screen.run(
        "(window.realFetch ??= window.fetch, window.fetch = (path, how) => path === 'api/grades' "
        f"? Promise.resolve(new Response({body!r}, {{status: {status}}})) : realFetch(path, how), 1)"
    )


def mended(screen) -> None:
    screen.run("(window.fetch = window.realFetch, 1)")


def test_grades_after_finishing_in_another_window_stay_and_can_be_merged(screen, found, downloads):
    screen.sign_in("Ann")
    screen.press("5", "3")
    screen.saved()
    first = screen.browser.current_window_handle
    screen.browser.switch_to.new_window("tab")
    other = Screen(screen.browser, screen.url)
    other.browser.get(other.url)
    other.until_shown()
    other.press("f")
    other.until("byId('sure').open")
    other.browser.find_element("id", "sure-yes").click()
    other.until("page.view === 'results'")
    screen.browser.switch_to.window(first)
    screen.until("page.pictures.ready.size === 14")
    screen.offline(True)
    screen.press("w", "0", "5", "1", BACKSPACE)
    screen.offline(False)
    screen.until("page.queue.refused().length === 4 && page.queue.waiting().length === 0")
    assert "4 refused: you have finished" in screen.text("saved") and screen.text("count") == "2 of 14"
    assert screen.text("kept-count") == "4 grades are"
    order = [one.subject.id for one in screen.served.desk._lists["Ann"][0]]
    # neither a new page nor another grader of this browser loses them
    screen.browser.refresh()
    screen.until("page.view === 'results' && page.queue.refused().length === 4")
    rows = kept_rows(screen)
    assert [row[:4] for row in rows[:2]] == [["picture 3", "Ann", "0", "ring"], ["picture 4", "Ann", "5", ""]]
    assert rows[3][2] == "a grade taken back" and rows[0][-1] == "you have finished"
    table = saved_table(screen, downloads)
    with table.open(newline="") as file:
        assert [row["why"] for row in csv.DictReader(file)] == ["you have finished"] * 2
    got = merged(table, found)
    assert list(got["id"]) == order[2:4] and list(got["grade"]) == [0.0, 5.0] and list(got["kind"]) == ["ring", ""]
    assert got["grader"].eq("Ann").all() and got["graded_at"].str.startswith("20").all()
    # sending them again asks once more, and gets the same answer
    screen.browser.find_element("id", "kept-again").click()
    screen.until("page.queue.refused().length === 4 && page.queue.waiting().length === 0")
    screen.browser.find_element("id", "kept-forget").click()
    screen.until("byId('kept').hidden && page.queue.entries().length === 0")
    assert len(read_log(found)) == 2
    other.browser.switch_to.window(next(one for one in other.browser.window_handles if one != first))
    other.browser.close()
    other.browser.switch_to.window(first)


def test_grades_of_a_token_that_was_revoked_stay_and_are_sent_with_a_new_one(browser, found, serve, downloads):
    served = serve(found, tokens=True)
    store = served.desk.store
    screen = Screen(browser, served.url)
    browser.get(f"{screen.url}/#token={add_grader(store, 'Ann')}")
    screen.until_shown()
    screen.press("5")
    screen.saved()
    revoke(store, "Ann")
    screen.press("3", "1")
    screen.until("page.queue.signedOut && page.queue.waiting().length === 2")
    screen.until("byId('kept-rows').rows.length === 2")
    assert "2 not sent yet: reload this page and sign in again" in screen.text("saved")
    # who is signed out sees them too, and can take them away
    browser.refresh()
    screen.until("!byId('sign-in').hidden && byId('kept-rows').rows.length === 2")
    assert {row[-1] for row in kept_rows(screen)} == {"sign in as Ann"}
    got = merged(saved_table(screen, downloads), found)
    assert list(got["grade"]) == [3.0, 1.0] and list(got["grader"]) == ["Ann"] * 2
    # another grader at the same machine does not send them, nor loses them
    browser.get("about:blank")
    browser.get(f"{screen.url}/#token={add_grader(store, 'Bob')}")
    screen.until_shown()
    assert screen.text("who") == "Bob" and screen.run("byId('kept-rows').rows.length") == 2
    browser.get("about:blank")
    browser.get(f"{screen.url}/#token={add_grader(store, 'Ann')}")
    screen.until_shown()
    screen.saved()
    assert screen.run("byId('kept').hidden")
    log = read_log(found)
    assert list(log["grade"]) == [5.0, 3.0, 1.0] and log["grader"].eq("Ann").all()


@pytest.mark.parametrize(
    ("status", "body", "why"),
    [
        (403, '{"error": "another site asked for this"}', "another site asked for this"),
        (404, "<h1>of a proxy</h1>", "the server answers 404"),
    ],
)
def test_every_refusal_keeps_the_grade_and_says_why(screen, found, status, body, why):
    screen.sign_in("Ann")
    refusing(screen, status, body)
    screen.press("5", "3")
    screen.until("page.queue.refused().length === 2 && page.queue.waiting().length === 0")
    assert f"2 refused: {why}" in screen.text("saved") and screen.text("count") == "0 of 14"
    assert not screen.run("byId('kept').hidden") and not len(read_log(found))
    mended(screen)
    screen.run("(byId('kept').open = true)")
    screen.browser.find_element("id", "kept-again").click()
    screen.saved()
    assert list(read_log(found)["grade"]) == [5.0, 3.0] and screen.text("count") == "2 of 14"
    assert screen.run("byId('kept').hidden")


@pytest.mark.parametrize("status", [429, 502])
def test_what_passes_is_waited_for(screen, found, status):
    screen.sign_in("Ann")
    screen.run("(page.queue.constructor.FIRST_WAIT_MS = page.queue.constructor.LONGEST_WAIT_MS = 200, 1)")
    refusing(screen, status, "<h1>of a proxy</h1>")
    screen.press("5")
    screen.until(f"byId('saved').textContent === '1 not sent yet: the server answers {status}'")
    assert screen.run("page.queue.refused().length") == 0 and screen.run("byId('kept').hidden")
    mended(screen)
    screen.saved()
    assert list(read_log(found)["grade"]) == [5.0]


def test_one_grade_that_is_refused_does_not_hold_the_others_up(screen, found):
    screen.sign_in("Ann")
    screen.until("page.pictures.ready.size === 14")
    screen.offline(True)
    screen.press("5", "3", "1")
    # the second of them becomes too long for the server, which then takes none of the three together
    screen.run(
        "(([, [name, item]]) => localStorage.setItem(name, JSON.stringify({...item, note: 'x'.repeat(1100000)})))"
        "(page.queue.waiting())"
    )
    screen.offline(False)
    screen.until("page.queue.refused().length === 1 && page.queue.waiting().length === 0")
    assert "1 refused: at most 1,000,000 bytes can be sent at once" in screen.text("saved")
    assert list(read_log(found)["grade"]) == [5.0, 1.0]


# ---- keys ------------------------------------------------------------------------------------------------------------


def keyed(desk: Desk, grader: str) -> list:
    return desk._lists_of(Grader(1, grader, False, None))[0]


def test_keys_of_a_page_are_understood_for_its_grader_alone(tmp_path):
    folder = write_search(tmp_path / "found", count=60)
    desk, _ = prepare(folder, None, Wishes(planted=0.0, repeats=0.2, seed=4))
    with desk.store:
        shown = keyed(desk, "Ann")
    keys = PictureKeys(folder)
    assert any(one.number for one in shown)
    assert [keys.find("Ann", one.key) for one in shown] == [(one.subject.id, one.number == 1) for one in shown]
    assert keys.find("Bob", shown[0].key) is None and keys.find("Ann", "../../x") is None


def test_a_kept_repeat_is_a_repeat_in_the_log(tmp_path):
    folder = write_search(tmp_path / "found", count=60)
    desk, _ = prepare(folder, None, Wishes(planted=0.0, repeats=0.2))
    with desk.store:
        again = next(one for one in keyed(desk, "Ann") if one.number)
        first = next(one for one in keyed(desk, "Ann") if one.subject == again.subject and not one.number)
    table = tmp_path / "kept.csv"
    table.write_text(f"key,grader,grade,why\n{first.key},Ann,3,x\n{again.key},Ann,1,x\n")
    got = merged(table, folder)
    assert list(got["planted"]) == ["", "repeat"] and got["id"].nunique() == 1
    # the same picture twice is no repeat
    table.write_text(f"key,grader,grade\n{again.key},Ann,3\n{again.key},Ann,1\nnonsense,Ann,0\n")
    with pytest.raises(Exception, match="'Ann' grades .* twice, .*; picture 'nonsense' in line 4 of .* is none that"):
        merged(table, folder)


def test_keys_without_their_database_are_told(tmp_path):
    table = tmp_path / "kept.csv"
    table.write_text("key,grader,grade\na,Ann,3\n")
    none = pd.DataFrame({"id": [], "grader": [], "grade": [], "undone": []})
    with pytest.raises(Exception, match="names pictures by the keys of a grading, whose database must be there"):
        read_merged([table], subjects=pd.DataFrame({"id": ["x"], "planted": [""], "truth": [0.0]}), log=none)
