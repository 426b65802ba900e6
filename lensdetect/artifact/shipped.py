"""Where trained detectors are: those that come with the package, and yours."""

from __future__ import annotations

from pathlib import Path

from lensdetect.errors import ArtifactError, InputError, unknown_name

DEFAULT_DETECTOR = "arcformer_small-bologna"

#: Trained on what a survey shows and on what fools there.
SKY_DETECTOR = "arcformer_small-kids"


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


def detector_for(survey: str) -> str:
    """Name of the detector that comes with the package for a search of some survey.

    Parameters
    ----------
    survey : str
        Name of the survey.

    Returns
    -------
    str
        One trained on that survey; else ``SKY_DETECTOR``, which has seen what
        fools; else ``DEFAULT_DETECTOR``.
    """
    shipped = shipped_detectors()
    own = DEFAULT_DETECTOR.partition("-")[0] + f"-{survey}"
    return next((name for name in (own, SKY_DETECTOR) if name in shipped), DEFAULT_DETECTOR)


def _versions(folder: Path) -> dict[int, Path]:
    candidates = folder.iterdir() if folder.is_dir() else ()
    return {int(path.name): path for path in candidates if path.name.isdecimal() and _is_detector(path)}


def _highest_version(folder: Path) -> Path:
    versions = _versions(folder)
    return versions[max(versions)]


def _is_detector(folder: Path) -> bool:
    return (folder / "saved_model.pb").is_file()


def find_detector(name_or_path: str | Path | None = None) -> Path:
    """Folder of a trained detector.

    Parameters
    ----------
    name_or_path : str or path, optional
        Name of one that comes with the package, with or without "/version"; a
        folder that ``save_detector`` wrote; a folder of such versions, of which
        the highest is taken; a run of ``lensdetect train``. A name is tried
        before a folder. ``DEFAULT_DETECTOR`` by default.

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
    if name_or_path is None and DEFAULT_DETECTOR not in shipped:
        raise ArtifactError(
            f"{models_folder()} must hold {DEFAULT_DETECTOR}, got {sorted(shipped)}: "
            "install lensdetect again, or name a folder that lensdetect train made"
        )
    text = DEFAULT_DETECTOR if name_or_path is None else str(name_or_path)
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
