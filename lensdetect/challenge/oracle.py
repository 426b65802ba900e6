"""The ideal observer: the most that can be told from simulated stamps.

It knows the noiseless arcs t of a lens, the deflector and neighbours, and the
covariance C of the noise, and asks of the stamp x without the foreground
whether the arcs are there: the log likelihood ratio is
``t C^-1 x - t C^-1 t / 2`` (e.g. Barrett & Myers 2004, Foundations of Image
Science, section 13.2), summed over all bands. A stamp without a source is asked
for the arcs of a lens drawn at random.

Left out: that nobody is told which arcs to look for, and that no deflector can
be subtracted without an error. A stamp without a source is most often asked for
arcs so bright that they are plainly not there, while faint arcs have to be
found in their own stamp only. So the bound is a loose one, near 1 wherever most
arcs exceed the noise. Left out too: photon noise of the arcs themselves,
glitches (which it takes for noise), and how often arcs of a kind occur.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from scipy import ndimage

from lensdetect.errors import InputError
from lensdetect.simulation import Population, default_population
from lensdetect.simulation.conditions import Conditions
from lensdetect.simulation.render import expose
from lensdetect.simulation.render.sky import smoothing_kernel
from lensdetect.stamps import Shards
from lensdetect.survey import Survey

#: Of the conjugate gradients: relative error and most steps.
_TOLERANCE, _MAX_STEPS = 1e-3, 100
#: Sides of correlations are rounded as the sky's are when it is drawn.
_CORRELATION_STEP = 1e-3


def oracle_scores(
    stamps: Shards,
    rows: np.ndarray,
    *,
    survey: Survey,
    seed: int,
    bands: tuple[str, ...] = (),
    population: Population | None = None,
) -> np.ndarray:
    """Scores of the ideal observer.

    Parameters
    ----------
    stamps : Shards
        Simulated; their scenes are drawn again from the manifest's seed.
    rows : ndarray of int
        Stamps to score, lenses among them.
    survey : Survey
        Of the stamps.
    seed : int
        Of the lenses whose arcs the others are asked for.
    bands : tuple of str
        In which to look; all if empty.
    population : Population, optional
        That of the manifest by default.

    Returns
    -------
    ndarray
        float32 ``(len(rows),)``, log likelihood ratios.

    Raises
    ------
    InputError
        If the scenes drawn again are not those of the stamps, or there is no lens.
    """
    population = population or manifest_population(stamps.manifest, survey)
    chosen = [survey.band_names.index(name) for name in bands or survey.band_names]
    is_lens = stamps.truth["is_lens"].to_numpy(bool)
    lenses = np.sort(np.asarray(rows)[is_lens[rows]])
    if not len(lenses):
        raise InputError("the oracle asks for the arcs of lenses, got stamps without any: score more of them")
    scores = np.empty(len(rows), np.float32)
    for place, row in enumerate(rows):
        own = _draw_again(stamps, row, survey=survey, population=population)
        donor = row if is_lens[row] else np.random.default_rng([seed, row]).choice(lenses)
        arcs = own.arcs if donor == row else _draw_again(stamps, donor, survey=survey, population=population).arcs
        pixels = stamps.read(np.asarray([row]))[0]
        ratio = log_likelihood_ratio(pixels, own.foreground, arcs=arcs, conditions=own.conditions)
        scores[place] = ratio[chosen].sum()
    return scores


@dataclasses.dataclass(frozen=True)
class _Scene:
    foreground: np.ndarray
    arcs: np.ndarray
    conditions: Conditions


def _draw_again(stamps: Shards, row: int, *, survey: Survey, population: Population) -> _Scene:
    """What a stamp was made of: as ``simulation.plan.make_stamp`` drew it, before the noise."""
    manifest, size = stamps.manifest, stamps.shape[0]
    rng = np.random.default_rng([manifest["seed"], int(row)])
    scene = population.draw_scene(survey, side_arcsec=size * survey.pixel_scale_arcsec, rng=rng)
    conditions = population.draw_conditions(scene, survey, size=size, rng=rng)
    truth = stamps.truth.iloc[row]
    if scene.has_source != truth["has_source"] or not np.isclose(
        scene.einstein_radius_arcsec, truth["einstein_radius_arcsec"], equal_nan=True
    ):
        raise InputError(
            f"the oracle draws the scenes of the stamps again, and got another for stamp {truth['id']}: "
            "simulate the test set with this version of lensdetect and its own population"
        )
    exposure = expose(scene, survey, conditions=conditions, size=size)
    return _Scene(exposure.foreground, exposure.arcs, conditions)


def manifest_population(manifest: dict[str, Any], survey: Survey) -> Population:
    """The population that a manifest describes.

    Parameters
    ----------
    manifest : dict
        Of simulated stamps.
    survey : Survey
        Its default population is of the class that is described.

    Returns
    -------
    Population

    Raises
    ------
    InputError
        If the manifest describes none, or one of another class.
    """
    template = default_population(survey)
    try:
        return _rebuilt(template, manifest["population"])
    except (KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"the oracle needs stamps drawn from {type(template).__name__}, got a manifest of another: {error}"
        ) from error


def _rebuilt(template: Any, value: Any) -> Any:
    """A value from JSON in the form of a template: dataclasses and tuples."""
    if dataclasses.is_dataclass(template):
        names = {field.name for field in dataclasses.fields(template)}
        if names != set(value):
            raise KeyError(", ".join(sorted(names ^ set(value))))
        return dataclasses.replace(template, **{n: _rebuilt(getattr(template, n), v) for n, v in value.items()})
    return _tuples(value)


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


def log_likelihood_ratio(
    pixels: np.ndarray, foreground: np.ndarray, *, arcs: np.ndarray, conditions: Conditions
) -> np.ndarray:
    """Log likelihood ratio of a stamp with the arcs against one without, in each band.

    Parameters
    ----------
    pixels : ndarray
        ``(height, width, band)``, NaN where bad.
    foreground, arcs : ndarray
        Noiseless, of the same shape.
    conditions : Conditions
        Sky, its correlation, photon noise of the foreground, errors of the zero point.

    Returns
    -------
    ndarray
        float64 ``(band,)``.
    """
    gain = np.asarray(conditions.gain or 1.0, np.float64)
    good = np.isfinite(pixels)
    signal = np.where(good, gain * arcs, 0.0)
    light = gain * foreground.astype(np.float64)
    residual = np.where(good, pixels - light, 0.0)
    photons = np.maximum(light, 0.0) * np.asarray(conditions.photon_flux or 0.0, np.float64)
    weighted = _inverse_covariance(signal, good=good, photons=photons, conditions=conditions)
    return (weighted * (residual - signal / 2)).sum(axis=(0, 1))


def _inverse_covariance(signal: np.ndarray, *, good: np.ndarray, photons: np.ndarray, conditions: Conditions):
    """``C^-1 t`` on the good pixels: by division for white noise, else by conjugate gradients."""
    variance = np.square(np.asarray(conditions.noise_sigma, np.float64))
    white = np.where(good, signal / (variance + photons), 0.0)
    if not any(conditions.noise_correlation):
        return white
    rounded = tuple(round(value / _CORRELATION_STEP) * _CORRELATION_STEP for value in conditions.noise_correlation)
    kernel = np.asarray(smoothing_kernel(rounded), np.float64)
    covariance = np.convolve(kernel, kernel[::-1])

    def apply(values: np.ndarray) -> np.ndarray:
        sky = ndimage.convolve1d(values, covariance, axis=0, mode="constant")
        sky = ndimage.convolve1d(sky, covariance, axis=1, mode="constant")
        return np.where(good, variance * sky + photons * values, 0.0)

    return _conjugate_gradients(apply, signal, start=white)


def _conjugate_gradients(apply, target: np.ndarray, *, start: np.ndarray) -> np.ndarray:
    """Solve ``apply(y) = target`` in each band (the last axis) on its own."""
    found = start.copy()
    residual = target - apply(found)
    direction, power = residual, np.square(residual).sum(axis=(0, 1))
    goal = _TOLERANCE**2 * np.square(target).sum(axis=(0, 1))
    for _ in range(_MAX_STEPS):
        open_ = power > goal
        if not open_.any():
            break
        image = apply(direction)
        curvature = (direction * image).sum(axis=(0, 1))
        step = np.divide(power, curvature, out=np.zeros_like(power), where=open_ & (curvature > 0))
        found = found + step * direction
        residual = residual - step * image
        before, power = power, np.square(residual).sum(axis=(0, 1))
        direction = residual + np.divide(power, before, out=np.zeros_like(power), where=before > 0) * direction
    return found
