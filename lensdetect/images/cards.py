"""Headers of which everything that matters is proved.

FITS leaves room for interpretation - case, indented keywords, cards given twice,
what stands after END - and the general libraries interpret it each in their own
way. A layout is given out here only for a header in which there is nothing to
interpret: the mandatory cards in their order and form (FITS standard 4.0,
section 4.4.1), every other keyword spelled as the standard wants it, none that
scales, blanks or adds pixels. Of all other headers nothing is said.
"""

from __future__ import annotations

import math
import re
from functools import lru_cache
from typing import NamedTuple

import numpy as np

CARD_BYTES = 80
BLOCK_BYTES = 2880

#: Headers longer than this are not looked at: the longest of real coadds have a tenth of it.
MOST_HEADER_BYTES = 1 << 24

#: Keywords that may name the band of an image, the most telling first.
NAME_KEYWORDS = ("BAND", "FILTER", "EXTNAME")

#: Names the bands of all planes of a cube, as in the cutouts of the Legacy Surveys.
BANDS_KEYWORD = "BANDS"

#: FITS's number of a type -> the type on disk.
TYPES = {"8": "u1", "16": ">i2", "32": ">i4", "64": ">i8", "-32": ">f4", "-64": ">f8"}

#: First bytes of a card: a keyword and "= ", or a comment.
_KEYWORD = re.compile(rb"[A-Z0-9_-]+ *= ")
_COMMENT = re.compile(rb"(COMMENT |HISTORY | {8})..", re.DOTALL)
_INTEGER = re.compile(rb"[A-Z0-9]{4,8} *= +(-?\d+) *(/.*)?")
_TEXT = re.compile(rb"[A-Z]{4,7} *= '([^']*)' *(/.*)?")
_END = b"END".ljust(CARD_BYTES)
#: Letters of a card that say what it is.
_BEGINNING = 10
_MOST_AXES = 4
_AXES = {"0", "2", "3", "4"}

#: Keywords with which bytes are not the pixels, or which must not come again.
_NOT_PLAIN = re.compile(rb"(SIMPLE|XTENSION|BITPIX|NAXIS\d*|PCOUNT|GCOUNT|GROUPS|BSCALE|BZERO|BLANK|CONTINUE|END) *")

#: A long name of several words: no keyword that means anything here. One word would be, whatever its case.
_HIERARCH = re.compile(rb"HIERARCH +[\w-]+( +[\w-]+)+ *= ")


class Layout(NamedTuple):
    """Where the pixels of a proved unit are.

    Parameters
    ----------
    header_bytes : int
        Length of its header.
    dtype : dtype
        Type of the pixels on disk.
    shape : tuple of int
        Slowest axis first; ``()`` is no image.
    name_cards : tuple of int
        Cards that may name the band.
    bands_card : int or None
        Card that names the bands of the planes of a cube.
    """

    header_bytes: int
    dtype: np.dtype
    shape: tuple[int, ...]
    name_cards: tuple[int, ...]
    bands_card: int | None

    @property
    def data_bytes(self) -> int:
        """Length of the pixels."""
        return math.prod(self.shape) * self.dtype.itemsize if self.shape else 0

    @property
    def unit_bytes(self) -> int:
        """Length of header and pixels, filled up to full blocks."""
        return self.header_bytes + math.ceil(self.data_bytes / BLOCK_BYTES) * BLOCK_BYTES


def find_end(data, start: int) -> int:
    """Where the END card of a header is.

    Parameters
    ----------
    data : bytes or mmap
        The file.
    start : int
        Where the header begins.

    Returns
    -------
    int
        -1 if there is no such card in what may be a header.
    """
    stop = start + MOST_HEADER_BYTES
    end = data.find(_END, start, stop)
    while end >= 0 and (end - start) % CARD_BYTES:
        end = data.find(_END, end + 1, stop)
    return end


def header_at(data, start: int) -> bytes | None:
    """A header in whole blocks, or None if there is no end to it."""
    end = find_end(data, start)
    if end < 0:
        return None
    length = math.ceil((end + CARD_BYTES - start) / BLOCK_BYTES) * BLOCK_BYTES
    return data[start : start + length] if start + length <= len(data) else None


def prove(data, start: int = 0) -> Layout | None:
    """Layout of an image, if it is beyond doubt.

    Parameters
    ----------
    data : bytes or mmap
        The file.
    start : int
        Where the header of the image begins.

    Returns
    -------
    Layout or None
        None says nothing but that another reader must be asked.
    """
    header = header_at(data, start)
    if header is None or not _is_clean(header):
        return None
    # SIMPLE or XTENSION, BITPIX, NAXIS, each axis, in extensions PCOUNT and GCOUNT
    count = 3 + min(header[2 * CARD_BYTES + 29] - ord("0"), _MOST_AXES) + (2 if start else 0)
    beginnings = np.frombuffer(header, np.uint8).reshape(-1, CARD_BYTES)[:, :_BEGINNING]
    return _layout(header[: count * CARD_BYTES], beginnings.tobytes(), start == 0)


def _is_clean(header: bytes) -> bool:
    # Text without control characters, nothing after END, and long names that are long.
    if not header.isascii() or not header.decode("ascii").isprintable() or header[find_end(header, 0) + 3 :].strip():
        return False
    return all(_HIERARCH.match(header, card * CARD_BYTES) for card in hierarch_cards(header))


def hierarch_cards(header: bytes) -> list[int]:
    """Numbers of the cards with a long name."""
    found, place = [], header.find(b"HIERARCH")
    while place >= 0:
        if place % CARD_BYTES == 0:
            found.append(place // CARD_BYTES)
        place = header.find(b"HIERARCH", place + 1)
    return found


@lru_cache(maxsize=256)
def _layout(first_cards: bytes, beginnings: bytes, primary: bool) -> Layout | None:
    cards = [first_cards[start : start + CARD_BYTES] for start in range(0, len(first_cards), CARD_BYTES)]
    starts = [beginnings[start : start + _BEGINNING] for start in range(0, len(beginnings), _BEGINNING)]
    kind = _KIND[primary].match(cards[0])
    bitpix, num_axes = _integer(cards[1], b"BITPIX"), _integer(cards[2], b"NAXIS")
    if not kind or bitpix not in TYPES or num_axes not in _AXES:
        return None
    count = int(num_axes)
    axes = [_integer(card, b"NAXIS%d" % number) for number, card in enumerate(cards[3 : 3 + count], 1)]
    used = 3 + count
    if not primary:
        groups = [_integer(card, word) for card, word in zip(cards[used:], (b"PCOUNT", b"GCOUNT"), strict=False)]
        if groups[:2] != ["0", "1"]:
            return None
        used += 2
    end = starts.index(_END[:_BEGINNING])
    shape = tuple(int(axis or 0) for axis in reversed(axes))
    if len(axes) < count or any(length < 1 for length in shape) or not all(map(_is_harmless, starts[used:end])):
        return None
    if any(start.strip() for start in starts[end + 1 :]):
        return None
    names = [number for word in NAME_KEYWORDS if (number := _only(word, starts)) is not None]
    bands = _only(BANDS_KEYWORD, starts)
    if -1 in names or bands == -1:
        return None
    return Layout(len(starts) * CARD_BYTES, np.dtype(TYPES[bitpix]), shape, tuple(names), bands)


#: First card of the first unit of a file, and of the others.
_KIND = {
    True: re.compile(rb"SIMPLE  = {20}T *(/.*)?$"),
    False: re.compile(rb"XTENSION= 'IMAGE   ' *(/.*)?$"),
}


def _integer(card: bytes, keyword: bytes) -> str | None:
    found = _INTEGER.fullmatch(card) if card.startswith(keyword.ljust(8) + b"= ") else None
    return found[1].decode() if found else None


def _is_harmless(start: bytes) -> bool:
    # long names have been looked at
    if _COMMENT.fullmatch(start) or start.startswith(b"HIERARCH "):
        return True
    return bool(_KEYWORD.fullmatch(start)) and not _NOT_PLAIN.fullmatch(start[:8])


def _only(word: str, starts: list[bytes]) -> int | None:
    # Number of the card of a keyword: None without one, -1 if it comes twice.
    start = word.encode().ljust(8) + b"= "
    return None if start not in starts else starts.index(start) if starts.count(start) == 1 else -1


def text_value(card: bytes) -> str | None:
    """Text of a card as every reader understands it; None where it is no plain text.

    Parameters
    ----------
    card : bytes
        Of 80 letters.

    Returns
    -------
    str or None
    """
    found = _TEXT.fullmatch(card)
    return found[1].decode("ascii").rstrip() if found else None
