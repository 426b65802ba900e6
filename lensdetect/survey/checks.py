"""What a survey file may say, and the survey that it describes."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Callable
from typing import Any

from lensdetect.errors import InputError, unknown_name
from lensdetect.survey.depth import aperture_pixels, noise_from_depth, psf_pixels
from lensdetect.survey.rows import (
    KINDS,
    PATTERN_FIELDS,
    Band,
    BandConditions,
    CatalogueColumns,
    FilePattern,
    Survey,
    SurveyFiles,
)

_BETA = 3.0


def _is_number(low: float, high: float) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, (int, float)) and not isinstance(value, bool) and low <= value <= high


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _is_range(value: Any) -> bool:
    return (
        isinstance(value, list) and len(value) == 2 and all(map(_POSITIVE, value)) and value[0] <= value[1]
    )  # fmt: skip


def _is_weights(value: Any) -> bool:
    return isinstance(value, dict) and bool(value) and all(map(_POSITIVE, value.values()))


def _is_list_of(test: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list) and all(map(test, value))


def _is_table_of(test: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, dict) and all(map(test, value.values()))


def _is_address(value: Any) -> bool:
    # a page links to it: nothing but a plain address with the two fields
    fields = re.findall(r"\{(.*?)\}", value) if _is_text(value) else []
    return bool(fields) and set(fields) == {"ra", "dec"} and bool(re.fullmatch(r"https://[!#-;=?-z{}~]+", value))


_POSITIVE = _is_number(1e-300, 1e300)

#: Key -> (what it must be, test).
_SURVEY_KEYS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "name": ("a text", _is_text),
    "bands": ("tables [[bands]], one or more", lambda value: _is_list_of(lambda row: isinstance(row, dict))(value)),
    "pixel_scale_arcsec": ("a number from 0.01 to 10", _is_number(0.01, 10.0)),
    "reference_band": ("a text", _is_text),
    "masked_value": ("a number", _is_number(-1e300, 1e300)),
    "file_band_order": ("a list of texts", _is_list_of(_is_text)),
    "source": ("a text", _is_text),
    "noise_correlation": ("a list of numbers from -0.7 to 0.7", _is_list_of(_is_number(-0.7, 0.7))),
    "tile_pattern": ("a text", _is_text),
    "catalogue": ("a table", lambda value: isinstance(value, dict)),
    "selections": ("a table of name = expression", lambda value: _is_table_of(_is_text)(value)),
    "files": ("a table", lambda value: isinstance(value, dict)),
    "viewer": ("an address https://... with {ra} and {dec}", lambda value: _is_address(value)),
}
_BAND_KEYS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "name": ("a text", _is_text),
    # -48.6 where the unit is erg/s/cm2/Hz
    "zero_point_mag": ("a number from -60 to 60", _is_number(-60.0, 60.0)),
    "noise_sigma": ("a number above 0", _POSITIVE),
    "psf_fwhm_arcsec": ("a number from 0.01 to 20", _is_number(0.01, 20.0)),
    "psf_beta": ("a number above 1", _is_number(1.0000001, math.inf)),
    "depth_mag": ("a number from 10 to 40", _is_number(10.0, 40.0)),
    "depth_snr": ("a number above 0", _POSITIVE),
    "depth_aperture_arcsec": ("a number above 0", _POSITIVE),
    "psf_fwhm_range_arcsec": ("two rising numbers above 0", _is_range),
    "noise_range": ("two rising numbers above 0", _is_range),
    "sky_mag_arcsec2": ("a number from 10 to 30", _is_number(10.0, 30.0)),
    "made_of": ("a table of band = weight above 0", _is_weights),
}
_CATALOGUE_KEYS = {row.name: ("a text", _is_text) for row in dataclasses.fields(CatalogueColumns)}
_FILES_KEYS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "patterns": ("tables [[files.patterns]]", _is_list_of(lambda row: isinstance(row, dict))),
    "band_words": ("a table of word = band", _is_table_of(_is_text)),
    "mask_bits": (
        "a table of name = whole number from 0 to 62",
        _is_table_of(lambda value: isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 62),
    ),
    "fatal": ("a list of texts", _is_list_of(_is_text)),
    "suspect": ("a list of texts", _is_list_of(_is_text)),
    "harmless": ("a list of texts", _is_list_of(_is_text)),
    "source": ("a text", _is_text),
}
_PATTERN_KEYS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "pattern": ("a text", _is_text),
    "band": ("a text", _is_text),
    "kind": (f"one of {', '.join(KINDS)}", lambda value: value in KINDS),
    "zero_point_mag": _BAND_KEYS["zero_point_mag"],
}
_CONDITIONS = ("psf_fwhm_range_arcsec", "noise_range", "sky_mag_arcsec2")


def check_table(table: dict[str, Any]) -> None:
    """Refuse a file's content that describes no survey.

    Parameters
    ----------
    table : dict
        What the file holds.

    Raises
    ------
    InputError
        If a key is unknown or lacking, or a value not what it must be.
    """
    _check_keys(table, _SURVEY_KEYS, where="survey", needed=("name", "bands", "pixel_scale_arcsec", "source"))
    if not table["bands"]:
        raise InputError("bands must be one table [[bands]] or more, got none")
    for number, row in enumerate(table["bands"]):
        where = f"band {row.get('name', number)}"
        needed = ("name", "zero_point_mag", "psf_fwhm_arcsec")
        _check_keys(row, _BAND_KEYS, where=where, needed=needed)
        if ("noise_sigma" in row) == ("depth_mag" in row):
            raise InputError(f"{where} must state either noise_sigma or depth_mag, got {sorted(row)}")
        if any(key in row for key in (*_CONDITIONS, "made_of")) and not all(key in row for key in _CONDITIONS):
            raise InputError(f"{where} must state {', '.join(_CONDITIONS)} all or none, got {sorted(row)}")
    _check_names(table)
    if "catalogue" in table:
        needed = ("file_pattern", "id", "ra_deg", "dec_deg", "mag")
        _check_keys(table["catalogue"], _CATALOGUE_KEYS, where="catalogue", needed=needed)
    _check_files(table.get("files", {}), [row["name"] for row in table["bands"]])


def _check_files(files: dict[str, Any], bands: list[str]) -> None:
    _check_keys(files, _FILES_KEYS, where="files", needed=())
    for row in files.get("patterns", []):
        _check_keys(row, _PATTERN_KEYS, where="files.patterns", needed=("pattern",))
        for field in re.findall(r"\{([^}:]*)", row["pattern"]):
            if field not in PATTERN_FIELDS:
                raise unknown_name("field of a pattern", field, PATTERN_FIELDS)
    named = [
        *files.get("band_words", {}).values(),
        *(row["band"] for row in files.get("patterns", []) if "band" in row),
    ]
    for name in named:
        if name not in bands:
            raise unknown_name("band of files", name, bands)


def _check_keys(row: dict[str, Any], keys: dict, *, where: str, needed: tuple[str, ...]) -> None:
    for key, value in row.items():
        if key not in keys:
            raise unknown_name(f"key of {where}", key, keys)
        what, test = keys[key]
        if not test(value):
            raise InputError(f"{where}: {key} must be {what}, got {value!r}")
    lacking = [key for key in needed if key not in row]
    if lacking:
        raise InputError(f"{where} must state {', '.join(needed)}, got none of {', '.join(lacking)}")


def _check_names(table: dict[str, Any]) -> None:
    names = [row["name"] for row in table["bands"]]
    if len(set(names)) < len(names):
        raise InputError(f"bands must have names of their own, got {', '.join(names)}")
    order = table.get("file_band_order", names)
    if sorted(order) != sorted(names):
        raise InputError(f"file_band_order must be the bands {', '.join(names)}, got {', '.join(order)}")
    if table.get("reference_band", names[0]) not in names:
        raise unknown_name("reference_band", table["reference_band"], names)
    with_conditions = [row["name"] for row in table["bands"] if "sky_mag_arcsec2" in row]
    if len(with_conditions) not in {0, len(names)}:
        raise InputError(f"all bands or none must state {', '.join(_CONDITIONS)}, got only {with_conditions}")


def survey_from_table(table: dict[str, Any]) -> Survey:
    """Survey that a checked file describes.

    Parameters
    ----------
    table : dict
        What the file holds.

    Returns
    -------
    Survey
    """
    scale = float(table["pixel_scale_arcsec"])
    bands = tuple(_band(row, pixel_scale_arcsec=scale) for row in table["bands"])
    names = [band.name for band in bands]
    with_conditions = "sky_mag_arcsec2" in table["bands"][0]
    plain = {key: table[key] for key in ("name", "source", "tile_pattern", "viewer") if key in table}
    return Survey(
        **plain,
        bands=bands,
        pixel_scale_arcsec=scale,
        reference_band=table.get("reference_band", names[0]),
        masked_value=float(table["masked_value"]) if "masked_value" in table else None,
        file_band_order=tuple(table.get("file_band_order", names)),
        conditions=tuple(map(_conditions, table["bands"])) if with_conditions else (),
        noise_correlation=tuple(map(float, table.get("noise_correlation", ()))),
        catalogue=CatalogueColumns(**table["catalogue"]) if "catalogue" in table else None,
        selections=tuple(table.get("selections", {}).items()),
        files=_files(table.get("files", {})),
    )


def _files(table: dict[str, Any]) -> SurveyFiles:
    lists = {key: tuple(table.get(key, ())) for key in ("fatal", "suspect", "harmless")}
    return SurveyFiles(
        **lists,
        patterns=tuple(FilePattern(**row) for row in table.get("patterns", ())),
        band_words=tuple(table.get("band_words", {}).items()),
        mask_bits=tuple(table.get("mask_bits", {}).items()),
        source=table.get("source", ""),
    )


def _band(row: dict[str, Any], *, pixel_scale_arcsec: float) -> Band:
    fwhm, beta = float(row["psf_fwhm_arcsec"]), float(row.get("psf_beta", _BETA))
    zero_point = float(row["zero_point_mag"])
    if "noise_sigma" in row:
        return Band(row["name"], zero_point, float(row["noise_sigma"]), fwhm, beta)
    if "depth_aperture_arcsec" in row:
        pixels = aperture_pixels(row["depth_aperture_arcsec"], pixel_scale_arcsec)
    else:
        pixels = psf_pixels(fwhm, pixel_scale_arcsec, beta=beta)
    sigma = noise_from_depth(row["depth_mag"], zero_point, snr=row.get("depth_snr", 5.0), noise_pixels=pixels)
    return Band(row["name"], zero_point, sigma, fwhm, beta)


def _conditions(row: dict[str, Any]) -> BandConditions:
    return BandConditions(
        psf_fwhm_range_arcsec=tuple(map(float, row["psf_fwhm_range_arcsec"])),
        noise_range=tuple(map(float, row["noise_range"])),
        sky_mag_arcsec2=float(row["sky_mag_arcsec2"]),
        made_of=tuple((name, float(weight)) for name, weight in row.get("made_of", {}).items()),
    )
