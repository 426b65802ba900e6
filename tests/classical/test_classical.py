from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from lensdetect.classical import CLASSICAL, build_classical, load_classical
from lensdetect.classical.blanks import fill_blanks
from lensdetect.classical.gabor import gabor_moments
from lensdetect.classical.gradients import HOG_SETTINGS, band_gradients
from lensdetect.classical.margins import KernelMargin, LinearMargin
from lensdetect.errors import InputError, MissingExtraError
from lensdetect.metrics import lens_metrics

pytest.importorskip("skimage")

BANDS = ("u", "g", "r", "i")


def toy(count: int, *, seed: int, size: int = 49, bands: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """Galaxies in noise; every third has a faint arc at a random angle and is a lens."""
    rng = np.random.default_rng(seed)
    is_lens = np.arange(count) % 3 == 0
    y, x = np.mgrid[:size, :size] - size // 2
    radius, angle = np.hypot(x, y), np.arctan2(y, x)
    cutouts = rng.normal(0, 1, (count, size, size, bands)) + 20 * np.exp(-radius / 3)[..., None]
    for number in np.flatnonzero(is_lens):
        along = np.cos(angle - rng.uniform(0, 2 * np.pi)) > 0.3
        cutouts[number] += (4 * along * np.exp(-((radius - rng.uniform(11, 14)) ** 2) / 4))[..., None]
    return (1e-12 * cutouts).astype(np.float32), is_lens


@pytest.fixture(scope="module")
def fitted():
    cutouts, is_lens = toy(150, seed=1)
    return {name: build_classical(name, BANDS).fit(cutouts, is_lens, seed=3) for name in CLASSICAL}


@pytest.mark.parametrize("name", CLASSICAL)
def test_arcs_are_found_among_galaxies_not_seen_before(fitted, name):
    cutouts, is_lens = toy(90, seed=2)
    score = fitted[name].score(cutouts)
    assert score.dtype == np.float32 and score.shape == (90,)
    assert lens_metrics(is_lens, score).auroc > 0.9
    # The same arcs under other labels are not found: it is the arcs that were learned.
    shuffled = np.random.default_rng(5).permutation(is_lens)
    assert lens_metrics(shuffled, score).auroc < 0.7


@pytest.mark.parametrize("name", CLASSICAL)
def test_saved_system_scores_the_same_and_does_so_batch_by_batch(fitted, name, tmp_path):
    cutouts, _ = toy(70, seed=2)
    fitted[name].save(tmp_path / "kept")
    loaded = load_classical(tmp_path / "kept")
    assert loaded.bands == BANDS and loaded.num_parameters == fitted[name].num_parameters > 100
    whole = fitted[name].score(cutouts)
    np.testing.assert_array_equal(loaded.score(cutouts), whole)
    np.testing.assert_allclose(loaded.score(iter([cutouts[:9], cutouts[9:]])), whole, rtol=1e-4, atol=1e-4)


def test_margins_are_those_of_scikit_learn(rng):
    features = (5 + 3 * rng.normal(size=(80, 6))).astype(np.float32)
    is_lens = features[:, 0] + rng.normal(size=80) > 5
    scaler, machine = make_pipeline(StandardScaler(), SVC(C=2.0, gamma=0.1)).fit(features, is_lens)
    wanted = machine.decision_function(scaler.transform(features))
    np.testing.assert_allclose(KernelMargin.of(scaler, machine)(features), wanted, atol=1e-5)
    regression = LogisticRegression().fit(features, is_lens)
    np.testing.assert_allclose(LinearMargin.of(regression)(features), regression.decision_function(features), atol=1e-5)


@pytest.mark.parametrize("name", CLASSICAL)
def test_no_code_is_run_and_no_damage_believed_when_a_system_is_loaded(fitted, name, tmp_path):
    path = fitted[name].save(tmp_path)
    with np.load(path, allow_pickle=False) as saved:
        arrays = dict(saved)
    trap = np.array([Trap(tmp_path / "sprung")], dtype=object)
    some = next(name for name in ("weights", "factors") if name in arrays)
    damaged = {
        "ValueError: Object arrays cannot be loaded": arrays | {some: trap},
        "unknown classical system 'hog'": arrays | {"name": np.array("hog")},
        f"{some} must be finite numbers": arrays | {some: np.full_like(arrays[some], np.nan)},
        f"{some} has a shape": arrays | {some: arrays[some][..., None]},
        "no classifier has the arrays": {"name": arrays["name"], "bands": arrays["bands"], some: arrays[some]},
        "KeyError: 'bands'": {"name": arrays["name"]},
    }
    for message, content in damaged.items():
        np.savez(path, **content)
        with pytest.raises(InputError, match=f"classical.npz must be a saved classical system, got .*{message}"):
            load_classical(tmp_path)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(InputError, match=r"got BadZipFile: .*: fit one anew"):
        load_classical(tmp_path)
    assert not (tmp_path / "sprung").exists()


class Trap:
    """Writes a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


@pytest.mark.parametrize("name", CLASSICAL)
def test_same_seed_gives_the_same_scores(fitted, name):
    cutouts, is_lens = toy(150, seed=1)
    again = build_classical(name, BANDS).fit(iter([cutouts[:100], cutouts[100:]]), is_lens, seed=3)
    np.testing.assert_allclose(again.score(cutouts[:20]), fitted[name].score(cutouts[:20]), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("name", CLASSICAL)
@pytest.mark.parametrize("bands", [("g", "r", "i"), ("r",)])
def test_fewer_bands(name, bands):
    cutouts, is_lens = toy(60, seed=1, bands=len(bands))
    system = build_classical(name, bands).fit(cutouts, is_lens, seed=0)
    assert np.isfinite(system.score(cutouts)).all()


@pytest.mark.parametrize("name", CLASSICAL)
def test_bad_pixels_and_a_missing_band_give_a_finite_score_near_the_whole_one(fitted, name):
    cutouts, _ = toy(30, seed=2)
    whole = fitted[name].score(cutouts)
    holed = cutouts.copy()
    holed[:, 2:5, 3:6] = np.nan
    assert np.abs(fitted[name].score(holed) - whole).max() < 0.3 * np.ptp(whole)
    holed[..., 1] = np.nan
    holed[0] = np.nan
    assert np.isfinite(fitted[name].score(holed)).all()


def test_holes_take_the_mean_of_their_neighbours():
    image = np.arange(25, dtype=np.float32).reshape(1, 5, 5, 1)
    holed = image.copy()
    holed[0, 2, 2] = np.inf
    np.testing.assert_array_equal(fill_blanks(holed), image)
    large = np.full((1, 40, 40, 1), 7, np.float32)
    large[0, 10:30, 10:30] = np.nan
    filled = fill_blanks(large)
    assert filled[0, 14, 20, 0] == 7 and filled[0, 20, 20, 0] == 0 and np.isnan(large[0, 20, 20, 0])


def test_gabor_moments_know_a_ring_from_spokes_and_not_where_it_is():
    y, x = np.mgrid[:101, :101] - 50
    radius, angle = np.hypot(x, y), np.arctan2(y, x)
    ring = np.exp(-((radius - 20) ** 2) / 8) * (radius > 0)
    spokes = np.cos(8 * angle)
    arc = ring * (np.abs(angle) < 1)
    noise = np.random.default_rng(1).normal(0, 0.02, (101, 101))
    images = np.stack([ring + noise, spokes + noise, arc + noise, np.rot90(arc) + noise], axis=0)[..., None]
    spread = gabor_moments(images.astype(np.float32), ("r",)).reshape(4, 3, 4, 4)[..., 1]
    # Waves along the radius (rotation 0) answer to the ring, waves along the angle (rotation 2) to spokes.
    assert spread[0, 1, 0] > 3 * spread[0, 1, 2] and spread[1, 2, 2] > 3 * spread[1, 2, 0]
    # The noise was not turned with the arc.
    np.testing.assert_allclose(spread[2], spread[3], atol=0.01)


def test_gradients_have_the_length_of_the_entry():
    cells = {name: 101 // row.cell_pix for name, row in HOG_SETTINGS.items()}
    blocks = {name: cells[name] - row.block_cells + 1 for name, row in HOG_SETTINGS.items()}
    length = sum(blocks[n] ** 2 * row.block_cells**2 * row.orientations for n, row in HOG_SETTINGS.items())
    cutouts, _ = toy(2, seed=1, size=101)
    features = band_gradients(cutouts, BANDS)
    assert features.shape == (2, length) and features.dtype == np.float32
    # Gradients do not know the flux unit but through the contrast; a factor changes nothing.
    np.testing.assert_allclose(band_gradients(1e3 * cutouts, BANDS), features, atol=1e-4)


def test_bad_input_says_what_to_do(fitted, tmp_path):
    cutouts, is_lens = toy(12, seed=1)
    with pytest.raises(InputError, match="unknown classical system 'all_sta': did you mean all_star"):
        build_classical("all_sta", BANDS)
    with pytest.raises(InputError, match="must be fitted before it scores: call fit first"):
        build_classical("all_star", BANDS).score(cutouts)
    with pytest.raises(InputError, match="needs lenses and others, got 0 lenses among 12"):
        build_classical("all_star", BANDS).fit(cutouts, np.zeros(12, bool), seed=0)
    for labels in (is_lens[:9], np.append(is_lens, False)):
        with pytest.raises(InputError, match="labels needs one cutout, got another number"):
            build_classical("all_star", BANDS).fit(cutouts, labels, seed=0)
    with pytest.raises(InputError, match=r"bands u,g,r,i, 16 pixels or more a side, got shape \(12, 49, 49, 3\)"):
        fitted["all_star"].score(cutouts[..., :3])
    with pytest.raises(InputError, match="must be a folder with classical.npz"):
        load_classical(tmp_path)


def test_missing_package_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "skimage.feature", None)
    cutouts, is_lens = toy(12, seed=1)
    with pytest.raises(
        MissingExtraError, match=r'needs the package scikit-image: pip install "lensdetect\[classical\]"'
    ):
        build_classical("all_star", BANDS).fit(cutouts, is_lens, seed=0)
