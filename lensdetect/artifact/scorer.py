"""Score cutouts with a trained detector: arrays in, arrays out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from lensdetect.artifact.card import Card
from lensdetect.artifact.conversion import Conversion, check_cutouts, missing_bands, plan_conversion
from lensdetect.artifact.integrity import verify
from lensdetect.artifact.program import check_program
from lensdetect.artifact.shipped import find_detector, title_of
from lensdetect.artifact.views import check_views, views_of
from lensdetect.errors import InputError

#: Cutouts to a batch. Larger ones fall out of a CPU's caches.
BATCH_SIZE = 128


class Scores(NamedTuple):
    """What a detector says about n cutouts.

    Parameters
    ----------
    logit : ndarray
        float32 ``(n,)``; rank by this one. NaN where a cutout has no good pixel.
    probability : ndarray
        float32 ``(n,)``, calibrated for the bands that each cutout has; 1.0 for
        every large logit, so no good to rank by. NaN where the logit is.
    """

    logit: np.ndarray
    probability: np.ndarray


class Scorer:
    """A trained detector, ready to score.

    Scores come from the saved graph itself, the one a model server runs. It can
    be pickled: the copy loads the same folder again.

    Parameters
    ----------
    folder : path
        A folder that ``save_detector`` wrote. It is a program: from elsewhere it
        is loaded only if all that it can do is to compute.
    trust_model : bool
        Whether to load it whatever it does.

    Attributes
    ----------
    folder : Path
        Where it was loaded from.
    card : Card
        What it takes and how good it is.

    Raises
    ------
    ArtifactError
        If the folder is incomplete or has been altered, or its program does
        more than compute.
    """

    def __init__(self, folder: Path | str, *, trust_model: bool = False):
        self.folder = Path(folder)
        self.card: Card = verify(folder)
        self._trusted = trust_model
        if not trust_model:
            check_program(folder)
        # Kept: its signatures do not own the variables they read.
        self._saved_model = tf.saved_model.load(str(folder))

    def __reduce__(self):
        """Pickle the folder, not the graph."""
        return partial(Scorer, self.folder, trust_model=self._trusted), ()

    @property
    def title(self) -> str:
        """Network, survey and version, as in "arcformer_small_subtracted-ground/1"."""
        return title_of(self.card, self.folder)

    @property
    def bands(self) -> tuple[str, ...]:
        """Names of the bands that it takes, in array order."""
        return self.card.band_names

    def missing_bands(self, bands: Iterable[str]) -> tuple[str, ...]:
        """Bands of the detector that images in ``bands`` do not have."""
        return missing_bands(self.card, bands)

    def __call__(
        self,
        cutouts: np.ndarray,
        *,
        bands: Iterable[str] | None = None,
        zero_points_mag: float | Sequence[float] | None = None,
        pixel_scale_arcsec: float | None = None,
        prior: float | None = None,
        batch_size: int = BATCH_SIZE,
        views: int = 1,
    ) -> Scores:
        """Score cutouts.

        Parameters
        ----------
        cutouts : array
            ``(n, size, size, band)``, flux, NaN where bad; any real type.
        bands : iterable of str, optional
            Bands of the cutouts, in array order: the detector's own by default.
            They may come in another order; a missing one is scored as a plane
            of NaN.
        zero_points_mag : float or sequence of float, optional
            AB magnitude of one flux unit of the cutouts, one for all bands or
            one for each; by default they are in the card's flux unit.
        pixel_scale_arcsec : float, optional
            Side of a pixel of the cutouts; by default it is the card's.
        prior : float, optional
            Share of lenses among such cutouts, for the probability; by default
            that of the stamps on which it was calibrated.
        batch_size : int
            Cutouts scored at once.
        views : int
            8 for the mean logit over the eight symmetries of the square (four
            turns, each with and without a mirror), which is the same for a
            cutout and for the cutout turned; it takes eight times as long.
            The probability is an approximation then: it takes the mean as if it
            were the logit of one view, on which the card's calibration was
            fitted (``benchmarks/bench_views.py`` measures how well that holds).

        Returns
        -------
        Scores

        Raises
        ------
        InputError
            If shape, type, bands, pixel scale, zero points or views do not fit, or
            a prior is given and the card does not say that of its calibration.
        """
        check_views(views)
        conversion = plan_conversion(
            self.card, bands=bands, zero_points_mag=zero_points_mag, pixel_scale_arcsec=pixel_scale_arcsec
        )
        cutouts = check_cutouts(cutouts, size=self.card.size, bands=conversion.source_bands)
        logit = self._run("serving_default", cutouts, conversion, batch_size, views=views)["logit"]
        return Scores(logit, self._probability(logit, cutouts, conversion.source_bands, prior))

    def embed(
        self,
        cutouts: np.ndarray,
        *,
        bands: Iterable[str] | None = None,
        zero_points_mag: float | Sequence[float] | None = None,
        pixel_scale_arcsec: float | None = None,
        batch_size: int = BATCH_SIZE,
    ) -> np.ndarray:
        """Pooled features of cutouts: near in them is alike in looks.

        Parameters
        ----------
        cutouts, bands, zero_points_mag, pixel_scale_arcsec, batch_size
            As for scoring.

        Returns
        -------
        ndarray
            float32 ``(n, dim)``; NaN where a cutout has no good pixel.

        Raises
        ------
        InputError
            As for scoring.
        """
        conversion = plan_conversion(
            self.card, bands=bands, zero_points_mag=zero_points_mag, pixel_scale_arcsec=pixel_scale_arcsec
        )
        cutouts = check_cutouts(cutouts, size=self.card.size, bands=conversion.source_bands)
        return self._run("embed", cutouts, conversion, batch_size)["embedding"]

    def _probability(
        self, logit: np.ndarray, cutouts: np.ndarray, bands: tuple[str, ...], prior: float | None
    ) -> np.ndarray:
        """By the bands that each cutout has: a plane without a finite pixel is none."""
        present = _has_pixels(cutouts)
        probability = np.empty(len(logit), np.float32)
        for pattern in np.unique(present, axis=0):
            rows = (present == pattern).all(axis=1)
            has = [name for name, there in zip(bands, pattern, strict=True) if there]
            probability[rows] = self.card.probability(logit[rows], bands=has, prior=prior)
        return probability

    def _run(
        self, signature: str, cutouts: np.ndarray, conversion: Conversion, batch_size: int, *, views: int = 1
    ) -> dict[str, np.ndarray]:
        """Outputs of a signature by name, each the mean over the views."""
        if batch_size < 1:
            raise InputError(f"batch_size must be at least 1, got {batch_size}")
        function = self._saved_model.signatures[signature]
        shapes = {name: (len(cutouts), *spec.shape[1:]) for name, spec in function.structured_outputs.items()}
        results = {name: np.empty(shape, np.float32) for name, shape in shapes.items()}
        for start, rows in _batches(len(cutouts), batch_size):
            part = cutouts[start : start + rows]
            whole = _whole_batch(part, rows, conversion)
            found = [function(cutouts=tf.constant(view)) for view in views_of(whole, views)]
            blank = ~_has_pixels(part).any(axis=1)
            for name, result in results.items():
                # A sum of eight float32 is all but exact in float64: the order of the views leaves no trace.
                mean = np.mean([one[name].numpy()[: len(part)] for one in found], axis=0, dtype=np.float64)
                result[start : start + rows] = mean
                result[start : start + rows][blank] = np.nan
        return results


def _batches(count: int, batch_size: int) -> Iterator[tuple[int, int]]:
    """Start and number of rows of each batch.

    All have ``batch_size`` rows but the last, which has the next power of two:
    so there are few shapes, and scoring one cutout costs one.
    """
    for start in range(0, count, batch_size):
        left = min(batch_size, count - start)
        yield start, min(batch_size, 1 << (left - 1).bit_length())


def _whole_batch(cutouts: np.ndarray, rows: int, conversion: Conversion) -> np.ndarray:
    """Cutouts as the graph takes them, padded to ``rows``; no copy where none is needed."""
    if conversion.is_identity and len(cutouts) == rows and cutouts.dtype == np.float32:
        return cutouts
    batch = np.full((rows, *cutouts.shape[1:3], conversion.num_bands), np.nan, np.float32)
    conversion.fill(batch, cutouts)
    return batch


def _has_pixels(cutouts: np.ndarray) -> np.ndarray:
    """Whether each plane has a finite pixel, ``(n, band)``."""
    middle = cutouts.shape[1] // 2
    present = np.isfinite(cutouts[:, middle, middle])
    # Most have one in the middle; only the other planes are looked through.
    for row, band in zip(*np.nonzero(~present), strict=True):
        present[row, band] = np.isfinite(cutouts[row, ..., band]).any()
    return present


def load_detector(
    name_or_path: str | Path | None = None, *, survey: str | None = None, trust_model: bool = False
) -> Scorer:
    """Load a trained detector for scoring.

    ``functools.partial(load_detector, name_or_path)`` is the factory that a
    search over many processes takes.

    Parameters
    ----------
    name_or_path : str or path, optional
        As ``find_detector`` takes it: by default the one that comes with the
        package for the survey.
    survey : str, optional
        Name of the survey of the images.
    trust_model : bool
        Whether to load a folder whose program does more than compute.

    Returns
    -------
    Scorer

    Raises
    ------
    InputError
        If there is no such detector; the message holds the nearest names.
    ArtifactError
        If its folder is incomplete or has been altered, or its program does
        more than compute.
    """
    return Scorer(find_detector(name_or_path, survey=survey), trust_model=trust_model)
