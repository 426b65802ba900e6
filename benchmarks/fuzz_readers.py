"""The readers that ``benchmarks/fuzz.py`` tries, with the good files that they begin with.

To add one, write an entry of ``READERS``: ``seeds`` gives contents of good files,
``mutate`` changes one (``mutate_bytes`` suits everything), ``read`` reads a path with
the package and returns arrays or what compares as text, ``expected`` reads it with
another library, where there is one. An input of several files is put together by
``put``: the changed file has the name ``file``, the others stay good.
"""

from __future__ import annotations

import gzip
import io
import json
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from astropy.io import fits

_SIDE = 11


@dataclass(frozen=True)
class Reader:
    """One reader of the package.

    Parameters
    ----------
    file : str
        Name of the file that is changed.
    seeds : callable
        Gives contents of good files.
    read : callable
        Called with the path of the file.
    expected : callable or None
        The same by another library.
    mutate : callable
        Called with content and random numbers; returns changed content.
    beside : callable or None
        Called with a folder, writes the files that stay good.
    """

    file: str
    seeds: Callable[[], list[bytes]]
    read: Callable[[Path], object]
    expected: Callable[[Path], object] | None = None
    mutate: Callable[[bytes, np.random.Generator], bytes] = field(default=lambda data, rng: mutate_bytes(data, rng))
    beside: Callable[[Path], None] | None = None


def put(reader: Reader, folder: Path, seeds: list[bytes], *, number: int, seed: int) -> Path:
    """Write one input; the same number and seed give the same bytes."""
    rng = np.random.default_rng([seed, number])
    if reader.beside is not None and not any(folder.iterdir()):
        reader.beside(folder)
    data = seeds[number % len(seeds)]
    # the first inputs are the good files as they are, and what was found before
    for _ in range(0 if number < len(seeds) else rng.integers(1, 4)):
        data = reader.mutate(data, rng)
    path = folder / reader.file
    path.write_bytes(data)
    return path


def same(found, expected) -> bool:
    """Whether two readings agree bit for bit."""
    if isinstance(found, list | tuple):
        return len(found) == len(expected) and all(map(same, found, expected))
    if isinstance(found, np.ndarray):
        alike = found.shape == expected.shape and found.dtype == expected.dtype
        return alike and np.ascontiguousarray(found).tobytes() == np.ascontiguousarray(expected).tobytes()
    return found == expected


def mutate_bytes(data: bytes, rng: np.random.Generator) -> bytes:
    """Change bits, bytes, spans or the length of anything."""
    if not data:
        return data
    place, way = int(rng.integers(len(data))), int(rng.integers(7))
    changed = bytearray(data)
    if way == 0:
        for at in rng.integers(len(data), size=int(rng.integers(1, 9))):
            changed[at] ^= 1 << int(rng.integers(8))
    elif way == 1:
        changed[place : place + 4] = [b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\x80\0\0\0"][
            rng.integers(4)
        ]
    elif way == 2:
        del changed[place:]
    elif way == 3:
        changed[place : place + 512] = bytes(min(512, len(data) - place))
    elif way == 4:
        length = int(rng.integers(1, 200))
        changed[place:place] = changed[place : place + length]
    elif way == 5:
        del changed[place : place + int(rng.integers(1, 200))]
    else:
        changed[place] = int(rng.integers(256))
    return bytes(changed)


#: Values and keywords that are put into cards.
_VALUES = [
    *"0 1 2 -1 3 8 16 -32 -64 101 999 1000 40000 200000 2147483647 4294967297 1e30 2.5 NaN T F".split(),
    *"'X' 'PLIO_1' 'RICE_1' 'HCOMPRESS_1' 'GZIP_2' '1QB(9)'".split(),
    "",
]
_WORDS = [
    *"BSCALE BZERO BLANK NAXIS NAXIS1 NAXIS2 NAXIS3 BITPIX SIMPLE XTENSION PCOUNT GCOUNT GROUPS EXTEND TFIELDS".split(),
    *"TFORM1 ZNAXIS ZNAXIS1 ZTILE1 ZBITPIX ZCMPTYPE ZIMAGE THEAP END CONTINUE FILTER EXTNAME A_ORDER".split(),
    *["bscale", "BZero", " BSCALE", "HIERARCH BSCALE", "HIERARCH a b"],
]
_WORDS_OF_FOUR = [b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\x80\0\0\0"]


def mutate_cards(data: bytes, rng: np.random.Generator) -> bytes:
    """Change the cards of a FITS header, and now and then any bytes."""
    if rng.random() < 0.3 or len(data) < 2880:
        return mutate_bytes(data, rng)
    starts = [place for place in range(0, len(data), 2880) if data[place : place + 6] in {b"SIMPLE", b"XTENSI"}]
    start = starts[rng.integers(len(starts))] if starts else 0
    end = data.find(b"END".ljust(80), start)
    count = max((end - start) // 80, 1) if end >= 0 else 36
    cards = [data[start + 80 * number : start + 80 * number + 80] for number in range(count + 1)]
    one, other, way = int(rng.integers(len(cards))), int(rng.integers(len(cards))), int(rng.integers(9))
    keyword, value = _WORDS[rng.integers(len(_WORDS))], _VALUES[rng.integers(len(_VALUES))]
    if way == 0:
        cards[one] = f"{keyword:8}= {value:>20}".encode().ljust(80)[:80]
    elif way == 1:
        cards[one] = cards[one][:10] + f"{value:>20}".encode() + cards[one][30:]
    elif way == 2:
        cards.insert(one, cards[other])
    elif way == 3:
        cards[one], cards[other] = cards[other], cards[one]
    elif way == 4:
        cards[one] = cards[one].lower() if rng.random() < 0.5 else cards[one].title()
    elif way == 5:
        cards[one] = (b" " * int(rng.integers(1, 9)) + cards[one])[:80]
    elif way == 6:
        cards.insert(one, f"{keyword:8}= {value:>20}".encode().ljust(80)[:80])
    elif way == 7:
        cards.append(f"{keyword:8}= {value:>20}".encode().ljust(80)[:80])
    else:
        del cards[one]
    # the header keeps its blocks, so that what follows stays where it was
    length = -(-80 * (count + 1) // 2880) * 2880
    header = b"".join(cards)[:length].ljust(length)
    return data[:start] + header + data[start + length :]


def mutate_json(data: bytes, rng: np.random.Generator) -> bytes:
    """Change values of JSON, and now and then any bytes."""
    values = [
        "null",
        "[]",
        "{}",
        "-1",
        "1e999",
        '"x"',
        "true",
        "[" * 5000,
        "NaN",
        '["g", "g"]',
        "10" * 400,
        '"\\ud800"',
    ]
    text = data.decode("latin-1")
    places = [match.span(1) for match in re.finditer(r":\s*([^,\n]+)", text)]
    if rng.random() < 0.3 or not places:
        return mutate_bytes(data, rng)
    first, stop = places[rng.integers(len(places))]
    return (text[:first] + values[rng.integers(len(values))] + text[stop:]).encode("latin-1")


def mutate_packed(data: bytes, rng: np.random.Generator) -> bytes:
    """Change a file in gzip, outside or inside."""
    if rng.random() < 0.3:
        return mutate_bytes(data, rng)
    try:
        return gzip.compress(mutate_cards(gzip.decompress(data), rng), 1)
    except Exception:
        return mutate_bytes(data, rng)


def _noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(5).normal(size=shape).astype(np.float32)


def _bytes(units) -> bytes:
    file = io.BytesIO()
    fits.HDUList(units).writeto(file)
    return file.getvalue()


def _plain() -> list[bytes]:
    image = _noise(_SIDE, _SIDE)
    named = fits.PrimaryHDU(image)
    named.header["FILTER"], named.header["HIERARCH range x"] = "r SDSS", 3.5
    scaled = fits.PrimaryHDU((image * 100).astype(np.int16))
    scaled.header["BLANK"] = 7
    return [
        _bytes([named]),
        _bytes([fits.PrimaryHDU(_noise(4, _SIDE, _SIDE))]),
        _bytes([fits.PrimaryHDU(), fits.ImageHDU(image, name="G"), fits.ImageHDU(image.astype(float), name="R")]),
        _bytes([scaled]),
        _bytes([fits.PrimaryHDU((abs(image) * 100).astype(np.uint16))]),
        _bytes([fits.PrimaryHDU(image[None])]),
    ]


def _compressed() -> list[bytes]:
    whole = (_noise(_SIDE, _SIDE) * 1000).astype(np.int32)
    kinds = [("RICE_1", whole), ("GZIP_1", whole), ("GZIP_2", whole), ("HCOMPRESS_1", whole), ("PLIO_1", abs(whole))]
    seeds = [_bytes([fits.PrimaryHDU(), fits.CompImageHDU(image, compression_type=kind)]) for kind, image in kinds]
    lossy = fits.CompImageHDU(_noise(_SIDE, _SIDE), compression_type="RICE_1", quantize_level=16, dither_seed=3)
    exact = fits.CompImageHDU(_noise(_SIDE, _SIDE), compression_type="GZIP_2", quantize_level=0)
    return [*seeds, _bytes([fits.PrimaryHDU(), lossy]), _bytes([fits.PrimaryHDU(), exact])]


def _zipped() -> list[bytes]:
    return [gzip.compress(data, 1) for data in _plain()[:3]]


def _read_planes(path: Path) -> list[np.ndarray]:
    from lensdetect.images.fits import read_planes

    return [plane.pixels for plane in read_planes(str(path))]


def _astropy_planes(path: Path) -> list[np.ndarray]:
    planes = []
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        data = path.read_bytes()
        data = gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data
        with fits.open(io.BytesIO(data), memmap=False) as units:
            for unit in units:
                if unit.is_image and unit.header.get("NAXIS", 0) >= 2 and unit.data is not None:
                    planes += list(unit.data.reshape(-1, *unit.data.shape[-2:]).astype(np.float32))
    return planes


def _read_many(path: Path) -> list[np.ndarray]:
    from lensdetect.errors import InputError
    from lensdetect.images.fits import UniformReader

    images = np.empty((2, _SIDE, _SIDE), np.float32)
    done = UniformReader((_SIDE, _SIDE)).read([str(path.with_name("good.fits")), str(path)], images)
    if not done[1]:
        raise InputError("left to the other reader")
    return [images[1]]


def _good_beside(folder: Path) -> None:
    (folder / "good.fits").write_bytes(_plain()[0])


def _read_tile(path: Path) -> list[np.ndarray]:
    from lensdetect.errors import InputError
    from lensdetect.images.headers import read_headers
    from lensdetect.images.pixels import Rows, Source

    planes = []
    for plane in read_headers(path).planes:
        rows = Rows(Source(str(path), plane.unit, plane.plane, plane.shape))
        try:
            planes.append(np.array(rows.read(0, plane.shape[0]), np.float32))
        finally:
            rows.close()
    if not planes:
        raise InputError(f"{path}: holds no image")
    return planes


def _read_apart(path: Path) -> list[np.ndarray]:
    from lensdetect.errors import InputError
    from lensdetect.images.pixels import Source, read_part
    from lensdetect.simulation.painting.images import describe

    places = [
        (image, plane)
        for image in describe(str(path))
        for plane in (range(image.shape[0]) if len(image.shape) == 3 else [None])
    ]
    if not places:
        raise InputError(f"{path}: holds no image")
    return [
        read_part(Source(str(path), image.unit, plane), *(slice(0, side) for side in image.shape[-2:]))
        for image, plane in places
    ]


def _stack() -> np.ndarray:
    return _noise(3, _SIDE, _SIDE, 4)


def _npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def _arrays() -> list[bytes]:
    return [_npy(_stack()), _npy(np.asfortranarray(_stack())), _npy(_stack()[0])]


def _npz(**arrays: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()


def _hdf5() -> list[bytes]:
    import h5py

    seeds = []
    for options in (
        {},
        {"compression": "gzip", "chunks": (1, _SIDE, _SIDE, 4)},
        {"compression": "lzf", "shuffle": True},
    ):
        file = io.BytesIO()
        with h5py.File(file, "w") as opened:
            opened.create_dataset("images", data=_stack(), **options)
            opened["id"] = ["a", "b", "c"]
        seeds.append(file.getvalue())
    return seeds


def _read_source(path: Path) -> list[np.ndarray]:
    from lensdetect.data import open_cutouts
    from lensdetect.survey import get_survey

    source = open_cutouts([path], survey=get_survey("bologna"), size=_SIDE)
    return [source.read(np.arange(len(source))).pixels]


def _folder_of_stamps(folder: Path) -> None:
    from lensdetect.stamps import TRUTH_COLUMNS, Stamp, write_manifest, write_shard

    values = {"str": "lens", "bool": True, "float64": 1.0, "int64": 1}
    truth = {name: values[dtype] for name, dtype in TRUTH_COLUMNS.items()}
    write_shard(folder, 0, [Stamp(pixels, truth | {"id": str(row)}) for row, pixels in enumerate(_stack())])
    write_manifest(folder, _MANIFEST)


_MANIFEST = {"survey": "bologna", "bands": ["u", "g", "r", "i"], "pixel_scale_arcsec": 0.2, "seed": 1}


def _stamp_file(name: str) -> list[bytes]:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        _folder_of_stamps(Path(folder))
        return [(Path(folder) / name).read_bytes()]


def _read_stamps(path: Path) -> list[np.ndarray]:
    return _read_source(path.parent)


READERS: dict[str, Reader] = {
    "fits": Reader("a.fits", _plain, _read_planes, _astropy_planes, mutate_cards),
    "fits-many": Reader("a.fits", lambda: _plain()[:1], _read_many, _astropy_planes, mutate_cards, _good_beside),
    "fits-gz": Reader("a.fits.gz", _zipped, _read_planes, _astropy_planes, mutate_packed),
    "fits-fz": Reader("a.fits.fz", _compressed, _read_planes, _astropy_planes, mutate_cards),
    "tile": Reader("a.fits", _plain, _read_tile, _astropy_planes, mutate_cards),
    "tile-gz": Reader("a.fits.gz", lambda: _zipped()[:2], _read_tile, None, mutate_packed),
    "tile-fz": Reader("a.fits.fz", _compressed, _read_apart, _astropy_planes, mutate_cards),
    "npy": Reader(
        "a.npy", lambda: [_npy(_stack()), _npy(np.asfortranarray(_stack())), _npy(_stack()[0])], _read_source
    ),
    "npz": Reader(
        "a.npz", lambda: [_npz(images=_stack(), id=np.array(["a", "b", "c"])), _npz(x=_stack())], _read_source
    ),
    "hdf5": Reader("a.h5", _hdf5, _read_source),
    "manifest": Reader(
        "manifest.json",
        lambda: [json.dumps(_MANIFEST, indent=2).encode()],
        _read_stamps,
        None,
        mutate_json,
        _folder_of_stamps,
    ),
    "shard": Reader("00000.npy", lambda: _stamp_file("00000.npy"), _read_stamps, None, mutate_bytes, _folder_of_stamps),
    "truth": Reader(
        "00000.parquet", lambda: _stamp_file("00000.parquet"), _read_stamps, None, mutate_bytes, _folder_of_stamps
    ),
}
