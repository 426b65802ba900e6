"""Arrays on disk and in memory."""

from __future__ import annotations

import h5py
import numpy as np
import pytest

from lensdetect import flags
from lensdetect.data import open_cutouts
from lensdetect.errors import InputError
from lensdetect.stamps import TRUTH_COLUMNS, Stamp, write_manifest, write_shard
from lensdetect.survey import get_survey


def read_all(path, survey, **options):
    source = open_cutouts(path, survey=survey, **options)
    return source.read(np.arange(len(source)))


@pytest.fixture
def cutouts(rng):
    return rng.normal(size=(5, 11, 11, 4)).astype(np.float32)


def write_hdf5(path, **datasets):
    with h5py.File(path, "w") as file:
        for name, values in datasets.items():
            file[name] = values


WRITERS = {
    "a.npy": lambda path, pixels: np.save(path, pixels),
    "a.npz": lambda path, pixels: np.savez_compressed(path, pixels),
    "named.npz": lambda path, pixels: np.savez(path, images=pixels, other=np.zeros(3)),
    "a.h5": lambda path, pixels: write_hdf5(path, whatever=pixels, labels=np.zeros(5)),
    "named.hdf5": lambda path, pixels: write_hdf5(path, **{"group/X": pixels, "more": pixels}),
    "first.h5": lambda path, pixels: write_hdf5(path, X=np.moveaxis(pixels, -1, 1)),
    "double.npy": lambda path, pixels: np.save(path, pixels.astype(float)),
    "fortran.npy": lambda path, pixels: np.save(path, np.asfortranarray(pixels)),
}


@pytest.mark.parametrize("name", WRITERS)
def test_every_kind_of_array(cutouts, tmp_path, bologna, name):
    WRITERS[name](tmp_path / name, cutouts)
    source = open_cutouts(tmp_path / name, survey=bologna, size=11)
    stem = name.split(".")[0]
    assert source.ids == [f"{stem}-{row}" for row in range(5)] and source.paths == [str(tmp_path / name)] * 5
    batch = source.read([4, 0, 0, 2])
    assert batch.pixels.tobytes() == cutouts[[4, 0, 0, 2]].tobytes()
    assert batch.ids == [f"{stem}-{row}" for row in (4, 0, 0, 2)] and not batch.flags.any()


def test_array_in_memory(cutouts, bologna):
    batch = read_all(cutouts, bologna, size=11)
    assert batch.pixels.tobytes() == cutouts.tobytes() and batch.ids[0] == "array-0"


def test_one_object_without_first_axis(cutouts, tmp_path, bologna):
    np.save(tmp_path / "a.npy", cutouts[0])
    assert read_all(tmp_path / "a.npy", bologna, size=11).pixels.tobytes() == cutouts[:1].tobytes()


def test_one_band_without_its_axis(cutouts, tmp_path, bologna):
    np.save(tmp_path / "a.npy", cutouts[..., 2])
    batch = read_all(tmp_path / "a.npy", bologna, bands=("r",), size=11)
    np.testing.assert_array_equal(batch.pixels[..., 2], cutouts[..., 2])
    assert np.isnan(batch.pixels[..., [0, 1, 3]]).all()


def test_bands_in_another_order(cutouts, tmp_path, bologna):
    np.save(tmp_path / "a.npy", cutouts[..., [2, 3, 1]])
    batch = read_all(tmp_path / "a.npy", bologna, bands=("r", "i", "g"), size=11)
    np.testing.assert_array_equal(batch.pixels[..., 1:], cutouts[..., 1:])
    assert all(flags.names(value) == ("missing_band",) for value in batch.flags)


def test_ids_beside_the_pixels(cutouts, tmp_path, bologna):
    write_hdf5(tmp_path / "a.h5", images=cutouts, ID=np.arange(100, 105))
    assert read_all(tmp_path / "a.h5", bologna, size=11).ids == ["100", "101", "102", "103", "104"]
    np.savez(tmp_path / "a.npz", images=cutouts, ids=["a", "b", "c"])
    with pytest.raises(InputError, match="a.npz must hold an id for each object, got 3 ids for 5 objects"):
        open_cutouts(tmp_path / "a.npz", survey=bologna)


def test_other_sizes_are_refused_or_fitted(cutouts, tmp_path, bologna):
    np.save(tmp_path / "a.npy", cutouts)
    batch = read_all(tmp_path / "a.npy", bologna, size=9)
    assert batch.refused.all() and "a.npy: 11 x 11 pixels, 9 x 9 are needed" in batch.reasons[0]
    batch = read_all(tmp_path / "a.npy", bologna, size=9, fit="crop")
    np.testing.assert_array_equal(batch.pixels, cutouts[:, 1:10, 1:10])


def write_bad(path, kind, cutouts):
    if kind == "cut npy":
        np.save(path, cutouts)
        path.write_bytes(path.read_bytes()[:-100])
    elif kind == "two candidates":
        write_hdf5(path, one=cutouts, two=cutouts)
    elif kind == "cut npz":
        path.write_bytes(b"PK\x03\x04" + bytes(100))
    elif kind == "cut hdf5":
        path.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
    elif kind == "unknown":
        path.write_bytes(b"\x89PNG\r\n\x1a\n")
    else:
        np.save(path, {"text": np.array(["a"]), "few axes": cutouts[0, 0], "bands": cutouts[..., :3]}[kind])


@pytest.mark.parametrize(
    ("name", "kind", "message"),
    [
        ("a.npy", "cut npy", "a.npy: cut short: its header asks for 9808 bytes, got 9708"),
        ("a.npz", "cut npz", "a.npz: cut short, damaged or not an archive of plain arrays"),
        ("a.h5", "cut hdf5", "a.h5: cut short, damaged or not HDF5"),
        ("a.npy", "text", "a.npy must hold real numbers, got <U1"),
        ("a.npy", "few axes", r"a.npy must hold an array \(n, height, width, band\), got 11 x 4"),
        (
            "a.npy",
            "bands",
            r"must have an axis of 4 bands \(u, g, r, i\), got 5 x 11 x 11 x 3: name each plane .* with --bands",
        ),
        ("a.h5", "two candidates", r"must hold one array of images, or one named cutouts or images or X, got one \(5,"),
        ("a.png", "unknown", "a.png begins with b'.*PNG.*', which is no kind of image file known here: give FITS"),
    ],
)
def test_bad_files_are_errors(cutouts, tmp_path, bologna, name, kind, message):
    write_bad(tmp_path / name, kind, cutouts)
    with pytest.raises(InputError, match=message):
        open_cutouts(tmp_path / name, survey=bologna, size=11)


def test_ambiguous_band_axis_is_an_error(tmp_path, bologna):
    np.save(tmp_path / "a.npy", np.zeros((5, 4, 4, 4), np.float32))
    with pytest.raises(InputError, match="two axes of 5 x 4 x 4 x 4 are as long as there are bands"):
        open_cutouts(tmp_path / "a.npy", survey=bologna)


@pytest.fixture
def shards(cutouts, tmp_path):
    """Two shards of three and two stamps, bands i, r, g, u; returns a function that writes them."""

    def write(**manifest):
        folder = tmp_path / "stamps"
        folder.mkdir()
        values = {"str": "lens", "bool": True, "float64": 1.0, "int64": 1}
        for index, rows in enumerate((range(3), range(3, 5))):
            truths = [{k: values[dtype] for k, dtype in TRUTH_COLUMNS.items()} | {"id": f"s{row}"} for row in rows]
            stamps = [Stamp(cutouts[row], truth) for row, truth in zip(rows, truths, strict=True)]
            write_shard(folder, index, stamps)
        facts = {"survey": "bologna", "bands": ["i", "r", "g", "u"], "pixel_scale_arcsec": 0.2, "seed": 1}
        write_manifest(folder, facts | manifest)
        return folder

    return write


def test_shards_come_with_their_truth_and_bands_by_name(cutouts, shards, bologna):
    source = open_cutouts(shards(), survey=bologna, size=11)
    assert source.ids == ["s0", "s1", "s2", "s3", "s4"] == source.truth["id"].tolist()
    batch = source.read([4, 1])
    assert batch.pixels.tobytes() == np.ascontiguousarray(cutouts[[4, 1], ..., ::-1]).tobytes()
    assert batch.paths[0].endswith("00001.npy") and not batch.flags.any()


def test_some_bands_of_shards(cutouts, shards, bologna):
    batch = read_all(shards(), bologna, bands=("r",), size=11)
    np.testing.assert_array_equal(batch.pixels[..., 2], cutouts[..., 1])
    assert np.isnan(batch.pixels[..., [0, 1, 3]]).all() and batch.reasons[0] == "bands u, g, i not given"


def test_shards_of_another_pixel_scale_are_an_error(shards, bologna):
    with pytest.raises(InputError, match='holds stamps of 0.1"/pixel, survey bologna has 0.2"'):
        open_cutouts(shards(pixel_scale_arcsec=0.1), survey=bologna)


def test_shards_of_a_foreign_band_are_an_error(shards, bologna):
    with pytest.raises(InputError, match="unknown band of survey bologna 'z'"):
        open_cutouts(shards(bands=["u", "g", "r", "z"]), survey=bologna)


@pytest.mark.parametrize("names", [("data/cutouts", "data/id"), ("images", "object_id"), ("a/b/X", "a/ObjID")])
def test_ids_are_found_by_their_names_at_any_depth(tmp_path, names):
    pixels, ids = names
    with h5py.File(tmp_path / "some.h5", "w") as file:
        file[pixels] = np.zeros((3, 5, 5, 4), np.float32)
        file[ids] = [b"J1", b"J2", b"00012345678901234567"]
        file["is_lens"] = [0, 1, 0]
    source = open_cutouts(tmp_path / "some.h5", survey=get_survey("kids"), size=5)
    assert list(source.ids) == ["J1", "J2", "00012345678901234567"]
