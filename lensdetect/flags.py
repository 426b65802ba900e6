"""Quality flags of a cutout: one table of named bits.

A result table carries ``flags`` (int64, a sum of these bits) and ``reason``
(text, empty when all is well).
"""

from __future__ import annotations

from dataclasses import dataclass

#: How far from the middle of a lens its arcs can lie. What goes wrong in an image farther away does not touch what is
#: in the middle, and two candidates that are nearer to each other are one thing to look at. Of the lenses of single
#: galaxies few have an Einstein radius of more than 3 arcsec, and of groups of more than 6.
ARC_RADIUS_ARCSEC = 6.0


@dataclass(frozen=True)
class Flag:
    """One bit of ``flags``.

    Parameters
    ----------
    bit : int
        Position of the bit, from 0.
    name : str
        Short name, for tables.
    refused : bool
        Whether a cutout with this flag gets no score.
    meaning : str
        What it says, for people.
    """

    bit: int
    name: str
    refused: bool
    meaning: str

    @property
    def value(self) -> int:
        """The bit as a number to add to ``flags``."""
        return 1 << self.bit


FLAGS: dict[str, Flag] = {
    flag.name: flag
    for flag in (
        Flag(
            0,
            "masked",
            False,
            "over 5 % of the pixels of some band are masked or not finite, or one is absurd",
        ),
        Flag(1, "missing_band", False, "at least one band is absent: a plane of NaN stands for it"),
        Flag(2, "identical_bands", False, "two bands hold the same bytes: the colours are false"),
        Flag(3, "cropped", False, "larger than the detector's cutout; its centre was used"),
        Flag(4, "padded", False, "smaller than the detector's cutout; NaN was added around it"),
        Flag(5, "wrong_shape", True, "not the detector's size, and neither crop nor pad was asked for"),
        Flag(6, "unreadable", True, "a file is absent, truncated or not in its format"),
        Flag(7, "blank", True, "no data in any band: NaN, or one value throughout"),
        Flag(8, "edge", False, "reaches beyond the edge of its tile: NaN was put outside"),
        Flag(9, "saturated", False, "the core is flat or missing, as of something too bright for the detector"),
        Flag(10, "trail", False, "a line runs through it, as of a satellite or an aeroplane"),
        Flag(11, "bad_column", False, "a row or column is too bright, too dark or dead"),
        Flag(12, "bad_background", False, "the sky is not flat: a ghost, a halo, a trough, a step in depth"),
        Flag(13, "cosmic_ray", False, "something sharper than any point of light, in one band"),
        Flag(14, "duplicate", False, "another object of the catalogue, nearer to its beginning, is at this place"),
        Flag(15, "star_like", False, "what is in the middle is as sharp as a point of light"),
        Flag(16, "misaligned", False, "the bands do not lie on each other: one is shifted against the others"),
        Flag(17, "unexamined", False, "not looked at for glitches, as its score is too low for a candidate"),
    )
}


def bits(*names: str) -> int:
    """Sum of the bits of some flags.

    Parameters
    ----------
    *names : str
        Keys of ``FLAGS``.

    Returns
    -------
    int
    """
    return sum(FLAGS[name].value for name in set(names))


def names(flags: int) -> tuple[str, ...]:
    """Names of the flags that are set.

    Parameters
    ----------
    flags : int
        A value of a ``flags`` column.

    Returns
    -------
    tuple of str
        In the order of the bits.
    """
    return tuple(flag.name for flag in FLAGS.values() if flags & flag.value)


#: All bits with which a cutout gets no score.
REFUSED: int = bits(*(flag.name for flag in FLAGS.values() if flag.refused))
