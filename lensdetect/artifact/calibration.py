"""From the logit of a detector to a probability, and to one on a sky with another share of lenses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lensdetect.errors import InputError
from lensdetect.fields import within
from lensdetect.metrics import prior_corrected


@dataclass(frozen=True)
class Calibration:
    """What makes a logit a calibrated one: ``slope * logit + intercept``.

    Parameters
    ----------
    slope : float
        Above 0, so that the ranking stays.
    intercept : float
    lens_fraction : float or None
        Share of lenses among the stamps on which it was fitted: its prior. None
        where that is not known.
    bands : tuple of str
        Bands that those stamps had.

    Raises
    ------
    InputError
        If a number is out of its range.
    """

    slope: float = 1.0
    intercept: float = 0.0
    lens_fraction: float | None = None
    bands: tuple[str, ...] = ()

    def __post_init__(self):
        """Refuse what is no calibration."""
        within(self.slope, low=1e-6, high=1e6, place="the slope of a calibration")
        within(self.intercept, low=-1e6, high=1e6, place="the intercept of a calibration")
        if self.lens_fraction is not None and not 0 < self.lens_fraction < 1:
            raise InputError(f"the lens_fraction of a calibration must lie between 0 and 1, got {self.lens_fraction:g}")

    def logit(self, logit: np.ndarray, *, prior: float | None = None) -> np.ndarray:
        """Calibrated logit.

        Parameters
        ----------
        logit : array_like
            Of the detector.
        prior : float, optional
            Share of lenses where it is used, by Bayes' rule; by default the one
            where it was fitted.

        Returns
        -------
        ndarray
            float64, of the same shape.

        Raises
        ------
        InputError
            If a prior is given and that of the fit is not known, or it is no fraction.
        """
        calibrated = self.slope * np.asarray(logit, np.float64) + self.intercept
        if prior is None:
            return calibrated
        if self.lens_fraction is None:
            raise InputError(
                "a probability can be corrected for a prior only if the card says what share of the stamps it was "
                "calibrated on were lenses, and this one does not: leave the prior out and rank by logit, or export "
                "the detector again from its run"
            )
        return prior_corrected(calibrated, training_prior=self.lens_fraction, prior=prior)
