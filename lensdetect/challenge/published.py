"""Published figures, to stand beside ours."""

from __future__ import annotations

from lensdetect.network.zoo import SYSTEMS
from lensdetect.network.zoo.row import Published

_CHALLENGE = "Metcalf+ 2019, A&A 625 A119, tables 2 and 3"

#: Of the systems that are no networks; those of networks stand in their own table.
_CLASSICAL = {
    "manchester_svm": Published(_CHALLENGE, auroc=0.93, tpr0=0.22, tpr10=0.35),
    "all_star": Published(_CHALLENGE, auroc=0.84, tpr0=0.01, tpr10=0.02),
}


def published_figures(name: str) -> Published | None:
    """What others have published of a system on the challenge's ground-based test set.

    Parameters
    ----------
    name : str
        Of a network or classical system.

    Returns
    -------
    Published or None
        None where nothing is known.
    """
    if name in _CLASSICAL:
        return _CLASSICAL[name]
    return SYSTEMS[name].published if name in SYSTEMS else None
