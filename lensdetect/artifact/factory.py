"""A factory of scorers that can be sent to other processes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lensdetect.artifact.card import load_card
from lensdetect.artifact.views import check_views
from lensdetect.errors import ArtifactError


@dataclass(frozen=True)
class ScorerFactory:
    """Make, in whatever process it is called, what scores cutouts with some detectors.

    Parameters
    ----------
    folders : tuple of str
        Of trained detectors; all are given the same cutouts.
    bands : tuple of str
        Of the cutouts, in array order; a detector is given those that it takes.
    zero_points_mag : tuple of float
        AB magnitude of one flux unit, one a band.
    pixel_scale_arcsec : float
        Of the cutouts.
    digests : tuple of str
        ``Card.digest`` of each, which its folder must still have when it is
        loaded: a process that lives on may see another one under its path.
    trust_model : bool
        Whether to load folders whose program does more than compute.
    views : int
        As a ``Scorer`` takes them.

    Raises
    ------
    InputError
        If ``views`` is neither 1 nor 8.
    """

    folders: tuple[str, ...]
    bands: tuple[str, ...]
    zero_points_mag: tuple[float, ...]
    pixel_scale_arcsec: float
    digests: tuple[str, ...] = ()
    trust_model: bool = False
    views: int = 1

    def __post_init__(self):
        """Refuse a wrong number of views here, and not in each process."""
        check_views(self.views)

    def __call__(self) -> Callable[[np.ndarray], np.ndarray]:
        """Load the detectors.

        Returns
        -------
        callable
            From cutouts ``(n, size, size, band)`` to float32 logits ``(n, detectors)``;
            a detector of smaller cutouts is given their middle.

        Raises
        ------
        ArtifactError
            If a folder is incomplete or has been altered, or is another than was meant.
        """
        # TensorFlow is loaded here, and not in the process that only hands this on.
        from lensdetect.artifact.scorer import load_detector

        loaded = [load_detector(folder, trust_model=self.trust_model) for folder in self.folders]
        for folder, digest in zip(self.folders, self.digests, strict=False):
            # read when it is loaded: what was put there meanwhile is found as well
            if load_card(folder).digest != digest:
                raise ArtifactError(
                    f"{folder} must hold the detector with which this began, and holds another now: run the same again"
                )
        detectors = [self._bound(detector) for detector in loaded]
        return lambda cutouts: np.stack([detector(cutouts) for detector in detectors], axis=1)

    def _bound(self, scorer) -> Callable[[np.ndarray], np.ndarray]:
        places = [place for place, band in enumerate(self.bands) if band in scorer.bands]
        form = {
            "bands": [self.bands[place] for place in places],
            "zero_points_mag": [self.zero_points_mag[place] for place in places],
            "pixel_scale_arcsec": self.pixel_scale_arcsec,
            "views": self.views,
        }
        size = scorer.card.size

        def score(cutouts: np.ndarray) -> np.ndarray:
            margin = (cutouts.shape[1] - size) // 2
            inner = cutouts if margin == 0 else cutouts[:, margin : margin + size, margin : margin + size]
            return scorer(inner if len(places) == len(self.bands) else inner[..., places], **form).logit

        return score
