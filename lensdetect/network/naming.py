"""How the parts of a detector are called, in messages and in layer names."""

from __future__ import annotations

from types import UnionType


def any_of(kinds: UnionType) -> str:
    """Names of all classes of a union, for a message.

    Parameters
    ----------
    kinds : union
        Such as ``Stem``.

    Returns
    -------
    str
        "A, B or C".
    """
    *first, last = [kind.__name__ for kind in kinds.__args__]
    return f"{', '.join(first)} or {last}" if first else last
