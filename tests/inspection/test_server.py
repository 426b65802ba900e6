"""The server over HTTP: who gets in, what is kept, and what is refused."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import numpy as np
import pytest

from lensdetect.inspection import read_log
from lensdetect.inspection.pictures import turned
from lensdetect.inspection.tokens import revoke
from lensdetect.pages import unpack_cutout

from .served import write_search


def item(key: str, grade: float | None = 0.0, **more) -> dict:
    return {"grade_id": str(uuid.uuid4()), "key": key, "grade": grade, "seconds": 1.5, **more}


#: What a browser says of a request by the page itself.
BROWSER = {"sec-fetch-site": "same-origin"}


def keys_of(client: httpx.Client) -> list[str]:
    return client.get("/api/work").json()["keys"]


def send(client: httpx.Client, *items: dict) -> dict:
    answer = client.post("/api/grades", json={"grades": list(items)})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_grades_are_kept_with_all_that_is_said(found, serve):
    client = serve(found).client("Ann")
    key, other = keys_of(client)[:2]
    said = [item(key, 5.0, note="an arc", graded_at="2026-11-26T12:00:00+02:00"), item(other, 0.0, kind="ring")]
    assert send(client, *said) == {"kept": [one["grade_id"] for one in said], "refused": {}}
    log = read_log(found)
    assert list(log["grade"]) == [5.0, 0.0] and list(log["kind"]) == ["", "ring"] and log["note"][0] == "an arc"
    assert log["graded_at"][0] == "2026-11-26T10:00:00.000+00:00" and list(log["seconds"]) == [1.5, 1.5]
    assert [one["grade"] for one in client.get("/api/work").json()["said"]] == [5.0, 0.0]


def test_picture_is_that_of_the_object(found, serve):
    served = serve(found)
    client = served.client("Ann")
    for key in keys_of(client)[:3]:
        pixels = unpack_cutout(client.get(f"/api/pictures/{key}").content)
        send(client, item(key))
        name = read_log(found)["id"].iloc[-1]
        subject = next(one for one in served.desk.store.subjects() if one.id == name)
        whole = served.desk._collections["objects"].read(subject.member)
        assert np.allclose(pixels, turned(whole, 0), atol=0.2 * np.std(whole[:10, :10], axis=(0, 1)))


def test_work_tells_nothing_that_must_not_be_known(found, serve):
    client = serve(found).client("Ann")
    text = client.get("/api/work").text
    for word in ("galaxy 1", "J1200", "probability", "logit", "rank", "planted", "truth", str(found)):
        assert word not in text


def test_order_is_of_each_grader_alone_and_stays(found, serve):
    served = serve(found)
    ann, bob = served.client("Ann"), served.client("Bob")
    assert keys_of(ann) == keys_of(ann) and len(set(keys_of(ann))) == 14
    assert not set(keys_of(ann)) & set(keys_of(bob))
    assert bob.get(f"/api/pictures/{keys_of(ann)[0]}").status_code == 404


def test_two_hundred_requests_at_once_lose_nothing_and_count_nothing_twice(found, serve):
    served, together = serve(found), threading.Barrier(20)
    clients = [served.client("Ann"), served.client("Bob")]
    keys = [keys_of(client) for client in clients]
    sent = [(number % 2, item(keys[number % 2][number // 2 % 14], 1.0)) for number in range(100)]
    twice = sent + sent  # each of them is sent again by another thread

    def post(part: int) -> int:
        together.wait()
        return sum(len(send(clients[who], one)["kept"]) for who, one in twice[part::20])

    with ThreadPoolExecutor(20) as pool:
        assert sum(pool.map(post, range(20))) == 200
    log = read_log(found)
    assert sorted(log["grade_id"]) == sorted(one["grade_id"] for _, one in sent)
    for who, name in enumerate(("Ann", "Bob")):
        assert set(log["grade_id"][log["grader"] == name]) == {one["grade_id"] for by, one in sent if by == who}


@contextlib.contextmanager
def process_of(found: Path):
    """The command itself, in a process of its own; yields that and its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "lensdetect", "grade", str(found), "--planted", "0", "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout.readline() == "nothing is mixed in\n"
            assert process.stdout.readline() == f"grade at http://127.0.0.1:{port} (stop with Ctrl-C)\n"
            yield process, f"http://127.0.0.1:{port}"
        finally:
            process.kill()


def sign_in(client: httpx.Client, name: str) -> None:
    for _ in range(300):
        with contextlib.suppress(httpx.ConnectError):
            assert client.post("/api/session", json={"name": name}).status_code == 200
            return
        time.sleep(0.1)
    raise AssertionError("the server does not answer")


def test_killed_server_loses_nothing_that_it_acknowledged(found):
    acknowledged = []
    with process_of(found) as (process, url), httpx.Client(base_url=url, timeout=30, headers=BROWSER) as client:
        sign_in(client, "Ann")
        keys = keys_of(client)

        def grade() -> None:
            with contextlib.suppress(httpx.TransportError):  # as it is killed
                while True:
                    one = item(keys[len(acknowledged) % 14], 3.0)
                    send(client, one)
                    acknowledged.append(one["grade_id"])

        thread = threading.Thread(target=grade)
        thread.start()
        while len(acknowledged) < 20:
            assert thread.is_alive()
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        thread.join()
    assert set(acknowledged) <= set(read_log(found)["grade_id"])


def test_stopped_server_ends_well(found):
    with process_of(found) as (process, url), httpx.Client(base_url=url, headers=BROWSER) as client:
        sign_in(client, "Ann")
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 0


# ---- who gets in -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("token", [".", "wrong", "0" * 12 + "." + "A" * 43, "\xe4\xf6", "' OR 1=1 --"])
def test_wrong_token_is_let_in_nowhere(found, serve, token):
    url = serve(found, tokens=True).url
    headers = {b"authorization": f"Bearer {token}".encode("latin-1")}
    with httpx.Client(base_url=url, headers=headers) as client:
        for path in ("/api/work", "/api/results", "/api/pictures/x", "/api/lessons/x"):
            assert client.get(path).status_code == 401
        for path, body in (("/api/grades", {"grades": []}), ("/api/finish", {}), ("/api/session", {"token": token})):
            assert client.post(path, json=body).status_code == 401
        assert client.post("/api/session", json={"name": "Ann"}).status_code == 401


def test_name_is_enough_on_this_machine_unless_it_is_taken(found, serve):
    served = serve(found)
    served.client("Ann")
    with httpx.Client(base_url=served.url, headers=BROWSER) as client:
        refused = client.post("/api/session", json={"name": "Ann"})
        assert refused.status_code == 400 and "Ann must come with the link" in refused.json()["error"]
        answer = client.post("/api/session", json={"name": "Cy"})
        cookie = answer.headers["set-cookie"]
        assert "HttpOnly" in cookie and "SameSite=strict" in cookie and answer.json() == {"grader": "Cy"}
        assert client.get("/api/work").json()["grader"] == "Cy"
        client.post("/api/session/end", json={})
        assert client.get("/api/work").status_code == 401


@pytest.mark.parametrize(
    ("how", "needed"),
    [
        ({}, False),
        ({"host": "localhost"}, False),
        ({"host": "::1"}, False),
        ({"host": "0.0.0.0"}, True),
        ({"host": "192.168.1.5"}, True),
        ({"host": "::"}, True),
        ({"host": "laboratory"}, True),
        ({"tokens": True}, True),
        ({"hosts": ["grading.example.org"]}, True),
    ],
)
def test_tokens_are_needed_wherever_others_can_come(found, serve, how, needed):
    with httpx.Client(base_url=serve(found, **how).url, headers=BROWSER) as client:
        assert client.get("/api/session").json() == {"needs_token": needed}
        assert client.post("/api/session", json={"name": "Ann"}).status_code == (401 if needed else 200)


def test_behind_a_proxy_with_tls_the_cookie_is_for_tls_alone(found, serve):
    served = serve(found, hosts=["grading.example.org"])
    token = served.client("Ann").headers["authorization"].removeprefix("Bearer ")
    through = {"host": "grading.example.org", "x-forwarded-proto": "https", "origin": "https://grading.example.org"}
    with httpx.Client(base_url=served.url, headers=through) as client:
        cookie = client.post("/api/session", json={"token": token}).headers["set-cookie"]
        assert cookie.startswith(f"lensdetect-https={token};") and "Secure" in cookie
        assert client.get("/api/work", headers={"cookie": cookie.partition(";")[0]}).json()["grader"] == "Ann"


def test_revoked_token_ends_at_once(found, serve):
    served = serve(found)
    client = served.client("Ann")
    assert client.get("/api/work").status_code == 200
    revoke(served.desk.store, "Ann")
    assert client.get("/api/work").status_code == 401


def test_nobody_reads_or_takes_back_the_grades_of_another(found, serve):
    served = serve(found)
    ann, bob = served.client("Ann"), served.client("Bob")
    said = item(keys_of(ann)[0], 5.0, note="mine")
    send(ann, said)
    assert "mine" not in bob.get("/api/work").text and bob.get("/api/work").json()["said"] == []
    undo = item(keys_of(bob)[0], None, undoes=said["grade_id"])
    assert send(bob, undo)["kept"] == []
    assert not read_log(found)["undone"].any()


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:1"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"cookie": "lensdetect=x"},
    ],
)
def test_request_of_another_site_is_refused(found, serve, headers):
    client = serve(found).client("Ann")
    body = {"grades": [item(keys_of(client)[0])]}
    assert client.post("/api/grades", json=body, headers=headers).status_code == 403
    if "sec-fetch-site" in headers:
        assert client.get("/api/work", headers=headers).status_code == 403
    assert not len(read_log(found))
    own = {"origin": str(client.base_url).rstrip("/"), "sec-fetch-site": "same-origin"}
    assert client.post("/api/grades", json=body, headers=own).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8321", "127.0.0.1.evil.example", "", "localhost.evil"])
def test_host_that_is_not_ours_is_refused(found, serve, host):
    client = serve(found, hosts=["Grading.example.org"]).client("Ann")
    assert client.get("/api/work", headers={"host": host}).status_code == 421
    for ours in ("localhost:1", "grading.example.org", "[::1]:8321", "127.0.0.1"):
        assert client.get("/api/work", headers={"host": ours}).status_code == 200


def test_page_may_run_nothing_but_its_own_scripts(found, serve):
    client = serve(found).client("Ann")
    for path in ("/", "/static/grade.js", "/api/work", "/nothing"):
        policy = client.get(path).headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'") and "unsafe" not in policy
        assert client.get(path).headers["x-content-type-options"] == "nosniff"
    page = client.get("/").text
    assert "onclick" not in page and "<style" not in page and "<script>" not in page
    for path in ("/docs", "/openapi.json", "/redoc"):
        assert client.get(path).status_code == 404


# ---- what is sent ----------------------------------------------------------------------------------------------------

STRANGE = ["<script>alert(1)</script>", "../../x", "..%2f..%2fgrades.sqlite", "/etc/passwd", "\0", "a" * 5000, "é"]


@pytest.mark.parametrize("key", STRANGE)
def test_strange_key_is_looked_up_and_not_found(found, serve, key):
    client = serve(found).client("Ann")
    for path in ("pictures", "lessons"):
        quoted = "".join(f"%{byte:02x}" for byte in key.encode())
        answer = client.get(f"/api/{path}/{quoted}")
        assert answer.status_code == 404 and "passwd" not in answer.text and key not in answer.text
    assert client.get(f"/static/{quoted}").status_code == 404
    told = send(client, item(key))
    assert told["kept"] == [] and list(told["refused"].values()) == ["there is no picture of this key"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"grade": 4.0}, "grade must be one of 5, 3, 1, 0"),
        ({"grade": True}, "grade must be one of"),
        ({"grade": None}, "grade must be one of"),
        ({"undoes": str(uuid.uuid4())}, "grade must be one of"),
        ({"kind": "planet"}, "kind must be empty or one of spiral"),
        ({"note": "x" * 1001}, "note must be a text of at most 1000 letters"),
        ({"note": 7}, "note must be a text"),
        ({"seconds": -1}, "seconds must be from 0"),
        ({"seconds": True}, "seconds must be from 0"),
        ({"grade_id": "1"}, "badly formed"),
        ({"graded_at": "yesterday"}, "Invalid isoformat"),
        ({"graded_at": "2026-01-01T00:00:00"}, "graded_at must say its time zone"),
    ],
)
def test_bad_grade_is_refused_and_the_others_are_kept(found, serve, change, reason):
    client = serve(found).client("Ann")
    key = keys_of(client)[0]
    bad, good = {**item(key), **change}, item(key, 1.0)
    told = send(client, bad, good)
    assert told["kept"] == [good["grade_id"]]
    assert reason in told["refused"][bad["grade_id"]]
    assert len(read_log(found)) == 1


def test_what_is_no_grade_at_all_is_refused(found, serve):
    client = serve(found).client("Ann")
    assert client.post("/api/grades", content=b"grades=1").status_code == 415
    json_type = {"content-type": "application/json"}
    for content in (b"{", b"[]", b'{"grades": 1}', b'{"grades": [], "more": 1}', b"\xff"):
        answer = client.post("/api/grades", content=content, headers=json_type)
        assert answer.status_code in (400, 422) and "error" in answer.json()
    assert client.post("/api/grades", content=b" " * 1_000_001, headers=json_type).status_code == 413
    parts = iter([b"[" * 600_000] * 3)  # of a length that no header tells
    assert client.post("/api/grades", content=parts, headers=json_type).status_code in (400, 413)
    assert list(send(client, "text", 3, None)["refused"].values()) == [
        "a grade must be an object with names and values"
    ]


def test_text_is_kept_as_it_is_and_never_markup(tmp_path, serve):
    ids = [f"<script>alert({number})</script>../../{number}" for number in range(4)]
    found = write_search(tmp_path / "found", count=4, ids=ids.__getitem__)
    client = serve(found).client("Ann")
    for key in keys_of(client):
        assert client.get(f"/api/pictures/{key}").status_code == 200
        note = "<img src=x onerror=alert(1)>\0 \ud800"  # a letter that UTF-8 does not have comes as an escape
        content = json.dumps({"grades": [item(key, 5.0, note=note)]})
        answer = client.post("/api/grades", content=content, headers={"content-type": "application/json"})
        assert len(answer.json()["kept"]) == 1
    log = read_log(found)
    assert sorted(log["id"]) == ids
    assert log["note"][0].startswith("<img src=x onerror=alert(1)>")
    client.post("/api/finish", json={})
    answer = client.get("/api/results")
    assert answer.headers["content-type"] == "application/json" and "<script>" in answer.json()["answers"][0]["id"]


# ---- when things go wrong --------------------------------------------------------------------------------------------


def sabotage(served, statement: str) -> None:
    """Have every connection of the store begin with a statement."""
    import sqlalchemy

    served.desk.store._engine.dispose()
    sqlalchemy.event.listen(served.desk.store._engine, "connect", lambda one, _: one.execute(statement))


@pytest.mark.parametrize(
    ("statement", "reason"),
    [("PRAGMA max_page_count=1", "its disk is full"), ("PRAGMA query_only=ON", "its database is read-only")],
)
def test_full_disk_and_read_only_database_are_said_and_nothing_is_half_kept(found, serve, statement, reason):
    served = serve(found)
    client = served.client("Ann")
    keys = keys_of(client)
    sabotage(served, statement)
    many = [item(keys[number % 14], 1.0, note="x" * 900) for number in range(200)]
    answer = client.post("/api/grades", json={"grades": many})
    assert answer.status_code == 503
    assert answer.json() == {"error": f"this server cannot keep grades now: {reason}"}
    assert not len(read_log(found))


def test_missing_cutout_is_said_and_the_others_go_on(found, serve, caplog):
    client = serve(found).client("Ann")
    for path in (found / "cutouts").glob("00003_*"):
        path.write_bytes(b"SIMPLE  = nothing")
    for path in (found / "cutouts").glob("00004_*"):
        path.unlink()
    answers = [client.get(f"/api/pictures/{key}") for key in keys_of(client)]
    assert sorted(answer.status_code for answer in answers) == [200] * 12 + [404] * 2
    bad = next(answer for answer in answers if answer.status_code == 404)
    assert bad.json() == {"error": "its cutout cannot be read: skip it, and tell who runs this server"}
    assert "the cutout of galaxy 2 cannot be read" in caplog.text and "the cutout of galaxy 3" in caplog.text


# ---- blind until done ------------------------------------------------------------------------------------------------


def test_results_come_when_finished_and_then_nothing_is_graded(found, serve):
    client = serve(found).client("Ann")
    keys = keys_of(client)
    send(client, *(item(key, 1.0) for key in keys))
    assert client.get("/api/results").status_code == 400
    assert client.post("/api/finish", json={}).status_code == 200
    told = client.get("/api/results").json()
    assert told["graded"] == 14 and told["figures"]["num_lenses"] == 1 and told["figures"]["recall"] == 1.0
    known = next(one for one in told["answers"] if one["planted"] == "known")
    assert known["about"]["known_lens"] == "J1200+0000" and known["about"]["rank"] == 2 and known["grade"] == 1.0
    late = item(keys[0], 5.0)
    assert send(client, late) == {"kept": [], "refused": {late["grade_id"]: "you have finished"}}
    assert len(read_log(found)) == 14 and client.get("/api/work").json()["finished"]


def test_page_is_there_for_a_browser_that_comes_by_a_link(found, serve):
    client = serve(found).client("Ann")
    arriving = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    assert client.get("/", headers=arriving).status_code == 200
    assert json.loads(client.get("/api/session").text) == {"needs_token": False}
    assert client.get("/favicon.ico").status_code == 204 and os.sep not in client.get("/nothing").json()["error"]
