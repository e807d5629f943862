"""What `pip install` brings suffices: in an empty folder every verb answers, and the loop runs to its report."""

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

from selfinstruct_train.commands import NAMES
from tests.support.paths import ROOT

SMALL = [
    *("--generate.num_instructions", "8", "--generate.requests_per_round", "2"),
    *("--train.mixtures", "[seeds+generated]", "--train.max_steps", "2", "--train.allow", "[stops]"),
    *("--eval.user_oriented", "null", "--eval.max_instances_per_task", "1", "--eval.sampling.max_new_tokens", "8"),
]
HELP = """
import contextlib, io, sys
from selfinstruct_train.cli import main
for verb in sys.argv[1:]:
    with contextlib.redirect_stdout(io.StringIO()) as told, contextlib.suppress(SystemExit):
        assert main([verb, "--help"]) == 0, verb
    assert told.getvalue().startswith(f"usage: selfinstruct {verb}"), verb
    assert "example: selfinstruct" in told.getvalue(), verb
"""


@pytest.fixture(scope="module")
def programs(wheel, tmp_path_factory) -> Path:
    """The programs of an environment with the wheel and with this environment's libraries, but not the checkout."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, symlinks=True)
    python = folder / "bin/python"
    # A folder that a .pth names is searched, but its own .pth files, the checkout's among them, are not read.
    own = Path(sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)}))
    (own / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    install = ["-m", "pip", "--python", str(python), "install", "-q", "--no-deps", "--no-index", str(wheel.filename)]
    subprocess.run([sys.executable, *install], check=True)
    return python.parent


@pytest.fixture
def run(programs, tmp_path):
    def call(program: str, *words: str) -> str:
        env = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
        done = subprocess.run(
            [programs / program, *words],
            cwd=tmp_path,
            env=env | {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"},
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return call


def test_nothing_of_the_checkout_is_found(run, programs):
    where = run("python", "-c", "import selfinstruct_train, selfinstruct_eval as e; print(selfinstruct_train, e)")
    assert str(ROOT) not in where
    assert where.count(str(programs.parent)) == 2


def test_every_verb_tells_its_help_and_the_configs_are_there(run, programs):
    assert len(NAMES) > 25
    run("python", "-c", HELP, *NAMES)
    *listed, launch_files = run("selfinstruct", "configs").splitlines()
    assert len(listed) == 16
    assert {line.split()[0] for line in listed} >= {"tiny", "gpu", "paper", "qwen3_8b_lora"}
    folder = Path(launch_files.removeprefix("launch files for accelerate: "))
    assert folder.is_relative_to(programs.parent)
    assert len(list(folder.glob("*.yaml"))) == 7


def test_the_loop_runs_to_its_report_and_three_closing_lines(run, tmp_path):
    lines = run("selfinstruct", "run", "tiny", *SMALL).splitlines()
    assert [line.split()[0] for line in lines[-3:]] == ["base", "tuned", "gain"]
    assert "<html" in (tmp_path / "runs/tiny/report.html").read_text(encoding="utf-8")


def test_init_writes_a_config_that_runs(run, tmp_path):
    assert "configs/my_run.yaml" in run("selfinstruct", "init", "my_run", "--model", "builtin:tiny")
    run("selfinstruct", "generate", "my_run", *SMALL)
    assert (tmp_path / "runs/my_run/dataset/train.parquet").is_file()
