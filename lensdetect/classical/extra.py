"""The way to scikit-image, which only this package needs."""

from __future__ import annotations

import importlib
from types import ModuleType

from lensdetect.errors import MissingExtraError


def image_module(name: str) -> ModuleType:
    """A module of scikit-image.

    Parameters
    ----------
    name : str
        As in "skimage.feature".

    Returns
    -------
    module

    Raises
    ------
    MissingExtraError
        If scikit-image is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise MissingExtraError("scikit-image", extra="classical", purpose="a system of hand-made features") from error
