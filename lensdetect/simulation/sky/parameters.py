"""Parameters of what is behind the atmosphere: the galaxies that may be lenses, and the sources.

All values are frozen dataclasses of numbers and text: they are written into the
manifest of a simulation, and a population file overrides any of them.
"""

from __future__ import annotations

from dataclasses import dataclass

from lensdetect.errors import InputError


@dataclass(frozen=True)
class EarlyTypePopulation:
    """The red galaxies in the middle of stamps: what a search takes from a survey's catalogue.

    Velocity dispersions follow the distribution of local early types (Choi,
    Park & Vogeley 2007, ApJ 658, 884), constant per comoving volume as in
    Collett 2015 (ApJ 811, 20): ``n ~ (s / s*)**alpha exp(-(s / s*)**beta) / s``.
    Luminosity and size follow from them (Hyde & Bernardi 2009, MNRAS 394, 1978).

    Parameters
    ----------
    sigma_star_km_s, sigma_alpha, sigma_beta : float
        Of that distribution.
    sigma_range_km_s : tuple of float
        Velocity dispersions drawn. Below 150 km/s lenses are too small for the ground.
    redshift_range : tuple of float
        Redshifts drawn, by comoving volume.
    mag_range : tuple of float
        Apparent r magnitudes kept: bright and faint limit of the search. The
        searches of KiDS take red galaxies to about r = 21.5.
    luminosity_scatter_mag : float
        Standard deviation of r at a velocity dispersion (our choice: a third of
        what inverting the relation's 0.07 dex would give, five times Collett's).
    size_scatter_dex : float
        Standard deviation of the half-light radius at a velocity dispersion
        (Hyde & Bernardi 2009).
    sersic_index, sersic_index_scatter : float
        Mean and standard deviation, normal, cut to 2.5-6.
    flattening, flattening_per_km_s : float
        ``1 - axis ratio`` is Rayleigh distributed, with this scale at zero
        velocity dispersion and this change per km/s (Collett 2015).
    axis_ratio_min : float
        Flatter galaxies are drawn again: they are discs.
    evolution_mag : float
        Brightening per unit redshift, in r (Bernardi+ 2003, AJ 125, 1849).
    centre_jitter_arcsec : float
        The centre is off the middle of the stamp by up to this, uniform in x and y.
    """

    sigma_star_km_s: float = 161.0
    sigma_alpha: float = 2.32
    sigma_beta: float = 2.67
    sigma_range_km_s: tuple[float, float] = (150.0, 420.0)
    redshift_range: tuple[float, float] = (0.1, 0.9)
    mag_range: tuple[float, float] = (16.0, 21.5)
    luminosity_scatter_mag: float = 0.3
    size_scatter_dex: float = 0.11
    sersic_index: float = 4.0
    sersic_index_scatter: float = 0.7
    flattening: float = 0.378
    flattening_per_km_s: float = -5.72e-4
    axis_ratio_min: float = 0.4
    evolution_mag: float = 0.85
    centre_jitter_arcsec: float = 0.1


@dataclass(frozen=True)
class LensEnvironment:
    """Mass about a lens, and what stands beside it.

    Parameters
    ----------
    shear_median, shear_scatter_dex : float
        External shear, log-normal (Oguri & Marshall 2010, MNRAS 405, 2579).
    mass_axis_ratio_scatter, mass_angle_scatter_rad : float
        Standard deviations, normal, of mass against light (SLACS lenses: Koopmans+ 2006, ApJ 649, 599).
    group_share : float
        Share of lenses in a group, whose members are isothermal spheres: some
        of the massive galaxies live in groups.
    satellites_share, chance_blue_share : float
        Shares with what fools elsewhere: satellites, or chance blue neighbours,
        without mass. They keep a detector from taking these for a sign of no lens.

    The look of all three is that of the kinds of the same names without a source.

    Raises
    ------
    InputError
        If the three shares sum to more than 1.
    """

    shear_median: float = 0.05
    shear_scatter_dex: float = 0.2
    mass_axis_ratio_scatter: float = 0.08
    mass_angle_scatter_rad: float = 0.17
    group_share: float = 0.12
    satellites_share: float = 0.06
    chance_blue_share: float = 0.08

    def __post_init__(self):
        """Refuse shares that are none."""
        total = self.group_share + self.satellites_share + self.chance_blue_share
        if not 0.0 <= total <= 1.0:
            raise InputError(
                f"the shares of lenses in groups, with satellites and with chance neighbours must sum to "
                f"0 to 1, got {total:g}: lower some; what is left of 1 stand alone"
            )


@dataclass(frozen=True)
class HaloPopulation:
    """Mass about a galaxy beyond its own, that of its group or of the edge of a cluster: the Einstein radius is drawn.

    Of a natural sky there is none of it: radii follow from the galaxies, and most
    are near the smallest that can be seen. A sky to learn from shows what people
    find, detached arcs and counter-images 1 to 6 arcsec out, as often as the rest.

    Parameters
    ----------
    share : float
        Share of the lenses whose Einstein radius is drawn.
    radius_range_arcsec : tuple of float
        Einstein radii drawn; none below what the label rule admits.
    knee_arcsec, steepness : float
        Their density is flat in the logarithm up to the knee, and falls as this power of the radius beyond.
    own_share_min : float
        Least share of the radius that the galaxy has by itself.
    group_from : float
        Radius over the galaxy's own from which the halo is that of a group, whose galaxies are there.

    Raises
    ------
    InputError
        If the range holds no radius above 0.
    """

    share: float = 0.0
    radius_range_arcsec: tuple[float, float] = (0.7, 6.0)
    knee_arcsec: float = 3.0
    steepness: float = 2.0
    own_share_min: float = 0.3
    group_from: float = 1.3

    def __post_init__(self):
        """Refuse ranges that are none."""
        low, high = self.radius_range_arcsec
        if not 0.0 < low < high:
            raise InputError(f"radius_range_arcsec must increase from above 0, got {low:g} to {high:g}")


@dataclass(frozen=True)
class QuasarPopulation:
    """Quasars as sources: seen as two or four points, with a faint host.

    Parameters
    ----------
    share : float
        Share of the sources.
    mag_range : tuple of float
        Unlensed i magnitudes.
    counts_slope : float
        Number counts go as ``10 ** (slope * i)``; below the knee of the
        luminosity function it is shallow (Oguri & Marshall 2010).
    redshift_mean, redshift_sigma : float
        Normal, cut to 0.6-4.5: colour-selected quasars peak near 2.
    colours_mag : tuple of float
        Mean u-g, g-r, r-i, i-z and z-y of a power law with emission lines, below redshift 2.6.
    colour_scatter_mag : float
        Standard deviation of each.
    host_fainter_mag : tuple of float
        By how much the host is fainter than the quasar, uniform.
    """

    share: float = 0.05
    mag_range: tuple[float, float] = (18.5, 22.5)
    counts_slope: float = 0.3
    redshift_mean: float = 2.0
    redshift_sigma: float = 0.7
    colours_mag: tuple[float, float, float, float, float] = (0.15, 0.15, 0.15, 0.05, 0.05)
    colour_scatter_mag: float = 0.12
    host_fainter_mag: tuple[float, float] = (1.5, 4.0)


@dataclass(frozen=True)
class SkySourcePopulation:
    """The galaxies and quasars behind.

    Counts and redshifts are those of the LSST Science Book (arXiv 0912.0201,
    section 3.7.2): ``n(<i) ~ 10**(0.3 i)`` and ``p(z) ~ z**2 exp(-z / z0)`` with
    ``z0 = 0.0417 i - 0.744``, here taken at the galaxy's own magnitude. Sizes
    are those of discs in Miller+ 2013 (MNRAS 429, 2858, appendix B): median
    scale length ``ln(r / arcsec) = -1.145 - 0.269 (i - 23)``, distributed as
    ``r exp(-(1.13 r / median)**(4/3))``.

    Parameters
    ----------
    mag_range : tuple of float
        Unlensed i magnitudes.
    counts_slope : float
        In dex per mag.
    z0_at_zero, z0_per_mag : float
        ``z0`` at i = 0 and its change per mag.
    size_at_23, size_per_mag : float
        Of the logarithm of the median scale length in arcsec.
    sersic_index : tuple of float
        Uniform.
    axis_ratio : tuple of float
        Uniform: discs seen from all sides.
    clumps_mean : float
        Mean number of clumps, Poisson: most star-forming galaxies at z > 1 have some (Guo+ 2015, ApJ 800, 39).
    clump_flux_share, clump_size_share : tuple of float
        Flux and half-light radius of a clump over those of the galaxy, uniform.
    red_share : float
        Share of old galaxies; the others form stars.
    offset_einstein_radii : float
        Sources are uniform in a disc of so many Einstein radii about the
        deflector; within one, a sphere shows two images.
    undetected_share : float
        Share of the source stamps that are left as they come, mostly too faint
        or too small to be seen; the others are drawn again until a quick
        estimate says that the arcs can be seen.
    real_sources : str
        Folder of a GalSim RealGalaxyCatalog, whose galaxies serve as sources; empty for none.
    real_share : float
        Share of the sources (not quasars) that are real, where there is a folder.
    real_mag_max : float
        Fainter galaxies of that catalogue are too noisy.
    quasars : QuasarPopulation
    """

    mag_range: tuple[float, float] = (20.0, 26.5)
    counts_slope: float = 0.3
    z0_at_zero: float = -0.744
    z0_per_mag: float = 0.0417
    size_at_23: float = -1.145
    size_per_mag: float = -0.269
    sersic_index: tuple[float, float] = (0.6, 1.8)
    axis_ratio: tuple[float, float] = (0.25, 1.0)
    clumps_mean: float = 2.0
    clump_flux_share: tuple[float, float] = (0.03, 0.2)
    clump_size_share: tuple[float, float] = (0.12, 0.35)
    red_share: float = 0.08
    offset_einstein_radii: float = 1.0
    undetected_share: float = 0.1
    real_sources: str = ""
    real_share: float = 0.5
    real_mag_max: float = 25.0
    quasars: QuasarPopulation = QuasarPopulation()
