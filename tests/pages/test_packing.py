from __future__ import annotations

import numpy as np
import pytest

from lensdetect.errors import InputError
from lensdetect.pages import pack_cutout, unpack_cutout


def test_what_is_lost_is_a_sixteenth_of_the_noise(rng):
    sigma = np.array([2e-12, 0.5, 30.0])
    cutout = (rng.normal(size=(101, 101, 3)) * sigma).astype(np.float32)
    cutout[50, 50] = 3000 * sigma
    found = unpack_cutout(pack_cutout(cutout))
    assert found.shape == cutout.shape and found.dtype == np.float32
    error = np.abs(found - cutout) / sigma
    # the noise is measured, to some per cent
    assert 0.9 / 16 < error.max() < 1.1 / 16
    np.testing.assert_allclose(np.std(found, axis=(0, 1)), np.std(cutout, axis=(0, 1)), rtol=1e-3)


def test_a_cutout_of_four_bands_takes_a_fifth_of_its_floats(rng):
    cutout = rng.normal(size=(101, 101, 4)).astype(np.float32)
    assert len(pack_cutout(cutout)) < cutout.nbytes / 5.5


def test_nan_stays_and_infinity_becomes_nan(rng):
    cutout = rng.normal(size=(9, 7, 2)).astype(np.float32)
    cutout[3, 4, 1], cutout[0, 0, 0], cutout[0, 1, 0] = np.nan, np.inf, -np.inf
    found = unpack_cutout(pack_cutout(cutout))
    np.testing.assert_array_equal(np.isnan(found), ~np.isfinite(cutout))


@pytest.mark.parametrize(
    "plane",
    [
        np.zeros((5, 5)),
        np.full((5, 5), -7.25),
        np.full((5, 5), np.nan),
        np.array([[3.0]]),
        np.arange(12.0)[:, None],
        np.where(np.arange(25).reshape(5, 5) < 20, 0.0, 100.0),
        np.where(np.indices((6, 6)).sum(0) % 2, np.nan, np.arange(36.0).reshape(6, 6)),
    ],
    ids=["zeros", "constant", "nan", "one pixel", "one column", "mostly empty", "no neighbours"],
)
def test_planes_without_noise_keep_what_they_hold(plane):
    found = unpack_cutout(pack_cutout(plane[..., None]))[..., 0]
    np.testing.assert_allclose(found, plane, atol=1e-4 * np.nanmax(np.abs(plane), initial=0.0))


def test_extremes_of_float32_are_kept_as_well_as_float32_keeps_them(rng):
    cutout = rng.normal(size=(20, 20, 1)).astype(np.float32)
    cutout[0, 0] = 3e38
    assert unpack_cutout(pack_cutout(cutout))[0, 0, 0] == pytest.approx(3e38, rel=1e-6)
    tiny = np.full((4, 4, 1), 1e-42, np.float32)
    assert np.isfinite(unpack_cutout(pack_cutout(tiny))).all()


@pytest.mark.parametrize("shape", [(3, 3), (0, 3, 3), (3, 3, 0), (1, 70_000, 1)])
def test_what_is_no_cutout_is_refused(shape):
    with pytest.raises(InputError, match="a cutout to pack must be"):
        pack_cutout(np.zeros(shape))


def test_damaged_bytes_are_refused(rng):
    packed = pack_cutout(rng.normal(size=(9, 9, 2)))
    bomb = packed[:4] + b"\xff" * 6 + packed[10:]
    for bad in (b"", packed[:10], packed[:-9], b"X" + packed[1:], packed[:25] + b"junk" + packed[29:], bomb):
        with pytest.raises(InputError, match="a packed cutout must be as pack_cutout made it"):
            unpack_cutout(bad)
