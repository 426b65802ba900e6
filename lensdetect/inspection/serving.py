"""Run the server until it is stopped."""

from __future__ import annotations

import logging
import socket
from collections.abc import Collection

from lensdetect.errors import InputError
from lensdetect.inspection.desk import Desk
from lensdetect.inspection.extra import grading_module
from lensdetect.inspection.guards import is_loopback


def open_socket(host: str, port: int) -> socket.socket:
    """Take a port before anything is printed that names it.

    Parameters
    ----------
    host : str
    port : int
        0 for any that is free.

    Returns
    -------
    socket

    Raises
    ------
    InputError
        If it is taken, or the address is not one of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    taken = socket.socket(family, socket.SOCK_STREAM)
    try:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind((host, port))
    except OSError as error:
        taken.close()
        raise InputError(
            f"--host and --port must be free on this machine, got {host} port {port}: {error.strerror or error}: "
            "choose another --port"
        ) from error
    return taken


def build_server(desk: Desk, *, host: str, tokens: bool = False, hosts: Collection[str] = ()):
    """Build the server; ``run(sockets=[...])`` serves until it is stopped.

    Parameters
    ----------
    desk : Desk
    host : str
        Address that it listens on; one that others can reach needs tokens.
    tokens : bool
        Whether tokens are needed on this machine too.
    hosts : collection of str
        Names by which it may be asked for: who comes by one of these comes from another
        machine, through a proxy on this one, and needs a token.

    Returns
    -------
    uvicorn.Server
    """
    uvicorn = grading_module("uvicorn")
    from lensdetect.inspection.server import build_app

    needs_tokens = tokens or bool(hosts) or not is_loopback(host)
    app = build_app(desk, needs_tokens=needs_tokens, hosts={host, *hosts})
    # it keeps to messages of its own: a line a request would bury what matters
    config = uvicorn.Config(app, log_level=logging.WARNING, access_log=False, server_header=False, lifespan="off")
    return uvicorn.Server(config)
