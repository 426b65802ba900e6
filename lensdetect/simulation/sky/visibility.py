"""What counts as a lens that can be seen, and a quick estimate of it."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np
from scipy import fft

from lensdetect.simulation.population import Visibility
from lensdetect.simulation.render.deflection import trace_rays
from lensdetect.simulation.render.fluxes import band_fluxes
from lensdetect.simulation.render.profiles import profile_of
from lensdetect.simulation.render.seeing import psf_transfer
from lensdetect.simulation.scene import IsothermalMass, Light
from lensdetect.survey import Band, Survey

#: Full width at half maximum over standard deviation, and half-light radius over
#: standard deviation, of a Gaussian.
_FWHM, _HALF_LIGHT = 2.0 * math.sqrt(2.0 * math.log(2.0)), math.sqrt(2.0 * math.log(2.0))

#: Pixels of the survey along one side of a cell of the estimate.
_COARSE = 2

#: Most cells along one side of the estimate.
_CELLS = 64


@dataclass(frozen=True)
class VisibilityCut:
    """The rule by which a stamp with a source is a lens; all of it must hold.

    It follows Collett 2015 (ApJ 811, 20): arcs of total S/N above 20, an
    Einstein radius that the seeing resolves, a total magnification above 3. But
    that paper takes the deflector's light for perfectly subtracted; here the
    arcs have to stand out in the image as it is.

    Parameters
    ----------
    arc_snr_min : float
        S/N of the arcs over all bands (Collett 2015: 20).
    arc_snr_over_light_min : float
        The same where the light under the arcs counts as noise. With 20 the arcs
        of simulated lenses can be found by eye in colour pictures; below 10
        hardly any (our own look at some hundreds).
    arc_pixel_count_min : int
        Pixels of the arcs above one sigma in the reference band (20, as in the
        second challenge, see Metcalf+ 2019).
    einstein_radius_over_seeing_min : float
        Einstein radius over the width of the PSF in the reference band (Collett
        2015: 0.5; with 1.2 images stand apart from the deflector without a model of it).
    source_offset_max : float
        Distance of the source from the deflector, in Einstein radii. An
        isothermal sphere magnifies ``2 / offset`` times: 2/3 is a magnification of 3.
    """

    arc_snr_min: float = 20.0
    arc_snr_over_light_min: float = 20.0
    arc_pixel_count_min: int = 20
    einstein_radius_over_seeing_min: float = 1.2
    source_offset_max: float = 2.0 / 3.0

    def admits(self, visibility: Visibility, *, source_offset: float) -> bool:
        """Whether arcs can be seen.

        Parameters
        ----------
        visibility : Visibility
        source_offset : float
            In Einstein radii.

        Returns
        -------
        bool
        """
        return (
            visibility.arc_snr >= self.arc_snr_min
            # what was not measured does not tell against it
            and not visibility.arc_snr_over_light < self.arc_snr_over_light_min
            and visibility.arc_pixel_count >= self.arc_pixel_count_min
            and visibility.einstein_radius_over_seeing >= self.einstein_radius_over_seeing_min
            and source_offset <= self.source_offset_max
        )


def point_snr(mags: tuple[float, ...], survey: Survey) -> float:
    """S/N over all bands of a point source under a survey's typical conditions.

    ``sqrt(sum (flux / sigma)**2)`` over the pixels of a Gaussian PSF of standard
    deviation s pixels is ``flux / (sigma s sqrt(4 pi))``.

    Parameters
    ----------
    mags : tuple of float
        In the order of ``SCENE_BANDS``.
    survey : Survey

    Returns
    -------
    float
    """
    width = np.array([band.psf_fwhm_arcsec for band in survey.bands]) / (_FWHM * survey.pixel_scale_arcsec)
    sigma = np.array([band.noise_sigma for band in survey.bands])
    return float(np.sqrt(np.sum(np.square(band_fluxes(mags, survey) / (sigma * width)))) / math.sqrt(4.0 * math.pi))


def estimate_visibility(
    mass: IsothermalMass,
    *,
    shear: tuple[float, float],
    deflector: tuple[Light, ...],
    source: tuple[float, float, float],
    source_mags: tuple[float, ...],
    survey: Survey,
) -> Visibility:
    """Estimate how visible the arcs of a round Gaussian source are, on pixels twice as wide as the survey's.

    Parameters
    ----------
    mass : IsothermalMass
    shear : tuple of float
    deflector : tuple of Light
        Light that the arcs lie on.
    source : tuple of float
        Unlensed x and y, and half-light radius, in arcsec.
    source_mags : tuple of float
        Total, unlensed, in the order of ``SCENE_BANDS``.
    survey : Survey
        Its typical noise and seeing.

    Returns
    -------
    Visibility
    """
    cell = _COARSE * survey.pixel_scale_arcsec
    number = survey.band_names.index(survey.reference_band)
    seeing = survey.bands[number].psf_fwhm_arcsec
    reach = 1.5 * mass.einstein_radius_arcsec + 2.0 * source[2] + seeing
    axis = (np.arange(min(2 * math.ceil(reach / cell), _CELLS)) + 0.5) * cell
    axis -= axis.mean()
    x, y = axis + mass.x_arcsec, (axis + mass.y_arcsec)[:, None]
    beta_x, beta_y = trace_rays(*np.broadcast_arrays(x, y), masses=(mass,), shear=shear)
    # wide enough for the cells to sample it
    variance = (source[2] / _HALF_LIGHT) ** 2 + (0.4 * cell) ** 2
    away = np.square(beta_x - source[0]) + np.square(beta_y - source[1])
    arcs = band_fluxes(source_mags, survey)[:, None, None] * np.exp(-0.5 * away / variance) / (2.0 * math.pi * variance)
    light = np.zeros_like(arcs)
    for part in deflector:
        profile = profile_of(part)
        brightness = profile.brightness(x - profile.x_arcsec, y - profile.y_arcsec)
        light += band_fluxes(part.mags, survey)[:, None, None] * brightness
    sigma = np.array([band.noise_sigma for band in survey.bands])[:, None, None]
    # of one pixel of the survey, in sigma
    arcs, light = _blur(
        np.stack((arcs, light)) * (survey.pixel_scale_arcsec**2 / sigma), survey.bands, cell_arcsec=cell
    )
    bright = arcs[number] > 1.0
    return Visibility(
        einstein_radius_over_seeing=mass.einstein_radius_arcsec / seeing,
        arc_pixel_count=_COARSE**2 * int(bright.sum()),
        arc_flux_sigma=_COARSE**2 * float(arcs[number][bright].sum()),
        arc_snr=_COARSE * math.sqrt(float(np.square(arcs).sum())),
        arc_snr_over_light=_COARSE * math.sqrt(float((np.square(arcs) / (1.0 + np.square(light))).sum())),
    )


def _blur(images: np.ndarray, bands: tuple[Band, ...], *, cell_arcsec: float) -> np.ndarray:
    """Seeing on coarse cells: ``(n, band, cells, cells)``, in a frame wide enough for the cores of the PSFs."""
    cells = images.shape[-1]
    frame = fft.next_fast_len(cells + _CELLS // 4, real=True)
    spectrum = fft.rfft2(images, (frame, frame))
    spectrum *= _transfers(bands, frame, cell_arcsec)
    return fft.irfft2(spectrum, (frame, frame))[..., :cells, :cells]


@functools.lru_cache(maxsize=256)
def _transfers(bands: tuple[Band, ...], frame: int, cell_arcsec: float) -> np.ndarray:
    rows = np.fft.fftfreq(frame, cell_arcsec)[:, None]
    frequency = 2.0 * math.pi * np.hypot(rows, np.fft.rfftfreq(frame, cell_arcsec))
    return np.stack([psf_transfer(band.psf_fwhm_arcsec, band.psf_beta, frequency=frequency) for band in bands])
