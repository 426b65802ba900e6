"""The part of the sky that no round learns from: known by position alone, so that every round keeps to it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from lensdetect.artifact import Card
from lensdetect.errors import InputError
from lensdetect.fields import within

LEARN, HELD_OUT, BORDER = "learn", "held out", "border"

#: Rows of cells, counted from the south pole.
_SOUTH_ARCMIN = 90.0 * 60.0
#: Around a position: where a cutout may reach into another cell.
_AROUND = [(x, y) for x in (-1.0, 0.0, 1.0) for y in (-1.0, 0.0, 1.0) if (x, y) != (0.0, 0.0)]


@dataclass(frozen=True)
class HeldOut:
    """Which cells of the sky are held out.

    The sky is cut into cells of one height in declination and about one width on
    the sky; a hash of its place says whether a cell is held out. Nothing has to
    be stored, no list can be lost: the same position is on the same side in
    every search, of every survey, for good.

    Parameters
    ----------
    fraction : float
        Share of the cells.
    cell_arcmin : float
        Height and about the width of a cell.

    Raises
    ------
    InputError
        If a number is out of range.
    """

    fraction: float = 0.2
    cell_arcmin: float = 3.0

    def __post_init__(self):
        """Check the numbers."""
        within(self.fraction, low=0.01, high=0.9, place="the share of the sky that is held out")
        within(self.cell_arcmin, low=0.1, high=600.0, place="cell_arcmin of what is held out")

    def holds(self, ra_deg: np.ndarray, dec_deg: np.ndarray) -> np.ndarray:
        """Whether positions lie in cells that are held out.

        Parameters
        ----------
        ra_deg, dec_deg : ndarray
            ``(n,)``, finite.

        Returns
        -------
        ndarray of bool
        """
        rows, columns = self._cells(np.asarray(ra_deg, float), np.asarray(dec_deg, float))
        cells, cell_of = np.unique(np.stack([rows, columns], axis=1), axis=0, return_inverse=True)
        shares = np.array([_share(self.cell_arcmin, row, column) for row, column in cells.tolist()], float)
        return (shares < self.fraction)[cell_of.ravel()]

    def sides(self, ra_deg: np.ndarray, dec_deg: np.ndarray, *, reach_arcsec: float) -> np.ndarray:
        """On which side each object is.

        Parameters
        ----------
        ra_deg, dec_deg : ndarray
            ``(n,)``, finite.
        reach_arcsec : float
            How far an object may be from another with which it shares pixels: the side of a cutout.

        Returns
        -------
        ndarray of str
            ``LEARN``, ``HELD_OUT``, or ``BORDER``: so near to a cell that is held
            out that it may share pixels with what is in there. What is at the
            border is neither learned from nor measured.
        """
        held = self.holds(ra_deg, dec_deg)
        reach_deg = reach_arcsec / 3600.0
        stretch = 1.0 / np.maximum(np.cos(np.radians(dec_deg)), 1e-3)
        near = np.zeros(len(held), bool)
        for x, y in _AROUND:
            ra = np.mod(ra_deg + x * reach_deg * stretch, 360.0)
            near |= self.holds(ra, np.clip(dec_deg + y * reach_deg, -90.0, 90.0))
        return np.where(held, HELD_OUT, np.where(near, BORDER, LEARN))

    def _cells(self, ra_deg: np.ndarray, dec_deg: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        row = np.floor((dec_deg * 60.0 + _SOUTH_ARCMIN) / self.cell_arcmin).astype(np.int64)
        middle_deg = ((row + 0.5) * self.cell_arcmin - _SOUTH_ARCMIN) / 60.0
        around_arcmin = 360.0 * 60.0 * np.cos(np.radians(np.clip(middle_deg, -90.0, 90.0)))
        columns = np.maximum(np.floor(around_arcmin / self.cell_arcmin), 1.0)
        return row, np.floor(np.mod(ra_deg, 360.0) / 360.0 * columns).astype(np.int64)


def rule_of(card: Card, wanted: HeldOut | None) -> HeldOut:
    """What is held out of a detector: for good, since the first round.

    Parameters
    ----------
    card : Card
        Of a detector that went through rounds, or not.
    wanted : HeldOut or None
        What is asked for now.

    Returns
    -------
    HeldOut

    Raises
    ------
    InputError
        If it is another than that of the rounds before.
    """
    rounds = card.training.get("rounds", [])
    if not rounds:
        return wanted or HeldOut()
    kept = HeldOut(**rounds[-1]["held_out"])
    if wanted not in (None, kept):
        raise InputError(
            f"what is held out cannot change from round to round: it is {kept.fraction:g} of the sky in cells of "
            f"{kept.cell_arcmin:g} arcmin, got {wanted.fraction:g} and {wanted.cell_arcmin:g}: leave it out"
        )
    return kept


@lru_cache(maxsize=1_000_000)
def _share(cell_arcmin: float, row: int, column: int) -> float:
    """A number from 0 to 1 that a cell has for good."""
    digest = hashlib.blake2b(f"{cell_arcmin:g}/{row}/{column}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64
