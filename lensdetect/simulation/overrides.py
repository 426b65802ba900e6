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
import re
import tomllib
import typing
from pathlib import Path
from typing import Any

from lensdetect.errors import InputError, unknown_name
from lensdetect.fields import typed, words
from lensdetect.simulation.population import Population

#: What is in the name of a parameter -> the least and the largest that its numbers may be.
#: All that fit are held; what is said of few parameters alone is checked by their own dataclass.
_RANGES = {
    r".*": (-1e6, 1e6),
    r"mag(_|$)": (-100.0, 100.0),
    r"(^|_)(share|fraction)$": (0.0, 1.0),
    r"(size|flux|mass)_share$": (1e-3, 1.0),
    r"scatter|_sigma$": (0.0, 1e3),
    r"scatter_dex": (0.0, 5.0),
    r"jitter|per_arcmin2|members|clumps_mean": (0.0, 1e4),
    r"axis_ratio(_min)?$": (0.01, 1.0),
    r"shear_(median|sigma)": (1e-6, 1.0),
    r"(?<!r)_arcsec$": (0.0, 1e3),
    r"redshift_range": (0.01, 10.0),
    r"sigma_range_km_s": (1.0, 5e3),
    r"sersic_index$": (0.2, 10.0),
}


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
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
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
    try:
        new = typed(value, kind, place=".".join(place))
    except InputError as error:
        infinite = kind is float and isinstance(value, float) and not math.isfinite(value)
        must = "be finite" if infinite else f"be {words(kind)}"
        raise _wrong(path, place, must=must, value=value, hint=_by_default(old)) from error
    numbers = [
        number
        for number in (new if isinstance(new, tuple) else (new,))
        if isinstance(number, float | int) and not isinstance(number, bool)
    ]
    name = place[-1]
    low, high = _range_of(name)
    if not all(low <= number <= high for number in numbers):
        raise _wrong(path, place, must=f"be between {low:g} and {high:g}", value=value, hint=_by_default(old))
    if "_range" in name and isinstance(new, tuple) and list(new) != sorted(new):
        raise _wrong(path, place, must="increase", value=value, hint="give the lower end first")
    return new


def _range_of(name: str) -> tuple[float, float]:
    found = [limits for pattern, limits in _RANGES.items() if re.search(pattern, name)]
    return max(low for low, _ in found), min(high for _, high in found)


def _by_default(old: Any) -> str:
    return f"it is {_written(old)} by default"


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
