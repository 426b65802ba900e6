"""``lensdetect grade``: people say what the candidates are."""

from __future__ import annotations

import argparse
from pathlib import Path

from lensdetect.cli.parsing import SURVEY_NAMES, count, number, seed
from lensdetect.cli.quiet import quiet_astropy
from lensdetect.errors import InputError

SUMMARY = "grade candidates in a browser, alone or together"

DESCRIPTION = """\
Serve a page on which people grade the candidates of a search, or other cutouts, one by one or as a grid.
Each grader sees them in an order of their own, without score, other graders' grades or names of known
lenses. Simulated lenses, painted onto the survey's own galaxies, and duds are mixed in and never told, and
some objects are shown twice: so it is known how well each person grades. Every grade goes into a log that
only grows, in SEARCH_DIR/grades.sqlite or the database that is named.
"""

EPILOG = """\
Only this machine can reach the page, where a name is enough to grade. With another --host or with
--allow-host everybody needs a token: --add-grader makes one and prints the link to send to that person.
Needs: pip install "lensdetect[grade]".

examples:
  lensdetect grade found
  lensdetect grade found --scale ABCX --training 10
  lensdetect grade found --add-grader "Ann Lee" --host grading.example.org
  lensdetect grade found --host 0.0.0.0 --allow-host grading.example.org
  lensdetect grade cutouts.npy --survey kids --planted 0
  lensdetect grade found --database postgresql://me@db.example.org/lenses

exit codes: 0 done; 2 could not be done.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of this verb."""
    parser.add_argument(
        "path", metavar="SEARCH_DIR", help="folder of a search; or cutouts, an array of them, or a table of id and file"
    )
    _add_serving(parser.add_argument_group("where the page is"))
    _add_graders(parser.add_argument_group("graders (the command does this and ends)"))
    _add_grading(parser.add_argument_group("how is graded"))
    parser.set_defaults(usage=parser.format_usage())


def _add_serving(group) -> None:
    group.add_argument("--port", type=_port, default=8321, metavar="N", help="(default: 8321; 0 for any that is free)")
    group.add_argument("--host", default="127.0.0.1", metavar="ADDRESS", help="to listen on (default: 127.0.0.1)")
    group.add_argument(
        "--allow-host",
        action="append",
        default=[],
        metavar="NAME",
        help="name by which others reach it; may come often",
    )
    group.add_argument("--tokens", action="store_true", help="ask for tokens on this machine too")
    group.add_argument(
        "--database", metavar="URL", help="sqlite:///FILE or postgresql://... (default: grades.sqlite in SEARCH_DIR)"
    )


def _add_graders(group) -> None:
    what = group.add_mutually_exclusive_group()
    what.add_argument("--add-grader", metavar="NAME", help="make a token for somebody, and print the link")
    what.add_argument("--list-graders", action="store_true", help="who may grade, and how much they have graded")
    what.add_argument("--revoke", metavar="NAME", help="end all tokens of somebody; the grades stay")


def _add_grading(group) -> None:
    group.add_argument("--scale", choices=("5310", "ABCX"), default="5310", help="labels of grades (default: 5310)")
    group.add_argument("--seed", type=seed, metavar="S", help="of the orders and of what is mixed in (default: 0)")
    group.add_argument(
        "--planted", type=_share, metavar="P", help="lenses mixed in for each object, and as many duds (default: 0.05)"
    )
    group.add_argument("--repeats", type=_share, metavar="P", help="share that is shown twice (default: 0.05)")
    group.add_argument(
        "--training", type=seed, metavar="N", help="lenses and duds to train on first, each (default: 0)"
    )
    group.add_argument("--lenses", type=Path, metavar="PATH", help="cutouts of known lenses, to be mixed in as well")
    group.add_argument(
        "--others",
        type=Path,
        metavar="PATH",
        help="galaxies that are no lenses, to paint on and as duds, where no search has drawn ordinary objects",
    )
    group.add_argument("--survey", metavar="NAME", help=f"where cutouts are from: {SURVEY_NAMES}; or a .toml")
    group.add_argument("--size", type=count, default=101, metavar="PIX", help="side of such cutouts (default: 101)")
    group.add_argument("--workers", type=count, default=1, metavar="W", help="processes that paint (default: 1)")


def _port(text: str) -> int:
    value = seed(text)
    if value > 65_535:
        raise argparse.ArgumentTypeError(f"must be at most 65535, got {text}")
    return value


def _share(text: str) -> float:
    value = number(text)
    if not 0.0 <= value <= 0.5:
        raise argparse.ArgumentTypeError(f"must be from 0 to 0.5, got {text}")
    return value


def run(args: argparse.Namespace) -> int:
    """Manage graders, or serve."""
    from lensdetect.inspection.extra import grading_module

    for name in ("sqlalchemy", "fastapi", "uvicorn"):
        grading_module(name)
    if args.add_grader or args.list_graders or args.revoke:
        return _manage(args)
    return _serve(args)


def _manage(args: argparse.Namespace) -> int:
    from lensdetect.inspection.store import Store
    from lensdetect.inspection.tokens import add_grader, list_graders, revoke

    if args.database is None and not Path(args.path).exists():
        raise InputError(f"there must be a search, cutouts or a table to grade, got nothing at {args.path}")
    with Store(args.database or args.path, create=bool(args.add_grader)) as store:
        if args.add_grader:
            token = add_grader(store, args.add_grader)
            print(f"{_base(args.host, args.port)}/#token={token}")
        elif args.revoke:
            print(f"revoked: {revoke(store, args.revoke)} tokens of {args.revoke}; the grades stay")
        else:
            for one in list_graders(store):
                tokens = f"{one.tokens} tokens" if one.invited else "by name, on this machine"
                print(f"{one.name}: {one.grades:,} rows in the log, {tokens}, since {one.made_at[:16]}")
    return 0


def _serve(args: argparse.Namespace) -> int:
    quiet_astropy()
    from lensdetect.inspection.preparing import Wishes, prepare
    from lensdetect.inspection.serving import build_server, open_socket

    names = ("survey", "size", "lenses", "others", "planted", "repeats", "training", "seed", "scale", "workers")
    wishes = Wishes(**{name: getattr(args, name) for name in names})
    taken = open_socket(args.host, args.port)
    with taken:
        desk, notes = prepare(args.path, args.database, wishes)
        server = build_server(desk, host=args.host, tokens=args.tokens, hosts=args.allow_host)
        for note in notes:
            print(note)
        print(f"grade at {_base(args.host, taken.getsockname()[1])} (stop with Ctrl-C)", flush=True)
        try:
            server.run(sockets=[taken])
        except KeyboardInterrupt:
            pass  # the way to stop it
        finally:
            desk.store.close()
    return 0


def _base(host: str, port: int) -> str:
    """Address of the page."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
