"""FITS images, fast where that is exact and through astropy everywhere else.

Sky surveys trade cutouts as many small files, and a general FITS library spends
nearly all its time there on building header objects. The layout of the plain
case - one float32 image, nothing scaled - follows from a few cards (FITS
standard 4.0, section 4.4.1), so it is worked out once for each distinct set of
those cards, and the pixels are a byte-swapped copy in NumPy (``tf.io.read_file``
with ``decode_raw`` inside tf.data was measured at half that speed). Scaled,
compressed, integer or multi-extension files go through astropy.
"""

from __future__ import annotations

import gzip
import io
import math
import os
import threading
import warnings
import zlib
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from astropy.io import fits
from astropy.utils.exceptions import AstropyWarning

from lensdetect.errors import InputError
from lensdetect.images.headers import plane_bands

CARD_BYTES = 80
BLOCK_BYTES = 2880
#: SIMPLE, BITPIX, NAXIS, NAXIS1, NAXIS2 and, in a cube, NAXIS3: always first.
_LAYOUT_CARDS = 6
_END = b"END".ljust(CARD_BYTES)
_GZIP = b"\x1f\x8b"
#: Keywords with which the bytes are not the pixels, or not the only ones.
_NOT_PLAIN = {b"BSCALE", b"BZERO", b"BLANK", b"GROUPS", b"PCOUNT", b"GCOUNT"}
#: Keywords that may name the band of an image, the most telling first.
_NAME_KEYWORDS = ("BAND", "FILTER", "EXTNAME")
#: Names the bands of all planes of a cube, as in the cutouts of the Legacy Surveys.
_BANDS_KEYWORD = "BANDS"
# warnings.catch_warnings changes a state that all threads share
_ASTROPY_LOCK = threading.Lock()


class Plane(NamedTuple):
    """One two-dimensional image of a file.

    Parameters
    ----------
    pixels : ndarray
        float32 ``(height, width)``.
    names : tuple of str
        What the header says of its band, as written; of a plane of a cube what BANDS says.
    """

    pixels: np.ndarray
    names: tuple[str, ...]


class Layout(NamedTuple):
    """Where the pixels of a plain file are.

    Parameters
    ----------
    header_bytes, data_bytes : int
        Length of the header, and of the pixels after it.
    shape : tuple of int
        ``(height, width)`` or ``(plane, height, width)``.
    name_cards : tuple of int
        Cards that may name the band.
    """

    header_bytes: int
    data_bytes: int
    shape: tuple[int, ...]
    name_cards: tuple[int, ...]

    @property
    def file_bytes(self) -> int:
        """Length of the whole file, filled up to full blocks."""
        return self.header_bytes + math.ceil(self.data_bytes / BLOCK_BYTES) * BLOCK_BYTES


def read_planes(path: str) -> list[Plane]:
    """All images of a FITS file.

    Parameters
    ----------
    path : str
        A FITS file, plain or compressed (.gz, .fz).

    Returns
    -------
    list of Plane
        One for each two-dimensional image, in the order of the file; a cube
        gives one for each of its planes.

    Raises
    ------
    InputError
        If the file cannot be read, is cut short, or holds no image.
    """
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    if data.startswith(_GZIP):
        data = _unzip(path, data)
    if not data.startswith(b"SIMPLE  ="):
        raise InputError(f"{path}: not a FITS file: it must begin with SIMPLE, got {data[:9]!r}")
    layout = _layout(*_telling_bytes(path, data))
    if layout is None or len(data) > layout.file_bytes:
        return _through_astropy(path, data)
    if len(data) < layout.header_bytes + layout.data_bytes:
        raise InputError(f"{path}: cut short: its header asks for {layout.file_bytes} bytes, got {len(data)}")
    pixels = np.frombuffer(data, ">f4", layout.data_bytes // 4, offset=layout.header_bytes)
    cards = [data[card * CARD_BYTES : (card + 1) * CARD_BYTES] for card in layout.name_cards]
    return _split(pixels.reshape(layout.shape), *_names_of(cards), path)


def _names_of(cards: list[bytes]) -> tuple[tuple[str, ...], str]:
    # of the one image, and of the planes of a cube
    bands = [_text(card) for card in cards if card[:8].rstrip() == _BANDS_KEYWORD.encode()]
    names = tuple(_text(card) for card in cards if card[:8].rstrip() != _BANDS_KEYWORD.encode())
    return names, bands[0] if bands else ""


def _unzip(path: str, data: bytes) -> bytes:
    try:
        return gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path}: cut short or not gzip: {error}") from error


def _telling_bytes(path: str, data: bytes) -> tuple[bytes, bytes]:
    # The first cards, and the keywords of all: what the layout follows from.
    end = data.find(_END)
    while end % CARD_BYTES and end >= 0:
        end = data.find(_END, end + 1)
    if end < 0:
        raise InputError(f"{path}: cut short: its header has no END card in {len(data)} bytes")
    header_bytes = math.ceil((end + CARD_BYTES) / BLOCK_BYTES) * BLOCK_BYTES
    cards = np.frombuffer(data[:header_bytes].ljust(header_bytes), np.uint8).reshape(-1, CARD_BYTES)
    return cards[:_LAYOUT_CARDS].tobytes(), cards[:, :8].tobytes()


@lru_cache(maxsize=256)
def _layout(first_cards: bytes, keywords: bytes) -> Layout | None:
    # None where the file is not plain, and astropy must decode it.
    names = [keywords[start : start + 8].rstrip() for start in range(0, len(keywords), 8)]
    values = [_text(first_cards[start : start + CARD_BYTES]) for start in range(0, len(first_cards), CARD_BYTES)]
    if names[:3] != [b"SIMPLE", b"BITPIX", b"NAXIS"] or values[:2] != ["T", "-32"] or values[2] not in {"2", "3"}:
        return None
    num_axes = int(values[2])
    axes = values[3 : 3 + num_axes]
    in_order = names[3 : 3 + num_axes] == [f"NAXIS{axis}".encode() for axis in range(1, num_axes + 1)]
    if not in_order or _NOT_PLAIN & set(names) or not all(axis.isdigit() and int(axis) for axis in axes):
        return None
    shape = tuple(int(axis) for axis in reversed(axes))
    telling = [names.index(word.encode()) for word in (*_NAME_KEYWORDS, _BANDS_KEYWORD) if word.encode() in names]
    return Layout(len(names) * CARD_BYTES, 4 * math.prod(shape), shape, tuple(telling))


def _text(card: bytes) -> str:
    # Value of a card, FITS standard 4.0 section 4.2: a quoted text, or up to the slash.
    value = card[10:].decode("ascii", "replace").strip()
    if value.startswith("'"):
        return value[1:].split("'")[0].strip()
    return value.split("/")[0].strip()


def _split(pixels: np.ndarray, names: tuple[str, ...], bands: str, path: str) -> list[Plane]:
    if pixels.ndim == 2:
        return [Plane(_float32(pixels), names)]
    if pixels.ndim == 3:
        told = plane_bands(bands, len(pixels))
        return [Plane(_float32(plane), (told[place],) if told else ()) for place, plane in enumerate(pixels)]
    raise InputError(f"{path}: an image must have 2 or 3 axes, got {pixels.shape}: write one file an object")


def _float32(pixels: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):
        return pixels.astype(np.float32)


def _through_astropy(path: str, data: bytes) -> list[Plane]:
    planes = []
    try:
        with _ASTROPY_LOCK, warnings.catch_warnings():
            warnings.simplefilter("ignore", AstropyWarning)
            warnings.filterwarnings("error", message="File may have been truncated", category=AstropyWarning)
            with fits.open(io.BytesIO(data), memmap=False) as units:
                for unit in units:
                    if unit.is_image and unit.header.get("NAXIS", 0) >= 2:
                        names = tuple(str(unit.header[word]) for word in _NAME_KEYWORDS if word in unit.header)
                        planes += _split(unit.data, names, str(unit.header.get(_BANDS_KEYWORD, "")), path)
    except InputError:
        raise
    except (OSError, TypeError, ValueError, KeyError, IndexError, AstropyWarning) as error:
        raise InputError(f"{path}: cut short or not FITS: {' '.join(str(error).split())}") from error
    if not planes:
        raise InputError(f"{path}: holds no image")
    return planes


class UniformReader:
    """Reads many plain files of one shape at once.

    The layout comes from the first such file; each other one must have the same
    length, the same layout cards and the same keywords, or it is left to
    ``read_planes``.

    Parameters
    ----------
    shape : tuple of int
        ``(height, width)`` of the files to read.
    """

    def __init__(self, shape: tuple[int, int]):
        self.shape = shape
        self._model: tuple[Layout, np.ndarray, np.ndarray] | None = None

    def read(self, paths: Sequence[str | None], images: np.ndarray) -> np.ndarray:
        """Read files into an array.

        Parameters
        ----------
        paths : sequence of str or None
            Files; None reads nothing.
        images : ndarray
            float32 ``(len(paths), height, width)``, filled in place.

        Returns
        -------
        ndarray
            bool ``(len(paths),)``: which images now hold the pixels of their
            file. The others hold nothing of use.
        """
        if self._model is None:
            self._model = self._learn(paths)
        if self._model is None:
            return np.zeros(len(paths), bool)
        layout, first_cards, keywords = self._model
        # One byte more than the file should have shows that it is longer; the
        # rest of the spare room keeps rows aligned.
        expected, stride = layout.file_bytes, layout.file_bytes + 64
        rows = np.empty((len(paths), stride), np.uint8)
        room = rows.reshape(-1).data
        starts = range(0, rows.size, stride)
        lengths = [_read_at(path, room[i : i + expected + 1]) for path, i in zip(paths, starts, strict=True)]
        # in words of 8 bytes a card has 10, and its keyword is the first
        cards = rows.view(np.uint64)[:, : layout.header_bytes // 8].reshape(len(paths), -1, CARD_BYTES // 8)
        same = np.asarray(lengths) == expected
        same &= (cards[:, :_LAYOUT_CARDS] == first_cards).all(axis=(1, 2))
        same &= (cards[:, :, 0] == keywords).all(axis=1)
        pixels = rows[:, layout.header_bytes : layout.header_bytes + layout.data_bytes].view(">f4")
        images[...] = pixels.reshape(images.shape)
        return same

    def _learn(self, paths: Sequence[str | None]) -> tuple[Layout, np.ndarray, np.ndarray] | None:
        for path in filter(None, paths):
            try:
                with open(path, "rb") as file:
                    telling = _telling_bytes(path, file.read())
            except (OSError, InputError):
                continue
            layout = _layout(*telling)
            if layout is None or layout.shape != self.shape:
                return None
            first_cards, keywords = (np.frombuffer(part, np.uint64) for part in telling)
            return layout, first_cards.reshape(-1, CARD_BYTES // 8), keywords
        return None


def _read_at(path: str | None, room: memoryview) -> int:
    # Bytes read, -1 if none can be: read_planes will say why.
    if path is None:
        return -1
    try:
        file = os.open(path, os.O_RDONLY)
    except OSError:
        return -1
    try:
        return os.readv(file, [room])
    except OSError:
        return -1
    finally:
        os.close(file)
