"""Specs as plain JSON values, for cards and runs, and back."""

from __future__ import annotations

import dataclasses
from typing import Any

from lensdetect.errors import unknown_name
from lensdetect.fields import from_table, within
from lensdetect.network import spec as parts

#: The largest width in the zoo is 1024, and the most repetitions are 8.
_LARGEST, _MOST_PARTS = 8192, 256
_REPEATED = ("blocks ", "num_blocks ", "groups ", "num_heads ", "convolutions ", "kernel ", "first_kernel ", "stride ")

_KINDS = {name: kind for name, kind in vars(parts).items() if dataclasses.is_dataclass(kind)}


def spec_to_dict(spec: Any) -> Any:
    """Spec as plain JSON values; every dataclass carries its ``kind``.

    Parameters
    ----------
    spec : DetectorSpec or one of its parts
        What to write down.

    Returns
    -------
    dict
    """
    if dataclasses.is_dataclass(spec):
        fields = {field.name: spec_to_dict(getattr(spec, field.name)) for field in dataclasses.fields(spec)}
        return {"kind": type(spec).__name__, **fields}
    if isinstance(spec, (tuple, list)):
        return [spec_to_dict(value) for value in spec]
    return spec


def spec_from_dict(values: Any) -> Any:
    """Spec from what ``spec_to_dict`` made.

    Parameters
    ----------
    values : dict
        Plain JSON values.

    Returns
    -------
    DetectorSpec or one of its parts

    Raises
    ------
    InputError
        If a ``kind`` or a field is unknown, a field that has no default is
        missing, or a value is of another type or out of range.
    """
    if isinstance(values, list):
        return tuple(spec_from_dict(value) for value in values)
    if not isinstance(values, dict):
        return values
    fields = dict(values)
    kind = str(fields.pop("kind", None))
    if kind not in _KINDS:
        raise unknown_name("part of a detector", kind, _KINDS)
    fields = {name: spec_from_dict(value) for name, value in fields.items()}
    for name, value in fields.items():
        _check_sizes(value, place=f"{name} of {kind}")
    return from_table(_KINDS[kind], fields, place=kind)


def _check_sizes(value: Any, *, place: str) -> None:
    """Refuse sizes that no network has: building one would take all memory."""
    if isinstance(value, tuple):
        within(len(value), low=0, high=_MOST_PARTS, place=f"the number of parts of {place}")
        for item in value:
            _check_sizes(item, place=place)
    elif isinstance(value, int) and not isinstance(value, bool):
        high = _MOST_PARTS if place.startswith(_REPEATED) else _LARGEST
        within(value, low=0, high=high, place=place)
