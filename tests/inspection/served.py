"""A small search on disk, and the real server on it."""

from __future__ import annotations

import io
import json
import shutil
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import numpy as np
import pandas as pd
import pytest
from astropy.io import fits

from lensdetect.inspection.desk import Desk
from lensdetect.inspection.preparing import Wishes, prepare
from lensdetect.inspection.serving import build_server, open_socket
from lensdetect.inspection.tokens import add_grader
from lensdetect.search.outputs import write_objects
from lensdetect.search.pictures import cutout_name
from lensdetect.survey import get_survey

SIZE = 61


def galaxy(rng: np.random.Generator, *, size: int = SIZE) -> np.ndarray:
    """An elliptical galaxy with the noise of KiDS, ``(size, size, 4)``."""
    axis = np.arange(size) - size // 2
    radius = np.hypot(axis / rng.uniform(0.6, 1.0), axis[:, None])
    profile = np.exp(-3.0 * np.sqrt(radius / 6.0))
    colours = np.array([2.0, 12.0, 40.0, 60.0]) * rng.uniform(0.5, 3.0)
    noise = np.array([band.noise_sigma for band in get_survey("kids").bands])
    return ((profile[..., None] * colours + rng.normal(size=(size, size, 4))) * noise).astype(np.float32)


def write_search(
    folder: Path, *, count: int, ids: Callable[[int], str] = "galaxy {}".format, ordinary: int | None = None
) -> Path:
    """What a finished search leaves, as far as grading reads it; of an older version where ``ordinary`` is None."""
    rng = np.random.default_rng(7)
    logit = np.sort(rng.normal(-6.0, 3.0, count))[::-1]
    table = pd.DataFrame(
        {
            "rank": np.arange(1, count + 1),
            "row": np.arange(count),
            "id": [ids(number) for number in range(count)],
            "ra_deg": 180.0 + 0.01 * np.arange(count),
            "dec_deg": np.zeros(count),
            "tile": "KIDS_180.0_0.0",
            "logit": logit,
            "probability": 1.0 / (1.0 + np.exp(-logit)),
            "flags": np.zeros(count, np.int64),
            "reason": "",
            "merged": np.zeros(count, np.int64),
            "known_lens": ["J1200+0000" if number == 1 else "" for number in range(count)],
            "separation_arcsec": [0.3 if number == 1 else np.nan for number in range(count)],
            "known_grade": ["confident" if number == 1 else "" for number in range(count)],
            "known_list": ["a list" if number == 1 else "" for number in range(count)],
        }
    )
    folder.mkdir(parents=True)
    write_objects(table, folder, name="candidates")
    said = {"survey": "kids", "bands": ["u", "g", "r", "i"], "pixel_scale_arcsec": 0.2}
    (folder / "search.json").write_text(json.dumps(said))
    _write_cutouts(folder / "cutouts", table["id"], rng)
    if ordinary is not None:
        names = [f"ordinary {number}" for number in range(ordinary)]
        drawn = pd.DataFrame({"draw": np.arange(1, ordinary + 1), "id": pd.Series(names, dtype=str)})
        write_objects(drawn, folder, name="ordinary")
        _write_cutouts(folder / "ordinary", names, rng)
    return folder


def _write_cutouts(folder: Path, names: Iterable[str], rng: np.random.Generator) -> None:
    folder.mkdir()
    for number, name in enumerate(names, start=1):
        buffer = io.BytesIO()
        fits.PrimaryHDU(np.moveaxis(galaxy(rng), -1, 0)).writeto(buffer)
        (folder / cutout_name(number, name)).write_bytes(buffer.getvalue())


@pytest.fixture(scope="session")
def found_once(tmp_path_factory) -> Path:
    """The folder that ``found`` is a copy of."""
    return write_search(tmp_path_factory.mktemp("search") / "found", count=14)


@pytest.fixture
def found(found_once, tmp_path) -> Path:
    """Folder of a search with 14 candidates."""
    return shutil.copytree(found_once, tmp_path / "found")


@dataclass
class Served:
    """A server that runs.

    Parameters
    ----------
    url : str
    desk : Desk
    """

    url: str
    desk: Desk
    clients: list[httpx.Client] = field(default_factory=list)

    def client(self, name: str) -> httpx.Client:
        """A client of somebody with a token."""
        token = add_grader(self.desk.store, name)
        client = httpx.Client(base_url=self.url, headers={"authorization": f"Bearer {token}"}, timeout=30)
        self.clients.append(client)
        return client


@pytest.fixture
def serve() -> Iterator[Callable[..., Served]]:
    """Serve a search on a free port of this machine, in a thread."""
    running = []

    def start(path: Path, *, host: str = "127.0.0.1", tokens: bool = False, hosts=(), **wishes) -> Served:
        desk, _ = prepare(path, None, Wishes(**{"planted": 0.0, "repeats": 0.0} | wishes))
        taken = open_socket("127.0.0.1", 0)
        server = build_server(desk, host=host, tokens=tokens, hosts=hosts)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [taken]}, daemon=True)
        thread.start()
        served = Served(f"http://127.0.0.1:{taken.getsockname()[1]}", desk)
        running.append((served, server, thread, taken))
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.01)
        return served

    yield start
    for served, server, thread, taken in running:
        for client in served.clients:
            client.close()
        server.should_exit = True
        thread.join(timeout=10)
        taken.close()
        served.desk.store.close()
