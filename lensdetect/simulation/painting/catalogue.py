"""The user's catalogue: which galaxies, and what is known of each."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from astropy.table import Table

from lensdetect.errors import InputError

#: Column -> names it may have, whatever the case, the first ones before the others.
COLUMN_NAMES: dict[str, tuple[str, ...]] = {
    "id": ("id", "object_id", "objid", "coadd_object_id", "source_id", "name"),
    "file": ("file", "file_name", "filename", "image", "cutout", "path"),
    "index": ("index", "plane", "number"),
    "ra_deg": ("ra_deg", "ra", "raj2000", "ra_j2000", "alpha_j2000", "ra_icrs"),
    "dec_deg": ("dec_deg", "dec", "decj2000", "de_j2000", "dec_j2000", "delta_j2000", "dej2000", "de_icrs"),
    "mag": ("mag", "mag_auto", "mag_r", "mag_auto_r"),
    "redshift": ("redshift", "z_spec", "zspec", "z_phot", "zphot", "photoz", "z_b"),
    "velocity_dispersion_km_s": ("velocity_dispersion_km_s", "velocity_dispersion", "sigma_v", "vdisp"),
    "einstein_radius_arcsec": ("einstein_radius_arcsec", "einstein_radius", "theta_e"),
}
_TEXTS = ("id", "file")


def read_catalogue(path: Path | str) -> pd.DataFrame:
    """Read a catalogue of galaxies.

    Parameters
    ----------
    path : path
        CSV, FITS or Parquet, by its ending. Column names are those of
        ``COLUMN_NAMES`` in any case; other columns are left out.

    Returns
    -------
    DataFrame
        The columns of ``COLUMN_NAMES`` that are there: ``id`` and ``file`` as
        text, the others as float, NaN where unknown.

    Raises
    ------
    InputError
        If it cannot be read, is empty, has no ids or the same id twice, or a
        value is not a number.
    """
    table = _read_table(Path(path))
    lower = {str(column).lower(): column for column in table.columns}
    columns = {}
    for name, others in COLUMN_NAMES.items():
        found = next((lower[other] for other in others if other in lower), None)
        if found is not None:
            columns[name] = _texts(table[found]) if name in _TEXTS else _numbers(table[found], path)
    rows = pd.DataFrame(columns)
    if "id" not in rows or rows.empty:
        raise InputError(
            f"catalogue {path} must have a column id and a row for each galaxy, got {len(table)} rows of "
            f"{', '.join(map(str, table.columns))}"
        )
    double = rows["id"][rows["id"].duplicated()]
    if len(double):
        raise InputError(f"ids of catalogue {path} must be different, got {double.iloc[0]} twice: number the rows anew")
    return rows


def _read_table(path: Path) -> pd.DataFrame:
    name = path.name.lower()
    try:
        if name.endswith((".parquet", ".pq")):
            return pd.read_parquet(path)
        if name.endswith((".fits", ".fit", ".fits.gz")):
            table = Table.read(path, character_as_bytes=False)
            return table[[column for column in table.colnames if table[column].ndim == 1]].to_pandas()
        if name.endswith((".csv", ".csv.gz", ".txt")):
            return pd.read_csv(path, dtype=str, skipinitialspace=True, comment="#")
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"catalogue {path} must be readable, got: {' '.join(str(error).split())}") from error
    raise InputError(f"a catalogue must be .csv, .fits or .parquet, got {path}: convert it")


def _texts(column: pd.Series) -> list[str]:
    return [value.decode().strip() if isinstance(value, bytes) else str(value).strip() for value in column]


def _numbers(column: pd.Series, path: Path | str) -> np.ndarray:
    try:
        return pd.to_numeric(column).to_numpy(float, na_value=np.nan)
    except (ValueError, TypeError) as error:
        raise InputError(f"column {column.name} of catalogue {path} must hold numbers, got: {error}") from error
