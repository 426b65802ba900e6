"""The report of a search in a real browser, opened from the disk."""

from __future__ import annotations

import csv
import io
import time

import pytest

from lensdetect.text import write_csv

from ..browser import narrow
from .report_files import COUNT, ODD_IDS, table, write


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """A report of twelve candidates; the tenth could not be cut out again, and the picture of the ninth was lost."""
    folder = tmp_path_factory.mktemp("found")
    pictures = write(folder, table(), without=(10,))
    (folder / "report" / f"{pictures.made[9].key}.js").unlink()
    return folder / "report.html"


@pytest.fixture
def page(browser, report):
    browser.get(report.as_uri())
    return browser


def ranks(page) -> list[int]:
    """Ranks of the cards that are shown, in their order."""
    return page.execute_script("return [...document.querySelectorAll('.card .rank')].map((one) => +one.textContent)")


def choose(page, name: str, value: str) -> list[int]:
    """Set a control as a person does, and give what is shown then."""
    page.execute_script(
        "const one = document.getElementById(arguments[0]); one.value = arguments[1];"
        "for (const event of ['input', 'change']) one.dispatchEvent(new Event(event));",
        *(name, value),
    )
    return ranks(page)


def press(page, *keys: str) -> None:
    from selenium.webdriver import ActionChains

    ActionChains(page).send_keys(*keys).perform()


def wait(page, condition: str, seconds: float = 10.0):
    """Wait until something holds in the page, and give it."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := page.execute_script(f"return {condition}"):
            return found
        time.sleep(0.02)
    pytest.fail(f"not within {seconds} s: {condition}")


def light(canvas: str) -> str:
    """Sum of the pixels of a canvas, as an expression of the page."""
    return (
        f"((one) => one && one.width > 1 && [...one.getContext('2d').getImageData(0, 0, one.width, one.height).data]"
        f".reduce((sum, value) => sum + value, 0))(document.querySelector('{canvas}'))"
    )


def test_cards_come_first_and_have_their_pictures(page, complaints):
    assert ranks(page) == list(range(1, COUNT + 1))
    box = page.execute_script("return document.querySelector('.card .picture').getBoundingClientRect().toJSON()")
    assert box["width"] >= 200 and box["top"] < 500
    assert wait(page, light(".card canvas")) > 0
    text = page.find_element("css selector", ".card").text
    assert "logit 7.000, probability 1 at prior 0.001" in text and "180.010000 -1.500000" in text
    assert not [line for line in complaints() if ".js" not in line]


def test_names_from_catalogues_are_text(page):
    time.sleep(0.3)
    assert page.execute_script("return window.hit ?? null") is None
    found = page.execute_script("return [...document.querySelectorAll('.card .id')].map((one) => one.textContent)")
    assert (
        found[0] == ODD_IDS[1] and found[2] == ODD_IDS[3] and found[3] == "abc\\u202egnp.exe" and found[8] == ODD_IDS[9]
    )
    assert (
        page.execute_script("return document.querySelectorAll('.card img, .card i, .card b b, #problems b').length")
        == 0
    )
    # an attribute that got in all the same would not be run
    page.execute_script("document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"window.hit = 2\">')")
    time.sleep(0.3)
    assert page.execute_script("return window.hit ?? null") is None


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("sort", "-rank", list(range(COUNT, 0, -1))),
        ("sort", "-probability", list(range(1, COUNT + 1))),
        ("sort", "dec", [1, 3, 5, 7, 9, 11, 2, 4, 6, 8, 10, 12]),
        ("sort", "tile", [1, 2, 4, 5, 7, 8, 10, 11, 3, 6, 9, 12]),
        ("flag", "none", [1, 2, 3, 5, 6, 7, 9, 10]),
        ("flag", "some", [4, 8, 11, 12]),
        ("flag", "+saturated", [11, 12]),
        ("flag", "-edge", [1, 2, 3, 5, 6, 7, 9, 10, 11]),
        ("tile", "south", [3, 6, 9, 12]),
        ("logit", "5", [1, 2, 3]),
        ("probability", "0.5", [1, 2]),
        ("known", "only", [2]),
        ("known", "without", [1, *range(3, COUNT + 1)]),
        ("near", "only", [11, 12]),
        ("near", "without", list(range(1, 11))),
        ("find", "RING", [2]),
        ("find", "passwd", [2]),
        ("find", "no such thing", []),
    ],
)
def test_sort_and_filters(page, name, value, wanted):
    assert choose(page, name, value) == wanted
    assert page.find_element("id", "count").text == f"{len(wanted)} of {COUNT} shown"
    assert page.find_element("id", "nothing").is_displayed() == (not wanted)
    page.find_element("id", "reset").click()
    assert ranks(page) == list(range(1, COUNT + 1))


def test_filters_go_together_and_a_scene_shows_its_best(page):
    choose(page, "near", "only")
    page.find_element("id", "scene").click()
    assert ranks(page) == [11]
    assert choose(page, "flag", "+edge") == [12]


def test_download_is_the_table_and_safe_for_spreadsheets(page, downloads):
    page.find_element("id", "download").click()
    path = downloads / "candidates_shown.csv"
    end = time.monotonic() + 10
    while not path.exists() and time.monotonic() < end:
        time.sleep(0.05)
    wanted = io.BytesIO()
    write_csv(table(), wanted)
    assert path.read_bytes() == wanted.getvalue()
    path.unlink()
    choose(page, "logit", "1")
    choose(page, "sort", "-rank")
    page.find_element("id", "download").click()
    while not path.exists() and time.monotonic() < end:
        time.sleep(0.05)
    rows = list(csv.DictReader(io.StringIO(path.read_text(), newline="")))
    assert [int(row["rank"]) for row in rows] == [7, 6, 5, 4, 3, 2, 1] and rows[2]["id"] == "'=HYPERLINK(1)"


def test_the_large_view_by_keys(page):
    press(page, "j", "j")
    focus = "document.activeElement.closest('.card')?.querySelector('.rank').textContent"
    assert page.execute_script(f"return {focus}") == "2"
    press(page, "\ue007")  # enter
    title = "document.getElementById('stage').open && document.getElementById('stage-title').textContent"
    assert wait(page, title) == "2: ../../../etc/passwd"
    before = wait(page, light("#large"))
    changed = []
    for key in ("b", "s", "d", "i", "+", "z"):
        press(page, key)
        changed.append(wait(page, light("#large")))
    assert len({before, *changed}) == 7
    assert page.execute_script("return document.querySelector('#strip [aria-pressed=true]').textContent") == "u"
    press(page, "0")
    assert wait(page, light("#large")) == before
    press(page, "\ue014")  # arrow right
    assert wait(page, title).startswith("3: ")
    press(page, "k", "k", "k")
    assert wait(page, title).startswith("1: ")
    press(page, "\ue00c")  # escape
    assert not page.execute_script("return document.getElementById('stage').open")
    assert page.execute_script(f"return {focus}") == "1"
    press(page, "/", "j")
    assert page.execute_script("return document.activeElement.value") == "j"


def test_the_large_view_by_mouse_tells_all(page):
    page.find_element("css selector", "[data-place='1'] .picture").click()
    facts = page.find_element("id", "stage").text
    for part in (
        "<i>Ring</i> (0.4\u2033, A; a list)",
        "logit 6.000",
        "row\n11" if "row\n11" in facts else "row 11",
        "merged",
    ):
        assert part in facts
    links = page.execute_script(
        "return [...document.querySelectorAll('#facts .links a')].map((a) => [a.textContent, a.href])"
    )
    assert [name for name, _ in links] == ["Legacy Surveys", "Aladin", "SIMBAD", "NED", "kids viewer"]
    assert all("180.02" in address and "2.25" in address and address.startswith("https://") for _, address in links)
    page.find_element("id", "next").click()
    assert page.find_element("id", "stage-title").text.startswith("3: ")
    assert page.find_element("id", "stage-count").text == f"3 of {COUNT}"
    page.find_element("id", "close").click()
    assert not page.find_element("id", "stage").is_displayed()


def test_missing_pictures_are_told_on_their_cards(page):
    page.find_element("css selector", "[data-place='8']").location_once_scrolled_into_view  # noqa: B018
    note = wait(page, "document.querySelector('[data-place=\"8\"] .lost')?.textContent")
    assert "is not beside this page" in note
    assert "it is <b>gone</b>" in page.find_element("css selector", "[data-place='9'] .lost").text
    page.find_element("css selector", "[data-place='9'] .picture").click()
    assert "it is <b>gone</b>" in page.find_element("id", "stage-lost").text
    assert not page.find_element("id", "large").is_displayed()
    press(page, "j")
    wait(page, light("#large"))
    assert page.find_element("id", "large").is_displayed()


def test_position_is_copied(page):
    page.execute_cdp_cmd("Browser.grantPermissions", {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]})
    page.find_element("css selector", "[data-place='1'] .copy").click()
    wait(page, "document.getElementById('count').textContent.startsWith('copied')")
    text = page.execute_async_script("navigator.clipboard.readText().then(arguments[0])")
    assert text == "180.020000 +2.250000"


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_is_wider_than_the_window(page, width):
    narrow(page, width)
    assert page.execute_script("return document.documentElement.scrollWidth") <= width
    card = page.execute_script("return document.querySelector('.picture').getBoundingClientRect().width")
    assert card >= 200
    page.find_element("css selector", ".picture").click()
    wait(page, light("#large"))
    assert page.execute_script("const stage = document.getElementById('stage'); return stage.scrollWidth") <= width


def test_everything_that_can_be_used_has_a_name(page):
    nameless = """
      const named = (one) => one.textContent.trim() || one.ariaLabel || one.labels?.length || one.title;
      const all = [...document.querySelectorAll("button, select, input, a")];
      return all.filter((one) => !named(one)).map((one) => one.outerHTML);
    """
    assert page.execute_script(nameless) == []
    assert page.execute_script("return document.documentElement.lang") == "en"


def test_what_went_wrong_and_how_it_was_made_is_told(page):
    text = page.find_element("tag name", "body").text
    for part in (
        "<b>a note</b>",
        "<b>cut short</b>",
        "ls <b>",
        "the best 50 scenes",
        "at a share of lenses of 0.001",
        "u, g, r, i",
    ):
        assert part in text
    assert "bad_background" in page.find_element("id", "made").text


def test_a_search_without_candidates_says_why(browser, tmp_path, complaints):
    write(tmp_path, table(0))
    browser.get((tmp_path / "report.html").as_uri())
    text = browser.find_element("id", "candidates").text
    assert text.startswith("Candidates\nThere is no candidate. No object of the catalogue lies in a tile")
    assert browser.find_element("id", "numbers").is_displayed() and not complaints()
