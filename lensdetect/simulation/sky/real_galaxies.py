"""Real galaxies as sources: a GalSim RealGalaxyCatalog folder, read without GalSim.

Such a folder holds a FITS table with a row for every galaxy, and the FITS files
with the images and the PSFs that the table names. An image is divided by its
PSF where it has signal (a Wiener filter), smoothed to a narrow Gaussian, and cut
to the galaxy: sharp enough for any survey from the ground.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from astropy.io import fits

from lensdetect.errors import InputError
from lensdetect.simulation.sky.deconvolution import deconvolve, segment_weight

_COLUMNS = ("IDENT", "MAG", "GAL_FILENAME", "PSF_FILENAME", "GAL_HDU", "PSF_HDU", "PIXEL_SCALE", "NOISE_VARIANCE")

#: A table with this column is the catalogue; folders hold other tables too.
_MARK = "GAL_FILENAME"

#: Width of the PSF that is left, in arcsec: wider than that of the
#: space telescope, so that no noise is blown up, and far narrower than any seeing.
_LEFT_FWHM_ARCSEC = 0.16

#: A galaxy is drawn from so many of about its magnitude.
_CHOICE = 12


@dataclass(frozen=True, eq=False)
class RealGalaxy:
    """One galaxy, ready to be a source.

    Parameters
    ----------
    image : ndarray
        float32 ``(height, width)``, not negative, of sum 1.
    pixel_arcsec : float
    mag : float
        In the catalogue's band.
    radius_arcsec : float
        Half-light radius: of the circle with the area of the brightest pixels that hold half the light.
    """

    image: np.ndarray
    pixel_arcsec: float
    mag: float
    radius_arcsec: float


@dataclass(frozen=True, eq=False)
class RealGalaxyCatalogue:
    """The table of a folder; images are read when they are asked for.

    Parameters
    ----------
    folder : Path
    table : ndarray
        Its rows, brightest first.
    """

    folder: Path
    table: np.ndarray

    @property
    def mags(self) -> np.ndarray:
        """Magnitudes, increasing."""
        return self.table["MAG"]

    def __len__(self) -> int:
        """Number of galaxies."""
        return len(self.table)

    def galaxy(self, number: int) -> RealGalaxy:
        """Galaxy by its place in the table.

        Parameters
        ----------
        number : int
            From 0, the brightest.

        Returns
        -------
        RealGalaxy

        Raises
        ------
        InputError
            If its image or its PSF is not where the table says.
        """
        row = self.table[number]
        image = _read_image(self.folder / str(row["GAL_FILENAME"]).strip(), int(row["GAL_HDU"]), row["IDENT"])
        psf = _read_image(self.folder / str(row["PSF_FILENAME"]).strip(), int(row["PSF_HDU"]), row["IDENT"])
        pixel_arcsec, variance = float(row["PIXEL_SCALE"]), float(row["NOISE_VARIANCE"])
        sharp = deconvolve(image, psf, noise_variance=variance, left_fwhm_pix=_LEFT_FWHM_ARCSEC / pixel_arcsec)
        cut = np.maximum(sharp * segment_weight(image, noise_sigma=variance**0.5), 0.0)
        cut = (cut / cut.sum()).astype(np.float32)
        brightest = np.sort(cut, axis=None)[::-1]
        half = 1 + int(np.searchsorted(np.cumsum(brightest), 0.5))
        return RealGalaxy(cut, pixel_arcsec, float(row["MAG"]), pixel_arcsec * (half / np.pi) ** 0.5)


def read_real_galaxies(folder: str | Path) -> RealGalaxyCatalogue:
    """Open a GalSim RealGalaxyCatalog folder.

    Parameters
    ----------
    folder : str or Path

    Returns
    -------
    RealGalaxyCatalogue

    Raises
    ------
    InputError
        If it is no folder, holds no catalogue or several, or the catalogue lacks columns or rows.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"real sources need a folder with a GalSim RealGalaxyCatalog, {folder} is none: give its path")
    tables = {path: table for path in sorted(folder.glob("*.fits")) for table in _read_tables(path)}
    catalogues = {path: table for path, table in tables.items() if _MARK in table.dtype.names}
    if len(catalogues) != 1:
        raise InputError(
            f"{folder} must hold one FITS table with a column {_MARK} (a GalSim RealGalaxyCatalog), "
            f"it holds {len(catalogues)}: unpack the catalogue with its images into a folder of its own"
        )
    [(path, table)] = catalogues.items()
    missing = [name for name in _COLUMNS if name not in table.dtype.names]
    if missing or not len(table):
        raise InputError(
            f"{path} must have rows with the columns {', '.join(_COLUMNS)}, "
            f"it has {len(table)} rows and lacks {', '.join(missing) or 'none'}: take the catalogue as it was published"
        )
    return RealGalaxyCatalogue(folder, np.sort(table[list(_COLUMNS)], order="MAG"))


def _read_tables(path: Path) -> list[np.ndarray]:
    """Tables in a FITS file, in native byte order; image files have none."""
    try:
        with fits.open(path, memmap=False) as file:
            # a catalogue's table is the first extension; a file of images has thousands, which are not counted
            if not isinstance(file[1], fits.BinTableHDU):
                return []
            data = file[1].data
            columns = [(name, np.asarray(data[name])) for name in data.names]
    except (OSError, IndexError):  # no FITS, or one image alone
        return []
    return [_native(columns)]


def _native(columns: list[tuple[str, np.ndarray]]) -> np.ndarray:
    flat = [(name, values) for name, values in columns if values.ndim == 1]
    dtype = [(name, values.dtype.newbyteorder("=")) for name, values in flat]
    out = np.empty(len(flat[0][1]) if flat else 0, dtype)
    for name, values in flat:
        out[name] = values
    return out


def _read_image(path: Path, number: int, ident) -> np.ndarray:
    try:
        with fits.open(path, memmap=True, lazy_load_hdus=True) as file:
            return np.array(file[number].data, dtype=float)
    except (OSError, IndexError, TypeError, ValueError) as error:
        raise InputError(
            f"galaxy {ident} must be image {number} of {path}, which cannot be read ({error}): "
            f"unpack the catalogue with all its image files"
        ) from error


@functools.lru_cache(maxsize=4)
def _catalogue(folder: str) -> RealGalaxyCatalogue:
    return read_real_galaxies(folder)


@functools.lru_cache(maxsize=1024)
def _galaxy(folder: str, number: int) -> RealGalaxy:
    return _catalogue(folder).galaxy(number)


def nearest_real_galaxy(folder: str, mag: float, *, mag_max: float, rng: np.random.Generator) -> RealGalaxy:
    """One of the galaxies of about some magnitude; folder and galaxies are read once a process.

    Parameters
    ----------
    folder : str
        Of a GalSim RealGalaxyCatalog.
    mag : float
    mag_max : float
        Fainter galaxies are not taken.
    rng : numpy.random.Generator

    Returns
    -------
    RealGalaxy

    Raises
    ------
    InputError
        If the folder cannot be read, or has no galaxy that bright.
    """
    catalogue = _catalogue(folder)
    usable = int(np.searchsorted(catalogue.mags, mag_max, side="right"))
    if usable == 0:
        raise InputError(
            f"{folder} must hold galaxies brighter than real_mag_max = {mag_max:g}, "
            f"its brightest has {catalogue.mags[0]:.2f}: raise real_mag_max"
        )
    first = int(np.searchsorted(catalogue.mags[:usable], mag)) - _CHOICE // 2
    first = min(max(first, 0), max(usable - _CHOICE, 0))
    return _galaxy(folder, int(rng.integers(first, min(first + _CHOICE, usable))))
