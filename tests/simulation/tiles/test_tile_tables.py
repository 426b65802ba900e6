"""Catalogue and truth of tiles."""

from __future__ import annotations

import numpy as np
import pytest

from lensdetect.simulation.colours import EARLY_TYPE, mags_from_colours
from lensdetect.simulation.render import band_fluxes
from lensdetect.simulation.tiles.redshifts import fit_redshifts
from lensdetect.stamps import TRUTH_COLUMNS
from lensdetect.survey import SURVEYS

KIDS = SURVEYS["kids"]


def test_catalogue_has_the_columns_of_the_survey(crowded):
    names = set(crowded.catalogue(0).names)
    assert names >= {
        "ID", "KIDS_TILE", "RAJ2000", "DECJ2000", "Z_B", "Z_B_MIN", "Z_B_MAX", "Z_ML", "MAG_AUTO", "MAG_GAAP_u",
        "MAG_GAAP_g", "MAG_GAAP_r", "MAG_GAAP_i", "MASK", "Flag", "IMAFLAGS_ISO", "SG2DPHOT",
    }  # fmt: skip
    header = crowded.catalogue_header(0)
    assert all(f"DMAG_{band}" in header for band in "UGRI")


def test_ids_are_unique_and_tell_the_place(crowded):
    ids = [name for number in range(2) for name in crowded.catalogue(number)["ID"]]
    assert len(set(ids)) == len(ids)
    row = crowded.catalogue(0)[0]
    hours = row["RAJ2000"] / 15.0
    assert row["ID"].startswith(f"KiDSDR4 J{int(hours):02d}{int(hours % 1 * 60):02d}")


def test_stars_are_told_from_galaxies(crowded):
    rows = crowded.catalogue(0)
    truth = crowded.truth(0).set_index("id").loc[list(rows["ID"])]
    is_star = (truth["kind"] == "star").to_numpy()
    assert is_star.any() and not is_star.all()
    assert np.all(rows["SG2DPHOT"][truth["family"].to_numpy() == "star"] == 1)
    assert np.all(rows["SG2DPHOT"][~is_star] == 0)


def test_every_target_in_the_tile_has_a_truth_and_the_density_is_that_asked_for(crowded):
    height, width = crowded.image(0).shape
    for number in range(2):
        truth = crowded.truth(number)
        targets = truth[truth["family"] == "target"]
        expected = 12.0 * height * width * (0.2 / 60) ** 2
        assert len(targets) == pytest.approx(expected, abs=4 * np.sqrt(expected))
        listed = set(crowded.catalogue(number)["ID"])
        assert set(truth["id"]) - {""} == listed
        assert (truth.loc[truth["id"] == "", "family"] == "target").all()


def test_truth_of_lenses(crowded):
    truth = crowded.truth(0)
    assert list(truth.columns[: len(TRUTH_COLUMNS)]) == list(TRUTH_COLUMNS)
    targets = truth[truth["family"] == "target"]
    assert 0.1 < targets["has_source"].mean() < 0.55
    lenses = targets[targets["is_lens"]]
    assert len(lenses) and (lenses["kind"] == "lens").all() and (lenses["arc_snr"] > 20).all()
    assert not truth.loc[truth["family"] != "target", "has_source"].any()
    assert (truth["seed"] == 4).all()


def test_photometry_of_lenses_holds_the_arcs(crowded):
    pairs = []
    for number in range(2):
        rows, truth = crowded.catalogue(number), crowded.truth(number)
        lenses = truth[truth["is_lens"] & (truth["id"] != "")]
        others = truth[(truth["kind"] == "elliptical") & (truth["id"] != "")]
        colour = {row["ID"]: row["MAG_GAAP_g"] - row["MAG_GAAP_r"] for row in rows}
        pairs.append([[colour[name] for name in table["id"]] for table in (lenses, others)])
    lens, other = (np.array(sum(values, [])) for values in zip(*pairs, strict=True))
    clean = [values[np.abs(values) < 5.0] for values in (lens, other)]
    # blue arcs in the aperture
    assert np.median(clean[0]) < np.median(clean[1])


def test_magnitudes_scatter_by_their_errors(lone):
    rows = lone.catalogue(0)
    pulls = (rows["MAG_GAAP_g"] - 19.0) / rows["MAGERR_GAAP_g"]
    assert len(pulls) > 20
    assert abs(np.mean(pulls)) < 4 / np.sqrt(len(pulls))
    assert 0.6 < np.std(pulls) < 1.5


def test_objects_in_a_glitch_are_named(crowded):
    truth = crowded.truth(0)
    strip = crowded.glitches(0).query("kind == 'blank'").iloc[0]
    named = truth["glitches"].str.split(",").map(lambda names: "blank" in names)
    away = np.minimum(np.abs(truth["x_pix"] - strip["x_pix"]), np.abs(truth["y_pix"] - strip["y_pix"]))
    assert named.any() and not named.all()
    assert away[named].min() < away[~named].min() + 50


def test_no_data_and_masks_are_in_the_catalogue(crowded):
    for number in range(2):
        rows = crowded.catalogue(number)
        dead = np.zeros(len(rows), bool)
        for band in "ugi":
            dead |= rows[f"MAG_GAAP_{band}"] == -99.0
        np.testing.assert_array_equal(dead, (rows["MASK"] & (1 << 14)) > 0)


def test_redshifts_of_red_galaxies_are_found():
    redshifts = np.array([0.2, 0.35, 0.5])
    colours = [
        tuple(float(np.interp(redshift, EARLY_TYPE.redshift, getattr(EARLY_TYPE, name)))
              for name in ("u_g_mag", "g_r_mag", "r_i_mag", "i_z_mag", "z_y_mag"))
        for redshift in redshifts
    ]  # fmt: skip
    fluxes = band_fluxes(np.array([mags_from_colours(19.0, colour) for colour in colours]), KIDS)
    found = fit_redshifts(fluxes, 0.01 * fluxes, survey=KIDS)
    assert np.abs(found[:, 3] - redshifts).max() < 0.03
    assert np.all((found[:, 1] <= found[:, 0]) & (found[:, 0] <= found[:, 2]))
