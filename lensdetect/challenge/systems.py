"""Which systems take part, from the way they are written on a command line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from lensdetect.challenge.committee import COMBINATIONS
from lensdetect.classical import CLASSICAL
from lensdetect.errors import InputError, unknown_name
from lensdetect.network import DETECTORS

ORACLE = "oracle"
#: For tests; nobody wants to know where it ranks.
_NOT_RANKED = {"arcformer_test"}


@dataclass(frozen=True)
class Entry:
    """One system with its bands, as it is entered.

    Parameters
    ----------
    label : str
        As it was written; it names the row.
    kind : str
        "network", "classical", "oracle" or "committee".
    name : str
        In the table of its kind.
    bands : tuple of str
        Empty for all of the data.
    members : tuple of str
        Labels of a committee's members.
    """

    label: str
    kind: str
    name: str
    bands: tuple[str, ...] = ()
    members: tuple[str, ...] = ()


def parse_entry(text: str, *, bands: tuple[str, ...]) -> Entry:
    """Entry from text: ``NAME``, ``NAME@BANDS`` or ``HOW:ENTRY+ENTRY``.

    Parameters
    ----------
    text : str
        ``arcformer_small``; ``arcformer_small@gri``, trained and tested on these
        bands alone; ``rank_mean:cnn_3+all_star``, a committee; or ``oracle``.
    bands : tuple of str
        Of the data.

    Returns
    -------
    Entry

    Raises
    ------
    InputError
        If a name or band is unknown, or a committee has fewer than two members.
    """
    how, colon, members = text.partition(":")
    if colon:
        return _committee(text, how, tuple(members.split("+")), bands)
    name, at, chosen = text.partition("@")
    kinds = {**dict.fromkeys(DETECTORS, "network"), **dict.fromkeys(CLASSICAL, "classical"), ORACLE: "oracle"}
    if name not in kinds:
        raise unknown_name("system", name, kinds)
    wanted = _bands(chosen, bands) if at else ()
    return Entry(text, kinds[name], name, wanted)


def _bands(chosen: str, bands: tuple[str, ...]) -> tuple[str, ...]:
    """Bands as letters run together, or between commas, in the order of the data."""
    names = chosen.split(",") if "," in chosen else list(chosen)
    foreign = [name for name in names if name not in bands]
    if foreign or not names or len(set(names)) < len(names):
        raise InputError(f"the bands of a system must be some of {','.join(bands)}, each once, got {chosen!r}")
    return tuple(name for name in bands if name in names)


def _committee(text: str, how: str, members: tuple[str, ...], bands: tuple[str, ...]) -> Entry:
    if how not in COMBINATIONS:
        raise unknown_name("committee", how, COMBINATIONS)
    if len(members) < 2 or len(set(members)) < len(members):
        raise InputError(f"a committee needs two members or more, each once, got {text!r}: write {how}:NAME+NAME")
    for member in members:
        if parse_entry(member, bands=bands).kind not in {"network", "classical"}:
            raise InputError(f"members of a committee must be trained systems, got {member!r} in {text!r}")
    return Entry(text, "committee", how, members=members)


def parse_entries(texts: Iterable[str], *, bands: tuple[str, ...], simulated: bool) -> list[Entry]:
    """Entries from texts, each once, members before their committee.

    Parameters
    ----------
    texts : iterable of str
        As ``parse_entry`` takes them, or "all".
    bands : tuple of str
        Of the data.
    simulated : bool
        Whether the test set is simulated, as the oracle needs it.

    Returns
    -------
    list of Entry

    Raises
    ------
    InputError
        As ``parse_entry``; if there is none, or the oracle is asked about other images.
    """
    names: list[str] = []
    for text in texts:
        names += all_names(simulated=simulated) if text == "all" else [text]
    entries: dict[str, Entry] = {}
    for entry in (parse_entry(name, bands=bands) for name in names):
        for member in entry.members:
            entries.setdefault(member, parse_entry(member, bands=bands))
        entries.setdefault(entry.label, entry)
    if not entries:
        raise InputError("a challenge needs at least one system, got none: name some, or all")
    if not simulated and any(entry.kind == "oracle" for entry in entries.values()):
        raise InputError("the oracle needs simulated test stamps, whose scenes can be drawn again: leave it out")
    return list(entries.values())


def all_names(*, simulated: bool) -> list[str]:
    """Every network and classical system, and the oracle where the data allow it.

    Parameters
    ----------
    simulated : bool
        Whether the test set is simulated.

    Returns
    -------
    list of str
    """
    names = [*(name for name in DETECTORS if name not in _NOT_RANKED), *CLASSICAL]
    return [*names, ORACLE] if simulated else names
