"""The challenge's own layout: what is united, kept, refused, and what is an error."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from astropy.io import fits

from lensdetect import flags
from lensdetect.data import open_cutouts
from lensdetect.errors import InputError


def read_all(path, survey, **options):
    source = open_cutouts(path, survey=survey, **options)
    return source.read(np.arange(len(source)))


def test_six_genuine_stamps(shared_data, bologna):
    batch = read_all(shared_data / "bologna_ground", bologna)
    assert batch.ids == ["100002", "100004", "100008", "100013", "100023", "100026"]
    for number, stamp in enumerate(batch.ids):
        for folder, letter, plane in ((1, "R", 2), (2, "I", 3), (3, "G", 1), (4, "U", 0)):
            path = shared_data / f"bologna_ground/Public/Band{folder}/imageSDSS_{letter}-{stamp}.fits"
            expected = fits.getdata(path).astype(np.float32)
            expected[expected == 100.0] = np.nan
            assert batch.pixels[number, ..., plane].tobytes() == expected.tobytes()
    assert np.isnan(batch.pixels).sum(axis=(1, 2)).tolist() == [[0] * 4] * 2 + [
        [212, 0, 0, 0],
        [0] * 4,
        [0, 0, 15, 0],
        [0] * 4,
    ]


def test_genuine_stamp_with_false_colours_is_kept_and_flagged(shared_data, bologna):
    batch = read_all(shared_data / "bologna_ground", bologna)
    assert [flags.names(value) for value in batch.flags] == [()] * 3 + [("identical_bands",)] + [()] * 2
    assert batch.reasons[3] == "bands u, r hold the same bytes; bands g, i hold the same bytes"
    assert np.isfinite(batch.pixels[3]).all()


@pytest.mark.parametrize("where", [".", "Public"])
def test_bands_go_by_the_name_of_the_file(tmp_path, write_stamps, bologna, where):
    pixels = write_stamps(tmp_path, [9, 10])
    (tmp_path / "Public" / "Band1").rename(tmp_path / "Public" / "Band7")
    batch = read_all(tmp_path / where, bologna, size=11)
    assert batch.ids == ["9", "10"]
    assert batch.pixels.tobytes() == pixels.tobytes()
    assert batch.flags.tolist() == [0, 0] and batch.reasons == ["", ""]


def test_several_folders_follow_one_another(tmp_path, write_stamps, bologna):
    first = write_stamps(tmp_path / "Data_KiDS_Big.0", [3, 4])
    second = write_stamps(tmp_path / "Data_KiDS_Big.1", [1])
    (tmp_path / "Private" / "Band1" / "NoSourceImage").mkdir(parents=True)
    batch = read_all(tmp_path, bologna, size=11)
    assert batch.ids == ["3", "4", "1"]
    assert batch.pixels.tobytes() == np.concatenate([first, second]).tobytes()


def test_stamp_without_a_band_is_kept_with_a_plane_of_nan(tmp_path, write_stamps, file_of, bologna):
    pixels = write_stamps(tmp_path, [1, 2, 3])
    file_of(tmp_path, "r", 1).unlink()
    file_of(tmp_path, "g", 2).unlink()
    batch = read_all(tmp_path, bologna, size=11)
    assert [flags.names(value) for value in batch.flags] == [("missing_band",), ("missing_band",), ()]
    assert batch.reasons == ["no file for band r", "no file for band g", ""]
    assert np.isnan(batch.pixels[0, ..., 2]).all() and np.isnan(batch.pixels[1, ..., 1]).all()
    pixels[0, ..., 2] = pixels[1, ..., 1] = np.nan
    np.testing.assert_array_equal(batch.pixels, pixels)
    assert batch.paths[0].endswith("imageSDSS_I-1.fits")


def test_whole_band_absent_is_an_error_with_the_way_out(tmp_path, write_stamps, bologna):
    pixels = write_stamps(tmp_path, [1, 2], bands=("g", "r", "i"))
    message = r"must hold files of band u, got none named Band\*/imageSDSS_U-ID.fits: .*--bands g,r,i"
    with pytest.raises(InputError, match=message):
        open_cutouts(tmp_path, survey=bologna, size=11)
    batch = read_all(tmp_path, bologna, bands=("g", "r", "i"), size=11)
    assert np.isnan(batch.pixels[..., 0]).all()
    assert batch.pixels[..., 1:].tobytes() == pixels[..., 1:].tobytes()
    assert batch.reasons == ["band u not given"] * 2


def test_truncated_file_refuses_its_stamp_alone(tmp_path, write_stamps, file_of, bologna):
    write_stamps(tmp_path, [1, 2])
    bad = file_of(tmp_path, "i", 2)
    bad.write_bytes(bad.read_bytes()[:3000])
    batch = read_all(tmp_path, bologna, size=11)
    assert flags.names(batch.flags[1]) == ("unreadable",) and batch.refused.tolist() == [False, True]
    assert batch.reasons[1] == f"{bad}: cut short: its header asks for 5760 bytes, got 3000"
    assert np.isnan(batch.pixels[1]).all() and np.isfinite(batch.pixels[0]).all()


@pytest.mark.parametrize(
    ("shape", "way_out"),
    [
        ((13, 12), ": cut its centre out with --fit crop"),
        ((11, 10), ": surround it with NaN with --fit pad"),
        ((12, 9), ""),
    ],
)
def test_another_size_refuses_its_stamp(tmp_path, write_stamps, file_of, bologna, shape, way_out):
    write_stamps(tmp_path, [1, 2])
    bad = file_of(tmp_path, "u", 1)
    fits.PrimaryHDU(np.ones(shape, np.float32)).writeto(bad, overwrite=True)
    batch = read_all(tmp_path, bologna, size=11)
    assert flags.names(batch.flags[0]) == ("wrong_shape",) and np.isnan(batch.pixels[0]).all()
    assert batch.reasons[0] == f"{bad}: {shape[0]} x {shape[1]} pixels, 11 x 11 are needed{way_out}"


def test_masked_share_and_blank(tmp_path, write_stamps, file_of, bologna):
    write_stamps(tmp_path, [1, 2, 3])
    few, many = np.random.default_rng(0).normal(size=(2, 11, 11)).astype(np.float32)
    few[0, :6], many[0, :6], many[1, 0] = 100.0, np.inf, 100.0
    for band, stamp, image in (("r", 1, few), ("r", 2, many), *((band, 3, many * np.nan) for band in "ugri")):
        fits.PrimaryHDU(image).writeto(file_of(tmp_path, band, stamp), overwrite=True)
    batch = read_all(tmp_path, bologna, size=11)
    assert [flags.names(value) for value in batch.flags] == [(), ("masked",), ("blank",)]
    assert np.isnan(batch.pixels[:2, ..., 2]).sum(axis=(1, 2)).tolist() == [6, 7]
    assert batch.reasons[1:] == [
        "band r: 5.8 % of the pixels are masked or not finite",
        "no data in any band: NaN, or one value throughout",
    ]


def test_two_files_for_one_band_are_an_error(tmp_path, write_stamps, file_of, bologna):
    write_stamps(tmp_path, [1])
    one = file_of(tmp_path, "r", 1)
    shutil.copy(one, one.parents[1] / "Band2" / one.name)
    with pytest.raises(InputError, match="stamp 1 must have one file for band r, got .*Band.*remove one"):
        open_cutouts(tmp_path, survey=bologna, size=11)


def test_file_of_a_foreign_band_is_an_error(tmp_path, write_stamps, file_of, bologna):
    write_stamps(tmp_path, [1])
    shutil.copy(file_of(tmp_path, "r", 1), file_of(tmp_path, "r", 1).with_name("imageEUC_VIS-1.fits"))
    with pytest.raises(InputError, match="imageEUC_VIS-1.fits names band VIS, the survey has u, g, r, i"):
        open_cutouts(tmp_path, survey=bologna, size=11)


def test_band_folders_without_images_are_an_error(tmp_path, bologna):
    (tmp_path / "Public" / "Band1").mkdir(parents=True)
    with pytest.raises(InputError, match="Public holds no image: files must be named imageSDSS_R-ID.fits"):
        open_cutouts(tmp_path, survey=bologna)
