"""A scene: what is on the sky before any telescope looks at it.

Positions are in arcsec from the middle of the stamp, x to the right and y up.
``mags`` are total AB magnitudes in the order of ``SCENE_BANDS``. Radii and
ellipses follow one convention: an ellipse of axis ratio q and radius R has the
area of a circle of radius R (major axis ``R / sqrt(q)``).
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from lensdetect.survey import Survey

#: Bands in which everything in a scene has magnitudes, in the order of every ``mags`` tuple.
SCENE_BANDS: tuple[str, ...] = ("u", "g", "r", "i", "z", "y")


@dataclass(frozen=True)
class SpiralArms:
    """Logarithmic arms that modulate a disc (Metcalf+ 2019, section 3).

    The disc is multiplied by ``1 + amplitude * cos(number * theta + winding *
    log(2 r / scale length) + phase_rad)``.

    Parameters
    ----------
    number : int
        Number of arms.
    amplitude : float
        Contrast, below 1.
    winding : float
        How tightly they wind.
    phase_rad : float
        Phase.
    """

    number: int
    amplitude: float
    winding: float
    phase_rad: float


@dataclass(frozen=True)
class SersicLight:
    """One component of a galaxy's light.

    Parameters
    ----------
    x_arcsec, y_arcsec : float
        Centre.
    radius_arcsec : float
        Half-light radius.
    sersic_index : float
        1 is an exponential disc, 4 a de Vaucouleurs bulge.
    axis_ratio : float
        Minor over major axis.
    angle_rad : float
        Direction of the major axis, from x towards y.
    mags : tuple of float
        Total magnitude in each band.
    arms : SpiralArms, optional
        Arms of a disc.
    """

    x_arcsec: float
    y_arcsec: float
    radius_arcsec: float
    sersic_index: float
    axis_ratio: float
    angle_rad: float
    mags: tuple[float, ...]
    arms: SpiralArms | None = None


@dataclass(frozen=True)
class RingLight:
    """A ring, or a part of one: ring galaxies, tidal tails, shells.

    The ridge is an ellipse; across it the brightness falls as a Gaussian in the
    elliptical radius, along it it is even and tapers off at the ends of a part.
    It is a circular ring, stretched at constant area: where ``axis_ratio`` is below
    1 it is narrower across the minor axis, as an inclined ring is.

    Parameters
    ----------
    x_arcsec, y_arcsec : float
        Centre of the ellipse.
    radius_arcsec : float
        Of the ridge.
    width_arcsec : float
        Standard deviation across the ridge.
    axis_ratio : float
        Minor over major axis.
    angle_rad : float
        Direction of the major axis, from x towards y.
    mags : tuple of float
        Total magnitude in each band.
    middle_rad : float
        Direction of the middle of a part, from x towards y.
    extent_rad : float
        Angle that the part covers in the circular ring, from half light to half
        light; 2 pi is the whole ring.
    """

    x_arcsec: float
    y_arcsec: float
    radius_arcsec: float
    width_arcsec: float
    axis_ratio: float
    angle_rad: float
    mags: tuple[float, ...]
    middle_rad: float = 0.0
    extent_rad: float = 2.0 * math.pi


@dataclass(frozen=True, eq=False)
class ImageLight:
    """The image of a real galaxy as a component of light.

    Between the middles of its pixels it is interpolated linearly.

    Parameters
    ----------
    x_arcsec, y_arcsec : float
        Where the middle of the image goes.
    image : ndarray
        float32 ``(height, width)``, not negative, of sum 1, first row lowest in y.
    pixel_arcsec : float
        Side of one of its pixels.
    angle_rad : float
        By which it is turned, from x towards y.
    mags : tuple of float
        Total magnitude in each band.
    """

    x_arcsec: float
    y_arcsec: float
    image: np.ndarray
    pixel_arcsec: float
    angle_rad: float
    mags: tuple[float, ...]


@dataclass(frozen=True)
class StarLight:
    """A point source.

    Parameters
    ----------
    x_arcsec, y_arcsec : float
        Position.
    mags : tuple of float
        Magnitude in each band.
    """

    x_arcsec: float
    y_arcsec: float
    mags: tuple[float, ...]


@dataclass(frozen=True)
class IsothermalMass:
    """A singular isothermal ellipsoid.

    Parameters
    ----------
    x_arcsec, y_arcsec : float
        Centre.
    einstein_radius_arcsec : float
        Radius of the circle with the area inside its critical curve.
    axis_ratio : float
        Minor over major axis of the surface density; 1 is a sphere.
    angle_rad : float
        Direction of the major axis, from x towards y.
    """

    x_arcsec: float
    y_arcsec: float
    einstein_radius_arcsec: float
    axis_ratio: float = 1.0
    angle_rad: float = 0.0


class Glitch(ABC):
    """Something that is in the image and not on the sky, or is there in another way than galaxies are.

    Subclasses are frozen dataclasses: all that is random about them was drawn
    before, but for what ``paint`` takes from its generator.
    """

    #: Name in the column ``glitches`` of truth, and in rates.
    name: ClassVar[str]

    #: Whether it is painted on the noiseless image (light) or on the one with sky noise.
    before_sky: ClassVar[bool] = True

    @abstractmethod
    def paint(self, pixels: np.ndarray, *, survey: Survey, noise_sigma: np.ndarray, rng: np.random.Generator) -> None:
        """Change an image in place.

        Parameters
        ----------
        pixels : ndarray
            float32 ``(height, width, band)``, in flux; NaN is masked.
        survey : Survey
        noise_sigma : ndarray
            ``(band,)``, sky sigma in one pixel.
        rng : numpy.random.Generator
        """


#: What a galaxy or a source is made of.
Light = SersicLight | RingLight | ImageLight


@dataclass(frozen=True)
class Scene:
    """Deflector, source and neighbours of one stamp.

    Parameters
    ----------
    kind : str
        What is in the middle, were there no source: elliptical, spiral, group,
        ring, merger and so on.
    einstein_radius_arcsec : float
        Of the whole deflector: inside this circle the mean surface density is
        the critical one.
    masses : tuple of IsothermalMass
        The deflector first, then members of its group.
    shear : tuple of float
        External shear, components gamma1 and gamma2.
    light : tuple of Light
        Everything that is not lensed: deflector, members, field galaxies.
    stars : tuple of StarLight
        Foreground stars.
    source : tuple of Light
        Components of the source, at their unlensed positions; empty for none.
    real_like : bool
        Whether it is observed like a real survey stamp.
    source_points : tuple of StarLight
        Points in the source (a quasar), at their unlensed positions; each is
        seen as several images.
    glitches : tuple of Glitch
        What goes wrong in this stamp.
    deflector_redshift, source_redshift, velocity_dispersion_km_s : float
        NaN where a population has none.
    """

    kind: str
    einstein_radius_arcsec: float
    masses: tuple[IsothermalMass, ...]
    shear: tuple[float, float]
    light: tuple[Light, ...]
    stars: tuple[StarLight, ...] = ()
    source: tuple[Light, ...] = ()
    real_like: bool = False
    source_points: tuple[StarLight, ...] = ()
    glitches: tuple[Glitch, ...] = ()
    deflector_redshift: float = math.nan
    source_redshift: float = math.nan
    velocity_dispersion_km_s: float = math.nan

    @property
    def has_source(self) -> bool:
        """Whether there is a source behind the deflector."""
        return bool(self.source or self.source_points)
