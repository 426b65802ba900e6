"""Grading in a real browser."""

from __future__ import annotations

import time

import pytest

from lensdetect.inspection import read_log
from lensdetect.inspection.tokens import add_grader

from ..browser import narrow
from .screen import ARROW_DOWN, ARROW_LEFT, ARROW_RIGHT, BACKSPACE, ENTER, Screen
from .served import write_search


def test_ten_are_graded_by_keyboard_and_one_is_undone(screen, found, complaints):
    screen.sign_in("Ann")
    screen.press("5", "3", "1", "0", "w", "0", "n")
    screen.press("blue arc?", ENTER, "3", "0", "0", "5", "0")
    screen.until("page.book.said.length === 10")
    screen.press(BACKSPACE)
    screen.until("page.book.said.length === 9")
    screen.saved()
    log = read_log(found)
    assert list(log["grade"]) == [5.0, 3.0, 1.0, 0.0, 0.0, 3.0, 0.0, 0.0, 5.0, 0.0]
    assert list(log["undone"]) == [False] * 9 + [True] and log["grader"].eq("Ann").all()
    assert list(log["kind"]) == ["", "", "", "", "ring"] + [""] * 5
    assert log["note"][5] == "blue arc?" and log["seconds"].between(0.0, 60.0).all()
    assert screen.text("count") == "9 of 14"
    # it is the one that was undone that is shown again
    assert screen.run("page.place") == 9
    said = [line for line in complaints() if "401" not in line]  # nobody was signed in at first
    assert said == []


def test_back_changes_a_grade_and_the_former_one_stays_in_the_log(screen, found):
    screen.sign_in("Ann")
    screen.press("0", "1", ARROW_LEFT, ARROW_LEFT)
    assert screen.run("document.querySelector('.grade[aria-pressed=true]').dataset.grade") == "0"
    screen.press("5")
    screen.saved()
    log = read_log(found)
    assert list(log["grade"]) == [0.0, 1.0, 5.0] and list(log["undone"]) == [True, False, False]
    screen.press(BACKSPACE)
    screen.saved()
    assert list(read_log(found)["undone"]) == [False, False, True]


def test_skipped_ones_come_again_and_at_the_end_all_is_done(screen, found):
    screen.sign_in("Ann")
    screen.press(ARROW_RIGHT, *"0" * 13)
    screen.until("page.place === 0 && page.book.said.length === 13")
    screen.press("3")
    screen.until("page.view === 'all-done'")
    screen.saved()
    assert len(read_log(found)) == 14
    screen.press("f")
    screen.until("byId('sure').open")
    screen.browser.find_element("id", "sure-yes").click()
    screen.until("page.view === 'results' && byId('figures').rows.length === 5")
    text = screen.run("byId('results').innerText")
    assert "A known lens, J1200+0000" in text and "lenses recognised, of 1" in text


def test_offline_nothing_is_lost_and_all_is_counted_once(screen, found):
    screen.sign_in("Ann")
    screen.press("0")
    screen.saved()
    screen.until("page.pictures.ready.size === 14")
    screen.offline(True)
    screen.press("5", "3", BACKSPACE, "1")
    screen.until("byId('saved').textContent.startsWith('4 not sent yet: no connection')")
    assert len(read_log(found)) == 1
    screen.offline(False)
    screen.saved()
    log = read_log(found)
    assert list(log["grade"]) == [0.0, 5.0, 3.0, 1.0] and list(log["undone"]) == [False, False, True, False]
    assert log["grade_id"].is_unique


def test_what_waits_outlives_the_page_and_an_answer_that_was_lost(screen, found):
    screen.sign_in("Ann")
    # the server keeps the grade, and the browser never hears of it
    screen.run(
        "(window.kept = window.fetch, window.fetch = async (...a) => { await kept(...a); throw new TypeError(); }, 1)"
    )
    screen.press("5", "1")
    screen.until("page.queue.problem === 'no connection' && page.queue.waiting().length === 2")
    stop = time.monotonic() + 10
    while len(read_log(found)) < 2 and time.monotonic() < stop:
        time.sleep(0.05)
    screen.browser.refresh()
    screen.until_shown()
    screen.saved()
    assert list(read_log(found)["grade"]) == [5.0, 1.0] and screen.text("count") == "2 of 14"


def test_full_disk_is_said_and_the_grades_come_when_there_is_room(screen, found):
    screen.sign_in("Ann")
    from sqlalchemy import event

    engine = screen.served.desk.store._engine
    with engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()

    def fill(connection, *_) -> None:
        connection.execute(f"PRAGMA max_page_count={pages}")

    # the limit is one of each connection, of which requests at once take several
    event.listen(engine, "checkout", fill)
    screen.run("(page.queue.constructor.LONGEST_WAIT_MS = 200, 1)")
    for _ in range(12):
        screen.until_shown()
        screen.run("(byId('note').value = 'x'.repeat(900))")
        screen.press("0")
    screen.until("byId('saved').textContent.includes('this server cannot keep grades now: its disk is full')")
    event.remove(engine, "checkout", fill)
    engine.dispose()
    screen.until("page.queue.waiting().length === 0")
    assert len(read_log(found)) == 12 and read_log(found)["grade_id"].is_unique


def test_two_graders_at_once_do_not_see_one_another(browser, screen, found):
    screen.sign_in("Ann")
    ann = browser.current_window_handle
    token = add_grader(screen.served.desk.store, "Bob")
    browser.switch_to.new_window("tab")
    # another site, to a browser: its cookies and its storage are apart
    bob = Screen(browser, screen.url.replace("127.0.0.1", "localhost"))
    browser.get(f"{bob.url}/#token={token}")
    bob.until_shown()
    assert bob.text("who") == "Bob" and "token" not in browser.current_url
    bob.press("5", "5")
    bob.saved()
    browser.switch_to.window(ann)
    assert screen.text("count") == "0 of 14"
    screen.press("0", "0", "0")
    screen.saved()
    log = read_log(found)
    assert log.groupby("grader")["grade"].apply(list).to_dict() == {"Ann": [0.0] * 3, "Bob": [5.0] * 2}
    browser.switch_to.window(next(one for one in browser.window_handles if one != ann))
    browser.close()
    browser.switch_to.window(ann)


def test_link_with_a_wrong_token_says_so(browser, found, serve):
    served = serve(found, tokens=True)
    screen = Screen(browser, served.url)
    for token in ("nonsense", f"{'a' * 12}.{'b' * 43}"):
        browser.get("about:blank")
        browser.get(f"{screen.url}/#token={token}")
        screen.until("!byId('sign-in').hidden && byId('message').textContent.startsWith('this token is none, or was')")
        assert token not in browser.current_url and screen.text("count") == ""
    good = add_grader(served.desk.store, "Ann")
    browser.find_element("id", "sign-in-text").send_keys(f"{screen.url}/#token={good}{ENTER}")
    screen.until("byId('who').textContent === 'Ann'")
    screen.until_shown()


def test_grid_grades_what_is_chosen_and_no_to_the_rest(screen, found):
    screen.sign_in("Ann")
    screen.press("g")
    shown = "document.querySelectorAll('.cell[data-shown]').length === 14"
    screen.until(f"page.view === 'grid' && {shown}")
    screen.press("5", ARROW_RIGHT, "3")
    assert screen.run("page.grid.chosen") == 3
    screen.press(".")
    screen.saved()
    log = read_log(found).set_index("id")
    order = [one.subject.id for one in screen.served.desk._lists["Ann"][0]]
    assert [log["grade"][name] for name in order] == [5.0, 0.0, 3.0] + [0.0] * 11
    screen.press(BACKSPACE)
    screen.until("document.querySelectorAll('.cell.graded').length === 13")
    screen.press("g")
    screen.until_shown()


def open_grid(screen) -> None:
    screen.press("g")
    screen.until("page.view === 'grid' && page.grid.keys.every((key) => page.pictures.ready.has(key))")


def test_grid_says_what_it_is_instead_by_key(screen, found):
    screen.sign_in("Ann")
    open_grid(screen)
    screen.press("w")
    assert screen.run("document.querySelector('.cell[aria-selected=true] .told').textContent") == "ring?"
    screen.press("0", "q", "w", "w", "1", "e", ARROW_RIGHT, "3", "n")
    screen.press("two cores", ENTER, "r", "0")
    screen.saved()
    log = read_log(found)
    assert list(log["grade"]) == [0.0, 1.0, 3.0, 0.0] and list(log["kind"]) == ["ring", "", "", "edge-on"]
    assert list(log["note"]) == ["", "", "", "two cores"]
    # what was chosen and not said stays with nothing
    assert screen.run("[...document.querySelectorAll('.told')].map((one) => one.textContent).slice(0, 6)") == [
        "0 ring", "1", "", "3", "0 edge-on", ""
    ]  # fmt: skip
    screen.press(BACKSPACE)
    screen.until("document.querySelectorAll('.cell.graded').length === 3 && page.grid.chosen === 4")
    screen.press("t", "0", "g")
    screen.until_shown()
    screen.saved()
    log = read_log(found)
    assert list(log["kind"]) == ["ring", "", "", "edge-on", "star"] and list(log["undone"]) == [False] * 3 + [
        True,
        False,
    ]


@pytest.mark.parametrize("width", [390, 1280])
def test_grid_says_what_it_is_instead_by_pointer(screen, found, width):
    narrow(screen.browser, width)
    screen.sign_in("Ann")
    open_grid(screen)

    def click(selector: str) -> None:
        screen.browser.find_element("css selector", selector).click()

    click(".cell:nth-child(3)")
    click("#kinds [data-kind='merger']")
    assert screen.run("byId('kinds').querySelector('[aria-pressed=true]').dataset.kind") == "merger"
    click(".grade[data-grade='0']")
    # a grade goes on to the next, of which nothing is said yet
    assert screen.run("page.grid.chosen") == 3 and not screen.run("byId('kinds').querySelector('[aria-pressed=true]')")
    click(".grade[data-grade='5']")
    click("#undo")
    screen.saved()
    log = read_log(found)
    order = [one.subject.id for one in screen.served.desk._lists["Ann"][0]]
    assert list(log["id"]) == [order[2], order[3]] and list(log["kind"]) == ["merger", ""]
    assert list(log["undone"]) == [False, True]
    # the chosen picture and what can be said of it are in sight together
    for key in (ARROW_DOWN, ARROW_DOWN):
        screen.press(key)
    boxes = "['.cell[aria-selected=true]', '#say'].map((one) => document.querySelector(one).getBoundingClientRect())"
    screen.until(f"(([cell, say]) => cell.top >= 0 && cell.bottom <= say.top && say.bottom <= 900)({boxes})")
    assert screen.run("document.documentElement.scrollWidth <= window.innerWidth")


def test_grid_follows_the_width_of_the_window(screen):
    screen.sign_in("Ann")
    open_grid(screen)
    screen.press("5", "5", "5", "5", "5", "w")
    narrow(screen.browser, 390)
    columns = "getComputedStyle(byId('cells')).gridTemplateColumns.split(' ').length"
    screen.until(f"{columns} === 2 && page.grid.chosen === 5")
    assert screen.run("document.documentElement.scrollWidth <= window.innerWidth")


@pytest.mark.parametrize("width", [390, 1280])
def test_page_fits_its_window(screen, width):
    narrow(screen.browser, width)
    screen.sign_in("Ann")
    for view in ("one", "grid"):
        screen.until(f"page.view === '{view}'")
        assert screen.run("document.documentElement.scrollWidth <= window.innerWidth")
        screen.press("g")
    screen.until_shown()
    # picture and grades are on the screen together
    box = screen.run("document.querySelector('#grades').getBoundingClientRect().toJSON()")
    assert box["bottom"] <= 900 and box["right"] <= width
    assert screen.run("byId('large').getBoundingClientRect().bottom") <= 900
    screen.browser.find_element("css selector", ".grade[data-grade='5']").click()
    screen.until("page.book.said.length === 1")


def test_every_action_is_listed_with_its_key_and_does_something(screen):
    screen.sign_in("Ann")
    listed = screen.run("[...document.querySelectorAll('#key-list kbd')].map((one) => one.textContent)")
    assert len(listed) == screen.run("page.acts.size") >= 25
    before = screen.run("byId('large').toDataURL()")
    for key, name, value in (
        ("d", "subtract", True), ("s", "stretch", "faint"), ("v", "band", 0), ("z", "zoom", 2), ("i", "invert", True),
        ("+", "contrast", 1.25),
    ):  # fmt: skip
        screen.press(key)
        assert screen.run(f"page.one.look.{name}") == value
        after = screen.run("byId('large').toDataURL()")
        assert after != before
        before = after
    screen.press("-")
    assert screen.run("page.one.look.contrast") == 1.0


def test_missing_cutout_is_said_and_gets_no_grade(screen, found):
    for path in (found / "cutouts").iterdir():
        path.unlink()
    screen.browser.get(screen.url)
    screen.until("byId('sign-in').hidden === false")
    screen.browser.find_element("id", "sign-in-text").send_keys("Ann" + ENTER)
    screen.until("byId('no-picture').textContent.startsWith('its cutout cannot be read: skip it')")
    screen.browser.switch_to.active_element.send_keys("5")
    screen.browser.switch_to.active_element.send_keys(ARROW_RIGHT)
    screen.until("page.place === 1")
    assert not len(read_log(found))


def test_ids_are_text_and_nothing_of_them_is_executed(browser, tmp_path, serve, complaints):
    strange = ["<script>window.bad = 1</script>", "<img src=x onerror='window.bad = 1'>", "../../x", "\u202eevil"]
    screen = Screen(browser, serve(write_search(tmp_path / "odd", count=4, ids=strange.__getitem__)).url)
    screen.sign_in("Ann")
    screen.press("5", "5", "5", "5", "f")
    screen.until("byId('sure').open")
    screen.browser.find_element("id", "sure-yes").click()
    screen.until("page.view === 'results' && byId('answers').children.length === 4")
    text = screen.run("byId('answers').textContent")
    assert all(one in text for one in (strange[0], strange[2], strange[3]))
    assert screen.run("typeof window.bad") == "undefined"
    assert screen.run("document.querySelectorAll('#answers img, #answers script').length") == 0
    assert [line for line in complaints() if "401" not in line] == []
