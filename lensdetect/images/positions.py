"""Positions in tables, whatever unit and writing they come in, in degrees."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from astropy import units as u
from astropy.coordinates import Angle

from lensdetect.errors import InputError
from lensdetect.images.columns import split_unit
from lensdetect.images.rows import Rows, numbers_in
from lensdetect.images.tables import Table
from lensdetect.text import shown

#: Words that tables write for units, beside those that astropy knows; hours are of angle here.
_WORDS = {
    "": u.deg, "degree": u.deg, "degrees": u.deg, "decimal degrees": u.deg,
    "radian": u.rad, "radians": u.rad,
    "h": u.hourangle, "hr": u.hourangle, "hour": u.hourangle, "hours": u.hourangle, "hourangle": u.hourangle,
    "h:m:s": u.hourangle, "hms": u.hourangle, "hh:mm:ss": u.hourangle, "hh mm ss": u.hourangle,
    "d:m:s": u.deg, "dms": u.deg, "dd:mm:ss": u.deg, "dd mm ss": u.deg,
}  # fmt: skip
_LIMITS = {"ra_deg": 360.0, "dec_deg": 90.0}


@dataclass(frozen=True)
class Axis:
    """One coordinate of the positions in a table.

    Parameters
    ----------
    role : str
        ``ra_deg`` or ``dec_deg``.
    name : str
        Of the column.
    unit : astropy.units.Unit
        Of numbers in it.
    text_unit : astropy.units.Unit
        Of sexagesimal text in it that does not tell its own.
    """

    role: str
    name: str
    unit: u.UnitBase
    text_unit: u.UnitBase

    def degrees(self, rows: Rows) -> tuple[np.ndarray, str]:
        """The coordinate of each row.

        Parameters
        ----------
        rows : Rows

        Returns
        -------
        degrees : ndarray
            float64 ``(n,)``, NaN where there is none that can be used.
        problem : str
            The first cell that is not empty and cannot be used, with its place; or empty.
        """
        column = rows.table[self.name]
        if pa.types.is_string(column.type):
            values, bad = numbers_in(column)
            values = values * self.unit.to(u.deg)
            for row in bad:
                values[row] = _sexagesimal(column[int(row)].as_py(), self.text_unit)
        else:
            values = rows.numbers(self.name) * self.unit.to(u.deg)
        outside = ~(np.abs(values) <= _LIMITS[self.role])
        values = np.where(outside, np.nan, values)
        wrong = np.flatnonzero(outside & column.is_valid().to_numpy())
        return values, f"{self.name} {shown(column[int(wrong[0])])} in {rows.where(int(wrong[0]))}" if len(
            wrong
        ) else ""


def axis(table: Table, role: str, name: str) -> Axis:
    """How a column tells a coordinate.

    Parameters
    ----------
    table : Table
    role : str
        ``ra_deg`` or ``dec_deg``.
    name : str
        Of the column; its unit is that of the table, else the one in the name.

    Returns
    -------
    Axis

    Raises
    ------
    InputError
        If the unit is none of angle, or none that can be read.
    """
    told = (table.units.get(name) or split_unit(name)[1]).strip().strip("\"'[]").strip()
    unit = _unit(told, role, name, table.file)
    # 12:00:09 without a unit is of hours in right ascension, as everywhere in the field
    text_unit = u.hourangle if role == "ra_deg" and not told else unit
    return Axis(role, name, unit, text_unit)


def _unit(told: str, role: str, name: str, file: Path) -> u.UnitBase:
    unit = _WORDS.get(told.lower())
    if unit is None:
        try:
            unit = u.Unit(told)
        except (ValueError, TypeError):
            unit = u.dimensionless_unscaled
    if not unit.is_equivalent(u.deg) or (role == "dec_deg" and unit == u.hourangle):
        raise InputError(
            f"column {name} of {file} must be in degrees or another unit of angle (rad, arcsec; hourangle for right "
            f"ascension), got the unit {shown(told)}: convert it"
        )
    return unit


def _sexagesimal(text: str, unit: u.UnitBase) -> float:
    try:
        return float(Angle(text, unit=unit).to_value(u.deg))
    except Exception:
        # astropy's parser raises errors of many types, and all mean that this is no angle
        return np.nan
