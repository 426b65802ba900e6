"""Precision by what the device has units for."""

from __future__ import annotations

import pytest
import tensorflow as tf

from lensdetect.data.device import training_precision


@pytest.mark.parametrize(
    ("capabilities", "precision"),
    [
        ([], "float32"),
        ([(9, 0)], "mixed_bfloat16"),
        ([(8, 0)], "mixed_bfloat16"),
        ([(7, 5)], "mixed_float16"),
        ([(7, 0)], "mixed_float16"),
        ([(6, 1)], "float32"),
        ([None], "float32"),
        # The weakest decides.
        ([(9, 0), (7, 0)], "mixed_float16"),
        ([(8, 6), (6, 1)], "float32"),
    ],
)
def test_precision_of_devices(monkeypatch, capabilities, precision):
    # No machine here has these; what TensorFlow says of them is what counts.
    found = {f"gpu{number}": capability for number, capability in enumerate(capabilities)}
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: list(found) if kind == "GPU" else [])
    monkeypatch.setattr(
        tf.config.experimental,
        "get_device_details",
        lambda gpu: {} if found[gpu] is None else {"compute_capability": found[gpu]},
    )
    assert training_precision() == precision
