"""The zoo: every named network is one row of one table."""

from __future__ import annotations

from lensdetect.network.spec import DetectorSpec, MergedSpec
from lensdetect.network.zoo.challenge import CHALLENGERS
from lensdetect.network.zoo.ours import OURS
from lensdetect.network.zoo.paper_cnns import CNNS
from lensdetect.network.zoo.paper_detectors import LENS_DETECTORS
from lensdetect.network.zoo.row import Published as Published
from lensdetect.network.zoo.row import System as System
from lensdetect.network.zoo.surveys import SEARCHES

#: Every network by its name: ours, the paper's, the challenge's, the searches'.
SYSTEMS: dict[str, System] = {
    system.name: system for system in (*OURS, *CNNS, *LENS_DETECTORS, *CHALLENGERS, *SEARCHES)
}

#: What is built, by name.
DETECTORS: dict[str, DetectorSpec | MergedSpec] = {name: system.spec for name, system in SYSTEMS.items()}
