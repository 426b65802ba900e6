"""Jobs one after the other, each in its own process."""

from __future__ import annotations

import logging
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import lensdetect
from lensdetect.challenge.job import Job, is_done
from lensdetect.errors import InputError
from lensdetect.runs import lock, open_run

logger = logging.getLogger(__name__)

#: Seconds for a process to end when it is asked to.
_GRACE_S = 10


def job_folder(output: Path, job: Job) -> Path:
    """Where a job keeps what it makes: ``systems/LABEL-SEED`` in the output."""
    return output / "systems" / f"{re.sub(r'[^A-Za-z0-9_.@+-]', '_', job.entry.label)}-{job.seed}"


def prepare(folder: Path, job: Job) -> None:
    """Write what a job's process needs, or check that it is the same as before.

    Parameters
    ----------
    folder : Path
        From ``job_folder``.
    job : Job

    Raises
    ------
    InputError
        If the folder holds another job; the message names the first difference.
    """
    _wait_until_free(folder)
    with open_run(folder, job.as_dict(), file_name="job.json", work="challenge"):
        pass


def _wait_until_free(folder: Path) -> None:
    """A process whose parent was killed notices within a second, and ends."""
    deadline = time.monotonic() + _GRACE_S
    while True:
        try:
            with lock(folder):
                return
        except InputError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def run_in_process(folder: Path) -> str:
    """Do the job of a folder, if it is not done.

    Parameters
    ----------
    folder : Path
        Prepared.

    Returns
    -------
    str
        Why it failed; empty if it did not.
    """
    if is_done(folder):
        return ""
    package = Path(lensdetect.__file__).parents[1]
    path = os.pathsep.join(filter(None, [str(package), os.environ.get("PYTHONPATH")]))
    environment = {"TF_CPP_MIN_LOG_LEVEL": "3"} | os.environ | {"PYTHONPATH": path}
    with open(folder / "log.txt", "a") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "lensdetect.challenge", str(folder)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=environment,
        )
        try:
            code = process.wait()
        except BaseException:
            process.terminate()
            try:
                process.wait(_GRACE_S)
            except subprocess.TimeoutExpired:
                process.kill()
            raise
    return "" if code == 0 and is_done(folder) else _failure(code, folder / "log.txt")


def _failure(code: int, log: Path) -> str:
    if code < 0:
        return f"its process was ended by signal {-code} (out of memory?); see {log}"
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return f"{lines[-1] if lines else f'exit code {code}'}; see {log}"
