"""Tables of any common form: the one reader of catalogues, lists of lenses and truth.

Which form a file has is seen from its first bytes. It is read in pieces, so
that its size does not matter; VOTables alone are read whole, up to a stated size.
"""

from __future__ import annotations

import glob
import gzip
from collections.abc import Iterator, Sequence
from pathlib import Path

from lensdetect.errors import InputError, reading, unknown_name
from lensdetect.images.fits_tables import open_fits_table
from lensdetect.images.parquet_tables import open_parquet_table
from lensdetect.images.rows import Refused, Rows, plain_table
from lensdetect.images.text_tables import open_text_table
from lensdetect.images.votables import open_votable
from lensdetect.text import for_screen

#: Endings by which tables are found in a folder.
ENDINGS = (
    ".parquet", ".pq", ".fits", ".fit", ".cat", ".fits.gz", ".fit.gz", ".csv", ".tsv", ".ecsv", ".txt", ".dat",
    ".csv.gz", ".tsv.gz", ".ecsv.gz", ".txt.gz", ".vot", ".votable", ".xml",
)  # fmt: skip
_GZIP = b"\x1f\x8b"
#: Rows of a piece, unless another number is asked for.
ROWS = 100_000


def table_files(path: Path | str | Sequence[Path | str]) -> list[Path]:
    """Files of a catalogue.

    Parameters
    ----------
    path : path
        A file, a glob, or a folder: of tables, or a HATS catalogue (its
        partitions are the Parquet files under ``dataset``). Or several of these.

    Returns
    -------
    list of Path
        Sorted by name; of several paths, one path after the other.

    Raises
    ------
    InputError
        If there is none, or an ending is not known.
    """
    if not isinstance(path, (str, Path)):
        return list(dict.fromkeys(file for one in path for file in table_files(one)))
    root = Path(path)
    if root.is_dir():
        partitions = sorted(root.glob("dataset/**/Npix=*.parquet")) + sorted(root.glob("**/Npix=*/*.parquet"))
        found = partitions or sorted(file for file in root.iterdir() if _is_table(file))
    else:
        found = [root] if root.exists() else sorted(Path(name) for name in glob.glob(str(path)))
    if not found:
        raise InputError(f"there must be a table, or a folder or glob of tables, got nothing at {path}: check the path")
    for file in found:
        if not _is_table(file):
            raise InputError(f"a catalogue must be one of {', '.join(ENDINGS)}, got {file}: convert it")
    return found


def _is_table(file: Path) -> bool:
    return file.name.lower().endswith(ENDINGS)


class Table:
    """One table on disk, opened.

    Parameters
    ----------
    file : path
        FITS, Parquet, VOTable, ECSV, or text with one row a line (see ``text_tables``).
    strict : bool
        Whether a line that is no row is an error; else it is left out and counted.

    Attributes
    ----------
    file : Path
    columns : list of str
        Those with one value a row, in the order of the file.
    units : dict of str
        Units of the columns for which the file tells one, as it writes them.
    refused : Refused
        Lines that were left out so far.

    Raises
    ------
    InputError
        If it cannot be read.
    """

    def __init__(self, file: Path | str, *, strict: bool = False):
        self.file = Path(file)
        self.refused = Refused(strict)
        with reading(self.file, what="a table"):
            self._source = _opener(self.file)(self.file)
        # names with control characters go by their escapes, as they are shown
        self._names = {for_screen(name): name for name in self._source.columns}
        self.columns = [for_screen(name) for name in self._source.columns]
        self.units = {for_screen(name): unit for name, unit in self._source.units.items()}

    def pieces(self, columns: Sequence[str], *, rows: int = ROWS) -> Iterator[Rows]:
        """Some columns of the table, piece by piece.

        Parameters
        ----------
        columns : sequence of str
            Which ones.
        rows : int
            Rows of a piece, at most.

        Yields
        ------
        Rows

        Raises
        ------
        InputError
            If a column is not there or there twice, or the file cannot be read.
        """
        wanted = list(dict.fromkeys(columns))
        for name in wanted:
            if name not in self.columns:
                raise unknown_name(f"column of {self.file}", name, self.columns)
            if self.columns.count(name) > 1:
                raise InputError(
                    f"{self.file} must have one column {name}, got {self.columns.count(name)}: rename them"
                )
        pieces, first = self._source.read([self._names[name] for name in wanted], rows, self.refused), 0
        while True:
            with reading(self.file, what="a table"):
                found = next(pieces, None)
                if found is None:
                    return
                cells = {name: found[0][self._names[name]] for name in wanted}
                piece = Rows(self.file, plain_table(cells), first, found[1])
            first += len(piece)
            yield piece


def _opener(file: Path):
    """Reader for the form that a file has."""
    with open(file, "rb") as stream:
        start = stream.read(1024)
    if start.startswith(_GZIP):
        with gzip.open(file) as stream:
            start = stream.read(1024)
    if start.startswith(b"PAR1"):
        return open_parquet_table
    if start.startswith(b"SIMPLE"):
        return open_fits_table
    if start.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<"):
        return open_votable
    return open_text_table
