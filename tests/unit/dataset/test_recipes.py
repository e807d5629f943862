"""`selfinstruct relabel` and `quality`: files and table at the end, one line and exit code 2 for what can be mended."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.cli import Done, run_cli


def command(name: str, run_dir: Path, *args: str) -> Done:
    config = run_dir.parent / "run.yaml"
    config.write_text(f"run_dir: {run_dir}\n")
    return run_cli(name, config, *args)


def test_quality_by_a_reward_model_prints_the_histogram_and_names_its_files(run_dir, reward_folder):
    settings = ["--quality.scorer", "reward_model", "--quality.keep_fraction", "0.5", "--quality.model.device", "cpu"]
    done = command("quality", run_dir, *settings, "--quality.model.path", str(reward_folder))
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert sum(int(line[24:32]) for line in lines[:10]) == 6
    assert [line.split() for line in lines[11:14]] == [
        ["quality", "kept", "3", "50.0%"],
        ["quality", "low_score", "3", "50.0%"],
        ["quality", "all", "6", "from", "6", "requests"],
    ]
    assert lines[14:] == [
        "4 of 7 rows stay, rows of seed tasks included",
        str(run_dir / "filtered/train.parquet"),
        str(run_dir / "candidates/quality.jsonl"),
    ]


def test_relabel_by_the_built_in_model_names_its_files(run_dir):
    settings = ["--relabel.model.path", "builtin:tiny", "--relabel.model.device", "cpu", "--relabel.chat", "false"]
    done = command("relabel", run_dir, *settings, "--relabel.sampling.max_new_tokens", "4")
    assert done.returncode == 0, done.stderr
    assert ["relabel", "all", "6", "from", "6", "requests"] in [line.split() for line in done.stdout.splitlines()]
    assert done.stdout.splitlines()[-2:] == [
        str(run_dir / "relabelled/train.parquet"),
        str(run_dir / "candidates/relabel.jsonl"),
    ]


@pytest.mark.parametrize(
    ("name", "args", "message"),
    [
        ("relabel", [], "relabel.model.path names no model"),
        ("relabel", ["--relabel.model.path", "/absent"], "model.path '/absent': no such folder"),
        ("quality", ["--quality.scorer", "reward_model"], "set quality.keep_fraction or min_score"),
    ],
)
def test_what_can_be_mended_is_one_line(run_dir, name, args, message):
    done = command(name, run_dir, *args)
    assert message in done.error()
    assert not list(run_dir.glob("journal/*"))
