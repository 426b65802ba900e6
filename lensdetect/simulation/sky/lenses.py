"""Draw lenses: deflector and source together, again and again until the arcs can be seen."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from lensdetect.errors import InputError
from lensdetect.simulation.scene import IsothermalMass
from lensdetect.simulation.sky.deflectors import EarlyType, draw_within_limits, dress_early_type
from lensdetect.simulation.sky.distances import isothermal_einstein_radius_arcsec
from lensdetect.simulation.sky.environment import draw_mass, draw_shear
from lensdetect.simulation.sky.parameters import (
    EarlyTypePopulation,
    HaloPopulation,
    LensEnvironment,
    SkySourcePopulation,
)
from lensdetect.simulation.sky.sources import SkySource, draw_mags_and_redshifts, draw_source
from lensdetect.simulation.sky.visibility import VisibilityCut, estimate_visibility, point_snr
from lensdetect.survey import Survey

#: Pairs of deflector and source drawn at a time, and how often before giving up.
_BATCH, _MOST_BATCHES = 512, 400

#: What the quick bound leaves of the S/N of a point that an isothermal sphere
#: magnifies. Arcs are wider than a point and lie on light: of 6,000 sources under
#: KiDS conditions those that could be seen kept less than 0.2 of it.
_SPREAD = 0.4

#: Undetected lenses have an Einstein radius above this, in arcsec: below, the source is merely hidden.
_SMALLEST_RADIUS_ARCSEC = 0.2


@dataclass(frozen=True)
class Lens:
    """A deflector and a source behind it.

    Parameters
    ----------
    galaxy : EarlyType
    mass : IsothermalMass
        Of the galaxy and its halo, without companions.
    shear : tuple of float
    source : SkySource
        Placed for that mass alone.
    own_radius_arcsec : float
        Einstein radius of the galaxy without its halo.
    """

    galaxy: EarlyType
    mass: IsothermalMass
    shear: tuple[float, float]
    source: SkySource
    own_radius_arcsec: float


@dataclass(frozen=True)
class _Pair:
    """A deflector and a source as numbers."""

    redshift: float
    velocity_dispersion_km_s: float
    mag: float
    source_mag: float
    source_redshift: float
    own_radius_arcsec: float
    einstein_radius_arcsec: float
    offset: float


@dataclass(frozen=True)
class LensDrawing:
    """What lenses are drawn from.

    Parameters
    ----------
    early_types : EarlyTypePopulation
    environment : LensEnvironment
        Its share in the mass of the galaxy and the shear; the surroundings are drawn apart.
    sources : SkySourcePopulation
    cut : VisibilityCut
        What counts as visible.
    halos : HaloPopulation
    survey : Survey
        Under whose typical conditions.
    """

    early_types: EarlyTypePopulation
    environment: LensEnvironment
    halos: HaloPopulation
    sources: SkySourcePopulation
    cut: VisibilityCut
    survey: Survey

    def draw(self, *, rng: np.random.Generator) -> Lens:
        """Draw one lens, mostly one that can be seen.

        Parameters
        ----------
        rng : numpy.random.Generator

        Returns
        -------
        Lens

        Raises
        ------
        InputError
            If none is found among a million: the cut and the populations do not go together.
        """
        quasar = bool(rng.random() < self.sources.quasars.share)
        as_it_comes = bool(rng.random() < self.sources.undetected_share)
        wanted = self._draw_halo_radius(rng=rng)
        for pair in self._pairs(wanted, quasar=quasar, as_it_comes=as_it_comes, rng=rng):
            lens = self._dress(pair, quasar=quasar, rng=rng)
            if as_it_comes or quasar or self._is_visible(lens, pair):
                return lens
        raise InputError(
            f"no lens that can be seen was found in {_BATCH * _MOST_BATCHES} draws for survey {self.survey.name}: "
            f"loosen the visibility cut, or let sources be brighter"
        )

    def _draw_halo_radius(self, *, rng) -> float | None:
        """Einstein radius of a lens with a halo; None where it follows from the galaxy."""
        if not self.halos.share or rng.random() >= self.halos.share:
            return None
        low, high = self.halos.radius_range_arcsec
        low = max(low, min(self._smallest_radius_arcsec(), 0.99 * high))
        while True:
            radius = math.exp(rng.uniform(math.log(low), math.log(high)))
            if rng.random() < min((self.halos.knee_arcsec / radius) ** self.halos.steepness, 1.0):
                return radius

    def _pairs(self, wanted: float | None, *, quasar: bool, as_it_comes: bool, rng) -> Iterator[_Pair]:
        """Pairs by their number on the sky, without those that surely cannot be seen."""
        early_types = self.early_types if as_it_comes else self._heavy_enough()
        for _ in range(_MOST_BATCHES):
            deflectors = draw_within_limits(early_types, _BATCH, rng=rng, by_cross_section=True)
            mag, source_redshift = draw_mags_and_redshifts(self.sources, len(deflectors), quasar=quasar, rng=rng)
            sigma = deflectors[:, 1]
            radius, whole = (
                isothermal_einstein_radius_arcsec(sigma, deflector_redshift=near, source_redshift=source_redshift)
                for near in (deflectors[:, 0], 0.0)
            )
            # the area behind which a source is lensed goes as the radius squared; the
            # fourth power of the velocity dispersion is in the deflectors already
            kept = (rng.random(len(radius)) < (radius / whole) ** 2) & (radius > _SMALLEST_RADIUS_ARCSEC)
            own = radius
            if wanted is not None:
                kept &= (radius <= wanted) & (radius >= self.halos.own_share_min * wanted)
                radius = np.full_like(radius, wanted)
            offset = self.sources.offset_einstein_radii * np.sqrt(rng.random(len(radius)))
            if not as_it_comes:
                kept &= self._may_be_visible(radius, offset=offset, mag=mag, points=quasar)
            for row in np.column_stack((deflectors, mag, source_redshift, own, radius, offset))[kept]:
                yield _Pair(*(float(value) for value in row))

    def _smallest_radius_arcsec(self) -> float:
        """Below it the cut admits no lens."""
        seeing = self.survey.select([self.survey.reference_band])[0].psf_fwhm_arcsec
        return self.cut.einstein_radius_over_seeing_min * seeing

    def _heavy_enough(self) -> EarlyTypePopulation:
        """The early types without those that are too light to be seen as lenses, however far the source is."""
        low, high = self.early_types.sigma_range_km_s
        farthest = isothermal_einstein_radius_arcsec(1.0, deflector_redshift=0.0, source_redshift=1.0)
        lightest = math.sqrt(self._smallest_radius_arcsec() / farthest)
        return replace(self.early_types, sigma_range_km_s=(min(max(low, lightest), high - 1e-3), high))

    def _may_be_visible(self, radius: np.ndarray, *, offset: np.ndarray, mag: np.ndarray, points: bool) -> np.ndarray:
        """A bound that costs little: a point so magnified would reach the S/N."""
        survey, sources = self.survey, self.sources
        snr = point_snr((0.0,) * 6, survey) * 10.0 ** (-0.4 * mag)
        # a disc of radius a behind a sphere is magnified 4 radius / a at most, a point 2 / offset
        length = np.exp(sources.size_at_23 + sources.size_per_mag * (mag - 23.0))
        blunt = 0.0 if points else 0.5 * length / np.maximum(radius, _SMALLEST_RADIUS_ARCSEC)
        magnification = 2.0 * _SPREAD / np.maximum(offset, np.maximum(0.5 * blunt, 0.02))
        needed = max(self.cut.arc_snr_min, self.cut.arc_snr_over_light_min)
        resolved = radius >= self._smallest_radius_arcsec()
        return resolved & (offset <= self.cut.source_offset_max) & (snr * magnification >= needed)

    def _dress(self, pair: _Pair, *, quasar: bool, rng) -> Lens:
        """Shapes, colours and directions of a pair."""
        galaxy = dress_early_type(
            self.early_types,
            pair.redshift,
            velocity_dispersion_km_s=pair.velocity_dispersion_km_s,
            mag=pair.mag,
            rng=rng,
        )
        mass = draw_mass(self.environment, galaxy, einstein_radius_arcsec=pair.einstein_radius_arcsec, rng=rng)
        direction = rng.uniform(0.0, 2.0 * math.pi)
        away = pair.offset * pair.einstein_radius_arcsec
        position = mass.x_arcsec + away * math.cos(direction), mass.y_arcsec + away * math.sin(direction)
        source = draw_source(
            self.sources, position, mag=pair.source_mag, redshift=pair.source_redshift, quasar=quasar, rng=rng
        )
        shear = draw_shear(self.environment, rng=rng)
        return Lens(galaxy, mass, shear, source, pair.own_radius_arcsec)

    def _is_visible(self, lens: Lens, pair: _Pair) -> bool:
        source = lens.source
        visibility = estimate_visibility(
            lens.mass,
            shear=lens.shear,
            deflector=lens.galaxy.light,
            source=(source.light[0].x_arcsec, source.light[0].y_arcsec, source.radius_arcsec),
            source_mags=source.mags,
            survey=self.survey,
        )
        return self.cut.admits(visibility, source_offset=pair.offset)
