"""The readers of pixels that ``benchmarks/fuzz.py`` tries."""

from __future__ import annotations

import gzip
import io
import json
import warnings
from pathlib import Path

import numpy as np
from astropy.io import fits
from fuzz_changes import mutate_bytes, mutate_cards, mutate_json, mutate_packed
from fuzz_inputs import Reader

_SIDE = 11


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
    # no random groups, of which NAXIS1 is 0, and no image either
    grouped = fits.PrimaryHDU((image * 100).astype(np.int16))
    grouped.header["GROUPS"] = True
    return [
        _bytes([named]),
        _bytes([fits.PrimaryHDU(_noise(4, _SIDE, _SIDE))]),
        _bytes([fits.PrimaryHDU(), fits.ImageHDU(image, name="G"), fits.ImageHDU(image.astype(float), name="R")]),
        _bytes([scaled]),
        _bytes([fits.PrimaryHDU((abs(image) * 100).astype(np.uint16))]),
        _bytes([fits.PrimaryHDU(image[None])]),
        _bytes([grouped]),
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
    from lensdetect.images.pixels import Image, Rows

    planes = []
    for plane in read_headers(path).planes:
        rows = Rows(Image(str(path), plane.unit, plane.plane, plane.shape))
        try:
            planes.append(np.array(rows.read(0, plane.shape[0]), np.float32))
        finally:
            rows.close()
    if not planes:
        raise InputError(f"{path}: holds no image")
    return planes


def _read_apart(path: Path) -> list[np.ndarray]:
    from lensdetect.errors import InputError
    from lensdetect.images import apart
    from lensdetect.images.headers import read_headers

    planes = read_headers(path).planes
    if not planes:
        raise InputError(f"{path}: holds no image")
    # as Rows reads in a process that must not die
    task = "lensdetect.images.pixels:cut_rows"
    found = [apart.call(task, path, plane.unit, plane.plane, 0, plane.shape[0])[1][0] for plane in planes]
    return [np.asarray(rows, np.float32) for rows in found]


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
    "npy": Reader("a.npy", _arrays, _read_source),
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
