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
        (
            {"kind": "ConvRow", "filters": 8, "stride": 2},
            r"ConvRow must have exactly its known fields; missing: \[\], unknown: \['stride'\]",
        ),
        ({"kind": "ConvRow", "kernel": 3}, r"ConvRow must have exactly its known fields; missing: \['filters'\]"),
        ({"kind": "ConvRow", "filters": "8"}, "filters of ConvRow must be a whole number, got '8'"),
        ({"kind": "ConvRow", "filters": True}, "filters of ConvRow must be a whole number, got True"),
        ({"kind": "ConvRow", "filters": 10**9}, "filters of ConvRow must be from 0 to 8192, got 1e.09"),
        ({"kind": "ConvRow", "filters": 8, "dropout": float("nan")}, "dropout of ConvRow must be a number, got nan"),
        ({"kind": "Stage", "filters": 8, "blocks": 5000}, "blocks of Stage must be from 0 to 256, got 5000"),
        ({"kind": "ConvStem", "rows": 5}, "rows of ConvStem must be a list, each part of it a table, got 5"),
        ({"kind": "ConvStem", "rows": [3]}, "part 1 of rows of ConvStem must be a table of fields, got 3"),
        ({"kind": "DetectorSpec", "stem": 1, "encoder": None, "head": None}, "stem of DetectorSpec must be a table or"),
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
