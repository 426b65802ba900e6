"""The description of columns that ECSV files carry in front, and astropy's Parquet files inside."""

from __future__ import annotations

from collections.abc import Sequence

from astropy.table.meta import get_header_from_yaml

#: With what the first line of an ECSV file begins.
MARK = "# %ECSV"


def units_of(description: Sequence[str]) -> dict[str, str]:
    """Units of columns.

    Parameters
    ----------
    description : sequence of str
        Lines of YAML, as astropy writes them of a table.

    Returns
    -------
    dict of str
        Column -> unit, for those that have one.
    """
    if not description:
        return {}
    columns = get_header_from_yaml(list(description)).get("datatype", [])
    return {str(column["name"]): str(column["unit"]) for column in columns if column.get("unit")}
