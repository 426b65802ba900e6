"""The table of surveys; each row says where its numbers come from."""

from __future__ import annotations

from lensdetect.survey.imaging import CFHTLS, DES, EUCLID_VIS, HSC, LEGACY, LSST
from lensdetect.survey.rows import Band, BandConditions, CatalogueColumns, FilePattern, Survey, SurveyFiles

# Noise: sky sigma measured on the pure mock stamps among the genuine challenge
# stamps (Metcalf+ 2019, A&A 625 A119). The challenge took its PSFs from KiDS and
# printed no width; the KiDS DR4 medians stand in, and agree with the upper
# limits from the most compact objects of the genuine stamps (0.82 r, 0.81 i,
# 0.85 g, 1.5 u arcsec). Zero point 0 is inferred from the depths it implies.
# Its conditions are drawn from parameters of their own, so none stand here.
_BOLOGNA = Survey(
    name="bologna",
    bands=(
        Band("u", 0.0, 2.02e-12, 0.94, 2.20),
        Band("g", 0.0, 1.26e-12, 0.83, 2.20),
        Band("r", 0.0, 1.52e-12, 0.65, 2.51),
        Band("i", 0.0, 3.20e-12, 0.80, 2.58),
    ),
    pixel_scale_arcsec=0.2,
    reference_band="r",
    masked_value=100.0,
    file_band_order=("r", "i", "g", "u"),
    source="Bologna Lens Challenge, ground based: Metcalf+ 2019, A&A 625 A119; sky measured on genuine stamps",
)

# The two samples in which lenses of KiDS were searched for: bright galaxies (Petrillo+
# 2019, MNRAS 484 3879, section 2.2), and luminous red ones by the colour cut of
# Eisenstein+ 2001 as these authors widened it, in c_par = 0.7 (g-r) + 1.2 (r-i - 0.18)
# and c_perp = r-i - (g-r)/4 - 0.18.
_GALAXY = "SG2DPHOT == 0"
_BRIGHT = f"MAG_AUTO <= 21 and {_GALAXY}"
_G_R, _R_I = "(MAG_GAAP_g - MAG_GAAP_r)", "(MAG_GAAP_r - MAG_GAAP_i)"
_LUMINOUS_RED = (
    f"MAG_AUTO <= 20 and -0.2 < {_R_I} - {_G_R} / 4 - 0.18 < 0.2"
    f" and MAG_AUTO < 14 + (0.7 * {_G_R} + 1.2 * ({_R_I} - 0.18)) / 0.3 and {_GALAXY}"
)

# Medians and 5-95 % ranges over 108 real DR4 tiles; the survey is described in
# Kuijken+ 2019. Sky: dark zenith of a good site (Ivezic+ 2019, ApJ 873 111, table
# 2) in u, g, r, which KiDS takes in dark time. The i band is taken at any moon:
# 19.7 is what its rms tells, if its photons are to r's as exposure times (1200 and
# 1800 s) and sensitivities of OmegaCAM (0.5 mag less in i) say.
_KIDS = Survey(
    name="kids",
    bands=(
        Band("u", 0.0, 5.3e-12, 0.94, 2.20),
        Band("g", 0.0, 2.2e-12, 0.83, 2.20),
        Band("r", 0.0, 2.4e-12, 0.65, 2.51),
        Band("i", 0.0, 7.9e-12, 0.80, 2.58),
    ),
    conditions=(
        BandConditions((0.69, 1.22), (4.7e-12, 6.2e-12), 22.99),
        BandConditions((0.61, 1.07), (1.9e-12, 2.7e-12), 22.26),
        BandConditions((0.52, 0.86), (2.0e-12, 2.9e-12), 21.20),
        BandConditions((0.60, 1.06), (5.4e-12, 13e-12), 19.7),
    ),
    noise_correlation=(0.165, -0.113, 0.031),
    pixel_scale_arcsec=0.2,
    reference_band="r",
    masked_value=None,
    file_band_order=("u", "g", "r", "i"),
    source="Kilo-Degree Survey DR4: Kuijken+ 2019, A&A 625 A2; medians over 108 tiles",
    tile_pattern="KiDS_DR4.0_{ra:.1f}_{dec:.1f}_{band}_{kind}.fits",
    catalogue=CatalogueColumns(
        file_pattern="KiDS_DR4.0_{ra:.1f}_{dec:.1f}_ugriZYJHKs_cat.fits",
        id="ID",
        tile="KIDS_TILE",
        ra_deg="RAJ2000",
        dec_deg="DECJ2000",
        mag="MAG_GAAP_{band}",
        mag_error="MAGERR_GAAP_{band}",
        mag_auto="MAG_AUTO",
        redshift="Z_B",
        redshift_min="Z_B_MIN",
        redshift_max="Z_B_MAX",
        redshift_ml="Z_ML",
        mask="MASK",
        flag="Flag",
        image_flag="IMAFLAGS_ISO",
        is_star="SG2DPHOT",
    ),
    selections=(("bg", _BRIGHT), ("lrg", _LUMINOUS_RED)),
    files=SurveyFiles(
        patterns=(FilePattern("KiDS_DR{*}_{ra}_{dec}_{band}_{kind}"),),
        mask_bits=(
            ("READOUT_SPIKE", 0),
            ("SATURATION_CORE", 1),
            ("DIFFRACTION_SPIKE", 2),
            ("PRIMARY_HALO", 3),
            ("SECONDARY_HALO", 4),
            ("TERTIARY_HALO", 5),
            ("BAD_PIXEL", 6),
            ("MANUAL", 7),
        ),
        source="x",
    ),
)

SURVEYS: dict[str, Survey] = {
    survey.name: survey for survey in (_BOLOGNA, _KIDS, DES, HSC, LSST, EUCLID_VIS, CFHTLS, LEGACY)
}
