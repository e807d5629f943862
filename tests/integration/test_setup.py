"""The environment: which tools which target installs, from where, and what the gate and the hooks run."""

import os
import subprocess
import sys

import pytest
import yaml

from tests.support.paths import ROOT


def planned(*targets: str) -> str:
    """What make would run for the targets where no environment is there yet."""
    words = ["make", "-n", "VENV=nowhere/venv", *targets]
    return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def test_the_loop_installs_no_test_tool_and_test_and_lint_do():
    assert "environment.py --clear nowhere/venv annotate" in planned("generate", "train", "eval")
    assert " dev" not in planned("generate", "train", "eval")
    for target in ("test", "lint"):
        both = planned(target)
        assert both.index("--clear nowhere/venv annotate") < both.index("environment.py nowhere/venv dev")


@pytest.fixture
def install(tmp_path):
    """Run environment.py in an empty folder with a uv that writes down its words and ends with the given exit code."""

    def run(exit_code: int, **env: str) -> tuple[subprocess.CompletedProcess, str]:
        folder = tmp_path / "bin"
        folder.mkdir()
        told = tmp_path / "told"
        for path, text in {
            folder / "uv": f'echo "$@" > {told}; echo cert $SSL_CERT_FILE >> {told}; exit {exit_code}',
            folder / "python": f'exec {sys.executable} "$@"',
        }.items():
            path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
            path.chmod(0o755)
        own = {k: v for k, v in os.environ.items() if not k.startswith(("PIP_", "UV_", "SSL_"))}
        own |= {"PATH": f"{folder}:{os.environ['PATH']}", **env}
        words = [sys.executable, str(ROOT / ".ci/environment.py"), str(tmp_path), "dev"]
        done = subprocess.run(words, cwd=tmp_path, env=own, capture_output=True, text=True, check=False)
        return done, told.read_text(encoding="utf-8")

    return run


def test_uv_looks_where_pip_is_told_to_look(install, tmp_path):
    (tmp_path / "pip.conf").write_text(
        "[global]\nextra-index-url =\n  file:///a/simple\n  file:///b/simple\nfind-links = /ignored\n", encoding="utf-8"
    )
    done, told = install(
        0,
        PIP_CONFIG_FILE=str(tmp_path / "pip.conf"),
        PIP_FIND_LINKS="/wheels /more",
        PIP_INDEX_URL="file:///c/simple",
        PIP_CERT="/a/cert.pem",
    )
    assert done.returncode == 0, done.stderr
    words, certificate = told.splitlines()
    python = tmp_path / "bin/python"
    assert words.startswith(f"pip install --quiet -c constraints.txt -e .[dev] --python {python} --default-index")
    for place in (
        "--default-index file:///c/simple",
        "--index file:///a/simple --index file:///b/simple",
        "--find-links /wheels --find-links /more",
        "--index-strategy unsafe-best-match",
    ):
        assert place in words
    assert "/ignored" not in words
    assert certificate == "cert /a/cert.pem"


def test_pip_installs_where_uv_fails(install):
    done, told = install(2)
    assert told.startswith("pip install")
    assert done.returncode == 1  # pip's own: the empty folder has no pins
    assert "constraints.txt" in done.stderr


def test_the_gate_leaves_a_developers_environment_alone():
    text = (ROOT / ".ci/run").read_text(encoding="utf-8")
    assert "export VENV=.ci/venv" in text
    assert ".venv" not in text.replace("developer's .venv", "")
    assert ".ci/venv" in (ROOT / ".gitignore").read_text(encoding="utf-8").split("/\n")


def test_the_workflow_runs_the_gate_on_every_python_that_the_package_names():
    workflow = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8"))["jobs"]["gate"]
    assert workflow["strategy"]["matrix"]["python"] == ["3.11", "3.12", "3.13"]
    assert ".ci/run" in [step.get("run") for step in workflow["steps"]]


def test_the_hooks_are_the_linters_of_make_lint_from_the_environment():
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"]
    assert [repo["repo"] for repo in hooks] == ["local"]  # nothing is fetched
    entries = [hook["entry"].removesuffix(" --force-exclude") for repo in hooks for hook in repo["hooks"]]
    assert entries == [".venv/bin/ruff check", ".venv/bin/ruff format"]
