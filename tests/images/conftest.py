"""What the tests of image files share."""

from __future__ import annotations

import pytest

from lensdetect.survey import Survey, get_survey


@pytest.fixture(scope="session")
def bologna() -> Survey:
    return get_survey("bologna")
