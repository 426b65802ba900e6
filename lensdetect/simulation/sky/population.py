"""The real sky of any survey: lenses that can be seen or not, and everything that fools."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from lensdetect.simulation.conditions import Conditions
from lensdetect.simulation.neighbours import FieldPopulation, draw_field_galaxies, draw_stars
from lensdetect.simulation.population import Population, Visibility
from lensdetect.simulation.scene import Glitch, Scene
from lensdetect.simulation.sky.deflectors import EarlyType, draw_early_type
from lensdetect.simulation.sky.environment import caustic_centre_arcsec, draw_surroundings, shift_source
from lensdetect.simulation.sky.foolers import PLAIN_KIND, FoolerRates, draw_fooler, draw_kind
from lensdetect.simulation.sky.glitches import GlitchRates, draw_glitches
from lensdetect.simulation.sky.lenses import LensDrawing
from lensdetect.simulation.sky.observing import SkyObserving, draw_conditions
from lensdetect.simulation.sky.parameters import (
    EarlyTypePopulation,
    HaloPopulation,
    LensEnvironment,
    SkySourcePopulation,
)
from lensdetect.simulation.sky.visibility import VisibilityCut
from lensdetect.survey import Survey

#: Galaxies and stars by chance: the counts of the LSST Science Book (46 galaxies
#: per square arcmin to i = 25, 10**(0.3 i)) in r to the faintest that KiDS shows.
_FIELD = FieldPopulation(
    galaxies_per_arcmin2=35.0, stars_per_arcmin2=2.0, mag_range=(17.5, 25.0), galaxy_counts_slope=0.3
)


@dataclass(frozen=True)
class SkyPopulation(Population):
    """What a search meets in a survey's red galaxies, and what it takes for one.

    Parameters
    ----------
    lens_fraction : float
        Share of stamps with a source; the label follows from what can be seen.
    twin_share : float
        Share of the stamps without a source whose galaxy is drawn as those of
        lenses are, heavy and near: with 0 the look of the galaxy alone tells
        much about the class, as it does in the sky.
    early_types : EarlyTypePopulation
    environment : LensEnvironment
        Shear, groups and companions of lenses.
    halos : HaloPopulation
        Mass beyond the galaxies' own; none in a natural sky.
    sources : SkySourcePopulation
    visibility : VisibilityCut
        The rule by which a stamp with a source is a lens.
    foolers : FoolerRates
        Kinds of the stamps without a source.
    glitches : GlitchRates
        Of lenses and others alike.
    neighbours : FieldPopulation
    observing : SkyObserving
    """

    lens_fraction: float = 0.401
    twin_share: float = 0.5
    early_types: EarlyTypePopulation = EarlyTypePopulation()
    environment: LensEnvironment = LensEnvironment()
    halos: HaloPopulation = HaloPopulation()
    sources: SkySourcePopulation = SkySourcePopulation()
    visibility: VisibilityCut = VisibilityCut()
    foolers: FoolerRates = FoolerRates()
    glitches: GlitchRates = GlitchRates()
    neighbours: FieldPopulation = _FIELD
    observing: SkyObserving = SkyObserving()

    def draw_scene(self, survey: Survey, *, side_arcsec: float, rng: np.random.Generator) -> Scene:
        """Draw a lens, or something that is none, with neighbours and glitches; see ``Population``."""
        has_source = rng.random() < self.lens_fraction
        size = max(round(side_arcsec / survey.pixel_scale_arcsec), 1)
        around = {
            "galaxies": draw_field_galaxies(self.neighbours, side_arcsec, rng=rng),
            "stars": draw_stars(self.neighbours, side_arcsec, rng=rng),
            "glitches": draw_glitches(self.glitches, survey, size=size, rng=rng),
        }
        return (self._draw_lens if has_source else self._draw_other)(survey, **around, rng=rng)

    def _lenses(self, survey: Survey) -> LensDrawing:
        return LensDrawing(self.early_types, self.environment, self.halos, self.sources, self.visibility, survey)

    def _draw_lens(self, survey: Survey, *, galaxies, stars, glitches: tuple[Glitch, ...], rng) -> Scene:
        lens = self._lenses(survey).draw(rng=rng)
        about = draw_surroundings(
            self.environment,
            lens.galaxy,
            mass=lens.mass,
            own_radius_arcsec=lens.own_radius_arcsec,
            in_group=lens.mass.einstein_radius_arcsec > self.halos.group_from * lens.own_radius_arcsec,
            survey=survey,
            rng=rng,
        )
        source = shift_source(lens.source, about.masses)
        return Scene(
            kind=PLAIN_KIND,
            einstein_radius_arcsec=about.einstein_radius_arcsec,
            masses=about.masses,
            shear=lens.shear,
            light=about.light + galaxies,
            stars=about.stars + stars,
            source=source.light,
            source_points=source.points,
            glitches=glitches,
            real_like=True,
            deflector_redshift=lens.galaxy.redshift,
            source_redshift=source.redshift,
            velocity_dispersion_km_s=lens.galaxy.velocity_dispersion_km_s,
        )

    def _draw_other(self, survey: Survey, *, galaxies, stars, glitches: tuple[Glitch, ...], rng) -> Scene:
        kind = draw_kind(self.foolers, rng=rng)
        centre = self._draw_centre(survey, rng=rng)
        fooler = draw_fooler(kind, centre, survey=survey, rng=rng)
        # a galaxy of another kind has no velocity dispersion of an early type
        stays = all(part in fooler.light for part in centre.light)
        return Scene(
            kind=fooler.kind,
            einstein_radius_arcsec=math.nan,
            masses=(),
            shear=(0.0, 0.0),
            light=fooler.light + galaxies,
            stars=fooler.stars + stars,
            glitches=fooler.glitches + glitches,
            real_like=True,
            deflector_redshift=centre.redshift if fooler.light else math.nan,
            velocity_dispersion_km_s=centre.velocity_dispersion_km_s if stays else math.nan,
        )

    def _draw_centre(self, survey: Survey, *, rng) -> EarlyType:
        if rng.random() < self.twin_share:
            return self._lenses(survey).draw(rng=rng).galaxy
        return draw_early_type(self.early_types, rng=rng)

    def draw_conditions(
        self, scene: Scene, survey: Survey, *, size: int | None, rng: np.random.Generator
    ) -> Conditions:
        """Draw seeing, noise and masks; see ``Population``."""
        return draw_conditions(self.observing, survey, size=size, rng=rng)

    def is_lens(self, scene: Scene, visibility: Visibility) -> bool:
        """Whether there is a source, multiply imaged, whose arcs can be seen."""
        if not scene.has_source:
            return False
        x, y = caustic_centre_arcsec(scene.masses)
        source = (scene.source or scene.source_points)[0]
        away = math.hypot(source.x_arcsec - x, source.y_arcsec - y)
        return self.visibility.admits(visibility, source_offset=away / scene.einstein_radius_arcsec)
