"""Messages and families of the exceptions."""

from __future__ import annotations

import copy

import pytest

from lensdetect.errors import ArtifactError, InputError, LensdetectError, MissingExtraError, reading, unknown_name


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


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (FileNotFoundError(2, "No such file or directory"), "a.fits: cannot be read: No such file or directory: again"),
        (AttributeError("no\n_header"), "a.fits: cut short, damaged or not FITS: AttributeError: no _header: again"),
        (OSError("Empty or corrupt"), "a.fits: cut short, damaged or not FITS: Empty or corrupt: again"),
        (RecursionError(), "a.fits: cut short, damaged or not FITS: RecursionError: RecursionError: again"),
        (ValueError("\x1b[2J\x07"), "a.fits: cut short, damaged or not FITS: ValueError: ?[2J?: again"),
    ],
)
def test_whatever_a_reader_raises_becomes_one_line_with_the_file(error, message):
    with pytest.raises(InputError) as caught, reading("a.fits", what="FITS", way_out="again"):
        raise error
    assert str(caught.value) == message


def test_a_long_message_of_others_is_cut():
    with (
        pytest.raises(InputError, match=r"^a: cut short, damaged or not CSV: KeyError: 'x{289} \.\.\.$"),
        reading("a", what="CSV"),
    ):
        raise KeyError("x" * 100_000)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(3), ArtifactError("of ours")])
def test_interrupts_and_errors_of_ours_pass_as_they_are(error):
    with pytest.raises(type(error)) as caught, reading("a", what="CSV"):
        raise error
    assert caught.value is error


@pytest.mark.parametrize("kind", [InputError, ArtifactError])
def test_what_a_terminal_would_obey_is_an_escape(kind):
    error = kind("band \x1b[2J\n must be \ud800 as it is in \u00e9toiles")
    assert str(error) == "band \\x1b[2J\\n must be \\ud800 as it is in \u00e9toiles"
    assert str(copy.copy(error)) == str(error)
