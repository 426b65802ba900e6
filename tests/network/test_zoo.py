"""Every row of the table of systems: builds, counts as published, and is what its structure says."""

from __future__ import annotations

import re

import keras
import numpy as np
import pytest

from lensdetect.network import DETECTORS, SYSTEMS, build_detector
from lensdetect.survey import SURVEYS

FOUR, THREE, ONE = ("u", "g", "r", "i"), ("g", "r", "i"), ("r",)
# Rows with one spec are built once: only what was trained differs.
UNIQUE = list({system.spec: name for name, system in reversed(SYSTEMS.items())}.values())
PAPER = {name: system for name, system in SYSTEMS.items() if system.group == "paper"}


def count(variables) -> int:
    return sum(int(np.prod(variable.shape)) for variable in variables)


def sky(rng, bands: tuple[str, ...], *, num: int = 2) -> np.ndarray:
    """Noise with a bright galaxy in the middle, in raw flux."""
    noise_sigma = [band.noise_sigma for band in SURVEYS["bologna"].select(bands)]
    y, x = np.mgrid[:101, :101] - 50
    light = 3e-10 * np.exp(-(x**2 + y**2) / 20.0)[..., None]
    return (light + rng.normal(0, noise_sigma, (num, 101, 101, len(bands)))).astype(np.float32)


def check_counts(name: str, bands: tuple[str, ...], model: keras.Model) -> None:
    """Compare the numbers of parameters with the table's and with the published ones."""
    system = SYSTEMS[name]
    if bands == FOUR:
        assert model.count_params() == system.parameters
    published = system.published
    if published and published.bands == bands:
        assert published.parameters in (None, model.count_params())
        assert published.trainable_parameters in (None, count(model.trainable_weights))


@pytest.fixture(scope="module", params=UNIQUE)
def built(request):
    """Each network at all bands; not cached, since all of them would fill the memory."""
    keras.utils.set_random_seed(3)
    return request.param, build_detector(request.param, FOUR)


def test_row_counts_as_it_says(built):
    check_counts(built[0], FOUR, built[1])


def test_row_keeps_the_promises_of_a_detector(built):
    name, model = built
    assert model.name == name
    assert model.input_shape == (None, 101, 101, 4)
    assert model.output_shape == (None, 1)
    assert model.output.dtype == "float32"
    layers = [layer.name for layer in model.layers]
    others = [layer for layer in layers if not layer.startswith(("front_", "stem_", "encoder_", "head_"))]
    assert sorted(others) == ["cutouts", "embedding", "logit"]
    assert len(set(layers)) == len(layers)
    # The keys of the weights begin alike, or a part could not be restored.
    begins = ("stem_", "encoder_", "head_", "embedding", "logit")
    assert all(variable.path.startswith(begins) for variable in model.weights)


def test_row_gives_finite_logits_where_pixels_are_bad(built, rng):
    _, model = built
    cutouts = sky(rng, FOUR)
    cutouts[0, ..., 1] = np.nan
    cutouts[0, 20:30] = np.inf
    cutouts[1] = np.nan
    logit = np.asarray(model(cutouts, training=False))
    assert logit.shape == (2, 1)
    assert np.isfinite(logit).all()


def test_structure_is_true(built):
    name, model = built
    structure = SYSTEMS[name].structure
    if name not in PAPER or structure == "not published":
        return
    if cnn := re.match(r"CNN \d", structure):
        structure = structure.replace(cnn[0], SYSTEMS[cnn[0].lower().replace(" ", "_")].structure)
    convolutions = [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
    attentions = [layer for layer in model.layers if isinstance(layer, keras.layers.MultiHeadAttention)]
    assert len(convolutions) == int(re.match(r"(\d+) conv", structure)[1])
    assert len(attentions) == int((re.search(r"(\d+) \(E\)", structure) or "00")[1])
    if attentions:
        heads, key_dim = map(int, re.search(r"(\d+) H_(\d+)", structure).groups())
        assert {(layer.num_heads, layer.key_dim) for layer in attentions} == {(heads, key_dim)}
        assert all(layer.output[0].shape[1] <= 170 for layer in attentions)


@pytest.mark.slow
@pytest.mark.parametrize("bands", [THREE, ONE], ids=["gri", "r"])
@pytest.mark.parametrize("name", UNIQUE)
def test_row_builds_at_any_bands_and_counts_as_published(name, bands):
    model = build_detector(name, bands)
    assert model.input_shape == (None, 101, 101, len(bands))
    check_counts(name, bands, model)


def test_rows_of_one_spec_count_alike():
    for system in SYSTEMS.values():
        assert system.parameters == next(other for other in SYSTEMS.values() if other.spec == system.spec).parameters


def test_counts_that_were_published():
    counted = {name: row.published for name, row in SYSTEMS.items() if row.published}
    assert {name: row.parameters for name, row in counted.items() if row.parameters} == {
        "lens_detector_15": 3_194_849,
        "lens_detector_16": 5_370_181,
        "lens_detector_21": 3_194_849,
        "lens_detector_rig": 3_194_593,
    }
    assert {name: row.trainable_parameters for name, row in counted.items() if row.trainable_parameters} == {
        "lastro_epfl": 5_674_145,
        "lastro_epfl_invariant": 1_753_705,
        "lastro_epfl_views": 7_035_308,
        "lastro_epfl_residual": 4_863_021,
    }


def test_table_has_all_systems():
    wanted = {f"cnn_{number}" for number in range(1, 6)} | {f"lens_detector_{number}" for number in range(1, 22)}
    assert {*wanted, "lens_detector_rig"} == set(PAPER)
    groups = {system.group for system in SYSTEMS.values()}
    assert groups == {"ours", "paper", "challenge", "survey"}
    assert set(DETECTORS) == set(SYSTEMS)


@pytest.mark.parametrize("name", SYSTEMS)
def test_row_says_what_it_is(name):
    system = SYSTEMS[name]
    assert system.name == name
    assert system.reading.startswith("Ours" if system.group == "ours" else "Published: ")
    assert system.reading.endswith(".")
    for text in (system.source, system.structure, system.reading):
        assert text and text.isascii() and "\n" not in text
    assert system.published is None or system.published.source


def test_detectors_of_one_structure_say_what_differs():
    first, *others = [system for system in PAPER.values() if system.structure == SYSTEMS["lens_detector_15"].structure]
    assert first.name == "lens_detector_12"
    assert {"lens_detector_13", "lens_detector_14", "lens_detector_21"} < {system.name for system in others}
    for name in ("lens_detector_13", "lens_detector_14", "lens_detector_21"):
        assert SYSTEMS[name].spec == SYSTEMS["lens_detector_15"].spec
        assert "differs" in SYSTEMS[name].reading


def test_sizes_of_ours_grow():
    sizes = [SYSTEMS[f"arcformer_{size}"].parameters for size in ("tiny", "small", "medium")]
    assert sizes == sorted(sizes)
    assert sizes[1] == 392_257


def stem_weights(model: keras.Model) -> dict[str, tuple[int, ...]]:
    found = {variable.path: variable for variable in model.weights if variable.path.startswith(("front_", "stem_"))}
    return {path: tuple(variable.shape) for path, variable in found.items()}


@pytest.mark.parametrize(("cnn", "detector"), [("cnn_1", "lens_detector_1"), ("cnn_4", "lens_detector_8")])
def test_stem_of_a_cnn_fits_its_detector(cnn, detector):
    # By name and by shape, which is what restoring goes by.
    of_cnn, of_detector = (stem_weights(build_detector(name, ONE)) for name in (cnn, detector))
    assert of_cnn == of_detector
    assert len(of_cnn) == 6 * int(SYSTEMS[cnn].structure.split()[0])


def test_detectors_take_the_stem_of_the_cnn_in_their_string():
    taken = {name: system.stem_from for name, system in SYSTEMS.items() if system.stem_from}
    numbers = (1, 2, 2, 2, 2, 2, 3, 4)
    assert taken == {f"lens_detector_{number}": f"cnn_{cnn}" for number, cnn in enumerate(numbers, start=1)}
    assert all(DETECTORS[name].stem == DETECTORS[cnn].stem for name, cnn in taken.items())
