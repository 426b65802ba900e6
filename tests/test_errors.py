"""Messages and families of the exceptions."""

from __future__ import annotations

import pytest

from lensdetect.errors import ArtifactError, InputError, LensdetectError, MissingExtraError, unknown_name


@pytest.mark.parametrize(
    ("error", "builtin"), [(InputError, ValueError), (ArtifactError, ValueError), (MissingExtraError, ImportError)]
)
def test_each_error_is_ours_and_a_builtin(error, builtin):
    assert issubclass(error, LensdetectError)
    assert issubclass(error, builtin)


def test_missing_extra_says_how_to_install():
    message = str(MissingExtraError("openvino", extra="openvino", purpose="fast scoring"))
    assert message == 'fast scoring needs the package openvino: pip install "lensdetect[openvino]"'


def test_unknown_name_offers_the_nearest():
    error = unknown_name("detector", "arcformer_smal", ["lens_detector_15", "arcformer_small"])
    assert isinstance(error, InputError)
    assert str(error) == "unknown detector 'arcformer_smal': did you mean arcformer_small?"


def test_unknown_name_offers_all_where_none_is_near():
    assert str(unknown_name("survey", "zzz", {"kids": 1, "bologna": 2})).endswith("did you mean bologna, kids?")
