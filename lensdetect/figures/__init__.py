"""Pictures and plots: arrays in, matplotlib figures out.

Figures are ``matplotlib.figure.Figure`` objects without ``pyplot``: they need
no display, leave no state behind, and are freed when they go out of use.
Colours are from Okabe and Ito's set (jfly.uni-koeln.de/color), which colour-blind people
can tell apart; lines and fills differ in more than colour.
"""

from __future__ import annotations

from lensdetect.figures.composite import lupton_rgb
from lensdetect.figures.curves import learning_curves
from lensdetect.figures.likeness import likeness_figure
from lensdetect.figures.mosaic import mosaic
from lensdetect.figures.purity import purity_figure
from lensdetect.figures.saving import save_figure
from lensdetect.figures.truth import truth_figure
from lensdetect.figures.tuning import tuning_figure

__all__ = [
    "learning_curves",
    "likeness_figure",
    "lupton_rgb",
    "mosaic",
    "purity_figure",
    "save_figure",
    "truth_figure",
    "tuning_figure",
]
