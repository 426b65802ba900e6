"""Masks: which of their bits say that a pixel is none.

A bit is used only if its meaning is known, by the header of the mask or by the
survey's row; the same bit is "saturated" in one survey and "a galaxy was found
here" in the next. What is not known is left aside, and told.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lensdetect.survey import Survey

#: There is no good pixel. Names of Rubin and HSC (dp1.lsst.io, "Mask planes"), DES (Morganson+ 2018, PASP 130
#: 074501, table of BADPIX bits), the Legacy Surveys (legacysurvey.org, "DR10 bitmasks") and KiDS (KiDS-ESO DR1).
_FATAL = frozenset(
    "BAD BPM BADPIX BAD_PIXEL BADAMP SAT SATURATE SATURATED SATUR SATURATION_CORE NO_DATA NODATA INVALID "
    "EDGE SENSOR_EDGE UNMASKEDNAN CR CRAY COSMIC TRAIL EDGEBLEED BLEED ALLMASK READOUT_SPIKE DIFFRACTION_SPIKE "
    "MANUAL HOT COLD DEAD".split()
)
#: Light is there, on a background that is not to be trusted.
_SUSPECT = frozenset(
    "BRIGHT BRIGHT_OBJECT STAR PRIMARY_HALO SECONDARY_HALO TERTIARY_HALO HALO GHOST STREAK SSXTALK CROSSTALK "
    "SUSPECT".split()
)
#: Nothing is wrong with the pixel.
_HARMLESS = frozenset(
    "DETECTED DETECTED_NEGATIVE INTRP INTERP INTERPOLATED FIX FIXED CLIPPED REJECTED INEXACT_PSF NOT_DEBLENDED "
    "NPRIMARY PRIMARY MEDIUM GALAXY CLUSTER BAILOUT WISEM1 WISEM2 NEAREDGE TAPEBUMP PARTLY_VIGNETTED VIGNETTED "
    "OUTLIER INJECTED INJECTED_CORE INJECTED_TEMPLATE SAT_TEMPLATE STREAK_TEMPLATE".split()
)
#: Rays that hit a pixel, which is a good one again where the bit of an interpolated one is set with it.
_RAYS, _REPAIRED = frozenset("CR CRAY COSMIC".split()), frozenset("INTRP INTERP INTERPOLATED".split())


@dataclass(frozen=True)
class MaskRule:
    """Bits of a mask by what they mean, as numbers to be compared with its pixels.

    Parameters
    ----------
    fatal : int
        There is no pixel.
    rays : int
        There is none, unless a bit of ``repaired`` is set, too.
    repaired : int
    suspect : int
        The background is suspect.
    known : int
        All whose meaning is known.
    """

    fatal: int = 0
    rays: int = 0
    repaired: int = 0
    suspect: int = 0
    known: int = 0

    def bad(self, bits: np.ndarray) -> np.ndarray:
        """Which pixels are none.

        Parameters
        ----------
        bits : ndarray
            Whole numbers.

        Returns
        -------
        ndarray
            bool, of the same shape.
        """
        bad = bits & self.fatal != 0
        if self.rays:
            bad |= (bits & self.rays != 0) & (bits & self.repaired == 0)
        return bad


def no_pixel(kind: str, said: np.ndarray, rule: MaskRule | None = None) -> np.ndarray:
    """Where what lies beside an image says that there is no pixel.

    Parameters
    ----------
    kind : str
        ``wei`` (none of weight 0 or less), ``var`` or ``rms`` (none of 0 or
        without end) or ``msk`` (none under fatal bits).
    said : ndarray
        Its values; of a mask, whole numbers, or such as floating ones.
    rule : MaskRule, optional
        Of a mask.

    Returns
    -------
    ndarray
        bool, of the same shape.
    """
    if kind == "msk":
        return rule.bad(said if said.dtype.kind in "iu" else np.nan_to_num(said).astype(np.int64))
    return ~(said > 0.0) if kind == "wei" else ~((said > 0.0) & (said < np.inf))


def mask_rule(header_bits: tuple[tuple[str, int], ...], survey: Survey, *, band: str) -> MaskRule:
    """What the bits of a mask mean.

    Parameters
    ----------
    header_bits : tuple of (str, int)
        Names and numbers of bits that its header states; where there are such,
        the survey's row is not asked.
    survey : Survey
    band : str
        Of the image that is masked: ``SATUR_G`` matters to g alone.

    Returns
    -------
    MaskRule
        All 0 if nothing is known.
    """
    rule: dict[str, int] = {name: 0 for name in ("fatal", "rays", "repaired", "suspect", "known")}
    for name, bit in header_bits or survey.files.mask_bits:
        for meaning in _meanings(name.upper(), survey, band=band):
            rule[meaning] |= 1 << bit
    return MaskRule(**rule)


def _meanings(name: str, survey: Survey, *, band: str) -> tuple[str, ...]:
    stem, _, last = name.rpartition("_")
    if stem in {"SATUR", "ALLMASK", "ANYMASK"}:
        name = stem if last == band.upper() and stem != "ANYMASK" else "NPRIMARY"
    files = survey.files
    if name in _RAYS and name not in files.harmless:
        return "rays", "known"
    if name in _REPAIRED:
        return "repaired", "known"
    if name in {*map(str.upper, files.harmless)}:
        return ("known",)
    if name in _FATAL or name in {*map(str.upper, files.fatal)}:
        return "fatal", "known"
    if name in _SUSPECT or name in {*map(str.upper, files.suspect)}:
        return "suspect", "known"
    return ("known",) if name in _HARMLESS else ()
