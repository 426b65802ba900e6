"""The promises that the files around the code make to one another."""

from __future__ import annotations

import ast
import configparser
import importlib
import inspect
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "lensdetect"
MODULES = sorted(PACKAGE.rglob("*.py"))
#: A file holds one idea, and what must be read together stands together.
MOST_LINES = 450
#: pip's name -> conda's, where the two differ.
CONDA_NAMES = {"dask[distributed]": "dask", "psycopg[binary]": "psycopg"}


@pytest.fixture(scope="module")
def config() -> configparser.ConfigParser:
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    return config


def values(config: configparser.ConfigParser, section: str, option: str) -> list[str]:
    """Lines of a setup.cfg list without its comments."""
    lines = (line.strip() for line in config[section][option].splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def split(requirement: str) -> tuple[str, frozenset[str]]:
    """Name and bounds of a requirement."""
    name, bounds = re.fullmatch(r"([\w\[\]-]+)(.*)", requirement.replace(" ", "")).groups()
    return name, frozenset(bounds.split(","))


def first_block(text: str) -> list[str]:
    """Lines of the first fenced block of a Markdown text."""
    return re.search(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)[1].splitlines()


def test_environment_is_that_of_setup_cfg(config):
    *conda, from_pip = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    stated = [*conda, *from_pip["pip"]]
    stated.remove("pip")
    wanted = [
        f"python{config['options']['python_requires']}",
        *values(config, "options", "install_requires"),
        *values(config, "options.extras_require", "test"),
    ]
    renamed = {(CONDA_NAMES.get(name, name), bounds) for name, bounds in map(split, wanted)}
    assert set(map(split, stated)) == renamed
    assert len(stated) == len(renamed)


def test_packages_are_the_folders_on_disk(config):
    on_disk = {".".join(path.parent.relative_to(ROOT).parts) for path in PACKAGE.rglob("__init__.py")}
    assert set(values(config, "options", "packages")) == on_disk | {"lensdetect.models"}
    for folder in {path.parent for path in MODULES}:
        assert (folder / "__init__.py").is_file()


def test_classifiers_name_the_versions_of_python(config):
    low, high = re.fullmatch(r">=3\.(\d+),<3\.(\d+)", config["options"]["python_requires"]).groups()
    named = re.findall(r"Python :: 3\.(\d+)", config["metadata"]["classifiers"])
    assert [int(minor) for minor in named] == list(range(int(low), int(high)))


def test_version_is_the_same_everywhere(config):
    import lensdetect

    version = config["metadata"]["version"]
    assert lensdetect.__version__ == version, "install the package again"
    # What is not released yet is the first section.
    heading = f"## {version}" + " (unreleased)" * ("dev" in version)
    assert re.findall("^## .*", (ROOT / "CHANGES.md").read_text(), re.MULTILINE)[0] == heading
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == version
    assert citation["license"] == config["metadata"]["license"]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_module_is_short_and_explained(path):
    text = path.read_text()
    assert ast.get_docstring(ast.parse(text)), "a module begins with what it is for"
    assert len(text.splitlines()) <= MOST_LINES
    assert not {*path.with_suffix("").relative_to(PACKAGE).parts} & {"utils", "util", "common", "helpers", "misc"}
    assert text.isascii()


def public_functions() -> dict[str, object]:
    """Functions that a package offers, by their full name."""
    packages = [".".join(path.parent.relative_to(ROOT).parts) for path in PACKAGE.rglob("__init__.py")]
    found = {}
    for package in map(importlib.import_module, packages):
        for name in dir(package):
            value = getattr(package, name)
            if inspect.isfunction(value) and not name.startswith("_") and value.__module__.startswith("lensdetect"):
                found[f"{value.__module__}.{name}"] = value
    return found


def test_public_functions_have_numpydoc_sections():
    wanting = []
    for name, function in public_functions().items():
        text, signature = inspect.getdoc(function) or "", inspect.signature(function)
        # One line says all of a function without parameters.
        wanted = ["Parameters"] if signature.parameters else []
        if wanted and signature.return_annotation not in ("None", None):
            wanted.append("Returns|Yields")
        wanting += [f"{name}: {part}" for part in wanted if not re.search(rf"^({part})\n-+$", text, re.MULTILINE)]
    assert not wanting, "\n".join(wanting)


def test_public_functions_are_found():
    assert {"lensdetect.artifact.scorer.load_detector", "lensdetect.simulation.run.simulate"} <= set(public_functions())


def test_readme_begins_with_the_two_commands():
    text = (ROOT / "README.md").read_text()
    commands = ["pip install . && lensdetect demo", 'pip install ".[test]" && pytest']
    assert first_block(text) == commands
    # .ci/run takes them from README by how each of them ends
    script = (ROOT / ".ci" / "run").read_text()
    assert 'for last in pytest "lensdetect demo"; do' in script
    for last in ("pytest", "lensdetect demo"):
        found = re.search(rf"^pip install .* && {last}$", text, re.MULTILINE)
        assert found[0] in commands


def test_ci_script_is_valid():
    script = ROOT / ".ci" / "run"
    assert script.stat().st_mode & 0o100, "it can be executed"
    subprocess.run(["bash", "-n", script], check=True)
    assert {"pytest -m slow", "ruff check .", "ruff format --check .", "lint-imports"} <= set(
        script.read_text().splitlines()
    )


def test_imports_point_downhill():
    lint = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([lint, "--no-cache"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 kept, 0 broken" in done.stdout


def test_wheel_holds_every_package_and_detector(tmp_path):
    copy_sources(tmp_path / "source")
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, "--wheel-dir", tmp_path, tmp_path / "source"], check=True)
    (wheel,) = tmp_path.glob("*.whl")
    held = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    code = {path.relative_to(ROOT).as_posix() for path in MODULES}
    models = {path.relative_to(ROOT).as_posix() for path in (ROOT / "models").rglob("*") if path.is_file()}
    package = ROOT / "lensdetect"
    forms = ("*.csv", "*.toml", "*.css", "*.js", "*.html")
    data = {path.relative_to(ROOT).as_posix() for form in forms for path in package.rglob(form)}
    assert held == code | data | {f"lensdetect/{path}" for path in models}


def copy_sources(folder: Path) -> None:
    """Copy what a wheel is made of; building in the checkout would leave its traces there."""
    for name in ("setup.py", "setup.cfg", "README.md", "LICENSE", "MANIFEST.in", "lensdetect", "models"):
        for path in [ROOT / name, *(ROOT / name).rglob("*")]:
            if path.is_file() and "__pycache__" not in path.parts:
                target = folder / path.relative_to(ROOT)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(path.read_bytes())
