"""What the simulated sky is made of: the parameters of every distribution.

All values are frozen dataclasses, written into the manifest of a simulation.
The defaults imitate the ground-based Bologna Lens Challenge (Metcalf+ 2019,
A&A 625 A119). "Tuned" below means: chosen so that the simulated sample shows
what the genuine one does, either in its table of 20,000 rows (Einstein radii,
arc pixels and arc fluxes) or in the magnitudes, sizes and colours of the
genuine stamps.
"""

from __future__ import annotations

from dataclasses import dataclass

from lensdetect.errors import InputError
from lensdetect.simulation.galaxies import SizeRelation


def _check_together(parameters: object, at: str, *values: str, within_one: bool = False) -> None:
    """Refuse lists that are read against each other and are not of one length, or whose places do not rise."""
    places = getattr(parameters, at)
    lengths = {name: len(getattr(parameters, name)) for name in (at, *values)}
    if len(set(lengths.values())) > 1 or not places:
        told = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise InputError(f"{', '.join(lengths)} must be lists of one length, got {told}: give as many of each")
    if list(places) != sorted(set(places)) or (within_one and (places[0], places[-1]) != (0, 1)):
        limits = " from 0 to 1" if within_one else ""
        raise InputError(f"{at} must rise{limits}, got {list(places)}: put it in order")


@dataclass(frozen=True)
class DeflectorPopulation:
    """The galaxy, or group, in the middle of every stamp.

    Parameters
    ----------
    einstein_radius_quantiles, einstein_radius_arcsec : tuple of float
        Distribution of the Einstein radius: quantiles, and the radii there in
        arcsec (genuine table, both classes alike); linear between.
    redshift_mean, redshift_sigma : float
        Normal, cut to 0.1-1.0; it sets colours and magnitude only (tuned).
    mag_at_mean : float
        Mean r magnitude at the mean redshift and 1.3 arcsec (tuned).
    mag_per_redshift : float
        Slope of that mean with redshift, in mag.
    mag_per_dex : float
        Change of the mean per factor of ten in Einstein radius, in mag.
    mag_scatter : float
        Standard deviation about the mean, normal, in mag (tuned).
    real_redshift_mean, real_redshift_sigma : float
        The same for real-like stamps, whose centres are bright survey galaxies.
    real_mag_mean, real_mag_sigma : float
        Their r magnitudes, normal.
    mag_range : tuple of float
        Magnitudes are cut to this range in r.
    size_at_22_arcsec, size_slope, size_scatter_dex : float
        Half-light radius at r = 22 in arcsec, its slope (dex per mag, brighter
        is larger) and scatter (log-normal); tuned.
    late_fraction : float
        Share of disc-dominated, bluer galaxies.
    arm_fraction : float
        Share of the late types with spiral arms.
    axis_ratio : tuple of float
        Bulge axis ratio, uniform (Metcalf+ 2019).
    inclination_max_deg : float
        Inclination of discs, uniform in cosine up to this (Metcalf+ 2019: 80).
    mass_axis_ratio_scatter, mass_angle_scatter_rad : float
        Standard deviations, normal, of mass against light.
    shear_sigma : float
        External shear, Rayleigh (typical of galaxy environments).
    members_at_zero, members_per_arcsec : float
        Mean number of group members, Poisson: at zero Einstein radius, and its
        growth per arcsec (tuned to the red neighbours of the genuine stamps).
    member_mass_share : tuple of float
        Einstein radius of a member over the total one at equal brightness,
        uniform; it falls as the square root of the flux ratio.
    centre_jitter_arcsec : float
        The centre is off the middle of the stamp by up to this, uniform in x
        and y: half a pixel of 0.2 arcsec.
    """

    einstein_radius_quantiles: tuple[float, ...] = (
        0, 0.01, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5,
        0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 0.99, 1,
    )  # fmt: skip
    einstein_radius_arcsec: tuple[float, ...] = (
        0.3, 0.31, 0.36, 0.42, 0.49, 0.56, 0.65, 0.74, 0.84, 0.97, 1.11, 1.27,
        1.46, 1.73, 2.04, 2.64, 3.1, 3.47, 3.86, 4.76, 5.33, 5.88, 6.26,
    )  # fmt: skip
    redshift_mean: float = 0.70
    redshift_sigma: float = 0.20
    mag_at_mean: float = 22.4
    mag_per_redshift: float = 3.0
    mag_per_dex: float = -0.8
    mag_scatter: float = 0.7
    real_redshift_mean: float = 0.30
    real_redshift_sigma: float = 0.10
    real_mag_mean: float = 19.2
    real_mag_sigma: float = 0.8
    mag_range: tuple[float, float] = (17.0, 24.0)
    size_at_22_arcsec: float = 0.48
    size_slope: float = -0.13
    size_scatter_dex: float = 0.13
    late_fraction: float = 0.25
    arm_fraction: float = 0.6
    axis_ratio: tuple[float, float] = (0.5, 1.0)
    inclination_max_deg: float = 80.0
    mass_axis_ratio_scatter: float = 0.08
    mass_angle_scatter_rad: float = 0.17
    shear_sigma: float = 0.04
    members_at_zero: float = 0.1
    members_per_arcsec: float = 0.55
    member_mass_share: tuple[float, float] = (0.10, 0.30)
    centre_jitter_arcsec: float = 0.1

    def __post_init__(self):
        """Refuse lists that do not belong together."""
        _check_together(self, "einstein_radius_quantiles", "einstein_radius_arcsec", within_one=True)

    @property
    def sizes(self) -> SizeRelation:
        """Half-light radius against r magnitude."""
        return SizeRelation(22.0, self.size_at_22_arcsec, self.size_slope, self.size_scatter_dex)


@dataclass(frozen=True)
class SourcePopulation:
    """The galaxy behind.

    Parameters
    ----------
    at_arcsec : tuple of float
        Einstein radii at which the next four are stated; linear between.
    near_arcsec, far_arcsec : tuple of float
        A source is uniform in a disc about the deflector: a small one, within
        which it is strongly lensed, or a wide one. Metcalf+ 2019 take three
        times the largest radius of the caustic, of haloes from galaxies to
        groups: two discs are needed to have both (tuned to the genuine arc
        pixels and fluxes in ten ranges of Einstein radius).
    near_share : tuple of float
        Share of the sources in the small disc (tuned).
    far_fainter_mag : tuple of float
        By how much sources in the wide disc are fainter: the magnification of
        an isothermal group falls too slowly outwards, this takes it back (tuned;
        below 2 arcsec there is nothing to take back, and the values are small).
    mag_quantiles, mag : tuple of float
        Distribution of the unlensed r magnitude: quantiles and the magnitudes
        there; linear between (tuned to the genuine arc fluxes). Its ends are the
        absurdly bright sources, and the ones of which no pixel is seen.
    size_at_25_arcsec, size_slope, size_scatter_dex : float
        Half-light radius at r = 25 in arcsec, slope in dex per mag, scatter (tuned
        to the flux per pixel of the genuine arcs).
    size_levels_at_mag : float
        Sources brighter than this are not larger in the mean (tuned, as above).
    compact_share : float
        Share of compact sources beside these (tuned): genuine arcs of a few
        hundred pixels reach a flux of tens of sigma per pixel.
    compact_mag_mean, compact_mag_sigma : float
        Their unlensed r magnitude, normal.
    compact_arcsec, compact_scatter_dex : float
        Median of their half-light radii, and scatter (log-normal).
    sersic_index : tuple of float
        Uniform.
    axis_ratio : tuple of float
        Uniform.
    clumps_mean : float
        Mean number of clumps, Poisson.
    clump_flux_share : tuple of float
        Flux of one clump over the smooth flux, uniform.
    clump_size_share : tuple of float
        Half-light radius of a clump over that of the galaxy, uniform.
    u_g_mag, g_r_mag, r_i_mag, i_z_mag, z_y_mag : tuple of float
        Mean and standard deviation of the colours, normal.
    red_fraction : float
        Share of old, red sources (track of the early types at z = 0.7 to 1).
    """

    at_arcsec: tuple[float, ...] = (0.35, 0.75, 1.25, 2.0, 2.75, 3.5, 4.5, 5.5)
    near_arcsec: tuple[float, ...] = (0.60, 0.30, 0.74, 0.57, 0.77, 1.60, 1.84, 1.59)
    far_arcsec: tuple[float, ...] = (1.12, 1.88, 1.81, 3.55, 5.87, 7.13, 6.55, 4.58)
    near_share: tuple[float, ...] = (0.61, 0.70, 0.74, 0.70, 0.38, 0.45, 0.12, 0.50)
    far_fainter_mag: tuple[float, ...] = (-0.25, 0.05, -0.30, 1.10, 1.13, 0.90, 0.36, 0.50)
    mag_quantiles: tuple[float, ...] = (0, 0.02, 0.06, 0.15, 0.3, 0.5, 0.7, 0.85, 0.94, 0.985, 1)
    mag: tuple[float, ...] = (18.6, 20.8, 22.3, 23.55, 24.16, 24.40, 24.75, 24.98, 26.06, 26.50, 30.5)
    size_at_25_arcsec: float = 0.27
    size_slope: float = -0.25
    size_scatter_dex: float = 0.15
    size_levels_at_mag: float = 23.5
    compact_share: float = 0.054
    compact_mag_mean: float = 23.0
    compact_mag_sigma: float = 0.43
    compact_arcsec: float = 0.17
    compact_scatter_dex: float = 0.12
    sersic_index: tuple[float, float] = (0.5, 1.6)
    axis_ratio: tuple[float, float] = (0.3, 1.0)
    clumps_mean: float = 2.0
    clump_flux_share: tuple[float, float] = (0.024, 0.12)
    clump_size_share: tuple[float, float] = (0.12, 0.35)
    u_g_mag: tuple[float, float] = (0.35, 0.35)
    g_r_mag: tuple[float, float] = (0.35, 0.25)
    r_i_mag: tuple[float, float] = (0.22, 0.20)
    i_z_mag: tuple[float, float] = (0.12, 0.15)
    z_y_mag: tuple[float, float] = (0.06, 0.12)
    red_fraction: float = 0.08

    def __post_init__(self):
        """Refuse lists that do not belong together."""
        _check_together(self, "at_arcsec", "near_arcsec", "far_arcsec", "near_share", "far_fainter_mag")
        _check_together(self, "mag_quantiles", "mag", within_one=True)

    @property
    def sizes(self) -> SizeRelation:
        """Half-light radius against r magnitude."""
        return SizeRelation(25.0, self.size_at_25_arcsec, self.size_slope, self.size_scatter_dex)


@dataclass(frozen=True)
class ObservingPopulation:
    """Seeing, sky noise and masks, stamp by stamp.

    Parameters
    ----------
    real_fraction : float
        Share of real-like stamps (Metcalf+ 2019: 15 % of the challenge).
    seeing_scatter, real_seeing_scatter : float
        Relative standard deviation of the PSF width, log-normal, per band; of
        mock and real-like stamps.
    noise_scatter : float
        Relative standard deviation of the sky sigma, log-normal, per band: the
        genuine mock stamps agree within one per cent.
    real_noise_factor : tuple of float
        Sky sigma of real-like stamps over the survey's, uniform, per band
        (measured on the genuine stamps).
    real_noise_correlation : tuple of float
        Correlation in real-like stamps of pixels 1, 2 and 3 apart: that of KiDS,
        which the genuine real stamp shows too (0.16, -0.11, 0.03).
    masked_fraction : float
        Share of stamps that may have masked pixels. With the next it leaves 30 %
        with some, mostly in one band (two of six genuine stamps have them, in one
        band each; Metcalf+ 2019 took the holes of KiDS weight maps).
    masked_band_fraction : float
        Share of the bands with a hole in such a stamp.
    large_mask_fraction : float
        Share of the holes that are large.
    """

    real_fraction: float = 0.15
    seeing_scatter: float = 0.08
    real_seeing_scatter: float = 0.14
    noise_scatter: float = 0.012
    real_noise_factor: tuple[float, float] = (2.4, 3.9)
    real_noise_correlation: tuple[float, ...] = (0.165, -0.113, 0.031)
    masked_fraction: float = 0.40
    masked_band_fraction: float = 0.30
    large_mask_fraction: float = 0.12
