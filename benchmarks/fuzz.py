"""What becomes of files that are damaged or made to harm, reader by reader.

    python benchmarks/fuzz.py --inputs 20000
    python benchmarks/fuzz.py --readers fits fz --inputs 1000 --keep found/

Good files of each kind are changed at random - bits, cuts, zeros, cards doubled,
swapped, indented or in another case, values that nobody expects - and read by the
package in a process of its own, with limits on time and memory. The table counts
what came of it: read right (as the independent reader that it is compared with),
refused with one line, a traceback, a hang, a dead process, or other values than
the independent reader's without a word. Only the first two may come about. Inputs
that show one of the others are kept with ``--keep``; number and seed make each again.

Readers are entries of ``fuzz_readers.READERS``.
"""

from __future__ import annotations

import argparse
import contextlib
import multiprocessing
import os
import resource
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import fuzz_inputs
import fuzz_readers

OUTCOMES = ("right", "refused", "traceback", "hang", "died", "silent difference")
#: Processor seconds that one input may take, and address space.
LIMIT_S, MEMORY_BYTES = 20, 6 << 30
#: Letters that the line of an error may have.
LONGEST_TEXT = 3000
#: Seconds by the clock in the package's own processes apart.
APART_LIMIT_S = 4.0


def outcome_of(reader: fuzz_inputs.Reader, place: Path) -> tuple[str, str]:
    """What becomes of one input: one of ``OUTCOMES``, and what is said of it."""
    from lensdetect.errors import LensdetectError

    try:
        found = reader.read(place)
    except LensdetectError as error:
        text = str(error)
        short = text.isprintable() and len(text) < LONGEST_TEXT
        return ("refused", text) if short else ("traceback", f"not one short line: {text!r}")
    except Exception:
        return "traceback", traceback.format_exc()
    if reader.expected is None:
        return "right", ""
    try:
        expected = reader.expected(place)
    except Exception:
        # what the other reader refuses has no right answer
        return "right", "refused by the other reader"
    same = fuzz_inputs.same(found, expected)
    return ("right", "") if same else ("silent difference", "other values than the independent reader's")


def try_all(name: str, numbers: range, seed: int, *, after=lambda number, outcome, text: None) -> Counter:
    """Try some inputs of one reader in this process; ``after`` is told of each."""
    reader, counts = fuzz_readers.READERS[name], Counter()
    with tempfile.TemporaryDirectory() as folder, _soon_over():
        seeds = reader.seeds()
        for number in numbers:
            place = fuzz_inputs.put(reader, Path(folder), seeds, number=number, seed=seed)
            outcome, text = outcome_of(reader, place)
            counts[outcome] += 1
            after(number, outcome, text)
    return counts


@contextlib.contextmanager
def _soon_over():
    """Let the package's own processes take little time: files are tiny, and what takes longer never ends."""
    from lensdetect.images import apart

    before, apart.LIMIT_S = apart.LIMIT_S, APART_LIMIT_S
    try:
        yield
    finally:
        apart.LIMIT_S = before


def _work(connection, name: str, numbers: range, seed: int) -> None:
    # each input has its processor time; a hang ends the process as a crash does
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)

    def after(number: int, outcome: str, text: str) -> None:
        connection.send((number, outcome, text))
        signal.setitimer(signal.ITIMER_PROF, LIMIT_S)

    signal.setitimer(signal.ITIMER_PROF, 10 * LIMIT_S)
    try_all(name, numbers, seed, after=after)


def run(name: str, inputs: int, seed: int, keep: Path | None) -> tuple[Counter, list[str]]:
    """Try all inputs of one reader, in processes of which each death costs one input."""
    context, counts, lines, start = multiprocessing.get_context("spawn"), Counter(), [], 0
    while start < inputs:
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(target=_work, args=(theirs, name, range(start, inputs), seed))
        process.start()
        theirs.close()
        with contextlib.suppress(EOFError):
            while True:
                number, outcome, text = ours.recv()
                start = number + 1
                counts[outcome] += 1
                _note(name, number, seed, outcome, text, lines=lines, keep=keep)
        process.join()
        if start < inputs:
            outcome = "hang" if process.exitcode == -signal.SIGPROF else "died"
            counts[outcome] += 1
            _note(name, start, seed, outcome, f"exit code {process.exitcode}", lines=lines, keep=keep)
            start += 1
    return counts, lines


def _note(name: str, number: int, seed: int, outcome: str, text: str, *, lines: list[str], keep: Path | None) -> None:
    if "made to harm" in text:
        lines.append(f"{name} {number}: {outcome}: {text}")
    if outcome in {"right", "refused"}:
        return
    lines.append(f"{name} {number}: {outcome}: {text}")
    if keep is not None:
        reader = fuzz_readers.READERS[name]
        (keep / f"{name}-{number}").mkdir(parents=True, exist_ok=True)
        fuzz_inputs.put(reader, keep / f"{name}-{number}", reader.seeds(), number=number, seed=seed)


def main() -> int:
    """Try, print; 1 if anything but right and refused came about."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inputs", type=int, default=1000, help="how many for each reader")
    parser.add_argument("--readers", nargs="+", default=list(fuzz_readers.READERS), help="which (default: all)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="folder for inputs that went wrong")
    arguments = parser.parse_args()
    print("| reader | inputs | " + " | ".join(OUTCOMES) + " | s |")
    print("|---" * (len(OUTCOMES) + 3) + "|")
    bad, notes = 0, []
    for name in arguments.readers:
        began = time.monotonic()
        counts, lines = run(name, arguments.inputs, arguments.seed, arguments.keep)
        row = [name, arguments.inputs, *(counts[outcome] for outcome in OUTCOMES), round(time.monotonic() - began)]
        print("| " + " | ".join(map(str, row)) + " |", flush=True)
        bad += arguments.inputs - counts["right"] - counts["refused"]
        notes += lines
    print("\n".join(notes))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
