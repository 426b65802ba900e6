"""Surveys whose sky noise follows from the depth that they print."""

from __future__ import annotations

from dataclasses import dataclass

from lensdetect.survey.depth import aperture_pixels, noise_from_depth, psf_pixels
from lensdetect.survey.rows import Band, BandConditions, CatalogueColumns, Survey

#: 5th and 95th percentile over the median of the PSF's width and of the noise, in
#: ground-based surveys that print none: the mean of KiDS's four bands.
_GROUND_SEEING, _GROUND_NOISE = (0.75, 1.31), (0.82, 1.30)


@dataclass(frozen=True)
class _Depth:
    """What a survey prints of one band: depth, PSF, sky."""

    name: str
    depth_mag: float
    psf_fwhm_arcsec: float
    sky_mag_arcsec2: float
    made_of: tuple[tuple[str, float], ...] = ()


def _bands(
    rows: tuple[_Depth, ...],
    *,
    zero_point_mag: float,
    pixel_scale_arcsec: float,
    beta: float,
    snr: float = 5.0,
    aperture_arcsec: float | None = None,
    noise_factor: float = 1.0,
    seeing: tuple[float, float] = _GROUND_SEEING,
    noise: tuple[float, float] = _GROUND_NOISE,
) -> dict[str, tuple]:
    """Bands and conditions of a survey; without an aperture the depth is that of point sources."""
    bands, conditions = [], []
    for row in rows:
        if aperture_arcsec is None:
            pixels = psf_pixels(row.psf_fwhm_arcsec, pixel_scale_arcsec, beta=beta)
        else:
            pixels = aperture_pixels(aperture_arcsec, pixel_scale_arcsec)
        sigma = noise_factor * noise_from_depth(row.depth_mag, zero_point_mag, snr=snr, noise_pixels=pixels)
        sigma = float(f"{sigma:.3g}")  # printed to a tenth of a magnitude: more figures would be none
        bands.append(Band(row.name, zero_point_mag, sigma, row.psf_fwhm_arcsec, beta))
        widths = tuple(round(factor * row.psf_fwhm_arcsec, 3) for factor in seeing)
        sigmas = tuple(float(f"{factor * sigma:.3g}") for factor in noise)
        conditions.append(BandConditions(widths, sigmas, row.sky_mag_arcsec2, row.made_of))
    return {"bands": tuple(bands), "conditions": tuple(conditions)}


# PSF index and noise correlation measured on ten PSF images and 46 real cutouts.
# Cutouts of earlier coadds, of half the exposures, have sqrt(2) times this noise.
DES = Survey(
    name="des",
    **_bands(
        (
            _Depth("g", 24.7, 1.11, 22.01),
            _Depth("r", 24.4, 0.95, 21.15),
            _Depth("i", 23.8, 0.88, 19.89),
            _Depth("z", 23.1, 0.83, 18.72),
        ),
        zero_point_mag=30.0,
        pixel_scale_arcsec=0.263,
        beta=3.0,
        snr=10.0,
        aperture_arcsec=1.95,
        seeing=(0.86, 1.16),
    ),
    noise_correlation=(0.15, -0.03, 0.06),
    pixel_scale_arcsec=0.263,
    reference_band="r",
    masked_value=None,
    file_band_order=("g", "r", "i", "z"),
    source="Dark Energy Survey DR2: Abbott+ 2021, ApJS 255 20 (depth at S/N 10 in 1.95 arcsec, PSF); "
    "sky: Neilsen+ 2016, FERMILAB-TM-2610",
    catalogue=CatalogueColumns(
        file_pattern="DES_{ra:.4f}_{dec:.4f}_dr2_main.fits",
        id="COADD_OBJECT_ID",
        tile="TILENAME",
        ra_deg="RA",
        dec_deg="DEC",
        mag="MAG_AUTO_{BAND}",
        mag_error="MAGERR_AUTO_{BAND}",
        mag_auto="MAG_AUTO_R",
        flag="FLAGS_R",
        image_flag="IMAFLAGS_ISO_R",
        is_star="EXTENDED_CLASS_COADD",
    ),
)

_DARK_SKY = {"u": 22.99, "g": 22.26, "r": 21.20, "i": 20.48, "z": 19.60, "y": 18.61}
_DARK_SKY_SOURCE = "sky: dark zenith of Ivezic+ 2019, ApJ 873 111, table 2"

HSC = Survey(
    name="hsc",
    **_bands(
        (
            _Depth("g", 26.5, 0.79, _DARK_SKY["g"]),
            _Depth("r", 26.5, 0.75, _DARK_SKY["r"]),
            _Depth("i", 26.2, 0.61, _DARK_SKY["i"]),
            _Depth("z", 25.2, 0.68, _DARK_SKY["z"]),
            _Depth("y", 24.4, 0.68, _DARK_SKY["y"]),
        ),
        zero_point_mag=27.0,
        pixel_scale_arcsec=0.168,
        beta=3.0,
        seeing=(0.80, 1.25),
    ),
    pixel_scale_arcsec=0.168,
    reference_band="i",
    masked_value=None,
    file_band_order=("g", "r", "i", "z", "y"),
    source="Hyper Suprime-Cam SSP PDR3, Wide: Aihara+ 2022, PASJ 74 247 (5-sigma depth of points, seeing); "
    f"PSF index assumed; {_DARK_SKY_SOURCE}",
)

# Ten years of visits average the seeing out: a narrow spread, and the noise's is that of the dithering.
LSST = Survey(
    name="lsst",
    **_bands(
        (
            _Depth("u", 26.1, 0.92, _DARK_SKY["u"]),
            _Depth("g", 27.4, 0.87, _DARK_SKY["g"]),
            _Depth("r", 27.5, 0.83, _DARK_SKY["r"]),
            _Depth("i", 26.8, 0.80, _DARK_SKY["i"]),
            _Depth("z", 26.1, 0.78, _DARK_SKY["z"]),
            _Depth("y", 24.9, 0.76, _DARK_SKY["y"]),
        ),
        zero_point_mag=31.4,
        pixel_scale_arcsec=0.2,
        beta=3.0,
        seeing=(0.93, 1.08),
        noise=(0.90, 1.15),
    ),
    pixel_scale_arcsec=0.2,
    reference_band="i",
    masked_value=None,
    file_band_order=("u", "g", "r", "i", "z", "y"),
    source="Rubin LSST, ten-year coadds in nJy (zero point 31.4): Ivezic+ 2019, ApJ 873 111, tables 1 and 2 "
    "(5-sigma depth of points, effective seeing, sky); PSF index and spreads assumed",
)

# VIS spans 550 to 900 nm: its photons are those of r, i and z in shares of the logarithm of wavelength.
EUCLID_VIS = Survey(
    name="euclid_vis",
    **_bands(
        (_Depth("VIS", 26.2, 0.16, 22.3, made_of=(("r", 0.46), ("i", 0.35), ("z", 0.19))),),
        zero_point_mag=24.6,
        pixel_scale_arcsec=0.1,
        beta=2.5,
        seeing=(0.97, 1.05),
        noise=(0.90, 1.20),
    ),
    pixel_scale_arcsec=0.1,
    reference_band="VIS",
    masked_value=None,
    file_band_order=("VIS",),
    source="Euclid Wide Survey, VIS: Euclid Collaboration Scaramella+ 2022, A&A 662 A112 (5-sigma depth of points, "
    "zodiacal sky); PSF width: Cuillandre+ 2025, A&A 697 A6; zero point of the MER mosaics of Q1; PSF index assumed",
)

# On a real field of the Terapix coadds (W3) the rms of pixels is 0.56 times what
# the depths give (0.50 g, 0.57 r, 0.57 i) and neighbours are correlated: its
# resampling smooths. That factor is applied to all bands.
CFHTLS = Survey(
    name="cfhtls",
    **_bands(
        (
            _Depth("u", 25.24, 0.88, _DARK_SKY["u"]),
            _Depth("g", 25.58, 0.82, _DARK_SKY["g"]),
            _Depth("r", 24.88, 0.72, _DARK_SKY["r"]),
            _Depth("i", 24.54, 0.68, _DARK_SKY["i"]),
            _Depth("z", 23.46, 0.70, _DARK_SKY["z"]),
        ),
        zero_point_mag=30.0,
        pixel_scale_arcsec=0.186,
        beta=3.0,
        aperture_arcsec=2.0,
        noise_factor=0.56,
        seeing=(0.80, 1.25),
    ),
    noise_correlation=(0.12, -0.02, 0.05),
    pixel_scale_arcsec=0.186,
    reference_band="r",
    masked_value=None,
    file_band_order=("u", "g", "r", "i", "z"),
    source="CFHT Legacy Survey Wide T0007: Hudelot+ 2012, VizieR II/317; 5-sigma depth in 2 arcsec and seeing of the "
    f"same exposures: Erben+ 2013, MNRAS 433 2545, table 1; PSF index assumed; {_DARK_SKY_SOURCE}",
)

LEGACY = Survey(
    name="legacy",
    **_bands(
        (_Depth("g", 24.7, 1.29, 22.01), _Depth("r", 23.9, 1.18, 21.15), _Depth("z", 23.0, 1.11, 18.72)),
        zero_point_mag=22.5,
        pixel_scale_arcsec=0.262,
        beta=3.0,
        seeing=(0.86, 1.20),
    ),
    pixel_scale_arcsec=0.262,
    reference_band="r",
    masked_value=None,
    file_band_order=("g", "r", "z"),
    source="DESI Legacy Imaging Surveys DR9, DECaLS, in nanomaggies: Dey+ 2019, AJ 157 168 (5-sigma depth of points, "
    "seeing); PSF index that of DES; sky: Neilsen+ 2016, FERMILAB-TM-2610",
)
