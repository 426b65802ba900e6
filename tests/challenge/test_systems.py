from __future__ import annotations

import pytest

from lensdetect.challenge import all_names, parse_entry
from lensdetect.challenge.systems import parse_entries
from lensdetect.classical import CLASSICAL
from lensdetect.errors import InputError
from lensdetect.network import DETECTORS

BANDS = ("u", "g", "r", "i")


def test_entry_with_bands_has_them_in_the_order_of_the_data():
    entry = parse_entry("cnn_3@irg", bands=BANDS)
    assert (entry.kind, entry.name, entry.bands, entry.label) == ("network", "cnn_3", ("g", "r", "i"), "cnn_3@irg")
    assert parse_entry("all_star@g,r", bands=BANDS).bands == ("g", "r")
    assert parse_entry("oracle", bands=BANDS).bands == ()


def test_all_is_every_network_and_classical_system_but_that_for_tests():
    names = set(all_names(simulated=True))
    assert names == set(DETECTORS) - {"arcformer_test"} | set(CLASSICAL) | {"oracle"}
    assert set(all_names(simulated=False)) == names - {"oracle"}


def test_members_stand_before_their_committee_and_once():
    entries = parse_entries(["rank_mean:cnn_3+all_star", "all_star"], bands=BANDS, simulated=True)
    assert [entry.label for entry in entries] == ["cnn_3", "all_star", "rank_mean:cnn_3+all_star"]
    assert entries[-1].members == ("cnn_3", "all_star")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cnn_33", "unknown system 'cnn_33': did you mean cnn_3"),
        ("cnn_3@gz", "must be some of u,g,r,i, each once, got 'gz'"),
        ("cnn_3@", "must be some of u,g,r,i, each once, got ''"),
        ("rank_man:cnn_3+cnn_1", "unknown committee 'rank_man': did you mean rank_mean"),
        ("rank_mean:cnn_3", r"needs two members or more, each once, .* write rank_mean:NAME\+NAME"),
        ("rank_mean:cnn_3+oracle", "must be trained systems, got 'oracle'"),
    ],
)
def test_bad_entry_says_what_is_wrong(text, message):
    with pytest.raises(InputError, match=message):
        parse_entry(text, bands=BANDS)


def test_oracle_needs_simulated_stamps():
    with pytest.raises(InputError, match="the oracle needs simulated test stamps"):
        parse_entries(["cnn_3", "oracle"], bands=BANDS, simulated=False)
