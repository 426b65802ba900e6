"""``python -m lensdetect.cli``: the command line where it is not installed."""

from __future__ import annotations

import sys

from lensdetect.cli import main

sys.exit(main())
