"""A real browser for the tests of pages: Debian's chromium, without a window."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

#: .ci/run sets it: where the browser has to be there, its absence fails a test and skips none.
NEEDED = "LENSDETECT_NEEDS_BROWSER"
_FLAGS = (
    "headless=new", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-background-networking",
    "disable-component-update", "disable-sync", "disable-dev-shm-usage", "force-device-scale-factor=1",
)  # fmt: skip


@pytest.fixture(scope="session")
def browser_session(tmp_path_factory) -> Iterator:
    """One browser for all tests; ``browser`` is it for one of them."""
    webdriver = _selenium()
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not (chromium and driver):
        _absent("chromium and chromedriver are not on PATH (Debian: apt-get install chromium chromium-driver)")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for flag in (*_FLAGS, f"user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(f"--{flag}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    opened = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    try:
        opened.set_script_timeout(20)
        yield opened
    finally:
        opened.quit()


@pytest.fixture
def browser(browser_session) -> Iterator:
    """The browser, 1280 by 900, with an empty page; what a page stored is gone."""
    browser_session.get("about:blank")
    narrow(browser_session, 1280)
    browser_session.get_log("browser")
    yield browser_session
    browser_session.delete_all_cookies()


@pytest.fixture
def downloads(browser, tmp_path) -> Path:
    """Folder that gets what is downloaded."""
    folder = tmp_path / "downloads"
    folder.mkdir()
    browser.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(folder)})
    return folder


@pytest.fixture
def complaints(browser) -> Callable[[], list[str]]:
    """What the page has complained of in its console since this was last asked."""

    def read() -> list[str]:
        return [entry["message"] for entry in browser.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")]

    return read


def narrow(browser, width: int, height: int = 900) -> None:
    """Give the page so many pixels: a window has no less than 500."""
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)


def _selenium():
    try:
        from selenium import webdriver
    except ImportError:
        _absent("selenium is not installed (extra test)")
    return webdriver


def _absent(reason: str) -> None:
    if os.environ.get(NEEDED):
        pytest.fail(f"{reason}, and {NEEDED} is set")
    pytest.skip(reason)
