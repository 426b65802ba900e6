"""Logs of simulated graders."""

from __future__ import annotations

import numpy as np
import pandas as pd

LEVELS = np.array([0.0, 1.0, 3.0, 5.0])
#: Chance of each grade for an object that is none and for a lens: three who can tell, less and less well, one who
#: tells nothing, one who sees lenses everywhere, and one who has the scale upside down.
SKILLS = {
    "ann": [[0.90, 0.07, 0.02, 0.01], [0.05, 0.10, 0.25, 0.60]],
    "bob": [[0.80, 0.12, 0.06, 0.02], [0.15, 0.20, 0.35, 0.30]],
    "cem": [[0.70, 0.18, 0.09, 0.03], [0.35, 0.25, 0.25, 0.15]],
    "dee": [[0.40, 0.30, 0.20, 0.10], [0.40, 0.30, 0.20, 0.10]],
    "eva": [[0.20, 0.35, 0.30, 0.15], [0.05, 0.15, 0.30, 0.50]],
    "foe": [[0.05, 0.10, 0.25, 0.60], [0.90, 0.07, 0.02, 0.01]],
}


def graded(truth, *, skills, known, rng) -> pd.DataFrame:
    """Log of the grades that graders of some skill give objects; of the ``known`` ones it tells the truth."""
    rows = []
    for grader, table in skills.items():
        for number, is_lens in enumerate(truth):
            grade = rng.choice(LEVELS[: len(table[0])], p=table[int(is_lens)])
            told = number in known
            planted = ("lens" if is_lens else "dud") if told else ""
            rows.append((f"{number:04d}", grader, grade, planted, float(is_lens) if told else np.nan))
    return pd.DataFrame(rows, columns=["id", "grader", "grade", "planted", "truth"])


#: Every fifth of 400 objects is a lens.
TRUTH = np.arange(400) % 5 == 0


def mixed_log() -> pd.DataFrame:
    """Six graders of mixed skill; of the first 80 objects the truth is known."""
    return graded(TRUTH, skills=SKILLS, known=range(80), rng=np.random.default_rng(4))
