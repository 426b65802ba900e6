"""Whether a detector's folder is as it was saved: against damage, not against intent.

The hashes stand in the folder that they protect, so whoever can write one can
write the other. What a folder from elsewhere could do is looked at in ``program``.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from lensdetect.artifact.card import CARD_FILE, EXTRA_FOLDER, Card, load_card
from lensdetect.errors import ArtifactError

#: TensorFlow Serving looks for exactly this file.
WARMUP_FILE = f"{EXTRA_FOLDER}/tf_serving_warmup_requests"

# What TensorFlow or a server reads: the graph, in any of its three forms, weights, files of its own, warm-up requests.
_READ = ("*.pb", "*.pbtxt", "*.cpb", "variables/**/*", "assets/**/*", WARMUP_FILE)


def hash_files(folder: Path | str) -> dict[str, str]:
    """SHA-256 of every file that TensorFlow or a server reads.

    Parameters
    ----------
    folder : path
        The SavedModel.

    Returns
    -------
    dict
        Hash by path in the folder; other files are left out.

    Raises
    ------
    ArtifactError
        If one of them is no plain file, or cannot be read.
    """
    folder = Path(folder)
    paths = {path for pattern in _READ for path in folder.glob(pattern)}
    for path in [*paths, *(folder / name for name in ("variables", "assets", EXTRA_FOLDER, CARD_FILE))]:
        if path.is_symlink():
            raise ArtifactError(f"{path} must be a file or folder of its own, got a link: copy what it points to")
    files = sorted(path for path in paths if not path.is_dir())
    return {path.relative_to(folder).as_posix(): _sha256(path) for path in files}


def _sha256(path: Path) -> str:
    # A pipe or a device would keep its reader waiting.
    if not path.is_file():
        raise ArtifactError(f"{path} must be a plain file: take the folder from its source again")
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ArtifactError(f"{path} must be readable, got {error.strerror or error}") from error


def verify(folder: Path | str) -> Card:
    """Check that a detector folder is as it was saved.

    That protects against damage, not against intent: see ``program``.

    Parameters
    ----------
    folder : path
        ``<name>-<survey>/<version>``.

    Returns
    -------
    Card
        Of the folder, for the caller's use.

    Raises
    ------
    ArtifactError
        If the card is missing, or a file that TensorFlow or a server reads is
        missing, added, changed or a link; the message names the files.
    """
    card = load_card(folder)
    found = hash_files(folder)
    if WARMUP_FILE not in card.files_sha256 and card.code_version == "0.1.0":
        # That version did not write its hash down; only a server reads the file.
        found.pop(WARMUP_FILE, None)
    wrong = [
        f"{path} is {_difference(path, card.files_sha256, found)}"
        for path in sorted(card.files_sha256.keys() | found.keys())
        if card.files_sha256.get(path) != found.get(path)
    ]
    if wrong or not found:
        raise ArtifactError(
            f"the files of {folder} must be those its card was written for; {', '.join(wrong) or 'there are none'}: "
            "take the folder from its source again"
        )
    return card


def _difference(path: str, expected: dict[str, str], found: dict[str, str]) -> str:
    if path not in found:
        return "missing"
    return "changed" if path in expected else "not of the card"
