"""configs/paper.yaml: nothing in it departs from the paper's constants, and official seeds go through every stage."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from selfinstruct_train.config import ContaminationConfig, GenerateConfig, TrainConfig
from selfinstruct_train.config.load import load_config
from selfinstruct_train.generate.pipeline import generate, prepare
from tests.support import scripted_lm as scripted
from tests.support.paths import ROOT


def test_the_papers_config_is_the_defaults_the_papers_method_and_its_material():
    config = load_config(["--config", str(ROOT / "configs/paper.yaml")])
    assert config.generate == GenerateConfig(
        method="paper",
        seed_tasks="data/self-instruct/seed_tasks.jsonl",
        templates="data/self-instruct/templates",
        num_instructions=52_445,
        contamination=ContaminationConfig(action="flag"),
    )
    assert config.train == TrainConfig(method="lora", learning_rate=1e-4)
    assert (config.train.epochs, config.train.template) == (2, "paper")
    assert (config.eval.tasks, config.eval.num_positive_examples) == ("data/natural-instructions", 0)
    assert config.eval.user_oriented == "data/self-instruct/human_eval/user_oriented_instructions.jsonl"


def test_official_seeds_go_through_the_papers_method(shared_data: Path, world: Path, tmp_path: Path):
    config = load_config(
        [
            "--config",
            str(ROOT / "configs/paper.yaml"),
            "--run_dir",
            str(tmp_path / "run"),
            "--generate.seed_tasks",
            str(shared_data / "official/seed_tasks.jsonl"),
            "--generate.templates",
            str(world / "templates"),
            "--generate.num_instructions",
            "30",
        ]
    )
    lm = scripted.ScriptedLM()
    result = generate(prepare(config), lm)
    assert len(result.instructions) >= 30
    assert result.statistics["seed"].num_instructions == 175
    assert {row.source for row in result.rows} == {"seed", "generated"}
    first = next(lm.prompts[request] for request in lm.asked if request.startswith("instructions-"))
    lines = first.splitlines()
    assert lines[0] == "Come up with a series of tasks:"
    assert [line.split(".")[0] for line in lines[1:]] == ["1", "2", "3", "4", "5", "6", "7", "8", "9"]
    again = dataclasses.replace(config, run_dir=str(tmp_path / "run"))
    silent = scripted.ScriptedLM()
    assert generate(prepare(again), silent).rows == result.rows
    assert silent.asked == []
