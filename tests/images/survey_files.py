"""Two neighbouring tiles as each survey ships them: names, extensions, keywords, types, compression."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from astropy.io import fits

from lensdetect.survey import Survey, flux_from_mag

SIDE = 120
#: Middle of the injected lens, in pixels, and the widths of its galaxy and of its arcs around it; and a square of
#: pixels that are none, beside it.
SOURCE_XY, SOURCE_SIGMA_PIX = (55.0, 62.0), 2.0
ARC_RADIUS_PIX, ARC_SIGMA_PIX = 5.5, 0.9
#: Part of the light that is in the arcs: they are bluer than the galaxy.
ARC_SHARE = {"u": 0.7, "g": 0.5, "r": 0.3}
BAD = np.s_[70:74, 70:74]
#: Bits of masks as Rubin and HSC number them.
BITS = {"BAD": 0, "SAT": 1, "INTRP": 2, "CR": 3, "EDGE": 4, "DETECTED": 5, "NO_DATA": 8, "SENSOR_EDGE": 14}


def lens(flux: float, band: str) -> np.ndarray:
    """Image of the lens: a galaxy, and about it an arc with its counter-image."""
    y, x = np.mgrid[:SIDE, :SIDE]
    dx, dy = x - SOURCE_XY[0], y - SOURCE_XY[1]
    galaxy = np.exp(-0.5 * (dx**2 + dy**2) / SOURCE_SIGMA_PIX**2)
    ring = np.exp(-0.5 * ((np.hypot(dx, dy) - ARC_RADIUS_PIX) / ARC_SIGMA_PIX) ** 2)
    along = np.arctan2(dy, dx) - 0.7
    arcs = ring * (np.exp(-0.5 * (along / 0.8) ** 2) + 0.4 * np.exp(-0.5 * ((along + np.pi) / 0.4) ** 2))
    share = ARC_SHARE.get(band, 0.2)
    return flux * ((1.0 - share) * galaxy / galaxy.sum() + share * arcs / arcs.sum())


class Pointing:
    """One tile: its place on the sky, and planes of each band in any unit."""

    def __init__(self, survey: Survey, number: int):
        self.survey, self.number = survey, number
        self.scale_deg = survey.pixel_scale_arcsec / 3600.0
        self.ra_deg = 180.0 + number * 0.9 * SIDE * self.scale_deg

    def header(self, **cards) -> fits.Header:
        middle = 0.5 * (SIDE + 1)
        return fits.Header(
            {
                "CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRVAL1": self.ra_deg, "CRVAL2": 0.0, "CRPIX1": middle,
                "CRPIX2": middle, "CD1_1": -self.scale_deg, "CD1_2": 0.0, "CD2_1": 0.0, "CD2_2": self.scale_deg,
            }
            | cards
        )  # fmt: skip

    def flux(self, band: str, zero_point_mag: float | None = None) -> float:
        """Of the lens: 10,000 times the noise of a pixel, in the survey's unit or that of a zero point."""
        (row,) = self.survey.select([band])
        factor = 1.0 if zero_point_mag is None else flux_from_mag(row.zero_point_mag, zero_point_mag)
        return 1e4 * row.noise_sigma * factor

    def sci(self, band: str, zero_point_mag: float | None = None) -> np.ndarray:
        flux = self.flux(band, zero_point_mag)
        noise = np.random.default_rng([self.number, *band.encode()]).standard_normal((SIDE, SIDE))
        image = lens(flux, band) + noise * flux / 1e4
        image[BAD] = 40.0 * flux
        return image.astype(np.float32)

    def mask(self, bad: int, harmless: int) -> np.ndarray:
        """Bits: of what is none, and of what was found or mended all over the lens."""
        y, x = np.mgrid[:SIDE, :SIDE]
        near = np.hypot(x - SOURCE_XY[0], y - SOURCE_XY[1]) < 9.0
        mask = np.where(near, harmless, 0)
        mask[BAD] = bad
        return mask


def _with_bad(value: float, other: float) -> np.ndarray:
    plane = np.full((SIDE, SIDE), other, np.float32)
    plane[BAD] = value
    return plane


def _write(path: Path, *units, header: fits.Header | None = None) -> None:
    fits.HDUList([fits.PrimaryHDU(header=header), *units]).writeto(path)


def _packed(pixels: np.ndarray, header: fits.Header, name: str) -> fits.CompImageHDU:
    return fits.CompImageHDU(pixels, header, name=name, compression_type="GZIP_1", quantize_level=0.0)


def kids(folder: Path, one: Pointing, release: str = "4.0") -> None:
    for band in (*"ugri", *(["i2"] if release == "5.0" else [])):
        stem = f"KiDS_DR{release}_{180 + one.number}.0_0.0_{band}"
        planes = {"sci": one.sci(band[0]), "wei": _with_bad(1.0, 1.0), "msk": one.mask(64, 0).astype("u1")}
        for kind, pixels in planes.items():
            fits.PrimaryHDU(pixels, one.header()).writeto(folder / f"{stem}_{kind}.fits")


def kids_dr5(folder: Path, one: Pointing) -> None:
    kids(folder, one, "5.0")


def des(folder: Path, one: Pointing) -> None:
    for band in "grizY":
        pixels = one.sci("z" if band == "Y" else band)
        for ending in ("", "_nobkg"):
            units = [
                _packed(pixels, one.header(BAND=band, MAGZERO=30.0), "SCI"),
                _packed(one.mask(1, 4).astype("i4"), one.header(BAND=band), "MSK"),
                _packed(_with_bad(1.0, 1.0), one.header(BAND=band), "WGT"),
            ]
            _write(folder / f"DES120{one.number}+0000_r4907p01_{band}{ending}.fits.fz", *units)


def _afw(path: Path, one: Pointing, band: str, *, unit: Callable, zero_point_mag=None, header=None, variance=np.inf):
    bits = {f"MP_{name}": bit for name, bit in BITS.items()}
    mask_header = one.header()
    for name, bit in bits.items():
        mask_header[f"HIERARCH {name}" if len(name) > 8 else name] = bit
    mask = one.mask(1 << BITS["NO_DATA"], 1 << BITS["DETECTED"] | 1 << BITS["INTRP"]).astype("i4")
    units = [
        unit(one.sci(band, zero_point_mag), one.header(), "IMAGE"),
        unit(mask, mask_header, "MASK"),
        unit(_with_bad(variance, 1.0), one.header(), "VARIANCE"),
    ]
    _write(path, *units, header=header)


def _plain(pixels, header, name) -> fits.ImageHDU:
    return fits.ImageHDU(pixels, header, name=name)


def hsc(folder: Path, one: Pointing) -> None:
    for name in ("G", "R2", "I2", "Z", "Y"):
        header = fits.Header({"FLUXMAG0": 10.0 ** (0.4 * 26.5), "FILTER": f"HSC-{name}"})
        patch = f"4,{one.number}" if name != "Z" else f"4%2C{one.number}"
        path = folder / f"calexp-HSC-{name}-9813-{patch}.fits"
        _afw(path, one, name[0].lower(), unit=_plain, zero_point_mag=26.5, header=header, variance=1.0)


def rubin(folder: Path, one: Pointing) -> None:
    for band in "ugrizy":
        path = folder / f"deep_coadd_4849_{one.number}_{band}_lsst_cells_v1_LSSTComCam_runs_DRP_DP1.fits"
        _afw(path, one, band, unit=_packed, header=fits.Header({"BUNIT": "nJy"}))


def euclid(folder: Path, one: Pointing) -> None:
    no_data, objects = 1 << 22, 1 << 24
    names = {"Y": "NIR-Y", "J": "NIR-J", "H": "NIR-H", "g": "DES-G", "r": "DES-R", "i": "DES-I", "z": "DES-Z"}
    for band in one.survey.band_names:
        tile = f"TILE10201821{one.number}"
        name, stamp = names.get(band, band), "20241018T142710.276"
        files = {
            f"EUC_MER_BGSUB-MOSAIC-{name}_{tile}-ACBD03_{stamp}": one.sci(band, 23.9),
            f"EUC_MER_MOSAIC-{name}-RMS_{tile}-6DBB9E_{stamp}": _with_bad(np.inf, 1.0),
            f"EUC_MER_MOSAIC-{name}-FLAG_{tile}-CC7E32_{stamp}": one.mask(no_data, objects).astype("i4"),
            f"EUC_MER_BGMOD-{name}_{tile}-AA7E32_{stamp}": _with_bad(1.0, 2.0),
        }
        for stem, pixels in files.items():
            fits.PrimaryHDU(pixels, one.header(MAGZERO=23.9)).writeto(folder / f"{stem}.fits")


def legacy(folder: Path, one: Pointing) -> None:
    brick = f"180{one.number}p000"
    for band in one.survey.band_names:
        planes = {"image": one.sci(band), "invvar": _with_bad(0.0, 1.0)}
        planes |= {kind: _with_bad(1.0, 2.0) for kind in ("model", "blobmodel", "chi2", "nexp", "psfsize", "depth")}
        for kind, pixels in planes.items():
            _write(folder / f"legacysurvey-{brick}-{kind}-{band}.fits.fz", _packed(pixels, one.header(), ""))
    # MEDIUM and GALAXY over the lens, NPRIMARY beside it
    mask = _packed(one.mask(1, 1 << 11 | 1 << 12).astype("i2"), one.header(), "MASKBITS")
    _write(folder / f"legacysurvey-{brick}-maskbits.fits.fz", mask)


def unions(folder: Path, one: Pointing) -> None:
    x, y = 219 + one.number, 12
    for band, stem in (("u", f"CFIS.{x}.0{y}.u"), ("r", f"CFIS.{x}.0{y}.r"), ("i", f"PSS.DR4.{x}.0{y}.i")):
        fits.PrimaryHDU(one.sci(band), one.header()).writeto(folder / f"{stem}.fits")
    for band in "ur":
        weight = _packed(_with_bad(0.0, 1.0), one.header(), "")
        _write(folder / f"CFIS.{x}.0{y}.{band}.weight.fits.fz", weight)
    _write(folder / f"WISHES.{x}.{y}.z.fits", fits.ImageHDU(one.sci("z"), one.header(), name="IMAGE"))
    _afw(folder / f"calexp-CFIS_{x}_{y}.fits", one, "g", unit=_plain)


def cfhtls(folder: Path, one: Pointing) -> None:
    codes = {"u": "U.MP9301", "g": "G.MP9401", "r": "R.MP9601", "i": "I2.MP9702", "z": "Z.MP9801"}
    for band, code in codes.items():
        stem = f"MegaPipe.016.26{one.number}.{code}"
        fits.PrimaryHDU(one.sci(band), one.header(MZP_AB=30.0)).writeto(folder / f"{stem}.fits")
        fits.PrimaryHDU(_with_bad(0.0, 1.0), one.header()).writeto(folder / f"{stem}.weight.fits")


#: Name of a test -> (survey, what writes its files, bands in which nothing tells the bad pixels).
LAYOUTS: dict[str, tuple[str, Callable, str]] = {
    "kids": ("kids", kids, ""), "kids_dr5": ("kids", kids_dr5, ""), "des": ("des", des, ""), "hsc": ("hsc", hsc, ""),
    "lsst": ("lsst", rubin, ""), "rubin_dp1": ("rubin_dp1", rubin, ""), "rubin_dp2": ("rubin_dp2", rubin, ""),
    "euclid": ("euclid", euclid, ""), "euclid_vis": ("euclid_vis", euclid, ""), "legacy": ("legacy", legacy, ""),
    "legacy_dr10": ("legacy_dr10", legacy, ""), "unions": ("unions", unions, "iz"), "cfhtls": ("cfhtls", cfhtls, ""),
}  # fmt: skip
