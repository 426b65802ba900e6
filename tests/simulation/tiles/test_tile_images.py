"""What is in the images: places, fluxes, the same sky, weights and masks."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest
from scipy import ndimage

BANDS = ("u", "g", "r", "i")


def isolated(survey, number=0, *, apart_pix=60):
    """Catalogue rows far from all others and from the edges, with their pixel positions."""
    rows, image = survey.catalogue(number), survey.image(number)
    x, y = survey.wcs(number).all_world2pix(rows["RAJ2000"], rows["DECJ2000"], 0)
    distance = np.hypot(x - x[:, None], y - y[:, None]) + 1e6 * np.eye(len(x))
    inside = (np.minimum(x, image.shape[1] - x) > apart_pix) & (np.minimum(y, image.shape[0] - y) > apart_pix)
    kept = inside & (distance.min(axis=0) > apart_pix)
    return rows[kept], x[kept], y[kept]


def test_catalogue_positions_fall_on_the_light(lone):
    rows, x, y = isolated(lone)
    assert len(rows) >= 8
    image = lone.image(0)
    offsets = []
    for column, row in zip(x, y, strict=True):
        left, bottom = round(float(column)) - 6, round(float(row)) - 6
        cutout = np.maximum(image[bottom : bottom + 13, left : left + 13], 0.0)
        found = ndimage.center_of_mass(cutout)
        offsets.append((left + found[1] - column, bottom + found[0] - row))
    # measured positions wander by some 0.03 arcsec, 0.15 pixel
    assert np.abs(offsets).max() < 0.6
    assert np.abs(np.mean(offsets, axis=0)).max() < 0.15


@pytest.mark.parametrize("band", BANDS)
def test_flux_of_isolated_galaxies_is_that_of_the_catalogue(lone, band):
    rows, x, y = isolated(lone)
    image, header = lone.image(0, band=band), lone.header(0, band=band)
    assert header["MAGZP"] == 0.0
    grid_y, grid_x = np.indices(image.shape)
    differences = []
    for row, column, line in zip(rows, x, y, strict=True):
        flux = image[np.hypot(grid_x - column, grid_y - line) < 30.0].sum()
        mag = -2.5 * np.log10(flux) + header[f"DMAG_{band.upper()}"]
        differences.append(mag - row[f"MAG_GAAP_{band}"])
    # a Moffat profile of this PSF has some 3 % of its light outside 6 arcsec
    assert np.median(differences) == pytest.approx(0.02, abs=0.03)


def test_zero_point_correction_is_the_error_of_the_image(lone):
    for band, gain in zip(BANDS, (1.05, 0.9, 1.1, 1.0), strict=True):
        expected = pytest.approx(2.5 * np.log10(gain), abs=1e-5)
        assert lone.header(0, band=band)[f"DMAG_{band.upper()}"] == expected
        assert lone.catalogue_header(0)[f"DMAG_{band.upper()}"] == expected


def test_the_sky_is_one_where_tiles_overlap(crowded):
    first, second = crowded.truth(0), crowded.truth(1)
    both = first.merge(second, on="object", suffixes=("", "_2"))
    assert len(both) > 10
    assert np.abs(both["ra_deg"] - both["ra_deg_2"]).max() * 3600 < 1e-3
    assert np.abs(both["dec_deg"] - both["dec_deg_2"]).max() * 3600 < 1e-3
    assert set(both["tile"]) != set(both["tile_2"])
    np.testing.assert_array_equal(both["velocity_dispersion_km_s"], both["velocity_dispersion_km_s_2"])


def test_overlapping_pixels_show_the_same_objects(crowded):
    images = []
    for number in range(2):
        covered = crowded.image(number, "wei") > 0
        images.append(np.clip(np.where(covered, crowded.image(number), 0.0), -1e-11, 5e-11))
    # where the middle pixels of one tile are in the other
    height, width = images[0].shape
    ra, dec = crowded.wcs(0).all_pix2world((width - 1) / 2, (height - 1) / 2, 0)
    x, y = crowded.wcs(1).all_world2pix(ra, dec, 0)
    shift_x, shift_y = float(x) - (width - 1) / 2, float(y) - (height - 1) / 2
    assert 0 < min(abs(shift_x), width) < width
    smooth = [ndimage.gaussian_filter(image, 2.0) for image in images]
    moved = ndimage.shift(smooth[0], (shift_y, shift_x), order=1, cval=np.nan)
    here = np.isfinite(moved)
    assert np.corrcoef(moved[here], smooth[1][here])[0, 1] > 0.7
    elsewhere = np.roll(moved, 40, axis=0)
    here &= np.isfinite(elsewhere)
    assert np.corrcoef(elsewhere[here], smooth[1][here])[0, 1] < 0.3


def test_tiles_have_seeing_and_noise_of_their_own(crowded):
    seeing = [crowded.header(number, band=band)["PSF_FWHM"] for number in range(2) for band in BANDS]
    assert len(set(seeing)) == 8


def regions(survey, number, kind):
    table = survey.glitches(number)
    for _, row in table[table["kind"] == kind].iterrows():
        region = json.loads(row["parameters"])
        yield row, (slice(*region["rows"]), slice(*region["columns"])), region


@pytest.mark.parametrize("band", BANDS)
def test_weight_is_the_inverse_variance_of_the_sky(lone, band):
    sky, (value,) = lone.image(0, band=band), np.unique(lone.image(0, "wei", band=band))
    spread = 1.4826 * np.median(np.abs(sky - np.median(sky)))
    assert spread == pytest.approx(1.0 / np.sqrt(value), rel=0.05)


def test_noise_is_stronger_where_the_weight_is_less(crowded):
    compared = 0
    for number, band in itertools.product(range(2), BANDS):
        image, weight = crowded.image(number, band=band), crowded.image(number, "wei", band=band)
        # objects are smooth: between neighbours it is the noise that differs
        steps = np.abs(np.diff(image, axis=1)[50:-50])
        there = np.where(weight[:, 1:] == weight[:, :-1], weight[:, 1:], 0.0)[50:-50]
        values = [value for value in np.unique(there) if value > 0 and (there == value).sum() > 20_000]
        in_sigma = [np.median(steps[(there == value) & (steps > 0)]) * np.sqrt(value) for value in values]
        assert in_sigma == pytest.approx([in_sigma[-1]] * len(values), rel=0.08)
        compared += len(values) - 1
    assert compared >= 2


def test_dead_pixels_have_weight_zero_and_are_masked(crowded):
    seen = 0
    for number in range(2):
        for row, here, _ in regions(crowded, number, "dead"):
            band = row["band"]
            assert np.all(crowded.image(number, "wei", band=band)[here] == 0.0)
            assert np.all(crowded.image(number, band=band)[here] == 0.0)
            assert np.all(crowded.image(number, "msk", band=band)[here] & 64)
            seen += 1
    assert seen > 4


def test_a_blank_strip_is_exact_zeros_that_the_weight_does_not_tell(crowded):
    for number in range(2):
        ((row, here, _),) = regions(crowded, number, "blank")
        assert not row["known"]
        assert np.all(crowded.image(number, band=row["band"])[here] == 0.0)
        assert np.mean(crowded.image(number, "wei", band=row["band"])[here] > 0) > 0.5


def test_bright_stars_are_saturated_and_masked(crowded):
    found = 0
    for number in range(2):
        mask, image = crowded.image(number, "msk"), crowded.image(number)
        core = (mask & 2) > 0
        if core.any():
            flat = image[core & (image != 0.0)]
            assert flat.max() < 1.01 * flat.min()  # but for bad columns
            around = ndimage.binary_dilation(core, iterations=3) & ~core & (image != 0.0)
            assert np.mean((mask[around] & 8) > 0) > 0.9
            found += 1
    assert found


def test_masks_are_clear_where_nothing_is_wrong(lone):
    for band in BANDS:
        assert not lone.image(0, "msk", band=band).any()
