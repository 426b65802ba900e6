from __future__ import annotations

import gzip
import os
import shutil

import numpy as np
import pytest
from astropy.io import fits

from lensdetect.runs import code_key, content_key, key_of, keys


@pytest.fixture
def large(tmp_path, monkeypatch):
    """A FITS file of three units, of which only some blocks are read."""
    monkeypatch.setattr(keys, "_WHOLE_BYTES", 2**16)
    monkeypatch.setattr(keys, "_BLOCK_BYTES", 2**7)
    image = np.random.default_rng(0).normal(size=(300, 300)).astype("f4")
    units = [fits.PrimaryHDU(image), fits.ImageHDU(image), fits.CompImageHDU(image)]
    fits.HDUList(units).writeto(tmp_path / "tile.fits")
    return tmp_path / "tile.fits"


def replace(path, content: bytes) -> None:
    """Replace what a file holds as ``cp -p`` does: size and time stay."""
    stat = path.stat()
    path.write_bytes(content)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def test_another_content_under_the_same_name_size_and_time(tmp_path):
    path = tmp_path / "a.fits"
    path.write_bytes(b"x" * 5000)
    before = content_key(path)
    replace(path, b"x" * 4999 + b"y")
    assert content_key(path) != before


def test_the_same_content_under_another_name_and_time(tmp_path):
    path = tmp_path / "a.fits"
    path.write_bytes(b"x" * 5000)
    shutil.copyfile(path, tmp_path / "b.fits")
    os.utime(path, (0, 0))
    assert content_key(path) == content_key(tmp_path / "b.fits")


@pytest.mark.parametrize("unit", [0, 1, 2])
def test_any_header_of_a_large_file_counts(large, unit):
    before, content = content_key(large), large.read_bytes()
    with fits.open(large, mode="update", save_backup=False) as units:
        units[unit].header["DMAG_R"] = 0.3
    assert content_key(large) != before
    replace(large, content)
    assert content_key(large, whole=True)


def test_another_exposure_in_a_large_file_counts(large):
    before, content = content_key(large), bytearray(large.read_bytes())
    pixels = np.frombuffer(content, ">f4", count=90_000, offset=2880)
    content[2880 : 2880 + 360_000] = (pixels + 1).astype(">f4").tobytes()
    replace(large, bytes(content))
    assert content_key(large) != before


def test_a_pixel_between_the_blocks_counts_by_its_time_or_when_all_is_read(large):
    whole, content = content_key(large, whole=True), bytearray(large.read_bytes())
    before, seen = content_key(large), content[2880 * 3 : 2880 * 3 + 4]
    content[2880 * 3 : 2880 * 3 + 4] = bytes(255 - byte for byte in seen)
    replace(large, bytes(content))
    assert content_key(large) == before and content_key(large, whole=True) != whole
    os.utime(large, ns=(0, large.stat().st_mtime_ns + 1))
    assert content_key(large) != before


def test_the_blocks_are_few(large, monkeypatch):
    read = []

    class File:
        def __init__(self, file):
            self._file = file

        def read(self, size):
            read.append(size)
            return self._file.read(size)

        def seek(self, *where):
            return self._file.seek(*where)

        def __enter__(self):
            return self

        def __exit__(self, *_):
            self._file.close()

    monkeypatch.setattr(keys, "open", lambda *how: File(open(*how)), raising=False)
    content_key(large)
    assert sum(read) < 64 * 2**7 + 20 * 2880 < large.stat().st_size


@pytest.mark.parametrize("claim", [b"99999999999999999999", b"-5", b"2147483647", b"'text'"])
def test_headers_that_claim_anything_end(large, claim):
    content = bytearray(large.read_bytes())
    for name in (b"NAXIS   ", b"NAXIS1  ", b"BITPIX  "):
        at = content.index(name)
        content[at : at + 80] = (name + b"= " + claim).ljust(80)
    large.write_bytes(content)
    assert len(content_key(large)) == 64


def test_a_packed_file_counts_by_its_last_bytes(tmp_path, monkeypatch):
    monkeypatch.setattr(keys, "_WHOLE_BYTES", 2**10)
    monkeypatch.setattr(keys, "_BLOCK_BYTES", 2**5)
    noise, path = np.random.default_rng(1).bytes(20_000), tmp_path / "a.fits.gz"
    path.write_bytes(gzip.compress(noise, mtime=0))
    before = content_key(path)
    replace(path, gzip.compress(noise[:9999] + bytes([noise[9999] ^ 1]) + noise[10_000:], mtime=0))
    assert content_key(path) != before


def test_a_file_that_did_not_change_is_read_once(tmp_path, monkeypatch):
    path = tmp_path / "a"
    path.write_bytes(b"1")
    monkeypatch.setattr(keys, "_STEP_NS", -(2**62))
    before = content_key(path)
    monkeypatch.setattr(keys, "open", lambda *_: pytest.fail("read again"), raising=False)
    assert content_key(path) == before


def test_values_in_any_order_of_names():
    assert key_of({"a": 1, "b": float("nan")}) == key_of({"b": float("nan"), "a": 1}) != key_of({"a": 1})


def test_the_code_of_other_rooms_is_another():
    from lensdetect import __version__

    assert code_key("flags", "survey").startswith(f"{__version__}+")
    assert len({code_key(), code_key("flags"), code_key("survey"), code_key("flags", "survey")}) == 4
    assert code_key("survey", "flags") == code_key("flags", "survey")
    with pytest.raises(ValueError, match="modules and packages of lensdetect, got nothing"):
        code_key("nothing")


def test_a_change_in_the_code_is_another_key(tmp_path, monkeypatch):
    (tmp_path / "flags.py").write_text("MASKED = 1\n")
    monkeypatch.setattr(keys, "_PACKAGE", tmp_path)
    found = set()
    for text in ("MASKED = 1\n", "MASKED = 2\n", "MASKED = 1\n"):
        (tmp_path / "flags.py").write_text(text)
        keys._code_key.cache_clear()
        found.add(code_key("flags"))
    keys._code_key.cache_clear()
    assert len(found) == 2
