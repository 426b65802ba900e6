"""One bad item among many is one refused row with its reason."""

from __future__ import annotations

import io
import os
import zipfile

import h5py
import numpy as np
import pytest
from astropy.io import fits

from lensdetect import flags
from lensdetect.data import open_cutouts
from lensdetect.errors import InputError


@pytest.fixture
def cutouts(rng):
    return rng.normal(size=(4, 11, 11, 4)).astype(np.float32)


def read_all(paths, survey):
    source = open_cutouts(paths, survey=survey, size=11)
    return source.read(np.arange(len(source)))


def test_bad_arrays_among_many(cutouts, tmp_path, bologna):
    np.save(tmp_path / "a.npy", cutouts)
    (tmp_path / "b.npy").write_bytes((tmp_path / "a.npy").read_bytes()[:-9])
    (tmp_path / "c.npy").symlink_to(tmp_path / "gone.npy")
    os.mkfifo(tmp_path / "d.npz")
    (tmp_path / "e.h5").mkdir()
    (tmp_path / "f.npy").write_text("text")
    np.save(tmp_path / "g.npy", cutouts[..., :2])
    (tmp_path / "h.npy").write_bytes(b"")
    batch = read_all(tmp_path, bologna)
    assert batch.ids == [*(f"a-{row}" for row in range(4)), *"bcdefgh"]
    assert batch.refused.tolist() == [False] * 4 + [True] * 7
    for reason, words in zip(
        batch.reasons[4:],
        (
            "cut short",
            "No such file",
            "must be a file",
            "must be a file",
            "no kind of image file",
            "an axis of 4",
            "b''",
        ),
        strict=True,
    ):
        assert words in reason, reason


def test_bad_fits_files_among_many(cutouts, tmp_path, bologna):
    for number, image in enumerate(cutouts):
        units = [
            fits.CompImageHDU(plane, name=band) for band, plane in zip("ugri", image.transpose(2, 0, 1), strict=True)
        ]
        fits.HDUList([fits.PrimaryHDU(), *units]).writeto(tmp_path / f"{number}.fits.fz")
    spoilt = bytearray((tmp_path / "1.fits.fz").read_bytes())
    spoilt[spoilt.index(b"ZCMPTYPE") + 12] ^= 16
    (tmp_path / "1.fits.fz").write_bytes(spoilt)
    os.mkfifo(tmp_path / "4.fits")
    (tmp_path / "5.fits").mkdir()
    (tmp_path / "6.fits").symlink_to(tmp_path / "gone.fits")
    batch = read_all(tmp_path, bologna)
    assert batch.refused.tolist() == [False, True, False, False, True, True, True]
    assert all(flags.names(value) == ("unreadable",) for value in batch.flags[4:])
    assert "1.fits.fz: " in batch.reasons[1] and "No such file" in batch.reasons[6]


def test_an_array_that_is_cut_while_it_is_read(cutouts, tmp_path, bologna):
    np.save(tmp_path / "a.npy", cutouts)
    np.save(tmp_path / "b.npy", cutouts)
    source = open_cutouts(tmp_path, survey=bologna, size=11)
    os.truncate(tmp_path / "a.npy", 1000)
    batch = source.read(np.arange(8))
    assert batch.refused.tolist() == [True] * 4 + [False] * 4
    assert "a.npy: cut short: its header asks for" in batch.reasons[0]


def test_what_nobody_foresaw_is_the_reason_of_one_object(cutouts, bologna, monkeypatch):
    source = open_cutouts(cutouts, survey=bologna, size=11)
    read = source._parts[0]._load

    def load(rows):
        if 2 in rows:
            raise AssertionError("not\nforeseen")
        return read(rows)

    monkeypatch.setattr(source._parts[0], "_load", load)
    batch = source.read([0, 1, 2, 3])
    assert batch.refused.tolist() == [False, False, True, False]
    assert batch.reasons[2] == "AssertionError: not foreseen"
    assert batch.pixels[3].tobytes() == cutouts[3].tobytes()
    monkeypatch.setattr(source._parts[0], "_load", lambda rows: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        source.read([0])


def test_nothing_but_bad_files_is_an_error(tmp_path, bologna):
    for name in "ab":
        (tmp_path / f"{name}.npy").write_text("text")
    with pytest.raises(
        InputError, match=r"a.npy begins with b'text', .*\(and 1 more inputs, none of which can be read\)"
    ):
        open_cutouts(tmp_path, survey=bologna)


def header(shape: str, *, descr: str = "<f4", length: int | None = None) -> bytes:
    text = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + (len(text) if length is None else length).to_bytes(2, "little") + text


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (
            header("(100000000, 101, 101, 4)") + bytes(99),
            "cut short: its header asks for 16321600000074 bytes|cut short",
        ),
        (header("(-1, 101, 101, 4)"), "lengths of axes must be from 0 on"),
        (header("(1, 2)", descr="|O"), "must hold real numbers, got Python objects, which are never loaded"),
        (header("(" * 3000), "cut short, damaged or not a plain array"),
        (header("(1,", length=60_000), "cut short, damaged or not a plain array"),
        (b"\x93NUMPY\x02\x00\xff\xff\xff\x7f", "its header claims 2,147,483,647 bytes"),
        (b"\x93NUMPY\x09\x00", "must begin with NumPy's magic of version 1 or 2"),
    ],
)
def test_claims_of_numpy_headers(tmp_path, bologna, data, message):
    (tmp_path / "a.npy").write_bytes(data)
    with pytest.raises(InputError, match=message):
        open_cutouts(tmp_path / "a.npy", survey=bologna)
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("x.npy", data)
    with pytest.raises(InputError, match=f"{message}|its header asks for|claims 1000|not an archive of plain"):
        open_cutouts(tmp_path / "a.npz", survey=bologna)


def test_arrays_of_an_archive_are_not_unpacked_to_see_their_shapes(cutouts, tmp_path, bologna):
    np.savez_compressed(tmp_path / "good.npz", images=cutouts)
    with zipfile.ZipFile(tmp_path / "good.npz", "a", zipfile.ZIP_DEFLATED) as archive:
        # not even its own header is true
        archive.writestr("other.npy", header("(1000000, 1000000)") + bytes(1 << 20))
    assert len(read_all(tmp_path / "good.npz", bologna)) == 4
    np.savez_compressed(tmp_path / "big.npz", np.zeros((40, 11, 11, 4), np.float32))
    with pytest.raises(
        InputError, match=r"claims 40 x 11 x 11 x 4 pixels, the limit is 16,000: raise it with --max-pix"
    ):
        open_cutouts(tmp_path / "big.npz", survey=bologna, size=11, max_pixels=500)


def test_hdf5_that_claims_what_it_does_not_hold(tmp_path, bologna):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("images", shape=(10**8, 11, 11, 4), dtype="f4", chunks=(1, 11, 11, 4))
    assert (tmp_path / "a.h5").stat().st_size < 5000
    with pytest.raises(InputError, match=r"/images claims .* 193,600,000,000 bytes, of which 0 are stored in the file"):
        open_cutouts(tmp_path / "a.h5", survey=bologna, size=11)


def test_one_object_of_an_array_has_a_limit(tmp_path, bologna):
    np.save(tmp_path / "a.npy", np.zeros((1, 30, 30, 4), np.float32))
    with pytest.raises(InputError, match="claims 30 x 30 x 4 pixels, the limit is 3,000: raise it with --max-pixels"):
        open_cutouts(tmp_path / "a.npy", survey=bologna, size=11, max_pixels=3000)


def test_text_of_ids_in_an_archive(cutouts, tmp_path, bologna):
    file = io.BytesIO()
    np.savez(file, images=cutouts, ids=np.array([b"a", b"\xff", b"c", b"d"]))
    (tmp_path / "a.npz").write_bytes(file.getvalue())
    assert read_all(tmp_path / "a.npz", bologna).ids == ["a", "\ufffd", "c", "d"]
