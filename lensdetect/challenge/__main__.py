"""The process of one system: ``python -m lensdetect.challenge FOLDER``, where FOLDER holds ``job.json``."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

from lensdetect.challenge.job import run_job


def main() -> int:
    """Do the job of the folder that the command line names; the last line of a failure says why."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    logger = logging.getLogger("lensdetect")
    logger.setLevel(logging.INFO)
    try:
        run_job(Path(sys.argv[1]))
    except Exception as error:  # whatever it is, it ends this system and no other
        logger.info("", exc_info=True)
        print(f"{type(error).__name__}: {' '.join(str(error).split())}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
