"""What the device at hand is good at."""

from __future__ import annotations

import tensorflow as tf


def training_precision() -> str:
    """Keras dtype policy that trains fastest here without harm.

    Half types pay on a GPU that has units for them: bfloat16 from compute
    capability 8.0 on, float16 from 7.0 on. On a CPU they are slower than float32.

    Returns
    -------
    str
        "mixed_bfloat16", "mixed_float16" or "float32".
    """
    gpus = tf.config.list_physical_devices("GPU")
    if not gpus:
        return "float32"
    capability = min(tf.config.experimental.get_device_details(gpu).get("compute_capability", (0, 0)) for gpu in gpus)
    if capability >= (8, 0):
        return "mixed_bfloat16"
    return "mixed_float16" if capability >= (7, 0) else "float32"
