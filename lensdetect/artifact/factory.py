"""A factory of scorers that can be sent to other processes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


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
    trust_model : bool
        Whether to load folders whose program does more than compute.
    """

    folders: tuple[str, ...]
    bands: tuple[str, ...]
    zero_points_mag: tuple[float, ...]
    pixel_scale_arcsec: float
    trust_model: bool = False

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
            If a folder is incomplete or has been altered.
        """
        # TensorFlow is loaded here, and not in the process that only hands this on.
        from lensdetect.artifact.scorer import load_detector

        detectors = [self._bound(load_detector(folder, trust_model=self.trust_model)) for folder in self.folders]
        return lambda cutouts: np.stack([detector(cutouts) for detector in detectors], axis=1)

    def _bound(self, scorer) -> Callable[[np.ndarray], np.ndarray]:
        places = [place for place, band in enumerate(self.bands) if band in scorer.bands]
        form = {
            "bands": [self.bands[place] for place in places],
            "zero_points_mag": [self.zero_points_mag[place] for place in places],
            "pixel_scale_arcsec": self.pixel_scale_arcsec,
        }
        size = scorer.card.size

        def score(cutouts: np.ndarray) -> np.ndarray:
            margin = (cutouts.shape[1] - size) // 2
            inner = cutouts if margin == 0 else cutouts[:, margin : margin + size, margin : margin + size]
            return scorer(inner if len(places) == len(self.bands) else inner[..., places], **form).logit

        return score
