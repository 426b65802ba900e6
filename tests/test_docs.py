"""What the pages in docs tell a user to write is accepted."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lensdetect.cli import main
from lensdetect.simulation import SkyPopulation, read_population
from lensdetect.survey import get_survey

DOCS = Path(__file__).resolve().parents[1] / "docs"
BLOCKS = {
    f"{page.name} {number}": text
    for page in sorted(DOCS.glob("*.md"))
    for number, text in enumerate(re.findall(r"```toml\n(.*?)```", page.read_text(), re.DOTALL))
}
COMMANDS = sorted(
    {
        line.split()[1]
        for page in DOCS.glob("*.md")
        for line in re.findall(r"^lensdetect .*", page.read_text(), re.MULTILINE)
    }
)


@pytest.mark.parametrize("text", BLOCKS.values(), ids=BLOCKS.keys())
def test_files_to_write(text, tmp_path):
    path = tmp_path / "written.toml"
    path.write_text(text)
    if "[[bands]]" in text:
        assert get_survey(str(path)).band_names
    else:
        assert read_population(path, SkyPopulation()) != SkyPopulation()


@pytest.mark.parametrize("verb", COMMANDS)
def test_commands_exist(verb, capsys):
    assert main([verb, "--help"]) == 0
    assert f"lensdetect {verb}" in capsys.readouterr().out


def test_names_in_the_page_on_simulation_are_those_of_the_code():
    page = (DOCS / "simulation.md").read_text()
    population = SkyPopulation()
    for rates in (population.foolers, population.glitches):
        for name in vars(rates):
            assert f"`{name}`" in page
