"""Public names of a package that are imported on their first use, so that who needs few of them loads little."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping


def lazy_names(package: str, homes: Mapping[str, str], *, also: tuple[str, ...] = ()) -> tuple[Callable, Callable]:
    """Make the ``__getattr__`` and ``__dir__`` of a package (PEP 562).

    Parameters
    ----------
    package : str
        Its ``__name__``.
    homes : mapping of str
        Public name -> the module or package in it that holds it.
    also : tuple of str
        Public names that are there already.

    Returns
    -------
    tuple of callable
        ``__getattr__``, which raises ``AttributeError`` for any other name, and ``__dir__``.
    """

    def find(name: str):
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(importlib.import_module(f"{package}.{homes[name]}"), name)

    return find, lambda: sorted([*homes, *also])
