"""Where trained detectors are: those that come with the package, and yours."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lensdetect.errors import ArtifactError, InputError, unknown_name

if TYPE_CHECKING:
    from lensdetect.artifact.card import Card

#: Trained on what a survey from the ground shows and on what fools there: the
#: detector of every survey that has no other, of a user's own too, and of images of no named one.
GROUND_DETECTOR = "arcformer_small_subtracted-ground"

#: Survey -> the detector that comes with the package for its images, where that is another.
#: With the line above it is the one table, for every command and from Python.
OTHER_DETECTORS = {"bologna": "arcformer_small-bologna"}


def models_folder() -> Path:
    """Folder of the detectors that come with the package.

    Returns
    -------
    Path
        ``lensdetect/models`` where the package is installed, ``models`` beside
        the package in a checkout.
    """
    package = Path(__file__).resolve().parents[1]
    installed = package / "models"
    return installed if installed.is_dir() else package.parent / "models"


def shipped_detectors() -> dict[str, Path]:
    """Detectors that come with the package.

    Returns
    -------
    dict
        Folder of the highest version by name, as in "arcformer_small-bologna".
    """
    folders = sorted(models_folder().glob("*-*"))
    return {folder.name: _highest_version(folder) for folder in folders if _versions(folder)}


def detector_for(survey: str | None = None) -> str:
    """Name of the detector that comes with the package for the images of some survey.

    Parameters
    ----------
    survey : str, optional
        Name of the survey, if it is known.

    Returns
    -------
    str
        ``OTHER_DETECTORS`` or ``GROUND_DETECTOR``.
    """
    return OTHER_DETECTORS.get(survey or "", GROUND_DETECTOR)


def title_of(card: Card, folder: Path) -> str:
    """What a detector is called in tables and reports: network, survey and version.

    Parameters
    ----------
    card : Card
    folder : Path
        Named by its version.

    Returns
    -------
    str
        As in "arcformer_small_subtracted-ground/1".
    """
    return f"{card.name}-{card.survey}/{Path(folder).name}"


def is_shipped(folder: Path) -> bool:
    """Whether a folder is one of the package's own.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    bool
    """
    return folder.resolve().is_relative_to(models_folder().resolve())


def _versions(folder: Path) -> dict[int, Path]:
    candidates = folder.iterdir() if folder.is_dir() else ()
    return {int(path.name): path for path in candidates if path.name.isdecimal() and _is_detector(path)}


def _highest_version(folder: Path) -> Path:
    versions = _versions(folder)
    return versions[max(versions)]


def _is_detector(folder: Path) -> bool:
    return (folder / "saved_model.pb").is_file()


def find_detector(name_or_path: str | Path | None = None, *, survey: str | None = None) -> Path:
    """Folder of a trained detector.

    Parameters
    ----------
    name_or_path : str or path, optional
        Name of one that comes with the package, with or without "/version"; a
        folder that ``save_detector`` wrote; a folder of such versions, of which
        the highest is taken; a run of ``lensdetect train``. A name is tried
        before a folder. ``detector_for(survey)`` by default.
    survey : str, optional
        Name of the survey of the images, for the default.

    Returns
    -------
    Path
        The folder with ``saved_model.pb``.

    Raises
    ------
    InputError
        If there is no such name or folder.
    ArtifactError
        If the folder holds no detector, or the package came without the default.
    """
    shipped = shipped_detectors()
    text = detector_for(survey) if name_or_path is None else str(name_or_path)
    if name_or_path is None and text not in shipped:
        raise ArtifactError(
            f"{models_folder()} must hold {text}, got {sorted(shipped)}: "
            "install lensdetect again, or name a folder that lensdetect train made"
        )
    name, _, number = text.partition("/")
    if name in shipped:
        return _shipped_version(name, number) if number else shipped[name]
    if Path(text).expanduser().is_dir():
        return _find_in(Path(text).expanduser())
    if not shipped:
        raise InputError(f"a detector must be a folder where none comes with the package, got {text!r}: check the path")
    raise unknown_name("trained detector or folder", text, shipped)


def _shipped_version(name: str, number: str) -> Path:
    versions = {str(version): path for version, path in _versions(models_folder() / name).items()}
    if number not in versions:
        raise InputError(f"{name} comes in version {', '.join(sorted(versions))}, got {number!r}: leave it out")
    return versions[number]


def _find_in(folder: Path) -> Path:
    if _is_detector(folder):
        return folder
    for versions in (folder, folder / "model"):
        if _versions(versions):
            return _highest_version(versions)
    raise ArtifactError(
        f"a detector folder must hold saved_model.pb, numbered versions or model/, got none in {folder}: "
        "give the folder that lensdetect train made"
    )
