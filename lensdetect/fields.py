"""Values from files, held against the types that a dataclass states for its fields."""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from typing import Any

from lensdetect.errors import InputError

_WORDS = {float: "a number", int: "a whole number", str: "text", bool: "true or false", type(None): "nothing"}

#: Larger whole numbers fit into no integer of NumPy or TensorFlow.
_MOST = 2**62


def from_table(kind: type, table: Any, *, place: str) -> Any:
    """Dataclass from a table of its fields.

    Parameters
    ----------
    kind : type
        The dataclass.
    table : dict
        Value by the name of the field; one that has a default may be left out.
    place : str
        What the table is, for messages.

    Returns
    -------
    object
        Of that type.

    Raises
    ------
    InputError
        If a field is lacking or unknown, or a value is of another type; the
        message names its place.
    """
    if not isinstance(table, dict):
        raise InputError(f"{place} must be a table of fields, got {shown(table)}")
    fields = dataclasses.fields(kind)
    needed = {f.name for f in fields if f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING}
    known = {field.name for field in fields}
    if not needed <= set(table) <= known:
        raise InputError(
            f"{place} must have exactly its known fields; missing: {sorted(needed - set(table))}, "
            f"unknown: {sorted(map(str, set(table) - known))}"
        )
    hints = typing.get_type_hints(kind)
    return kind(**{name: typed(value, hints[name], place=f"{name} of {place}") for name, value in table.items()})


def typed(value: Any, kind: Any, *, place: str) -> Any:
    """A value as the type of a field: lists as tuples, whole numbers as numbers, tables as dataclasses.

    Parameters
    ----------
    value : object
        As JSON or TOML gives it.
    kind : type
        As a dataclass states it: a plain type, a tuple, a dict, a union, a dataclass, or any.
    place : str
        What the value is, for messages.

    Returns
    -------
    object

    Raises
    ------
    InputError
        If it is of another type, or a number that is not finite.
    """
    origin = typing.get_origin(kind)
    if kind is Any:
        return value
    if origin in (typing.Union, types.UnionType):
        return _one_of(value, typing.get_args(kind), place=place, kind=kind)
    if origin is tuple and isinstance(value, list | tuple):
        return _tuple(value, typing.get_args(kind), place=place, kind=kind)
    if origin is dict and isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {key: typed(item, typing.get_args(kind)[1], place=f"{key} of {place}") for key, item in value.items()}
    if dataclasses.is_dataclass(kind):
        return value if isinstance(value, kind) else from_table(kind, value, place=place)
    if _is_plain(value, kind):
        return float(value) if kind is float else value
    raise InputError(f"{place} must be {words(kind)}, got {shown(value)}")


def _is_plain(value: Any, kind: Any) -> bool:
    if kind is float:
        return isinstance(value, int | float) and not isinstance(value, bool) and _is_finite(value)
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool) and abs(value) <= _MOST
    return isinstance(kind, type) and isinstance(value, kind)


def _is_finite(value: float) -> bool:
    # A whole number of a file may be too large for any float.
    return abs(value) <= 1e300 if isinstance(value, int) else math.isfinite(value)


def _one_of(value: Any, kinds: tuple, *, place: str, kind: Any) -> Any:
    for one in kinds:
        try:
            return typed(value, one, place=place)
        except InputError as error:
            # Of several types that do not fit, a table says best what is wrong in it.
            if dataclasses.is_dataclass(one) and isinstance(value, dict) and len(kinds) <= 2:
                raise error
    raise InputError(f"{place} must be {words(kind)}, got {shown(value)}")


def _tuple(value: Any, parts: tuple, *, place: str, kind: Any) -> tuple:
    if parts[-1] is Ellipsis:
        parts = parts[:1] * len(value)
    if len(parts) != len(value):
        raise InputError(f"{place} must be {words(kind)}, got {shown(value)}")
    return tuple(
        typed(item, part, place=f"part {number} of {place}")
        for number, (item, part) in enumerate(zip(value, parts, strict=True), start=1)
    )


def words(kind: Any) -> str:
    """A type in words.

    Parameters
    ----------
    kind : type
        As ``typed`` takes it.

    Returns
    -------
    str
    """
    origin, parts = typing.get_origin(kind), typing.get_args(kind)
    if origin is tuple:
        length = "" if parts[-1] is Ellipsis else f" of {len(parts)}"
        return f"a list{length}, each part of it {words(parts[0])}"
    if origin in (typing.Union, types.UnionType):
        return " or ".join(words(part) for part in parts)
    if origin is dict:
        return f"a table, each value in it {words(parts[1])}"
    return _WORDS.get(kind, "a table" if dataclasses.is_dataclass(kind) else getattr(kind, "__name__", str(kind)))


def shown(value: Any) -> str:
    """A value for a message, cut short.

    Parameters
    ----------
    value : object

    Returns
    -------
    str
    """
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def within(value: float, *, low: float, high: float, place: str) -> None:
    """Refuse a number that is out of its range.

    Parameters
    ----------
    value : float
    low, high : float
        Least and largest that it may be.
    place : str
        What the number is, for the message.

    Raises
    ------
    InputError
        If it is out of range, or not a number.
    """
    if not low <= value <= high:
        raise InputError(f"{place} must be from {low:g} to {high:g}, got {value:g}")
