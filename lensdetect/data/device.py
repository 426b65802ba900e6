"""What the device at hand is good at, whichever library Keras runs on."""

from __future__ import annotations

from collections.abc import Callable

import keras

#: What an exception is called, or says, where a device has no memory left: TensorFlow, PyTorch, JAX.
_OUT_OF_MEMORY = ("ResourceExhaustedError", "OutOfMemoryError", "RESOURCE_EXHAUSTED", "out of memory")


def training_precision() -> str:
    """Keras dtype policy that trains fastest here without harm.

    Half types pay on a GPU that has units for them: bfloat16 from compute
    capability 8.0 on, float16 from 7.0 on. On a CPU they are slower than float32.

    Returns
    -------
    str
        "mixed_bfloat16", "mixed_float16" or "float32".
    """
    capabilities = _CAPABILITIES[keras.config.backend()]()
    if not capabilities:
        return "float32"
    if min(capabilities) >= (8, 0):
        return "mixed_bfloat16"
    return "mixed_float16" if min(capabilities) >= (7, 0) else "float32"


def _of_tensorflow() -> list[tuple[int, int]]:
    import tensorflow as tf

    details = map(tf.config.experimental.get_device_details, tf.config.list_physical_devices("GPU"))
    return [found.get("compute_capability", (0, 0)) for found in details]


def _of_jax() -> list[tuple[int, int]]:
    import jax

    # "9.0" on a CUDA device, another text or nothing on others.
    texts = [str(getattr(device, "compute_capability", "")) for device in jax.devices() if device.platform == "gpu"]
    parts = [text.split(".") for text in texts]
    return [tuple(map(int, part)) if len(part) == 2 and "".join(part).isdigit() else (0, 0) for part in parts]


def _of_torch() -> list[tuple[int, int]]:
    import torch

    return [torch.cuda.get_device_capability(number) for number in range(torch.cuda.device_count())]


#: Backend -> compute capability of each GPU that it sees.
_CAPABILITIES: dict[str, Callable[[], list[tuple[int, int]]]] = {
    "tensorflow": _of_tensorflow,
    "jax": _of_jax,
    "torch": _of_torch,
}


def free_memory() -> int:
    """Memory that the GPU has left, in bytes; 0 where there is none, or TensorFlow holds it.

    Returns
    -------
    int
    """
    if keras.config.backend() == "jax":
        import jax

        stats = jax.devices()[0].memory_stats() if jax.default_backend() == "gpu" else None
        return stats["bytes_limit"] - stats["bytes_in_use"] if stats else 0
    if keras.config.backend() == "torch":
        import torch

        return torch.cuda.mem_get_info()[0] if torch.cuda.is_available() else 0
    return 0


def compiled(function: Callable) -> Callable:
    """A function of tensors as the backend at hand runs it fastest.

    Parameters
    ----------
    function : callable
        Pure, of ``keras.ops``.

    Returns
    -------
    callable
        Compiled under JAX, the function itself elsewhere.
    """
    if keras.config.backend() != "jax":
        return function
    import jax

    return jax.jit(function)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether a device had too little memory for what it was asked to do.

    Parameters
    ----------
    error : BaseException
        That a training ended with.

    Returns
    -------
    bool
    """
    return any(sign in f"{type(error).__name__}: {error}" for sign in _OUT_OF_MEMORY)
