"""All readers that ``benchmarks/fuzz.py`` tries, with the good files that they begin with.

To add one, write an entry of ``READERS`` of one of these: ``seeds`` gives contents of
good files, ``mutate`` changes one (``fuzz_changes.mutate_bytes`` suits everything),
``read`` reads a path with the package and returns arrays or what compares, and
``expected`` reads it with another library, where there is one. An input of several
files is put together by ``fuzz_inputs.put``: the changed file has the name ``file``,
the others stay good.
"""

from __future__ import annotations

import fuzz_pixels
import fuzz_settings
import fuzz_tables
from fuzz_inputs import Reader

READERS: dict[str, Reader] = {**fuzz_pixels.READERS, **fuzz_tables.READERS, **fuzz_settings.READERS}
