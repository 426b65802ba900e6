"""Population files: a TOML file that changes parameters of a population.

Its keys are the fields of the population, its tables those fields that are
parameters of their own, at any depth. What it does not name stays::

    lens_fraction = 0.2

    [foolers]
    spiral = 0.3
    merger = 0.0

    [sources]
    mag_range = [20.0, 25.5]

    [sources.quasars]
    share = 0.5

``population_toml`` writes all parameters of a population in that form, to start
from; what each of them means, with its unit and its source, is in the docstrings
of the dataclasses.
"""

from __future__ import annotations

import dataclasses
import math
import tomllib
import typing
from pathlib import Path
from typing import Any

from lensdetect.errors import InputError, unknown_name
from lensdetect.simulation.population import Population

#: Ends of names whose values are shares of a whole.
_SHARES = ("_share", "_fraction", "share")


def read_population(path: str | Path, base: Population) -> Population:
    """Population with the parameters that a file changes.

    Parameters
    ----------
    path : str or Path
        TOML, as described above.
    base : Population
        Where all that the file does not name comes from.

    Returns
    -------
    Population
        Of the type of ``base``.

    Raises
    ------
    InputError
        If the file cannot be read or is no TOML, a key is no parameter, or a
        value has the wrong type or is out of range; the message names file and key.
    """
    path = Path(path)
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(
            f"a population file must be readable, got {error.strerror} for {path}: check the path"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} must be TOML, got: {error}: write lines like spiral = 0.2 under [foolers]") from error
    return _override(base, table, place=(), path=path)


def _override(parameters: Any, table: dict[str, Any], *, place: tuple[str, ...], path: Path) -> Any:
    """A dataclass with the fields that a table names replaced."""
    known = {field.name for field in dataclasses.fields(parameters)}
    types = typing.get_type_hints(type(parameters))
    changes = {}
    for name, value in table.items():
        if name not in known:
            where = f"[{'.'.join(place)}]" if place else "the top level"
            raise unknown_name(f"parameter in {where} of {path}", name, known)
        old = getattr(parameters, name)
        here = (*place, name)
        if dataclasses.is_dataclass(old):
            if not isinstance(value, dict):
                raise _wrong(
                    path, here, must="be a table", value=value, hint=f"write [{'.'.join(here)}] and its keys below"
                )
            changes[name] = _override(old, value, place=here, path=path)
        else:
            changes[name] = _checked(value, types[name], old=old, place=here, path=path)
    try:
        return dataclasses.replace(parameters, **changes)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def _checked(value: Any, kind: Any, *, old: Any, place: tuple[str, ...], path: Path) -> Any:
    """A value of the type that the field has, within its range."""
    new = _typed(value, kind)
    if new is None:
        raise _wrong(path, place, must=f"be {_words(kind)}", value=value, hint=f"it is {_written(old)} by default")
    numbers = [number for number in (new if isinstance(new, tuple) else (new,)) if isinstance(number, float)]
    if not all(map(math.isfinite, numbers)):
        raise _wrong(path, place, must="be finite", value=value, hint=f"it is {_written(old)} by default")
    name = place[-1]
    if name.endswith(_SHARES) and not all(0.0 <= number <= 1.0 for number in numbers):
        raise _wrong(path, place, must="be between 0 and 1", value=value, hint="give a share of 1")
    if "scatter" in name and any(number < 0.0 for number in numbers):
        raise _wrong(path, place, must="not be negative", value=value, hint="give 0 for none")
    if "_range" in name and isinstance(new, tuple) and list(new) != sorted(new):
        raise _wrong(path, place, must="increase", value=value, hint="give the lower end first")
    return new


def _typed(value: Any, kind: Any) -> Any:
    """The value as the type of a field, None if it is of another."""
    if typing.get_origin(kind) is tuple:
        parts = typing.get_args(kind)
        if not isinstance(value, list):
            return None
        if parts[-1] is Ellipsis:
            parts = parts[:1] * len(value)
        if len(parts) != len(value):
            return None
        items = tuple(_typed(item, part) for item, part in zip(value, parts, strict=True))
        return None if None in items else items
    if isinstance(value, bool) or kind is bool:
        return value if isinstance(value, bool) and kind is bool else None
    if kind is float and isinstance(value, int | float):
        return float(value)
    return value if isinstance(value, kind) else None


def _words(kind: Any) -> str:
    """A type in words."""
    if typing.get_origin(kind) is tuple:
        parts = typing.get_args(kind)
        if parts[-1] is Ellipsis:
            return f"a list, each part of it {_words(parts[0])}"
        return f"a list of {len(parts)}, each part of it {_words(parts[0])}"
    return {float: "a number", int: "a whole number", str: "text", bool: "true or false"}.get(kind, str(kind))


def _written(value: Any) -> str:
    """A value as TOML writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_written, value))}]"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return "a table" if isinstance(value, dict) else str(value)


def _wrong(path: Path, place: tuple[str, ...], *, must: str, value: Any, hint: str) -> InputError:
    return InputError(f"{path}: {'.'.join(place)} must {must}, got {_written(value)}: {hint}")


def population_toml(population: Population) -> str:
    """All parameters of a population as a population file.

    Parameters
    ----------
    population : Population

    Returns
    -------
    str
        TOML that ``read_population`` reads.
    """
    return "\n".join(_lines(population, place=())) + "\n"


def _lines(parameters: Any, *, place: tuple[str, ...]) -> list[str]:
    values = {field.name: getattr(parameters, field.name) for field in dataclasses.fields(parameters)}
    nested = {name: value for name, value in values.items() if dataclasses.is_dataclass(value)}
    lines = ["", f"[{'.'.join(place)}]"] if place else []
    lines += [f"{name} = {_written(value)}" for name, value in values.items() if name not in nested]
    return lines + [line for name, value in nested.items() for line in _lines(value, place=(*place, name))]
