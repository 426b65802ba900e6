"""How much of the arcs can be seen: what truth tells about them."""

from __future__ import annotations

import math

import numpy as np

from lensdetect.simulation.conditions import Conditions
from lensdetect.simulation.population import Visibility
from lensdetect.simulation.scene import Scene
from lensdetect.survey import Survey


def measure_arcs(
    arcs: np.ndarray,
    survey: Survey,
    *,
    scene: Scene,
    conditions: Conditions,
    foreground: np.ndarray | None = None,
) -> Visibility:
    """How visible the lensed source is.

    The count is of the pixels of the source-only image in the reference band
    that exceed one sigma of the sky, and the flux is summed over just these, in
    sigma: in the challenge's own table the ratio of the two is never below 1,
    which no other sum would guarantee. Both are of the unmasked image, as there.

    Parameters
    ----------
    arcs : ndarray
        ``(size, size, band)``, blurred and noiseless.
    survey : Survey
    scene : Scene
        Its Einstein radius is compared with the seeing.
    conditions : Conditions
        Sky sigma and PSF of each band, and what is masked.
    foreground : ndarray, optional
        ``(size, size, band)``, noiseless: what the arcs are seen against.

    Returns
    -------
    Visibility
    """
    number = survey.band_names.index(survey.reference_band)
    in_sigma = arcs / np.asarray(conditions.noise_sigma, np.float32)
    reference = in_sigma[..., number]
    bright = reference > 1.0
    seen = np.s_[:] if conditions.masked is None else ~conditions.masked
    over_light = math.nan
    if foreground is not None:
        light = foreground / np.asarray(conditions.noise_sigma, np.float32)
        over_light = math.sqrt(float((np.square(in_sigma) / (1.0 + np.square(light)))[seen].sum(dtype=np.float64)))
    return Visibility(
        einstein_radius_over_seeing=scene.einstein_radius_arcsec / conditions.psf_fwhm_arcsec[number],
        arc_pixel_count=int(bright.sum()),
        arc_flux_sigma=float(reference[bright].sum(dtype=np.float64)),
        arc_snr=math.sqrt(float(np.square(in_sigma[seen]).sum(dtype=np.float64))),
        arc_snr_over_light=over_light,
    )
