"""A scene: what is on the sky before any telescope looks at it.

Positions are in arcsec from the middle of the stamp, x to the right and y up.
``mags`` are total AB magnitudes in the order of ``SCENE_BANDS``. Radii and
ellipses follow one convention: an ellipse of axis ratio q and radius R has the
area of a circle of radius R (major axis ``R / sqrt(q)``).
"""

from __future__ import annotations

from dataclasses import dataclass


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


@dataclass(frozen=True)
class Scene:
    """Deflector, source and neighbours of one stamp.

    Parameters
    ----------
    kind : str
        Type of the deflector: elliptical, spiral, disc or group.
    einstein_radius_arcsec : float
        Of the whole deflector: inside this circle the mean surface density is
        the critical one.
    masses : tuple of IsothermalMass
        The deflector first, then members of its group.
    shear : tuple of float
        External shear, components gamma1 and gamma2.
    light : tuple of SersicLight
        Everything that is not lensed: deflector, members, field galaxies.
    stars : tuple of StarLight
        Foreground stars.
    source : tuple of SersicLight
        Components of the source, at their unlensed positions; empty for none.
    real_like : bool
        Whether it is observed like a real survey stamp.
    """

    kind: str
    einstein_radius_arcsec: float
    masses: tuple[IsothermalMass, ...]
    shear: tuple[float, float]
    light: tuple[SersicLight, ...]
    stars: tuple[StarLight, ...] = ()
    source: tuple[SersicLight, ...] = ()
    real_like: bool = False

    @property
    def has_source(self) -> bool:
        """Whether there is a source behind the deflector."""
        return bool(self.source)
