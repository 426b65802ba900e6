"""A sky to learn from: what must be learned is frequent, and the conditions are those of every ground-based survey.

It is no census. What a network is to tell apart stands in it often: arcs, rings
and counter-images from 0.9 to 6 arcsec out, groups with and without arcs, spirals
and mergers; and seeing, depth and zero points are drawn far wider than any one
survey has them, so that none of them tells the survey.
"""

from __future__ import annotations

from lensdetect.simulation.neighbours import FieldPopulation
from lensdetect.simulation.sky.foolers import FoolerRates
from lensdetect.simulation.sky.observing import SkyObserving
from lensdetect.simulation.sky.parameters import (
    EarlyTypePopulation,
    HaloPopulation,
    LensEnvironment,
    QuasarPopulation,
    SkySourcePopulation,
)
from lensdetect.simulation.sky.population import SkyPopulation
from lensdetect.simulation.sky.visibility import VisibilityCut


def training_sky() -> SkyPopulation:
    """Population to train on for any ground-based survey.

    Returns
    -------
    SkyPopulation
        Of the same parameters as any, to be changed by a population file.
    """
    return SkyPopulation(
        lens_fraction=0.45,
        early_types=EarlyTypePopulation(
            sigma_range_km_s=(180.0, 480.0),
            sigma_star_km_s=200.0,
            redshift_range=(0.1, 1.1),
            mag_range=(16.5, 22.3),
            luminosity_scatter_mag=0.5,
            size_scatter_dex=0.2,
            centre_jitter_arcsec=0.4,
        ),
        environment=LensEnvironment(group_share=0.15, satellites_share=0.06, chance_blue_share=0.10),
        halos=HaloPopulation(share=0.75, group_from=1.6),
        sources=SkySourcePopulation(
            mag_range=(20.0, 25.8),
            clumps_mean=3.0,
            red_share=0.2,
            sersic_index=(0.5, 2.5),
            undetected_share=0.0,
            quasars=QuasarPopulation(share=0.04, colour_scatter_mag=0.3),
        ),
        # Faint arcs in training cost more at the top of a list than they bring (HOLISMOKES XI, arXiv 2306.03136).
        visibility=VisibilityCut(arc_snr_min=30.0, arc_snr_over_light_min=25.0),
        foolers=FoolerRates(
            spiral=0.18,
            ring=0.07,
            merger=0.11,
            edge_on=0.07,
            satellites=0.06,
            chance_blue=0.14,
            group=0.22,
            star=0.03,
            pair=0.03,
        ),
        neighbours=FieldPopulation(
            galaxies_per_arcmin2=60.0, stars_per_arcmin2=3.0, mag_range=(17.5, 26.0), galaxy_counts_slope=0.3
        ),
        observing=SkyObserving(
            psf_band_correlation=0.5,
            noise_band_correlation=0.6,
            noise_correlation_scatter=0.4,
            zero_point_scatter_mag=0.15,
        ),
    )
