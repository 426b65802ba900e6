"""The environment of all templates: what is put into one is text, never markup."""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files

import jinja2
from markupsafe import Markup

from lensdetect.errors import unknown_name

#: Folder of a room in which its templates and scripts are.
_FOLDER = "page"
#: Assets of this room.
_ASSETS = ("style.css", "viewer.js")


def asset(name: str, *, room: str = "") -> str:
    """A style sheet or script as text.

    Parameters
    ----------
    name : str
        ``style.css`` or ``viewer.js`` of this room; or a file of the page of another.
    room : str
        Full name of that other room, as ``lensdetect.search``.

    Returns
    -------
    str

    Raises
    ------
    InputError
        If this room has no such file.
    """
    if room:
        return (files(room) / _FOLDER / name).read_text("utf-8")
    if name not in _ASSETS:
        raise unknown_name("asset", name, _ASSETS)
    return (files(__package__) / name).read_text("utf-8")


def environment(room: str) -> jinja2.Environment:
    """Environment of the templates of a room.

    All values are escaped, whoever they are from; a name that a template does not
    get is an error. A template has the functions ``inline(name)`` and ``digest(name)``:
    an asset of this room or of its own as it is, to stand in the page, and the
    source that a content security policy names it by.

    Parameters
    ----------
    room : str
        Full name of the room, as ``lensdetect.search``; its templates are in its folder ``page``.

    Returns
    -------
    Environment
    """
    made = jinja2.Environment(
        loader=jinja2.PackageLoader(room, _FOLDER),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )

    def text(name: str) -> str:
        # template and browser have to see the same bytes, so that the digest is that of what runs
        return asset(name, room="" if name in _ASSETS else room)

    made.globals["inline"] = lambda name: Markup(text(name))
    made.globals["digest"] = lambda name: Markup(_source(text(name)))
    return made


def _source(text: str) -> str:
    """Source of a content security policy: the digest of what stands in the page."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
