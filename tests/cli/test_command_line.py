from __future__ import annotations

import subprocess
import sys

import pytest

import lensdetect as package
from lensdetect.survey import SURVEYS
from lensdetect.training import PLANS

VERBS = ("demo", "score", "models", "simulate", "train")


@pytest.mark.parametrize(
    "code",
    [
        "import lensdetect",
        "from lensdetect.cli import main; main(['--help'])",
        "from lensdetect.cli import main; main(['score', '--help'])",
        "from lensdetect.cli import main; main(['train', '--help'])",
    ],
)
def test_help_loads_nothing_heavy(code):
    heavy = ("tensorflow", "keras", "pandas", "matplotlib", "astropy", "scipy", "numpy")
    check = f"{code}\nimport sys\nprint('loaded', sorted(set(sys.modules) & set({heavy})))"
    found = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=False)
    assert (found.stdout.splitlines()[-1], found.stderr) == ("loaded []", "")


@pytest.mark.parametrize("verb", VERBS)
def test_help_is_a_page(lensdetect, verb):
    result = lensdetect(verb, "--help")
    assert result.code == 0
    assert f"lensdetect {verb}" in result.out.split("examples:")[1] and "exit codes: 0" in result.out
    assert max(map(len, result.out.splitlines())) <= 110


def test_help_lists_the_commands(lensdetect):
    result = lensdetect("--help")
    assert result.code == 0
    assert all(f"    {verb} " in result.out for verb in VERBS)


@pytest.mark.parametrize("verb", ["score", "simulate", "train", "tune"])
def test_help_names_all_surveys(lensdetect, verb):
    # Said in the help so that it needs no imports; here it is compared.
    assert f": {', '.join(SURVEYS)}" in " ".join(lensdetect(verb, "--help").out.split())


def test_help_names_all_plans(lensdetect):
    text = " ".join(lensdetect("train", "--help").out.split())
    adamw, published, fine_tune = (PLANS[name] for name in ("adamw", "published", "fine_tune"))
    assert set(PLANS) == {"adamw", "published", "fine_tune"} and all(name in text for name in PLANS)
    assert f"(default: {adamw.epochs}; published: {published.epochs}; fine_tune: {fine_tune.epochs})" in text
    assert f"(default: {adamw.batch_size}; published: {published.batch_size})" in text


def test_an_error_of_our_own_is_told_from_all_others(lensdetect, monkeypatch):
    def fail(args):
        raise ZeroDivisionError("nobody thought of this")

    monkeypatch.setattr("lensdetect.cli.models.run", fail)
    result = lensdetect("models")
    assert result.code == 70 and "Traceback" in result.err
    last = "lensdetect: an error of its own, not of yours: ZeroDivisionError: nobody thought of this: please report it"
    assert result.err.splitlines()[-1].startswith(last)
    assert "\n70 lensdetect itself failed" in lensdetect("--help").out


def test_the_package_runs_as_the_command():
    done = subprocess.run([sys.executable, "-m", "lensdetect", "--version"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, f"lensdetect {package.__version__}\n")


def test_version(lensdetect):
    assert lensdetect("--version") == (0, f"lensdetect {package.__version__}\n", "")


def test_no_command_prints_the_help(lensdetect, capsys):
    from lensdetect.cli import main

    assert main([]) == 2
    assert "commands:" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["scroe", "x"], "unknown command 'scroe': did you mean score"),
        (["score", "x", "--ouput", "y.csv"], "unknown argument '--ouput': did you mean --output?"),
        (["score", "x", "--fit", "crup"], "unknown way to fit images 'crup': did you mean crop, refuse?"),
        (["score", "x", "--prior", "2"], "argument --prior: must be between 0 and 1, got 2"),
        (["score", "x", "--zero-point", "a"], "argument --zero-point: must be a number"),
        (["score"], "the following arguments are required: PATH: see lensdetect score --help"),
        (["score", "x", "--output", "scores.txt"], "scores.txt must end in one of .csv, .parquet, got '.txt'"),
        (["score", "x", "--truth-figure", "t.png"], "a truth figure needs the truth: add --truth FILE"),
        (["simulate", "--survey", "bolonga", "--count", "1", "--seed", "1", "--output", "x"], "did you mean bologna"),
        (["simulate", "--survey", "kids", "--count", "0", "--seed", "1", "--output", "x"], "at least 1, got '0'"),
        (["train", "--data", "x", "--output", "y"], "a training needs a detector: add --detector NAME"),
        (["train", "--data", "x", "--output", "y", "--resume"], "must have a plan.json, got none in y"),
    ],
)
def test_a_slip_is_one_line(lensdetect, argv, message):
    result = lensdetect(*argv)
    assert result.code == 2 and message in result.err
    assert result.err.count("\n") == 1 and result.out == ""


@pytest.mark.parametrize("values", ["-48.6", "-48.6,-48.6,-48.6", "-48.6,0,25.5"])
def test_zero_points_may_be_negative(values):
    from lensdetect.cli import build_parser
    from lensdetect.cli.parsing import parse

    command = ["score", "x.fits", "--zero-point", values, "--bands", "g,r,i", "--pixel-scale", "0.2"]
    args = parse(build_parser(), command, verbs=["score"])
    assert args.zero_point == tuple(map(float, values.split(",")))
