"""The grading page over HTTP.

Pictures are asked for by keys that are looked up in what is graded: no part of a
request ever becomes part of a path on the disk. Nothing can be uploaded but grades.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from lensdetect import __version__
from lensdetect.errors import InputError, one_line
from lensdetect.inspection.database import StorageError
from lensdetect.inspection.desk import Desk, NoSuchPicture
from lensdetect.inspection.guards import Guard, own_hosts
from lensdetect.inspection.tokens import Grader, admit, grader_of
from lensdetect.pages import asset, environment

logger = logging.getLogger(__name__)
router = APIRouter()

_ROOM = "lensdetect.inspection"
#: Scripts and looks of the page, in this room and in that of all pages.
_OWN_ASSETS = (
    "grade.css",
    "queue.js",
    "pictures.js",
    "kept.js",
    "book.js",
    "one.js",
    "grid.js",
    "results.js",
    "grade.js",
)
_ASSETS = {"style.css": "", "viewer.js": "", **dict.fromkeys(_OWN_ASSETS, _ROOM)}
_TYPES = {"css": "text/css", "js": "text/javascript"}
#: How long a browser keeps a token, in seconds: 180 days.
_COOKIE_AGE_S = 180 * 86_400
#: Grades that come at once, at most.
_MOST_GRADES = 1000


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class SignIn(_Body):
    """What is sent to sign in: a token, or a name where no token is needed."""

    token: str | None = Field(None, max_length=200)
    name: str | None = Field(None, max_length=200)


class Grades(_Body):
    """Grades that are sent; ``Desk.take`` checks each of them."""

    grades: list[Any] = Field(max_length=_MOST_GRADES)


class Nothing(_Body):
    """What is sent where there is nothing to say."""


class _NotSignedIn(Exception):
    """Nobody is known by what came; what to do, in words."""

    def __init__(self, reason: str = "sign in with the link that you were given"):
        super().__init__(reason)


def build_app(desk: Desk, *, needs_tokens: bool, hosts: Collection[str] = ()) -> Guard:
    """Build the application.

    Parameters
    ----------
    desk : Desk
    needs_tokens : bool
        Whether only who has a token may grade; else a name is enough.
    hosts : collection of str
        Names by which it may be asked for, beside those of this machine.

    Returns
    -------
    ASGI application
    """
    app = FastAPI(title="lensdetect grade", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.desk, app.state.needs_tokens = desk, needs_tokens
    app.state.page = environment(_ROOM).get_template("grade.html").render(version=__version__)
    app.state.texts = {name: asset(name, room=room) for name, room in _ASSETS.items()}
    app.include_router(router)
    for kind, handler in _HANDLERS.items():
        app.add_exception_handler(kind, handler)
    return Guard(app, hosts={*own_hosts(), *hosts})


def signed_in(request: Request) -> Grader:
    """Who asks: known by a token in a cookie, or in a header where it is a script that asks."""
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer":
        token = request.cookies.get(_cookie_name(request), "")
    grader = grader_of(request.app.state.desk.store, token.strip())
    if grader is None:
        raise _NotSignedIn
    return grader


def _desk_of(request: Request) -> Desk:
    return request.app.state.desk


Own = Annotated[Grader, Depends(signed_in)]
TheDesk = Annotated[Desk, Depends(_desk_of)]


def _cookie_name(request: Request) -> str:
    # browsers keep the cookies of all ports of a machine together
    return f"lensdetect-{request.url.port or request.url.scheme}"


@router.get("/")
def _index(request: Request) -> Response:
    return Response(request.app.state.page, media_type="text/html")


@router.get("/favicon.ico")
def _icon() -> Response:
    # browsers ask for one unasked
    return Response(status_code=204)


@router.get("/static/{name}")
def _static(name: str, request: Request) -> Response:
    if name not in request.app.state.texts:
        return JSONResponse({"error": "there is no such file"}, 404)
    return Response(request.app.state.texts[name], media_type=_TYPES[name.rpartition(".")[2]])


@router.get("/api/session")
def _how(request: Request) -> dict[str, Any]:
    return {"needs_token": request.app.state.needs_tokens}


@router.post("/api/session")
def _sign_in(body: SignIn, request: Request, desk: TheDesk) -> Response:
    token = body.token or ""
    if not token and body.name is not None and not request.app.state.needs_tokens:
        token = admit(desk.store, body.name)
    grader = grader_of(desk.store, token.strip())
    if grader is None:
        raise _NotSignedIn("this token is none, or was revoked: ask who runs this server for a new link")
    answer = JSONResponse({"grader": grader.name})
    answer.set_cookie(
        _cookie_name(request), token, max_age=_COOKIE_AGE_S, httponly=True, samesite="strict",
        secure=request.url.scheme == "https",
    )  # fmt: skip
    return answer


@router.post("/api/session/end")
def _sign_out(body: Nothing, request: Request) -> Response:
    answer = JSONResponse({})
    answer.delete_cookie(_cookie_name(request), httponly=True, samesite="strict")
    return answer


@router.get("/api/work")
def _work(grader: Own, desk: TheDesk) -> dict[str, Any]:
    return desk.work(grader)


@router.get("/api/pictures/{key}")
def _picture(key: str, grader: Own, desk: TheDesk) -> Response:
    return Response(desk.picture(grader, key), media_type="application/octet-stream")


@router.post("/api/grades")
def _take(body: Grades, grader: Own, desk: TheDesk) -> dict[str, Any]:
    return desk.take(grader, body.grades)


@router.get("/api/lessons/{key}")
def _lesson(key: str, grader: Own, desk: TheDesk) -> dict[str, Any]:
    return desk.lesson(grader, key)


@router.post("/api/finish")
def _finish(body: Nothing, grader: Own, desk: TheDesk) -> dict[str, Any]:
    desk.finish(grader)
    return {}


@router.get("/api/results")
def _results(grader: Own, desk: TheDesk) -> dict[str, Any]:
    return desk.results(grader)


def _not_signed_in(request: Request, error: Exception) -> Response:
    return JSONResponse({"error": str(error)}, 401)


def _no_picture(request: Request, error: Exception) -> Response:
    return JSONResponse({"error": str(error)}, 404)


def _not_stored(request: Request, error: Exception) -> Response:
    logger.error("%s", one_line(error))
    return JSONResponse({"error": f"this server cannot keep grades now: {error.reason}"}, 503)


def _refused(request: Request, error: Exception) -> Response:
    return JSONResponse({"error": one_line(error)}, 400)


def _not_there(request: Request, error: Exception) -> Response:
    return JSONResponse({"error": str(error.detail)}, error.status_code)


def _not_understood(request: Request, error: Exception) -> Response:
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"][1:])
    return JSONResponse({"error": f"what is sent cannot be understood: {where}: {first['msg']}"}, 422)


_HANDLERS = {
    _NotSignedIn: _not_signed_in,
    NoSuchPicture: _no_picture,
    StorageError: _not_stored,
    InputError: _refused,
    RequestValidationError: _not_understood,
    HTTPException: _not_there,
}
