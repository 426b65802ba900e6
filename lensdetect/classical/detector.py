"""A system of hand-made features: fit, score, save, load."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from lensdetect.classical.margins import Margin, margin_from_arrays, margin_to_arrays
from lensdetect.classical.table import CLASSICAL
from lensdetect.errors import InputError, reason_of, unknown_name
from lensdetect.runs import write_whole

_BATCH = 64
_SMALLEST_PIX = 16
_FILE = "classical.npz"

#: Cutouts, float32 ``(n, height, width, band)``, in one array or batch by batch.
Cutouts = np.ndarray | Iterable[np.ndarray]


class ClassicalDetector:
    """Features and a classifier; made by ``build_classical``.

    Parameters
    ----------
    name : str
        A key of ``CLASSICAL``.
    bands : tuple of str
        Of the cutouts, in order.

    Attributes
    ----------
    margin : LinearMargin, KernelMargin or None
        The classifier; None before ``fit``.
    """

    def __init__(self, name: str, bands: tuple[str, ...]):
        self.name, self.bands, self.margin = name, tuple(bands), None
        self._spec = CLASSICAL[name]

    def fit(self, cutouts: Cutouts, is_lens: np.ndarray, *, seed: int) -> ClassicalDetector:
        """Learn from stamps.

        Parameters
        ----------
        cutouts : ndarray or iterable of ndarray
            ``(n, height, width, band)``, or batches of that form, so that memory
            holds the features of all but the pixels of one batch.
        is_lens : ndarray of bool
            ``(n,)`` Truth.
        seed : int
            Of whatever is drawn.

        Returns
        -------
        ClassicalDetector
            Itself.

        Raises
        ------
        InputError
            If cutouts and truth do not go together, or a class is missing.
        """
        is_lens = np.asarray(is_lens, bool)
        if is_lens.all() or not is_lens.any():
            raise InputError(f"{self.name} needs lenses and others, got {is_lens.sum()} lenses among {len(is_lens)}")
        features = self._matrix(cutouts, len(is_lens))
        labels = np.repeat(is_lens, self._spec.num_views)
        self.margin = self._spec.fit(features, labels, seed)
        return self

    def score(self, cutouts: Cutouts) -> np.ndarray:
        """Scores of cutouts; 0 is the border between the classes.

        Parameters
        ----------
        cutouts : ndarray or iterable of ndarray
            As in ``fit``.

        Returns
        -------
        ndarray
            float32 ``(n,)``: log odds for logistic regression, distance from
            the border for the kernel machine.

        Raises
        ------
        InputError
            If it is not fitted, or the cutouts have other bands.
        """
        margin, views = self._fitted(), self._spec.num_views
        found = [margin(features).reshape(-1, views).mean(1) for features in self._features(cutouts)]
        return np.concatenate(found).astype(np.float32) if found else np.zeros(0, np.float32)

    @property
    def num_parameters(self) -> int:
        """Numbers that were learned: weights, or support vectors with their factors."""
        return self._fitted().num_parameters

    def _fitted(self) -> Margin:
        if self.margin is None:
            raise InputError(f"{self.name} must be fitted before it scores: call fit first")
        return self.margin

    def save(self, folder: Path | str) -> Path:
        """Write to a folder, whole or not at all.

        Parameters
        ----------
        folder : path
            Made if it is not there.

        Returns
        -------
        Path
            The file.
        """
        path = Path(folder) / _FILE
        path.parent.mkdir(parents=True, exist_ok=True)
        arrays = margin_to_arrays(self._fitted())
        write_whole(path, lambda file: np.savez(file, name=self.name, bands=self.bands, **arrays))
        return path

    def _matrix(self, cutouts: Cutouts, count: int) -> np.ndarray:
        """Features of ``count`` cutouts in one array, made without a second copy."""
        matrix, done, views = None, 0, self._spec.num_views
        for features in self._features(cutouts):
            if matrix is None:
                matrix = np.empty((count * views, features.shape[1]), np.float32)
            if done + len(features) > len(matrix):
                break
            matrix[done : done + len(features)] = features
            done += len(features)
        else:
            if done == count * views and count:
                return matrix
        raise InputError(f"each of {count} labels needs one cutout, got another number of cutouts: give one for each")

    def _features(self, cutouts: Cutouts) -> Iterator[np.ndarray]:
        """Features batch by batch; the views of one cutout stand together."""
        for batch in _batches(cutouts):
            self._check(batch)
            views = [np.rot90(batch, turn, axes=(1, 2)) for turn in range(self._spec.num_views)]
            features = np.stack([self._spec.features(view, self.bands) for view in views], axis=1)
            yield features.reshape(-1, features.shape[-1])

    def _check(self, batch: np.ndarray) -> None:
        if batch.ndim != 4 or batch.shape[-1] != len(self.bands) or min(batch.shape[1:3]) < _SMALLEST_PIX:
            raise InputError(
                f"{self.name} takes cutouts (n, height, width, {len(self.bands)}) of bands {','.join(self.bands)}, "
                f"{_SMALLEST_PIX} pixels or more a side, got shape {batch.shape}: choose the bands or pad"
            )


def _batches(cutouts: Cutouts) -> Iterator[np.ndarray]:
    whole = [cutouts] if isinstance(cutouts, np.ndarray) else cutouts
    for array in whole:
        for start in range(0, len(array), _BATCH):
            yield array[start : start + _BATCH]


def build_classical(name: str, bands: tuple[str, ...]) -> ClassicalDetector:
    """A system that is not fitted yet.

    Parameters
    ----------
    name : str
        A key of ``CLASSICAL``.
    bands : tuple of str
        Of the cutouts, in order: u, g, r, i, or fewer.

    Returns
    -------
    ClassicalDetector

    Raises
    ------
    InputError
        If there is no such system.
    """
    if name not in CLASSICAL:
        raise unknown_name("classical system", name, CLASSICAL)
    return ClassicalDetector(name, bands)


def load_classical(folder: Path | str) -> ClassicalDetector:
    """A fitted system that was saved here: plain arrays, of which nothing is run.

    Parameters
    ----------
    folder : path
        From ``ClassicalDetector.save``.

    Returns
    -------
    ClassicalDetector

    Raises
    ------
    InputError
        If there is none, or the file is damaged.
    """
    path = Path(folder) / _FILE
    if not path.is_file():
        raise InputError(f"a saved classical system must be a folder with {_FILE}, got {folder}: fit and save one")
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as saved:
            arrays = {name: saved[name] for name in saved.files}
        detector = build_classical(str(arrays.pop("name")), tuple(map(str, arrays.pop("bands"))))
        detector.margin = margin_from_arrays(arrays)
    # Damaged archives raise of everything.
    except Exception as error:
        raise InputError(f"{path} must be a saved classical system, got {reason_of(error)}: fit one anew") from error
    return detector
