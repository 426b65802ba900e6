"""Specs: plain values that travel through JSON."""

from __future__ import annotations

import json

import pytest

from lensdetect.errors import InputError
from lensdetect.network import (
    DETECTORS,
    ConvRow,
    ConvStem,
    PublishedEncoder,
    ResidualStem,
    Stage,
    spec_from_dict,
    spec_to_dict,
)


@pytest.mark.parametrize("name", DETECTORS)
def test_spec_survives_json(name):
    spec = DETECTORS[name]
    assert spec_from_dict(json.loads(json.dumps(spec_to_dict(spec)))) == spec


def test_lists_may_stand_for_tuples():
    assert spec_from_dict(spec_to_dict(ConvStem([ConvRow(8)]))) == ConvStem((ConvRow(8),))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"kind": "ConvRo", "filters": 8}, "unknown part of a detector 'ConvRo': did you mean ConvRow"),
        ({"filters": 8}, "unknown part of a detector 'None'"),
        ({"kind": "ConvRow", "filters": 8, "stride": 2}, r"ConvRow has the fields .*, got \['stride'\] beside them"),
        ({"kind": "ConvRow", "kernel": 3}, r"ConvRow needs every field that has no default, got \['kernel'\].*filters"),
    ],
)
def test_what_is_no_spec(values, message):
    with pytest.raises(InputError, match=message):
        spec_from_dict(values)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ConvStem(()), "a ConvStem needs at least one ConvRow, got none"),
        (lambda: ResidualStem(()), "a ResidualStem needs at least one Stage, got none"),
        (lambda: PublishedEncoder((2, 0)), r"every group .* at least one attention, got \(2, 0\)"),
    ],
)
def test_empty_parts(make, message):
    with pytest.raises(InputError, match=message):
        make()


def test_specs_can_be_compared_and_hashed():
    assert {ResidualStem((Stage(8),)), ResidualStem((Stage(8),))} == {ResidualStem((Stage(8),))}
