"""The exceptions of lensdetect, and when to use which.

Every message is one line that says what must hold, what came, and the way out.
The command line prints that line and exits with code 2; it never shows a
traceback for a ``LensdetectError``.

* ``InputError``: what the user gave cannot be used: a file, a name, a shape, a
  unit. It is a ``ValueError`` too.
* ``ArtifactError``: a trained detector's folder is incomplete, altered, or made
  for other images than those given.
* ``MissingExtraError``: the work needs an optional package; the message holds
  the install command.

A bad item among many (one stamp, one tile, one row) raises nothing: it is
recorded with its reason in the result and counted at the end.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from lensdetect.text import for_screen

#: Longer messages of others are cut: some print what they could not read.
_MOST_LETTERS = 300


class LensdetectError(Exception):
    """Base of all errors that lensdetect raises on purpose.

    Parameters
    ----------
    text : str
        What it says; what came from files in it and is not printable is written as an escape.
    """

    def __init__(self, text: str = ""):
        super().__init__(for_screen(text))


class InputError(LensdetectError, ValueError):
    """What the user gave cannot be used."""


class ArtifactError(LensdetectError, ValueError):
    """A trained detector's folder cannot be used as it is."""


class MissingExtraError(LensdetectError, ImportError):
    """An optional package is needed and not installed.

    Parameters
    ----------
    package : str
        The package that could not be imported.
    extra : str
        The extra of lensdetect that brings it.
    purpose : str
        What it is needed for.
    """

    def __init__(self, package: str, *, extra: str, purpose: str):
        super().__init__(f'{purpose} needs the package {package}: pip install "lensdetect[{extra}]"')


def one_line(error: BaseException) -> str:
    """What an error says, without line breaks and what a terminal would act on; its type if it says nothing."""
    words = " ".join(str(error).split()) or type(error).__name__
    return "".join(letter if letter.isprintable() else "?" for letter in words)


def reason_of(error: BaseException) -> str:
    """Why something could not be done, in one line: with the type of an error that nobody has thought of.

    Parameters
    ----------
    error : BaseException

    Returns
    -------
    str
        What it says, if it is one of lensdetect's or of the operating system.
    """
    line = one_line(error)
    return line if isinstance(error, (LensdetectError, OSError)) else f"{type(error).__name__}: {line}"


@contextmanager
def reading(path, *, what: str, way_out: str = "") -> Iterator[None]:
    """Turn everything that readers raise on bad bytes into one error that names the file.

    Libraries raise what they like on a damaged file (``AttributeError``,
    ``struct.error``, their own types), and no list of those is ever complete. An
    error of lensdetect passes as it is, and so does an interrupt.

    Parameters
    ----------
    path : path
        What is read.
    what : str
        What it must be, as in "FITS" or "an HDF5 file".
    way_out : str
        What to do about it, as in "fetch it again".

    Raises
    ------
    InputError
        One line: the file, what it must be, what came, the way out.
    """
    try:
        yield
    except LensdetectError:
        raise
    except Exception as error:
        tail = f": {way_out}" if way_out else ""
        if isinstance(error, OSError) and error.strerror:
            raise InputError(f"{path}: cannot be read: {error.strerror}{tail}") from error
        reason = reason_of(error)
        shown = reason if len(reason) <= _MOST_LETTERS else f"{reason[:_MOST_LETTERS]} ..."
        raise InputError(f"{path}: cut short, damaged or not {what}: {shown}{tail}") from error


def unknown_name(kind: str, name: str, known: Iterable[str]) -> InputError:
    """Error for a name that is not in a table, with the nearest names.

    Parameters
    ----------
    kind : str
        What is named, in the singular ("detector", "survey").
    name : str
        The name that came.
    known : iterable of str
        The names that exist.

    Returns
    -------
    InputError
        To be raised by the caller.
    """
    known = sorted(known)
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.4) or known
    return InputError(f"unknown {kind} {name!r}: did you mean {', '.join(near)}?")
