"""The way to the packages that only grading needs."""

from __future__ import annotations

import importlib
from types import ModuleType

from lensdetect.errors import MissingExtraError


def grading_module(name: str) -> ModuleType:
    """A module of FastAPI, SQLAlchemy or uvicorn.

    Parameters
    ----------
    name : str
        As in "sqlalchemy.exc".

    Returns
    -------
    module

    Raises
    ------
    MissingExtraError
        If it is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise MissingExtraError(name.partition(".")[0], extra="grade", purpose="grading") from error
