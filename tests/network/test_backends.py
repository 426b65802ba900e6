"""One detector, one set of weights: the same logits whatever Keras runs on, at borders and bad pixels too.

Each backend needs a process of its own; TensorFlow's logits are those of this one.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest

from lensdetect.network import (
    AttentionPoolHead,
    DetectorSpec,
    PublishedEncoder,
    ResidualStem,
    ResNetStem,
    Stage,
    build_detector,
)

#: Size of the cutouts and stride of the first stage: three pixels are missing for whole cells, two, or none.
GRIDS = ((33, 4), (23, 5), (24, 4))


def small(stem) -> DetectorSpec:
    """Next to nothing behind the stem."""
    return DetectorSpec(stem, PublishedEncoder((), mlp_dim=8, dropout=0.0), AttentionPoolHead((), dropout=0.0))


def specs() -> dict[str, tuple[DetectorSpec, int]]:
    """Detectors that reduce images in other ways, and the size of their cutouts."""
    strided = {
        f"{size} pixels, stride {stride}": (small(ResidualStem((Stage(8, stride=stride), Stage(8, stride=2)))), size)
        for size, stride in GRIDS
    }
    return strided | {"ResNet": (small(ResNetStem((4, 8), 1)), 34)}


def all_logits() -> dict[str, np.ndarray]:
    """Logits of the backend at hand."""
    found = {}
    for name, (spec, size) in specs().items():
        detector = build_detector(spec, size=size)
        for variable in detector.weights:
            variable.assign(_drawn(variable))
        found[name] = detector.predict_on_batch(_cutouts(size))
    return found


def _drawn(variable) -> np.ndarray:
    rng = np.random.default_rng(zlib.crc32(variable.path.encode()))
    shape = tuple(variable.shape)
    if len(shape) > 1:
        return rng.standard_normal(shape) / np.sqrt(np.prod(shape[:-1]))
    return 1 + 0.1 * rng.random(shape) if variable.path.endswith(("gamma", "variance")) else 0.1 * rng.random(shape)


def _cutouts(size: int) -> np.ndarray:
    """Noise with bad pixels at each border, in some bands or all."""
    cutouts = np.random.default_rng(size).normal(0, 1e-11, (3, size, size, 4)).astype(np.float32)
    cutouts[0, :3, :, 0] = cutouts[0, :, -2:, 1] = np.nan
    cutouts[1, -1, :, :] = cutouts[1, :, 0, 3] = np.nan
    return cutouts


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_logits_are_those_of_tensorflow(backend, tmp_path, patience_s):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    code = "import sys, numpy, test_backends; numpy.savez(sys.argv[1], **test_backends.all_logits())"
    environment = os.environ | {"KERAS_BACKEND": backend, "PYTHONPATH": str(Path(__file__).parent)}
    subprocess.run(
        [sys.executable, "-c", code, tmp_path / "found.npz"], env=environment, check=True, timeout=patience_s
    )
    expected = all_logits()
    with np.load(tmp_path / "found.npz") as found:
        assert set(found.files) == set(expected)
        for name, logits in expected.items():
            np.testing.assert_allclose(found[name], logits, rtol=1e-5, atol=1e-5, err_msg=name)
