"""The command line: one verb a subcommand.

Nothing heavy is imported before a verb runs, so that ``--help`` comes at once.
"""

from __future__ import annotations

import os
import shlex
import sys
import traceback
from collections.abc import Sequence

from lensdetect import __version__
from lensdetect.cli import (
    challenge,
    demo,
    export,
    grade,
    grades,
    models,
    next,
    retrain,
    score,
    search,
    simulate,
    train,
    tune,
)
from lensdetect.cli.interrupts import swallowed_interrupts_heard
from lensdetect.cli.parsing import Parser, parse
from lensdetect.cli.quiet import messages_on_stderr
from lensdetect.errors import LensdetectError, reason_of
from lensdetect.text import for_screen

#: Exit code where an error is raised that nobody has thought of; EX_SOFTWARE of sysexits.h, so that no script takes
#: it for "done, but some were refused".
OWN_ERROR = 70

#: In the order in which a newcomer needs them.
_VERBS = {
    "demo": demo,
    "score": score,
    "search": search,
    "grade": grade,
    "grades": grades,
    "models": models,
    "simulate": simulate,
    "train": train,
    "next": next,
    "retrain": retrain,
    "export": export,
    "tune": tune,
    "challenge": challenge,
}

_DESCRIPTION = """\
Find strong gravitational lenses in multi-band survey images.

  lensdetect demo                      see it work on simulated images
  lensdetect score IMAGES              rank your own images
  lensdetect search --tiles ...        search a survey
  lensdetect grade FOUND               grade what was found, in a browser
  lensdetect COMMAND --help            all about one command
"""

_EPILOG = """\
exit codes: 0 done; 1 done, but some images were refused and are listed; 2 could not be done;
70 lensdetect itself failed, which is an error of ours: please report it with what was printed.
"""


def build_parser() -> Parser:
    """Parser of the whole command line."""
    parser = Parser("lensdetect", description=_DESCRIPTION, epilog=_EPILOG)
    parser.add_argument("--version", action="version", version=f"lensdetect {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", dest="command")
    for name, verb in _VERBS.items():
        verb.configure(commands.add_parser(name, help=verb.SUMMARY, description=verb.DESCRIPTION, epilog=verb.EPILOG))
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments; those of the process by default.

    Returns
    -------
    int
        0 if all is done, 1 if some items failed and are listed, 2 if it could
        not be done, 70 if lensdetect itself failed.
    """
    try:
        args = parse(build_parser(), list(sys.argv[1:] if argv is None else argv), verbs=_VERBS)
        args.command_line = shlex.join(["lensdetect", *(sys.argv[1:] if argv is None else argv)])
        with messages_on_stderr(), swallowed_interrupts_heard():
            code = _VERBS[args.command].run(args)
            sys.stdout.flush()
            return code
    except SystemExit as stop:  # --help and --version
        return int(stop.code or 0)
    except LensdetectError as error:
        return _fail(f"error: {error}")
    except KeyboardInterrupt:
        return _fail("interrupted")
    except BrokenPipeError:
        # The reader has had enough, as in lensdetect models | head -1.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        return _fail(f"error: {where}{error.strerror or error}")
    except Exception as error:
        traceback.print_exc()
        _fail(f"an error of its own, not of yours: {reason_of(error)}: please report it with the lines above")
        return OWN_ERROR


def _fail(text: str) -> int:
    print(f"lensdetect: {for_screen(' '.join(text.split()))}", file=sys.stderr)
    return 2
