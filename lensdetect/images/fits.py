"""FITS images, fast where that is exact and through astropy everywhere else.

Sky surveys trade cutouts as many small files, and a general FITS library spends
nearly all its time there on building header objects. Where the layout of a file
is proved (``lensdetect.images.cards``) the pixels are a byte-swapped copy in NumPy
(``tf.io.read_file`` with ``decode_raw`` inside tf.data was measured at half that
speed). Scaled, compressed and all other files go through astropy, in a process of
their own.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from lensdetect.errors import InputError
from lensdetect.images import apart
from lensdetect.images.bounds import CUTOUT_PIXELS, check_pixels, read_file
from lensdetect.images.cards import CARD_BYTES, Layout, find_end, hierarch_cards, prove, text_value
from lensdetect.images.headers import plane_bands

#: SIMPLE, BITPIX, NAXIS, NAXIS1, NAXIS2 and, in a cube, NAXIS3: always first.
_LAYOUT_CARDS = 6


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


class _Names(NamedTuple):
    """What a header says of the band of its image, and of those of the planes of a cube."""

    image: tuple[str, ...]
    planes: str


def read_planes(path: str, *, max_pixels: int = CUTOUT_PIXELS) -> list[Plane]:
    """All images of a FITS file.

    Parameters
    ----------
    path : str
        A FITS file, plain or compressed (.gz, .fz).
    max_pixels : int
        Pixels that its images may have together; a file that claims more is
        refused before memory is taken.

    Returns
    -------
    list of Plane
        One for each two-dimensional image, in the order of the file; a cube
        gives one for each of its planes. Leading axes of length 1 are dropped.

    Raises
    ------
    InputError
        If the file cannot be read, is cut short, too large or no FITS, or holds
        no image or one of more than three axes.
    """
    data = read_file(path, max_pixels=max_pixels)
    if not data.startswith(b"SIMPLE  ="):
        raise InputError(f"{path}: not a FITS file: it must begin with SIMPLE, got {data[:9]!r}")
    if b"END" not in data:
        raise InputError(f"{path}: cut short: its header has no END card in {len(data)} bytes")
    units = _proved_units(path, data, max_pixels=max_pixels)
    if units is None:
        facts, images = apart.call("lensdetect.images.decoding:decode_planes", path, max_pixels)
        units = [
            (image, _Names(tuple(fact["names"]), fact["bands"])) for fact, image in zip(facts, images, strict=True)
        ]
    planes = [plane for image, names in units for plane in _split(image, names, path)]
    if not planes:
        raise InputError(f"{path}: holds no image")
    return planes


def _proved_units(path: str, data: bytes, *, max_pixels: int) -> list[tuple[np.ndarray, _Names]] | None:
    """Images of a file and the names of each, or None if there is doubt about any."""
    found, start, total = [], 0, 0
    while start < len(data):
        layout = prove(data, start)
        names = None if layout is None else _names(data, start, layout)
        if layout is None or names is None:
            return None
        first, stop = start + layout.header_bytes, start + layout.header_bytes + layout.data_bytes
        if layout.shape:
            total = check_pixels(path, layout.shape, max_pixels=max_pixels, before=total)
        if stop > len(data):
            whole = start + layout.unit_bytes
            raise InputError(f"{path}: cut short: its header asks for {whole} bytes, got {len(data)}")
        if layout.shape:
            found.append((_pixels(data, first, layout), names))
        start += layout.unit_bytes
    return found


def _names(data: bytes, start: int, layout: Layout) -> _Names | None:
    cards = [*layout.name_cards] + ([] if layout.bands_card is None else [layout.bands_card])
    places = [start + card * CARD_BYTES for card in cards]
    texts = [text_value(data[place : place + CARD_BYTES]) for place in places]
    if None in texts:
        return None
    count = len(layout.name_cards)
    return _Names(tuple(texts[:count]), "".join(texts[count:]))


def _pixels(data: bytes, first: int, layout: Layout) -> np.ndarray:
    count = layout.data_bytes // layout.dtype.itemsize
    pixels = np.frombuffer(data, layout.dtype, count, offset=first).reshape(layout.shape)
    while pixels.ndim > 2 and len(pixels) == 1:
        pixels = pixels[0]
    with np.errstate(over="ignore", invalid="ignore"):
        return pixels.astype(np.float32)


def _split(image: np.ndarray, names: _Names, path: str) -> list[Plane]:
    if image.ndim == 2:
        return [Plane(image, names.image)]
    if image.ndim == 3:
        told = plane_bands(names.planes, len(image))
        return [Plane(plane, (told[place],) if told else ()) for place, plane in enumerate(image)]
    raise InputError(f"{path}: an image must have 2 or 3 axes, got {image.shape}: write one file an object")


class UniformReader:
    """Reads many plain files of one shape at once.

    The layout comes from the first such file; each other one must have the same
    length, the same layout cards, the same keywords and the same end of the
    header, or it is left to ``read_planes``.

    Parameters
    ----------
    shape : tuple of int
        ``(height, width)`` of the files to read.
    """

    def __init__(self, shape: tuple[int, int]):
        self.shape = shape
        self._model: _Model | None = None

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
            self._model = _learn(paths, self.shape)
        if self._model is None:
            return np.zeros(len(paths), bool)
        layout = self._model.layout
        # One byte more than the file should have shows that it is longer; the
        # rest of the spare room keeps rows aligned.
        expected, stride = layout.unit_bytes, layout.unit_bytes + 64
        rows = np.empty((len(paths), stride), np.uint8)
        room = rows.reshape(-1).data
        starts = range(0, rows.size, stride)
        lengths = [_read_at(path, room[i : i + expected + 1]) for path, i in zip(paths, starts, strict=True)]
        same = np.asarray(lengths) == expected
        same &= self._model.is_header_of(rows[:, : layout.header_bytes])
        pixels = rows[:, layout.header_bytes : layout.header_bytes + layout.data_bytes].view(">f4")
        images[...] = pixels.reshape(images.shape)
        return same


class _Model:
    """A proved header, and what another must have in common with it to be proved too."""

    def __init__(self, header: bytes, layout: Layout):
        self.layout = layout
        # in words of 8 bytes a card has 10, and its keyword is the first; the two bytes after that say "= "
        self._words = np.frombuffer(header, np.uint64).reshape(-1, CARD_BYTES // 8)
        self._halves = np.frombuffer(header, np.uint16).reshape(-1, CARD_BYTES // 2)
        self._end = find_end(header, 0) // CARD_BYTES
        self._long_names = []
        for card in hierarch_cards(header):
            name = slice(card * CARD_BYTES, header.index(b"=", card * CARD_BYTES))
            self._long_names.append((name, np.frombuffer(header[name], np.uint8)))

    def is_header_of(self, headers: np.ndarray) -> np.ndarray:
        """Which headers, uint8 ``(n, header_bytes)``, say the same of their pixels."""
        words = headers.view(np.uint64).reshape(len(headers), *self._words.shape)
        halves = headers.view(np.uint16).reshape(len(headers), *self._halves.shape)
        same = (words[:, :_LAYOUT_CARDS] == self._words[:_LAYOUT_CARDS]).all(axis=(1, 2))
        same &= (words[:, :, 0] == self._words[:, 0]).all(axis=1)
        same &= (halves[:, :, 4] == self._halves[:, 4]).all(axis=1)
        for place, name in self._long_names:
            same &= (headers[:, place] == name).all(axis=1)
        return same & (words[:, self._end :] == self._words[self._end :]).all(axis=(1, 2))


def _learn(paths: Sequence[str | None], shape: tuple[int, int]) -> _Model | None:
    for path in filter(None, paths):
        try:
            data = read_file(path, max_pixels=CUTOUT_PIXELS)
        except InputError:
            continue
        layout = prove(data)
        if layout is None or len(data) != layout.unit_bytes:
            continue
        if layout.shape != shape or layout.dtype != np.dtype(">f4"):
            return None
        return _Model(data[: layout.header_bytes], layout)
    return None


def _read_at(path: str | None, room: memoryview) -> int:
    # Bytes read, -1 if none can be: read_planes will say why.
    if path is None:
        return -1
    try:
        file = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        return -1
    try:
        return os.readv(file, [room])
    except OSError:
        return -1
    finally:
        os.close(file)
