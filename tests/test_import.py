"""Importing the package is cheap: heavy libraries wait until they are needed."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("tensorflow", "keras", "pandas", "matplotlib", "lenstronomy", "scipy", "astropy", "dask", "sklearn")


def loaded_after(code: str, folder) -> set[str]:
    """Which heavy libraries a fresh interpreter holds after some code."""
    code += f"; import sys; print(*(name for name in {HEAVY} if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "code",
    [
        "import lensdetect",
        "import lensdetect; dir(lensdetect); lensdetect.__version__",
        "import lensdetect.errors, lensdetect.survey, lensdetect.flags",
        "import lensdetect.cli",
    ],
)
def test_import_loads_nothing_heavy(code, tmp_path):
    assert loaded_after(code, tmp_path) == set()


def test_reading_images_needs_no_tensorflow(tmp_path):
    code = "from lensdetect.data import open_cutouts, read_truth; from lensdetect.artifact import load_card"
    assert not loaded_after(code, tmp_path) & {"tensorflow", "keras", "matplotlib"}


def test_public_names_are_there():
    import lensdetect

    assert (
        set(lensdetect.__all__) == set(dir(lensdetect)) == {"__version__", "build_detector", "load_detector", "score"}
    )
    for name in lensdetect.__all__:
        assert getattr(lensdetect, name).__doc__


def test_unknown_name_is_an_attribute_error():
    import lensdetect

    with pytest.raises(AttributeError, match="module 'lensdetect' has no attribute 'scoer'"):
        lensdetect.scoer  # noqa: B018
