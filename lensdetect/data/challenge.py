"""Stamps in the file layout of the Bologna Lens Challenge.

One file a band and stamp, ``Public/Band{1..4}/imageSDSS_{R,I,G,U}-{ID}.fits``
(Metcalf+ 2019, A&A 625 A119), in one folder or several (``Data.0``,
``Data_KiDS_Big.3``). The letter in the file name says the band; the number of
the folder is not relied on.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np

from lensdetect.data.frame import Frame, Notes
from lensdetect.errors import InputError
from lensdetect.images.fits import UniformReader, read_planes

_FILE = re.compile(r"image[A-Za-z]+_(?P<band>[A-Za-z]+)-(?P<id>.+?)\.fits(\.gz|\.fz)?", re.ASCII)
_BAND_FOLDER = re.compile(r"Band\d+")


def find_public(root: Path) -> list[Path]:
    """Folders that hold band folders, in and below a folder.

    Parameters
    ----------
    root : Path
        A ``Public`` folder, the folder around it, or one with several of those.

    Returns
    -------
    list of Path
        In the order of their names; empty if this is not the challenge's layout.
    """
    nearby = [root, root / "Public"]
    with os.scandir(root) as entries:
        # Private holds the parts that stamps were made of, not stamps
        children = sorted(entry.name for entry in entries if entry.is_dir() and entry.name != "Private")
    for child in children:
        nearby += [root / child, root / child / "Public"]
    found = (folder for folder in nearby if _band_folders(folder))
    return list(dict.fromkeys(found))


def _band_folders(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if _BAND_FOLDER.fullmatch(path.name) and path.is_dir())


class ChallengeStamps:
    """The stamps of one ``Public`` folder.

    Parameters
    ----------
    public : Path
        The folder that holds the band folders.
    frame : Frame
        Form of the cutouts; only its bands are looked for.

    Attributes
    ----------
    ids : list of str
        All stamps that have a file in at least one band, in order.
    frame : Frame
        Form of the cutouts.

    Raises
    ------
    InputError
        If there is no stamp, no file at all of a band, a band that the survey
        does not have, or two files for one band of one stamp.
    """

    def __init__(self, public: Path, *, frame: Frame):
        self.frame = frame
        files = _files_by_band(public, known=frame.survey.band_names)
        self._require_bands(public, files)
        self.ids: list[str] = sorted({stamp for band in frame.bands for stamp in files[band]}, key=_in_order)
        self._files = {band: [files[band].get(stamp) for stamp in self.ids] for band in frame.bands}
        self._reader = UniformReader((frame.size, frame.size))

    def _require_bands(self, public: Path, files: dict[str, dict[str, str]]) -> None:
        if not files:
            raise InputError(f"{public} holds no image: files must be named imageSDSS_R-ID.fits in Band1, Band2, ...")
        lacking = [band for band in self.frame.bands if band not in files]
        if lacking:
            letter, held = lacking[0].upper(), ",".join(band for band in self.frame.bands if band in files)
            way_out = f": score the bands there are with --bands {held}" if held else ""
            raise InputError(
                f"{public} must hold files of {self._planes_text(lacking)}, got none named "
                f"Band*/imageSDSS_{letter}-ID.fits{way_out}"
            )

    def _planes_text(self, bands: list[str]) -> str:
        return self.frame.names([self.frame.survey.band_names.index(band) for band in bands])

    def path(self, row: int) -> str:
        """One file of a stamp: that of the first band, as the survey numbers them, that has one."""
        order = [band for band in self.frame.survey.file_band_order if band in self._files]
        return next(self._files[band][row] for band in order if self._files[band][row])

    def read_into(self, rows: np.ndarray, block: np.ndarray, *, notes: Notes) -> None:
        """Read the declared bands of some stamps.

        Parameters
        ----------
        rows : ndarray of int
            Stamps, as positions in ``ids``.
        block : ndarray
            float32 ``(len(rows), band, size, size)``, filled in place.
        notes : Notes
            Notes on the block.
        """
        planes, bands = self.frame.planes, self.frame.bands
        paths = [self._files[band][row] for row in rows for band in bands]
        whole = planes == list(range(block.shape[1]))
        images = block if whole else np.empty((len(rows), len(bands), *block.shape[2:]), np.float32)
        done = self._reader.read(paths, images.reshape(-1, *block.shape[2:])).reshape(len(rows), len(bands))
        if not whole:
            block[:, planes] = images
        for row in np.flatnonzero(~done.all(axis=1)):
            self._read_singly(rows[row], block, notes=notes, row=row, left=np.flatnonzero(~done[row]))

    def _read_singly(self, stamp: int, block: np.ndarray, *, notes: Notes, row: int, left: np.ndarray) -> None:
        frame = self.frame
        absent = []
        for band in left:
            path, plane = self._files[frame.bands[band]][stamp], frame.planes[band]
            if path is None:
                absent.append(plane)
                continue
            try:
                images = read_planes(path, max_pixels=frame.max_pixels)
                if len(images) != 1:
                    raise InputError(f"{path}: must hold one image, got {len(images)}")
            except InputError as error:
                frame.refuse(block, notes, row=row, flag="unreadable", text=str(error))
            else:
                frame.place(block, notes, row=row, plane=plane, image=images[0].pixels, path=path)
        frame.leave_out(block, notes, row=row, planes=absent, text=f"no file for {frame.names(absent)}")


def _in_order(stamp: str) -> tuple:
    # Numbers by value, and before names.
    return (0, int(stamp), stamp) if stamp.isdecimal() else (1, 0, stamp)


def _files_by_band(public: Path, *, known: tuple[str, ...]) -> dict[str, dict[str, str]]:
    # Band -> stamp -> file. Foreign files beside the images are not looked at.
    files: dict[str, dict[str, str]] = {}
    for folder in _band_folders(public):
        with os.scandir(folder) as entries:
            for entry in entries:
                match = _FILE.fullmatch(entry.name)
                if match:
                    _enter(files, match, entry.path, known=known)
    return files


def _enter(files: dict[str, dict[str, str]], match: re.Match, path: str, *, known: tuple[str, ...]) -> None:
    band, stamp = match["band"].lower(), match["id"]
    if band not in known:
        raise InputError(f"{path} names band {match['band']}, the survey has {', '.join(known)}: move such files away")
    other = files.setdefault(band, {}).setdefault(stamp, path)
    if other != path:
        raise InputError(f"stamp {stamp} must have one file for band {band}, got {other} and {path}: remove one")
