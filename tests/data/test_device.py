"""Precision by what the device has units for, under each library that Keras runs on."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest
import tensorflow as tf

from lensdetect.data import device
from lensdetect.data.device import free_memory, is_out_of_memory, training_precision

CASES = [
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
]


# No machine here has these; what the libraries say of them is what counts.
@pytest.mark.parametrize(("capabilities", "precision"), CASES)
def test_precision_under_tensorflow(monkeypatch, capabilities, precision):
    found = {f"gpu{number}": capability for number, capability in enumerate(capabilities)}
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: list(found) if kind == "GPU" else [])
    monkeypatch.setattr(
        tf.config.experimental,
        "get_device_details",
        lambda gpu: {} if found[gpu] is None else {"compute_capability": found[gpu]},
    )
    assert training_precision() == precision


def pretend(monkeypatch, backend: str, library) -> None:
    monkeypatch.setattr(device.keras.config, "backend", lambda: backend)
    monkeypatch.setitem(sys.modules, backend, library)


@pytest.mark.parametrize(("capabilities", "precision"), CASES)
def test_precision_under_jax(monkeypatch, capabilities, precision):
    devices = [
        SimpleNamespace(platform="gpu", compute_capability=pair and f"{pair[0]}.{pair[1]}") for pair in capabilities
    ]
    pretend(monkeypatch, "jax", SimpleNamespace(devices=lambda: devices or [SimpleNamespace(platform="cpu")]))
    assert training_precision() == precision


@pytest.mark.parametrize(("capabilities", "precision"), [case for case in CASES if None not in case[0]])
def test_precision_under_torch(monkeypatch, capabilities, precision):
    cuda = SimpleNamespace(device_count=lambda: len(capabilities), get_device_capability=capabilities.__getitem__)
    pretend(monkeypatch, "torch", SimpleNamespace(cuda=cuda))
    assert training_precision() == precision


def test_free_memory(monkeypatch):
    assert free_memory() == 0
    stats = {"bytes_limit": 10, "bytes_in_use": 3}
    jax = SimpleNamespace(devices=lambda: [SimpleNamespace(memory_stats=lambda: stats)], default_backend=lambda: "gpu")
    pretend(monkeypatch, "jax", jax)
    assert free_memory() == 7
    jax.default_backend = lambda: "cpu"
    assert free_memory() == 0
    cuda = SimpleNamespace(is_available=lambda: True, mem_get_info=lambda: (5, 8))
    pretend(monkeypatch, "torch", SimpleNamespace(cuda=cuda))
    assert free_memory() == 5


class OutOfMemoryError(RuntimeError):
    """Named as PyTorch's."""


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor"), True),
        (OutOfMemoryError("CUDA: tried to allocate 2 GiB"), True),
        (RuntimeError("RESOURCE_EXHAUSTED: Out of memory while trying to allocate 123 bytes."), True),
        (ValueError("a shape"), False),
        (OSError("No space left on device"), False),
    ],
)
def test_out_of_memory(error, expected):
    assert is_out_of_memory(error) == expected
