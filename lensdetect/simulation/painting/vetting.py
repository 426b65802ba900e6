"""Which galaxies of a catalogue can be cut out and painted, and why the others cannot."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lensdetect.errors import InputError, unknown_name
from lensdetect.images.background import check_sigma, is_left_in, sky_of
from lensdetect.simulation.painting.frames import Frame, check_scale, corner_of, cut, read_frame, sample
from lensdetect.simulation.painting.images import ImageSet, PlaneAt, find_images, image_at, read_pixels
from lensdetect.simulation.painting.jobs import Job
from lensdetect.simulation.painting.psf import fit_psf
from lensdetect.survey import Survey

#: Half the side of the square around a galaxy that must hold pixels, in arcsec.
_CORE_ARCSEC = 1.0

_KNOWN = ("mag", "redshift", "velocity_dispersion_km_s", "einstein_radius_arcsec")

PsfGiven = Path | str | Mapping[str, float] | None


class Vetting:
    """The user's images, each looked at once.

    Parameters
    ----------
    survey : Survey
        That they are declared to be from.
    images : dict
        Sets of images by name.
    size : int
        Side of a stamp in pixels.
    noise_factor : float
        By which the background rms may differ from the survey's.
    psf : path, mapping or None
        Images of PSFs, widths in arcsec by band, or nothing.
    plane_bands : sequence of str, optional
        As for ``find_images``.
    """

    def __init__(
        self,
        survey: Survey,
        images: dict[str, ImageSet],
        *,
        size: int,
        noise_factor: float,
        psf: PsfGiven = None,
        plane_bands: Sequence[str] | None = None,
    ):
        self.survey, self.images, self.size, self.noise_factor = survey, images, size, noise_factor
        self._by_file = {name: found for found in images.values() for name in _names_of(found)}
        self._frames: dict[str, Frame | InputError] = {}
        self._sigmas: dict[tuple[str, int | None], tuple[float, ...] | InputError] = {}
        self._psf_fits: dict[PlaneAt, tuple[float, float]] = {}
        self._widths, self._psf_sets = _open_psf(psf, survey, plane_bands=plane_bands)

    def job(self, row: Mapping[str, Any], number: int) -> Job:
        """What is needed to paint one galaxy.

        Parameters
        ----------
        row : mapping
            Of the catalogue.
        number : int
            Of the row.

        Returns
        -------
        Job

        Raises
        ------
        InputError
            If there is no image of it, or one that cannot be used.
        """
        found, x, y = self._place(row)
        frame = self._frame(found)
        member = None
        if found.count:
            member = int(row["index"]) if math.isfinite(row.get("index", math.nan)) else number
            if not 0 <= member < found.count:
                raise InputError(f"{found.path}: index must be from 0 to {found.count - 1}, got {member}")
        planes = found.planes if member is None else found.member(member)
        sigmas = self._sigma(found, planes, member, frame)
        if x is None:
            x, y = 0.5 * (frame.width - 1), 0.5 * (frame.height - 1)
        corner = corner_of(x, y, size=self.size)
        self._check_core(planes, frame, x, y, path=found.path)
        known = {name: float(row[name]) for name in _KNOWN if math.isfinite(row.get(name, math.nan))}
        for name, value in known.items():
            if name in {"velocity_dispersion_km_s", "einstein_radius_arcsec", "redshift"} and value <= 0.0:
                known[name] = math.nan  # catalogues write -1 or 0 for unknown
        plain = Frame(frame.height, frame.width, None)  # positions are pixels from here on
        psf = tuple(self._psf(found, member, place) for place in range(len(self.survey.bands)))
        return Job(str(row["id"]), planes, plain, corner, sigmas, psf, **known)

    def _place(self, row: Mapping[str, Any]) -> tuple[ImageSet, float | None, float | None]:
        """Image of a galaxy, and its pixel; no pixel where it is in the middle."""
        if row.get("file"):
            name = Path(row["file"]).name
            if name not in self._by_file:
                raise InputError(f"no image is called {name}: correct its name in the catalogue")
            return self._by_file[name], None, None
        ra, dec = row.get("ra_deg", math.nan), row.get("dec_deg", math.nan)
        if math.isfinite(ra) and math.isfinite(dec):
            return self._tile_of(ra, dec)
        if str(row["id"]) in self._by_file:
            return self._by_file[str(row["id"])], None, None
        if len(self.images) == 1 and next(iter(self.images.values())).count:
            return next(iter(self.images.values())), None, None
        raise InputError("a galaxy must have file, ra_deg and dec_deg, or an id that is the name of its image")

    def _tile_of(self, ra_deg: float, dec_deg: float) -> tuple[ImageSet, float, float]:
        """Image in which a position is farthest from the edge."""
        best: tuple[float, ImageSet, float, float] | None = None
        for found in self.images.values():
            try:
                frame = self._frame(found)
            except InputError:
                continue
            pixel = frame.pixel_of(ra_deg, dec_deg)
            if pixel is not None and (best is None or frame.inside_pix(*pixel) > best[0]):
                best = (frame.inside_pix(*pixel), found, *pixel)
        if best is None:
            raise InputError(f"no image covers RA {ra_deg:.5f}, Dec {dec_deg:.5f}: give the tile that does")
        return best[1:]

    def _frame(self, found: ImageSet) -> Frame:
        if found.name not in self._frames:
            self._frames[found.name] = _or_error(read_frame, found, self.survey)
        return _value(self._frames[found.name])

    def _sigma(self, found: ImageSet, planes, member: int | None, frame: Frame) -> tuple[float, ...]:
        key = (found.name, member)
        if key not in self._sigmas:
            self._sigmas[key] = _or_error(self._measure, planes, frame)
        return _value(self._sigmas[key])

    def _measure(self, planes: tuple[PlaneAt | None, ...], frame: Frame) -> tuple[float, ...]:
        """Sky sigma in all bands; a band without enough pixels counts as missing."""
        sigmas = []
        for band, place in zip(self.survey.bands, planes, strict=True):
            level, sigma = (math.nan, math.nan) if place is None else sky_of(sample(place, frame.height, frame.width))
            if math.isfinite(sigma):
                try:
                    check_sigma(sigma, band, survey=self.survey, factor=self.noise_factor)
                except InputError as error:
                    raise InputError(f"{place.path}: {error}") from error
                if is_left_in(level, sigma):
                    raise InputError(
                        f"{place.path}: the sky of band {band.name} must be near 0, got {level:.3g}, "
                        f"{level / sigma:.1f} times its rms: subtract the sky"
                    )
            sigmas.append(sigma if math.isfinite(sigma) else band.noise_sigma)
        check_scale(frame, self.survey)
        return tuple(sigmas)

    def _check_core(self, planes, frame: Frame, x: float, y: float, *, path: str) -> None:
        size = 2 * math.ceil(_CORE_ARCSEC / self.survey.pixel_scale_arcsec) + 1
        core = cut(planes, frame, corner=corner_of(x, y, size=size), size=size, survey=self.survey)
        if not np.isfinite(core).all(axis=(0, 1)).any():
            raise InputError(f"{path}: the galaxy must be whole in one band at least, got masked pixels in its middle")

    def _psf(self, found: ImageSet, member: int | None, number: int) -> tuple[float, float]:
        """Width and index of the PSF in one band: of its own image, as given, or the survey's."""
        band = self.survey.bands[number]
        chosen = self._psf_sets.get(_plain(found.name)) or self._psf_sets.get("")
        place = chosen.planes[number] if chosen else None
        if place is None:
            return self._widths.get(band.name, band.psf_fwhm_arcsec), band.psf_beta
        if chosen.count:
            place = PlaneAt(place.path, place.unit, member if member is not None and member < chosen.count else 0)
        if place not in self._psf_fits:
            self._psf_fits[place] = _fit(place, self.survey)
        return self._psf_fits[place]


def _fit(place: PlaneAt, survey: Survey) -> tuple[float, float]:
    height, width = image_at(place).shape[-2:]
    image = read_pixels(place, slice(0, height), slice(0, width))
    try:
        return fit_psf(image, survey.pixel_scale_arcsec)
    except InputError as error:
        raise InputError(f"{place.path}: {error}") from error


def _open_psf(
    psf: PsfGiven, survey: Survey, *, plane_bands: Sequence[str] | None
) -> tuple[dict[str, float], dict[str, ImageSet]]:
    """Widths by band, and images of PSFs by plain name; a single one is that of all images."""
    if psf is None:
        return {}, {}
    if isinstance(psf, Mapping):
        for band, fwhm in psf.items():
            if band not in survey.band_names:
                raise unknown_name(f"band of survey {survey.name}", band, survey.band_names)
            if not 0.0 < fwhm < 20.0:
                raise InputError(f"the width of the PSF in {band} must be from 0 to 20 arcsec, got {fwhm}")
        return dict(psf), {}
    sets, refused = find_images(psf, survey, plane_bands=plane_bands, psf=True)
    if refused or not sets:
        raise InputError(f"images of PSFs must be readable, got {refused[0][1] if refused else 'none'}")
    by_name = {_plain(name): found for name, found in sets.items()}
    return {}, by_name | ({"": next(iter(sets.values()))} if len(sets) == 1 else {})


def _plain(name: str) -> str:
    """A name without what tells PSF from image."""
    return re.sub(r"psf|sci|[^a-z0-9.+-]", "", name.lower())


def _names_of(found: ImageSet) -> set[str]:
    """What a catalogue may call an image: its name, or that of any of its files."""
    files = {Path(place.path).name for place in found.planes if place is not None}
    stems = {re.sub(r"\.(fits|fit)(\.gz|\.fz)?$", "", name, flags=re.IGNORECASE) for name in files}
    return {found.name} | files | stems


def _or_error(work, *args):
    """Result of some work, or what was wrong: both are remembered."""
    try:
        return work(*args)
    except InputError as error:
        return error


def _value(result):
    if isinstance(result, InputError):
        raise result
    return result


def rows_of(catalogue: pd.DataFrame | None, images: dict[str, ImageSet]) -> list[dict[str, Any]]:
    """Rows of a catalogue, or one for each image without any.

    Parameters
    ----------
    catalogue : DataFrame or None
    images : dict
        Sets of images by name.

    Returns
    -------
    list of dict
    """
    if catalogue is not None:
        return catalogue.to_dict("records")
    rows = []
    for name, found in images.items():
        if found.count:
            rows += [{"id": f"{name}-{number}", "file": name, "index": float(number)} for number in range(found.count)]
        else:
            rows.append({"id": name, "file": name})
    return rows
