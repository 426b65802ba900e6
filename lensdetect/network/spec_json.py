"""Specs as plain JSON values, for cards and runs, and back."""

from __future__ import annotations

import dataclasses
from typing import Any

from lensdetect.errors import InputError, unknown_name
from lensdetect.network import spec as parts

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
        If a ``kind`` or a field is unknown, or a field that has no default is missing.
    """
    if isinstance(values, list):
        return tuple(spec_from_dict(value) for value in values)
    if not isinstance(values, dict):
        return values
    fields = dict(values)
    kind = str(fields.pop("kind", None))
    if kind not in _KINDS:
        raise unknown_name("part of a detector", kind, _KINDS)
    known = {field.name for field in dataclasses.fields(_KINDS[kind])}
    if not set(fields) <= known:
        raise InputError(f"{kind} has the fields {sorted(known)}, got {sorted(set(fields) - known)} beside them")
    try:
        return _KINDS[kind](**{name: spec_from_dict(value) for name, value in fields.items()})
    except TypeError as error:
        raise InputError(f"{kind} needs every field that has no default, got {sorted(fields)}: {error}") from error
