"""Who may ask, from where: checks that every request passes before anything else is done with it.

A page of another site that is open in the same browser can send requests to this
server, and, by naming an address of its own after this machine (DNS rebinding),
even read what comes back. So the host that a request names must be ours, and a
request that another site caused is refused, whatever it asks for.
"""

from __future__ import annotations

import ipaddress
import json
import socket
from collections.abc import Collection

#: Largest body of a request, in bytes: some thousand grades.
MOST_BYTES = 1_000_000
_SAFE = ("GET", "HEAD")
_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}


def own_hosts() -> set[str]:
    """Names of this machine."""
    return {"localhost", socket.gethostname().lower(), socket.getfqdn().lower()}


def is_loopback(host: str) -> bool:
    """Whether an address reaches only this machine itself.

    Parameters
    ----------
    host : str

    Returns
    -------
    bool
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


class _Refused(Exception):
    def __init__(self, status: int, reason: str):
        super().__init__(reason)
        self.status = status


class Guard:
    """An ASGI application behind the checks.

    Parameters
    ----------
    app : ASGI application
    hosts : collection of str
        Names by which this server may be asked for; addresses in numbers always may,
        as no other site can have them for its name.
    """

    def __init__(self, app, *, hosts: Collection[str]):
        self._app, self._hosts = app, {host.lower() for host in hosts}

    async def __call__(self, scope, receive, send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        answer = _with_headers(send)
        try:
            self._check(scope, headers)
            await self._app(scope, _bounded(receive), answer)
        except _Refused as refused:
            await _refuse(answer, refused)

    def _check(self, scope, headers: dict[str, str]) -> None:
        host = headers.get("host", "")
        if not self._is_ours(host):
            raise _Refused(421, "this server goes by another name: see --allow-host")
        fetched_by = headers.get("sec-fetch-site", "")
        arrives = scope["path"] == "/" and headers.get("sec-fetch-mode", "navigate") == "navigate"
        if fetched_by in ("cross-site", "same-site") and not arrives:
            raise _Refused(403, "another site asked for this")
        if scope["method"] not in _SAFE:
            _check_change(headers, host, fetched_by)

    def _is_ours(self, host: str) -> bool:
        name = host.rpartition(":")[0] if ":" in host.rpartition("]")[2] else host
        try:
            ipaddress.ip_address(name.strip("[]"))
        except ValueError:
            return name.lower() in self._hosts
        return True


def _check_change(headers: dict[str, str], host: str, fetched_by: str) -> None:
    """Check a request that may change something."""
    origin = headers.get("origin")
    if origin is not None and origin.partition("://")[2] != host:
        raise _Refused(403, "another site asked for this")
    if origin is None and fetched_by != "same-origin" and "cookie" in headers:
        raise _Refused(403, "a browser must say which site asks for this")
    if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise _Refused(415, "what is sent must be application/json")
    length = headers.get("content-length", "0")
    if not length.isdigit() or int(length) > MOST_BYTES:
        raise _Refused(413, f"at most {MOST_BYTES:,} bytes can be sent at once")


def _bounded(receive):
    """The same body, which ends in an error where it is too long, whatever its header said."""
    total = 0

    async def bounded():
        nonlocal total
        message = await receive()
        total += len(message.get("body", b""))
        if total > MOST_BYTES:
            raise _Refused(413, f"at most {MOST_BYTES:,} bytes can be sent at once")
        return message

    return bounded


def _with_headers(send):
    async def answer(message) -> None:
        if message["type"] == "http.response.start":
            there = {name.lower() for name, _ in message.get("headers", ())}
            more = [(k.encode(), v.encode()) for k, v in _HEADERS.items() if k.encode() not in there]
            message = {**message, "headers": [*message.get("headers", ()), *more]}
        await send(message)

    return answer


async def _refuse(send, refused: _Refused) -> None:
    body = json.dumps({"error": str(refused)}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": refused.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
