"""Score many images in a stream, and put them in order."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from lensdetect import artifact
from lensdetect import flags as quality
from lensdetect.artifact import Card
from lensdetect.artifact.conversion import Conversion, missing_bands, plan_conversion
from lensdetect.artifact.views import check_views, titled
from lensdetect.data import CutoutBatch
from lensdetect.images.bounds import CUTOUT_PIXELS
from lensdetect.scoring.declaring import Images, open_images, survey_name
from lensdetect.survey import Survey
from lensdetect.text import storable

#: Columns of the result, in order.
COLUMNS = ("id", "path", "logit", "probability", "flags", "reason")
#: Images read and scored at once: enough for the network, and a few such
#: batches, being read ahead, still take less than 50 MB.
_BATCH_SIZE = 64


@dataclass(frozen=True)
class Ranking:
    """Scored images, the best first.

    Parameters
    ----------
    table : DataFrame
        One row an image in the columns ``COLUMNS``: highest logit first; those
        without a score (NaN) last, each with its ``reason``.
    best : ndarray
        float32 ``(k, size, size, band)``: cutouts of the first k rows, in the
        bands and the flux unit of the card.
    card : Card
        Of the detector.
    detector : str
        Its name and version, as in "arcformer_small_subtracted-ground/1", and its views if there are several.
    prior : float or None
        Share of lenses among the images for which the probabilities hold; None
        if that is not known.
    """

    table: pd.DataFrame
    best: np.ndarray
    card: Card
    detector: str
    prior: float | None = None

    @property
    def num_refused(self) -> int:
        """Number of images without a score."""
        return int(self.table["logit"].isna().sum())


class _Best:
    """The cutouts with the highest logits so far."""

    def __init__(self, keep: int, conversion: Conversion, size: int):
        self.keep, self._conversion = keep, conversion
        self.pixels = np.empty((0, size, size, conversion.num_bands), np.float32)
        self._logit = np.empty(0, np.float32)

    def add(self, cutouts: np.ndarray, logit: np.ndarray) -> None:
        """Look through a batch; only what enters is copied."""
        order = np.argsort(-logit, kind="stable")[: self.keep]
        least = self._logit[-1] if len(self._logit) == self.keep > 0 else -np.inf
        order = order[logit[order] > least]
        if not len(order):
            return
        entering = np.full((len(order), *self.pixels.shape[1:]), np.nan, np.float32)
        self._conversion.fill(entering, cutouts[order])
        pixels, logits = np.concatenate([self.pixels, entering]), np.concatenate([self._logit, logit[order]])
        # Stable: of equal ones the earlier stays first, as in the table.
        kept = np.argsort(-logits, kind="stable")[: self.keep]
        self.pixels, self._logit = pixels[kept], logits[kept]


def rank(
    images: Images,
    scorer: artifact.Scorer,
    *,
    prior: float | None = None,
    views: int = 1,
    keep: int = 0,
    progress: bool = True,
) -> Ranking:
    """Score images and sort them.

    Images are read ahead in threads while the detector works, a few batches at
    a time: memory does not grow with their number.

    Parameters
    ----------
    images : Images
        As ``open_images`` opens them.
    scorer : Scorer
        The detector.
    prior : float, optional
        Fraction of lenses among such images; by default that of the stamps on
        which the probability was calibrated. The order does not depend on it.
    views : int
        As a ``Scorer`` takes them.
    keep : int
        How many of the best cutouts to keep.
    progress : bool
        Whether to show a progress bar where standard error is a terminal.

    Returns
    -------
    Ranking

    Raises
    ------
    InputError
        If the detector does not take such images, the prior is no fraction, or
        ``views`` is neither 1 nor 8.
    """
    card, form, source = scorer.card, images.form, images.source
    best = _Best(keep, plan_conversion(card, **form), card.size)
    lacking = missing_bands(card, source.frame.survey.band_names)
    hidden = not progress or not sys.stderr.isatty()
    tables = []
    with (
        tqdm(total=len(source), unit="image", desc="score", disable=hidden) as bar,
        closing(source.batches(_BATCH_SIZE)) as batches,
    ):
        for batch in batches:
            cutouts = images.cutouts(batch.pixels)
            scores = scorer(cutouts, **form, prior=prior, batch_size=_BATCH_SIZE, views=views)
            logit = np.where(batch.refused | ~np.isfinite(scores.logit), np.float32(np.nan), scores.logit)
            best.add(cutouts, logit)
            tables.append(_table(batch, logit, scores.probability, lacking=lacking))
            bar.update(len(batch))
    table = pd.concat(tables, ignore_index=True)
    table = table.sort_values("logit", ascending=False, kind="stable", na_position="last", ignore_index=True)
    table.attrs["detector"] = titled(scorer.title, views)
    prior = card.calibration_of(form["bands"]).lens_fraction if prior is None else prior
    return Ranking(table, best.pixels, card, table.attrs["detector"], prior)


def _table(batch: CutoutBatch, logit: np.ndarray, probability: np.ndarray, *, lacking: tuple[str, ...]) -> pd.DataFrame:
    flags, reasons = batch.flags.copy(), list(batch.reasons)
    for row in np.flatnonzero(~batch.refused):
        if lacking:
            flags[row] |= quality.bits("missing_band")
            reasons[row] = _joined(reasons[row], f"of the detector's bands, {', '.join(lacking)} not given")
        if np.isnan(logit[row]):
            reasons[row] = _joined(reasons[row], "the detector gives no finite number for such pixels")
    probability = np.where(np.isnan(logit), np.float32(np.nan), probability)
    # names of files that are not UTF-8 have letters that no table holds
    ids, paths, reasons = ([storable(str(text)) for text in texts] for texts in (batch.ids, batch.paths, reasons))
    values = (ids, paths, logit, probability, flags, reasons)
    return pd.DataFrame(dict(zip(COLUMNS, values, strict=True)))


def _joined(*texts: str) -> str:
    return "; ".join(filter(None, texts))


def score(
    images,
    model: str | Path | artifact.Scorer | None = None,
    *,
    survey: str | Survey | None = None,
    bands: Sequence[str] | None = None,
    pixel_scale_arcsec: float | None = None,
    zero_point_mag: float | Sequence[float] | None = None,
    fit: str | None = "both",
    max_pixels: int = CUTOUT_PIXELS,
    trust_units: bool = False,
    prior: float | None = None,
    views: int = 1,
    trust_model: bool = False,
    progress: bool = True,
) -> pd.DataFrame:
    """Score images, the most lens-like first.

    Parameters
    ----------
    images : path, list of paths, or ndarray
        Files and folders in any of the forms that ``data.open_cutouts`` reads,
        or an array ``(n, height, width, band)``.
    model : str, path or Scorer, optional
        A trained detector: name, folder, or already loaded. By default the one
        that comes with the package for the survey of the images.
    survey : str or Survey, optional
        Where the images are from, if they do not say so themselves (simulated
        stamps and the layout of the Bologna Lens Challenge do).
    bands : sequence of str, optional
        Bands of the images, in the order of their planes, if not all of the
        survey.
    pixel_scale_arcsec : float, optional
        Side of a pixel in arcsec, for images of no named survey.
    zero_point_mag : float or sequence of float, optional
        AB magnitude of one flux unit, one or one for each band, for the same.
    fit : str, optional
        "crop", "pad" or "both" for images of another size than the detector's;
        None refuses them.
    max_pixels : int
        Pixels that the images in one file may have; what claims more is refused.
    trust_units : bool
        Whether the declaration is believed against what headers and background
        of the images say.
    prior : float, optional
        Fraction of lenses among such images, to which ``probability`` is
        corrected; by default that of the stamps on which the detector was calibrated.
    views : int
        8 for the mean logit over turns and mirrors, at eight times the cost; as
        a ``Scorer`` takes them.
    trust_model : bool
        Whether to load a detector whose program does more than compute.
    progress : bool
        Whether to show a progress bar where standard error is a terminal.

    Returns
    -------
    DataFrame
        One row an image, highest logit first: ``id``, ``path``, ``logit``,
        ``probability``, ``flags`` (bits of ``lensdetect.flags``), ``reason``.
        A refused image has NaN for a logit and stands at the end. ``attrs`` names
        the ``detector``.

    Raises
    ------
    InputError
        If the images cannot be read at all, it is not known what they are, the
        detector does not take them, or ``views`` is neither 1 nor 8.
    ArtifactError
        If the detector's folder is incomplete or has been altered, or its
        program does more than compute.
    """
    check_views(views)
    loaded = None if model is None or isinstance(model, str | Path) else model
    # The card tells what the detector takes before TensorFlow is loaded.
    folder = loaded.folder if loaded else artifact.find_detector(model, survey=survey_name(images, survey))
    card = loaded.card if loaded else artifact.load_card(folder)
    opened = open_images(
        images,
        card,
        survey=survey,
        bands=bands,
        pixel_scale_arcsec=pixel_scale_arcsec,
        zero_point_mag=zero_point_mag,
        fit=fit,
        max_pixels=max_pixels,
        trust_units=trust_units,
    )
    scorer = loaded or artifact.load_detector(folder, trust_model=trust_model)
    return rank(opened, scorer, prior=prior, views=views, progress=progress).table
