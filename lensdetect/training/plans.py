"""The table of named training plans."""

from __future__ import annotations

from lensdetect.errors import unknown_name
from lensdetect.network import Augmentation
from lensdetect.training.plan import CosineSchedule, ExponentialSchedule, Plan, TrainingStage

PLANS: dict[str, Plan] = {
    plan.name: plan
    for plan in (
        # Ours. A third of the batches lacks bands, so that one detector takes
        # ugri, gri, or r alone.
        Plan(
            name="adamw",
            stages=(TrainingStage(40, CosineSchedule(2e-3, warmup_epochs=1.0), weight_decay=0.02),),
            batch_size=64,
            augmentation=Augmentation(max_shift_pix=5, band_sets=((("g", "r", "i"), 0.2), (("r",), 0.15))),
            validation_fraction=0.05,
        ),
        # Ours, to go on with a trained detector on a few hundred graded objects
        # among simulated stamps: half the rate of adamw, less where all images are
        # alike. Three epochs at a quarter of it were too few (benchmarks/rounds.md).
        Plan(
            name="fine_tune",
            stages=(
                TrainingStage(
                    8,
                    CosineSchedule(1e-3, warmup_epochs=0.8),
                    weight_decay=0.02,
                    part_rates=(("stem", 0.3),),
                ),
            ),
            batch_size=64,
            augmentation=Augmentation(max_shift_pix=5, band_sets=((("g", "r", "i"), 0.2), (("r",), 0.15))),
            validation_fraction=0.1,
        ),
        # Thuruthipilly+ 2022: Adam in two stages, batches of 32, last epoch
        # kept. Their shift was always +-5.05 pixels, by an accident of the
        # generator; here it is a range, in whole pixels, with all eight views.
        Plan(
            name="published",
            stages=(
                TrainingStage(300, ExponentialSchedule(1e-4, 10_000, 0.9)),
                TrainingStage(100, ExponentialSchedule(1e-5, 1_000, 0.9)),
            ),
            batch_size=32,
            augmentation=Augmentation(max_shift_pix=5),
            validation_fraction=0.1,
        ),
    )
}


def get_plan(name: str) -> Plan:
    """Plan by name.

    Parameters
    ----------
    name : str
        A key of ``PLANS``.

    Returns
    -------
    Plan

    Raises
    ------
    InputError
        If there is no such plan; the message holds the nearest names.
    """
    if name not in PLANS:
        raise unknown_name("plan", name, PLANS)
    return PLANS[name]
