"""What a survey is: its bands, how they vary, and how its files and columns are named."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from lensdetect.errors import unknown_name


@dataclass(frozen=True)
class Band:
    """One filter of a survey.

    Parameters
    ----------
    name : str
        Name of the band, as in ``survey.band_names``.
    zero_point_mag : float
        AB magnitude of one flux unit.
    noise_sigma : float
        Typical standard deviation of the sky in one pixel, in flux units.
    psf_fwhm_arcsec : float
        Typical full width at half maximum of the PSF, in arcsec.
    psf_beta : float
        Index of the Moffat profile of the PSF; infinity is a Gaussian.
    """

    name: str
    zero_point_mag: float
    noise_sigma: float
    psf_fwhm_arcsec: float
    psf_beta: float


@dataclass(frozen=True)
class BandConditions:
    """How one filter of a survey varies over its fields; what simulated skies are drawn from.

    Parameters
    ----------
    psf_fwhm_range_arcsec : tuple of float
        5th and 95th percentile over fields of the width of the PSF, in arcsec.
    noise_range : tuple of float
        The same of the sky sigma in one pixel, in flux units.
    sky_mag_arcsec2 : float
        Brightness of the sky, AB mag per square arcsec. The sky's noise tells
        with it how many photons a flux unit is: the photon noise of an object
        of flux f has the variance ``noise_sigma**2 * f / (sky flux in one pixel)``.
    made_of : tuple of (str, float)
        Where simulated galaxies have no magnitude in this very filter: the
        bands whose fluxes are averaged, with their weights; empty for itself.
    """

    psf_fwhm_range_arcsec: tuple[float, float]
    noise_range: tuple[float, float]
    sky_mag_arcsec2: float
    made_of: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class CatalogueColumns:
    """Names in a survey's own photometric catalogue; an empty name is a column it has not got.

    Parameters
    ----------
    file_pattern : str
        Name of the catalogue file of a tile, with ``{ra}`` and ``{dec}`` in
        degrees (``{ra:.1f}``).
    id, tile : str
        Of the object, and of the tile that it is in.
    ra_deg, dec_deg : str
        Position, J2000.
    mag : str
        Magnitude in one band, with ``{band}`` or ``{BAND}`` for its name.
    mag_error : str
        Its error, in the same way.
    mag_auto : str
        Total magnitude in the reference band.
    redshift, redshift_min, redshift_max, redshift_ml : str
        Photometric: most likely, its 68 % limits, maximum likelihood.
    mask, flag, image_flag : str
        Bits of masks, of the detection, and of the image under it.
    is_star : str
        Star-galaxy separation.
    """

    file_pattern: str
    id: str
    ra_deg: str
    dec_deg: str
    mag: str
    mag_error: str = ""
    mag_auto: str = ""
    tile: str = ""
    redshift: str = ""
    redshift_min: str = ""
    redshift_max: str = ""
    redshift_ml: str = ""
    mask: str = ""
    flag: str = ""
    image_flag: str = ""
    is_star: str = ""

    def mag_column(self, band: str) -> str:
        """Name of the magnitude of one band."""
        return self.mag.format(band=band, BAND=band.upper())

    def mag_error_column(self, band: str) -> str:
        """Name of the error of that magnitude; empty where there is none."""
        return self.mag_error.format(band=band, BAND=band.upper())


#: What an image of a tile may be: science, weight (1/variance up to a factor; 0 where there is no exposure),
#: variance, rms (its root) and mask (0 where all is well).
KINDS: tuple[str, ...] = ("sci", "wei", "var", "rms", "msk")

#: Fields that a pattern of names may have; ``{*}`` is what does not tell tiles apart.
PATTERN_FIELDS: tuple[str, ...] = (
    "band", "kind", "tile", "tract", "patch", "x", "y", "ra", "dec", "survey", "*",
)  # fmt: skip


@dataclass(frozen=True)
class FilePattern:
    """How the names of some files of a survey are made.

    Parameters
    ----------
    pattern : str
        Name without its ending. ``{band}`` and ``{kind}`` stand for what they say;
        ``{tile}``, ``{tract}``, ``{patch}``, ``{x}`` and ``{y}`` tell one tile from
        another (without any of them all of the rest does); ``{*}`` does not.
    band, kind : str
        What such files hold, where the name has no field for it.
    zero_point_mag : float or None
        AB magnitude of one unit of flux in such files, where their headers say
        none and it is another than the band's.
    """

    pattern: str
    band: str = ""
    kind: str = ""
    zero_point_mag: float | None = None


@dataclass(frozen=True)
class SurveyFiles:
    """Files of a survey as they are shipped, beside those of ``tile_pattern``.

    Parameters
    ----------
    patterns : tuple of FilePattern
        Tried in their order.
    band_words : tuple of (str, str)
        What files call a band, where that is not its name: word and band.
    mask_bits : tuple of (str, int)
        Names and numbers of the bits of masks whose headers do not name them.
    fatal, suspect, harmless : tuple of str
        Names of such bits, beside those that are known for all surveys: there is
        no good pixel, the background is suspect, all is well.
    source : str
        Where that is written.
    """

    patterns: tuple[FilePattern, ...] = ()
    band_words: tuple[tuple[str, str], ...] = ()
    mask_bits: tuple[tuple[str, int], ...] = ()
    fatal: tuple[str, ...] = ()
    suspect: tuple[str, ...] = ()
    harmless: tuple[str, ...] = ()
    source: str = ""


@dataclass(frozen=True)
class Survey:
    """The conditions under which a set of images was taken.

    Parameters
    ----------
    name : str
        Key of the survey in ``SURVEYS``.
    bands : tuple of Band
        In the order of the last axis of every cutout.
    pixel_scale_arcsec : float
        Side of one pixel, in arcsec.
    reference_band : str
        Band in which arcs are counted and pictures are made sharpest.
    masked_value : float or None
        Pixel value that marks a masked pixel on disk, beside non-finite ones.
    file_band_order : tuple of str
        Order in which the survey's own files number the bands.
    source : str
        Where the numbers come from.
    conditions : tuple of BandConditions
        One for each band; empty where nothing but typical values is known.
    noise_correlation : tuple of float
        Correlation of the sky of coadded images between pixels 1, 2, 3 apart
        along an axis; empty for white noise.
    tile_pattern : str
        Name of one image of a tile, with ``{survey}``, ``{ra}`` and ``{dec}`` in
        degrees, ``{band}`` and ``{kind}``: sci, wei (weight) or msk (mask).
    catalogue : CatalogueColumns, optional
        The survey's own catalogue, where its columns are known.
    selections : tuple of (str, str)
        Named selections of that catalogue: name, and an expression over its columns.
    files : SurveyFiles
        Names and masks of the files that the survey ships.
    viewer : str
        Address of a page that shows its images at ``{ra}`` and ``{dec}``, in
        degrees; empty where there is none that anybody may open.
    """

    name: str
    bands: tuple[Band, ...]
    pixel_scale_arcsec: float
    reference_band: str
    masked_value: float | None
    file_band_order: tuple[str, ...]
    source: str
    conditions: tuple[BandConditions, ...] = ()
    noise_correlation: tuple[float, ...] = ()
    tile_pattern: str = "{survey}_{ra:.1f}_{dec:.1f}_{band}_{kind}.fits"
    catalogue: CatalogueColumns | None = None
    selections: tuple[tuple[str, str], ...] = ()
    files: SurveyFiles = SurveyFiles()
    viewer: str = ""

    @property
    def band_names(self) -> tuple[str, ...]:
        """Names of the bands, in array order."""
        return tuple(band.name for band in self.bands)

    def select(self, names: Iterable[str]) -> tuple[Band, ...]:
        """Bands of this survey by name.

        Parameters
        ----------
        names : iterable of str
            Names in the wanted order.

        Returns
        -------
        tuple of Band

        Raises
        ------
        InputError
            If a name is not a band of this survey.
        """
        rows = {band.name: band for band in self.bands}
        for name in names:
            if name not in rows:
                raise unknown_name(f"band of survey {self.name}", name, rows)
        return tuple(rows[name] for name in names)

    def with_bands(self, names: Iterable[str]) -> Survey:
        """The same survey in some of its bands, for images of which the others are not read.

        Parameters
        ----------
        names : iterable of str
            One or more; what is no band of this survey is left aside.

        Returns
        -------
        Survey
            With the bands in its own order; the reference band stays, if it is among them.
        """
        wanted = set(names)
        keep = [place for place, band in enumerate(self.bands) if band.name in wanted]
        conditions = tuple(self.conditions[place] for place in keep) if self.conditions else ()
        used = tuple(self.bands[place] for place in keep)
        reference = self.reference_band if self.reference_band in wanted else used[0].name
        return replace(self, bands=used, conditions=conditions, reference_band=reference)

    def tile_file(self, ra_deg: float, dec_deg: float, *, band: str, kind: str = "sci") -> str:
        """File name of one image of the tile around a position.

        Parameters
        ----------
        ra_deg, dec_deg : float
            Middle of the tile.
        band : str
        kind : str
            sci, wei or msk.

        Returns
        -------
        str
        """
        return self.tile_pattern.format(survey=self.name, ra=ra_deg, dec=dec_deg, band=band, kind=kind)
