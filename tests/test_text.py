"""Foreign text where it leaves the package: kept as far as the place can hold it, and harmless."""

from __future__ import annotations

import io

import pandas as pd
import pytest

from lensdetect.text import for_header, for_screen, storable, write_csv


@pytest.mark.parametrize(
    "text, screen, header",
    [
        ("KiDS J12", "KiDS J12", "KiDS J12"),
        ("KiDS_é", "KiDS_é", "KiDS_\\xe9"),
        ("a\tb\nc\x00", "a\\tb\\nc\\x00", "a\\tb\\nc\\x00"),
        ("\x1b[2J", "\\x1b[2J", "\\x1b[2J"),
        ("\u202egnp", "\\u202egnp", "\\u202egnp"),
        ("caf\udce9", "caf\\udce9", "caf\\udce9"),
        ("星", "星", "\\u661f"),
    ],
)
def test_text_for_screens_and_headers(text, screen, header):
    assert for_screen(text) == screen and for_header(text) == header
    assert for_header(text, longest=5) == header[:5]


def test_only_what_utf8_cannot_hold_is_changed():
    assert storable("é\t\x1b") == "é\t\x1b" and storable("caf\udce9\ud800") == "caf\\udce9\\ud800"


def test_a_spreadsheet_runs_nothing():
    table = pd.DataFrame({"id": ["=1+1", "@SUM(A1)", "-2+3", "+cmd", "-12.5", "+1e5", "a=b", "\t=1"], "z": [-1.0] * 8})
    file = io.BytesIO()
    write_csv(table, file)
    cells = [line.rsplit(",", 1) for line in file.getvalue().decode().splitlines()[1:]]
    assert [cell for cell, _ in cells] == ["'=1+1", "'@SUM(A1)", "'-2+3", "'+cmd", "-12.5", "+1e5", "a=b", "'\t=1"]
    assert {number for _, number in cells} == {"-1.0"}
    assert table["id"][0] == "=1+1"
