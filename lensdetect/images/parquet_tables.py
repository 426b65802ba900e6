"""Tables in Parquet files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from lensdetect.images.ecsv import units_of
from lensdetect.images.rows import RawPiece, Refused, Source, is_plain

#: Under this key astropy keeps the description of the columns.
_DESCRIPTION = b"table_meta_yaml"


def open_parquet_table(file: Path) -> Source:
    """Open a Parquet file.

    Parameters
    ----------
    file : Path

    Returns
    -------
    Source
        Units are those that astropy or the field's own metadata tell.
    """
    with pq.ParquetFile(file) as table:
        schema = table.schema_arrow
    names = [field.name for field in schema if is_plain(field.type)]

    def read(columns: list[str], rows: int, refused: Refused) -> Iterator[RawPiece]:
        with pq.ParquetFile(file) as table:
            for batch in table.iter_batches(batch_size=rows, columns=columns):
                yield {name: batch[name] for name in columns}, None

    return Source(names, _units(schema), read)


def _units(schema: pa.Schema) -> dict[str, str]:
    description = (schema.metadata or {}).get(_DESCRIPTION, b"")
    units = units_of(description.decode("utf-8", "replace").splitlines())
    for field in schema:
        unit = (field.metadata or {}).get(b"unit")
        if unit:
            units[field.name] = unit.decode("utf-8", "replace")
    return units
