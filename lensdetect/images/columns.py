"""What columns are called: one vocabulary for catalogues, lists of lenses and truth."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from lensdetect.errors import InputError, unknown_name

#: Role of a column -> names it has in tables, in small letters and without a unit, tried in this order; a role that
#: is not here goes by its own name alone. Sources:
#: KiDS DR4 ID, RAJ2000; DES DR2 COADD_OBJECT_ID; HSC PDR3 object_id; Rubin objectId, coord_ra; Euclid OBJECT_ID,
#: RIGHT_ASCENSION; SDSS objID; Pan-STARRS raMean; SExtractor ALPHA_J2000; VizieR RA_ICRS, _RAJ2000, DEJ2000.
ROLES: dict[str, tuple[str, ...]] = {
    "id": (
        "id", "ids", "object_id", "objectid", "coadd_object_id", "coadd_objects_id", "ls_id", "objid", "source_id",
        "sourceid", "diaobjectid", "id_unique", "objname", "name", "object", "system", "designation",
    ),
    "ra_deg": (
        "ra_deg", "ra", "raj2000", "ra_j2000", "coord_ra", "ra_icrs", "alpha_j2000", "alphawin_j2000",
        "right_ascension", "i_ra", "ramean", "_raj2000", "_ra", "radeg",
    ),
    "dec_deg": (
        "dec_deg", "dec", "decj2000", "dec_j2000", "dej2000", "de_j2000", "coord_dec", "dec_icrs", "de_icrs",
        "delta_j2000", "deltawin_j2000", "declination", "i_dec", "decmean", "_dej2000", "_de", "decdeg", "dedeg",
        "decl",
    ),
    "name": ("name", "id", "object", "object_id", "objectid", "system", "designation", "lens_name", "objname"),
    "grade": ("grade", "grading", "class", "quality"),
    "file": ("file", "file_name", "filename", "image", "cutout", "path"),
    "index": ("index", "plane", "number"),
    "mag": ("mag", "mag_auto", "mag_r", "mag_auto_r"),
    "redshift": ("redshift", "z_spec", "zspec", "z_phot", "zphot", "photoz", "z_b"),
    "velocity_dispersion_km_s": ("velocity_dispersion_km_s", "velocity_dispersion", "sigma_v", "vdisp"),
    "einstein_radius_arcsec": ("einstein_radius_arcsec", "einstein_radius", "theta_e"),
    "is_lens": ("is_lens",),
    "no_source": ("no_source",),
    "einstein_area_rad2": ("einstein_area",),
    "arc_pixel_count": ("arc_pixel_count", "numb_pix_lensed_image"),
    "arc_flux_sigma": ("arc_flux_sigma", "flux_lensed_image_in_sigma"),
}  # fmt: skip
#: Columns that name an object only together: of the Legacy Surveys, where objid counts within a brick.
_TOGETHER = (("release", "brickid", "objid"), ("brickid", "objid"))
_UNIT = re.compile(r"^(.*?)\s*[\[(]([^\[\]()]*)[\])]$")
_ALL_NAMES = frozenset(name for names in ROLES.values() for name in names)
#: What joins several columns that are an id together.
PLUS = "+"


def split_unit(name: str) -> tuple[str, str]:
    """Name of a column and the unit that is written in it, as in ``RA [deg]``.

    Parameters
    ----------
    name : str

    Returns
    -------
    tuple of str
        The unit is empty where there is none.
    """
    found = _UNIT.match(name.strip())
    return (found[1], found[2].strip()) if found and found[1] else (name.strip(), "")


def is_known_name(name: str) -> bool:
    """Whether some role goes by this name."""
    return _bare(name) in _ALL_NAMES


def _bare(name: str) -> str:
    return split_unit(name)[0].lower()


def find_columns(
    found: Sequence[str],
    roles: Iterable[str],
    *,
    given: Mapping[str, str] | None = None,
    own: Mapping[str, str] | None = None,
    path: Path | str = "the table",
) -> dict[str, str]:
    """Column of each role.

    Parameters
    ----------
    found : sequence of str
        Columns of a table.
    roles : iterable of str
        What is looked for, as in ``ROLES``.
    given : mapping, optional
        Role -> column, as the user says.
    own : mapping, optional
        Role -> name in the survey's own catalogues, tried before the usual ones.
    path : path
        Of the table, for messages.

    Returns
    -------
    dict of str
        Role -> column, empty where there is none. An id may be several columns
        with ``+`` between them.

    Raises
    ------
    InputError
        If a role is not known or a given column is not there.
    """
    given, own, roles = given or {}, own or {}, tuple(roles)
    for role, name in given.items():
        if role not in roles:
            raise unknown_name("role of a column", role, roles)
        for part in columns_of(name, found):
            if part not in found:
                raise unknown_name(f"column of {path}", part, found)
    by_name = {_bare(name): name for name in reversed(found)}
    result = {}
    for role in roles:
        names = (own.get(role) or "", *(() if role != "id" else ("id",)))
        name = next((by_name[one.lower()] for one in names if one.lower() in by_name), "")
        name = name or (_together(by_name) if role == "id" else "")
        name = name or next((by_name[one] for one in ROLES.get(role, (role,)) if one in by_name), "")
        result[role] = given.get(role) or name
    return result


def _together(by_name: Mapping[str, str]) -> str:
    parts = next((parts for parts in _TOGETHER if all(part in by_name for part in parts)), ())
    return PLUS.join(by_name[part] for part in parts)


def columns_of(name: str, found: Sequence[str]) -> list[str]:
    """Columns that a role takes: one, several with ``+`` between them, or none."""
    if not name:
        return []
    return [name] if name in found else [part.strip() for part in name.split(PLUS)]


def need_positions(columns: Mapping[str, str], found: Sequence[str], path: Path | str, *, option: str = "") -> None:
    """Refuse a table without positions.

    Parameters
    ----------
    columns : mapping
        As ``find_columns`` gives it.
    found : sequence of str
        All columns of the table.
    path : path
    option : str
        How to name a column, for the message; without it columns must be renamed.

    Raises
    ------
    InputError
    """
    for role in ("ra_deg", "dec_deg"):
        if not columns[role]:
            more = f" and {len(found) - 12} more" if len(found) > 12 else ""
            way = f"name it with {option} {role}=NAME" if option else f"call it {role}"
            raise InputError(f"{path} must have a column for {role}, got {', '.join(found[:12])}{more}: {way}")
