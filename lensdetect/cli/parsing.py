"""Arguments: one parser class, the types of values, and errors of one line."""

from __future__ import annotations

import argparse
import difflib
import re
from collections.abc import Callable, Iterable, Sequence
from typing import NoReturn

from lensdetect.errors import InputError, unknown_name

#: For help texts, which need no imports; a test compares them with the table.
SURVEY_NAMES = (
    "bologna, kids, des, hsc, lsst, euclid_vis, cfhtls, legacy, legacy_dr10, rubin_dp1, rubin_dp2, euclid, unions, "
    "ground"
)


class Parser(argparse.ArgumentParser):
    """A parser whose errors are ``InputError`` and whose help keeps its lines.

    Parameters
    ----------
    prog : str, optional
        Name of the program.
    **texts : str
        ``description`` and ``epilog``.
    """

    def __init__(self, prog: str | None = None, **texts: str):
        super().__init__(
            prog,
            formatter_class=lambda prog: argparse.RawDescriptionHelpFormatter(prog, max_help_position=32, width=100),
            # A shortened option would change its meaning when another one is added.
            allow_abbrev=False,
            **texts,
        )

    def error(self, message: str) -> NoReturn:
        """Raise instead of printing the whole usage."""
        raise InputError(f"{message}: see {self.prog} --help")


def parse(parser: Parser, argv: Sequence[str], *, verbs: Iterable[str]) -> argparse.Namespace:
    """Arguments of a command line, with the nearest choice for a slip.

    Parameters
    ----------
    parser : Parser
        With a subcommand for each verb.
    argv : sequence of str
        What was typed.
    verbs : iterable of str
        Names of the subcommands.

    Returns
    -------
    argparse.Namespace
        With ``command``.

    Raises
    ------
    InputError
        If a command or option is unknown, or a value is not of its type.
    """
    if not argv:
        parser.print_help()
        parser.exit(2)
    if not argv[0].startswith("-") and argv[0] not in verbs:
        raise unknown_name("command", argv[0], verbs)
    args, left = parser.parse_known_args(_with_negative_lists(argv))
    if left:
        word = next((text for text in left if text.startswith("-")), left[0])
        known = re.findall(r"--[a-z-]+", args.usage)
        near = difflib.get_close_matches(word.split("=")[0], known, n=2)
        raise InputError(
            f"unknown argument {word!r}"
            + (f": did you mean {' or '.join(near)}?" if near else f": see lensdetect {args.command} --help")
        )
    return args


def _with_negative_lists(argv: Sequence[str]) -> list[str]:
    """Arguments in which "--zero-point -48.6,-48.6" is one, as argparse takes "--zero-point -48.6"."""
    joined: list[str] = []
    for word in argv:
        follows_option = joined and joined[-1].startswith("--") and "=" not in joined[-1]
        if follows_option and re.fullmatch(r"-[\d.][^,]*(,[^,]+)+", word):
            joined[-1] += f"={word}"
        else:
            joined.append(word)
    return joined


def add_trust_option(parser) -> None:
    """Add ``--trust-model``.

    Parameters
    ----------
    parser : Parser or one of its groups
    """
    parser.add_argument(
        "--trust-model",
        action="store_true",
        help="load a detector whose program does more than compute: it may do whatever you may",
    )


def add_views_option(parser) -> None:
    """Add ``--views``.

    Parameters
    ----------
    parser : Parser or one of its groups
    """
    parser.add_argument(
        "--views",
        type=int,
        choices=(1, 8),
        default=1,
        help="8: score the mean over four turns with and without a mirror, eight times as long (default: 1)",
    )


def one_of(kind: str, names: Sequence[str]) -> Callable[[str], str]:
    """Type of a value that is one of some names.

    Parameters
    ----------
    kind : str
        What is named, in the singular.
    names : sequence of str
        All of them.

    Returns
    -------
    callable
        Text to text; an error holds the nearest names.
    """

    def check(text: str) -> str:
        if text not in names:
            raise argparse.ArgumentTypeError(str(unknown_name(kind, text, names)))
        return text

    return check


def words(text: str) -> tuple[str, ...]:
    """Names between commas, as in ``g,r,i``."""
    found = tuple(word.strip() for word in text.split(",") if word.strip())
    if not found:
        raise argparse.ArgumentTypeError(f"must be names between commas, as in g,r,i, got {text!r}")
    return found


def numbers(text: str) -> tuple[float, ...]:
    """Numbers between commas."""
    try:
        return tuple(float(word) for word in text.split(","))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"must be a number, or several between commas, got {text!r}") from error


def number(text: str) -> float:
    """One number."""
    try:
        return float(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"must be a number, got {text!r}") from error


def fraction(text: str) -> float:
    """A number between 0 and 1, without these two."""
    value = number(text)
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(f"must be between 0 and 1, got {text}")
    return value


def arcsec(text: str) -> float:
    """An angle in arcsec, from 0 to what a cutout shows of the sky."""
    value = number(text)
    if not 0 <= value <= 60:
        raise argparse.ArgumentTypeError(f"must be between 0 and 60 arcsec, got {text}")
    return value


def count(text: str) -> int:
    """A whole number from 1 on."""
    return _whole(text, least=1)


def seed(text: str) -> int:
    """A whole number from 0 on."""
    return _whole(text, least=0)


def _whole(text: str, *, least: int) -> int:
    try:
        value = int(text)
    except ValueError:
        value = least - 1
    if value < least:
        raise argparse.ArgumentTypeError(f"must be a whole number of at least {least}, got {text!r}")
    return value
