"""The grading page in a browser, as a person uses it."""

from __future__ import annotations

import contextlib
import time

import pytest


class Screen:
    """The page in a browser, as a person uses it."""

    def __init__(self, browser, url: str):
        self.browser, self.url = browser, url

    def sign_in(self, name: str) -> None:
        self.browser.get(self.url)
        self.until("byId('sign-in').hidden === false")
        self.browser.find_element("id", "sign-in-text").send_keys(name)
        self.browser.find_element("css selector", "#sign-in-form button").click()
        self.until_shown()

    def run(self, script: str):
        return self.browser.execute_script(f"return {script};")

    def until(self, condition: str) -> None:
        stop = time.monotonic() + 120.0
        while True:
            with contextlib.suppress(Exception):
                if self.run(condition):
                    return
            assert time.monotonic() < stop, f"{condition}: {self.run('document.body.innerText')}"
            time.sleep(0.02)

    def until_shown(self) -> None:
        self.until("page.view === 'one' && page.one.isShown")

    def press(self, *keys: str) -> None:
        """Press keys; a grade is given when there is a picture."""
        for key in keys:
            if self.run("page.view") == "one":
                self.until_shown()
            # as the browser itself does it, to whatever has the focus
            self.browser.switch_to.active_element.send_keys(key)

    def saved(self) -> None:
        self.until("byId('saved').textContent === 'all saved' && page.queue.waiting().length === 0")

    def text(self, name: str) -> str:
        return self.run(f"byId('{name}').textContent")

    def offline(self, is_off: bool) -> None:
        self.browser.execute_cdp_cmd("Network.enable", {})
        limits = {"offline": is_off, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
        self.browser.execute_cdp_cmd("Network.emulateNetworkConditions", limits)


ARROW_RIGHT, ARROW_LEFT, ARROW_DOWN, BACKSPACE, ENTER = "\ue014", "\ue012", "\ue015", "\ue003", "\ue007"


@pytest.fixture
def screen(browser, found, serve):
    """The page on the search ``found``, before anybody has signed in."""
    served = serve(found)
    screen = Screen(browser, served.url)
    screen.served = served
    yield screen
    screen.offline(False)
