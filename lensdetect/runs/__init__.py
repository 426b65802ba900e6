"""Folders that resume: one run a folder, files whole or not there, and what a kept result follows from.

* ``write_whole``, ``write_json``, ``write_folder``: on disk whole or not at all, and there after a power cut too.
* ``lock``, ``open_run``: one run a folder, and only the run that it was begun for.
* ``content_key``, ``code_key``, ``key_of``: a result is kept as long as all that it follows from is the same.
"""

from __future__ import annotations

from lensdetect.runs.folder import check_same, open_run, remove_litter
from lensdetect.runs.keys import KeptKeys, code_key, content_key, has_settled, key_of, stat_key
from lensdetect.runs.locking import lock
from lensdetect.runs.writing import read_json, sync_all, writable, write_folder, write_json, write_text, write_whole

__all__ = [
    "KeptKeys",
    "check_same",
    "code_key",
    "content_key",
    "has_settled",
    "key_of",
    "lock",
    "open_run",
    "read_json",
    "remove_litter",
    "stat_key",
    "sync_all",
    "writable",
    "write_folder",
    "write_json",
    "write_text",
    "write_whole",
]
