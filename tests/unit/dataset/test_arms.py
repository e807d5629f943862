"""The arms of an experiment: which rows each one has, and what is refused before anything is trained."""

import json
from dataclasses import replace

import pytest

from selfinstruct_train.config import Config, EvalConfig, ExperimentConfig, Price, RelabelConfig, Sampling, TrainConfig
from selfinstruct_train.config.load import load_config
from selfinstruct_train.dataset.arms import make_arms, write_config
from selfinstruct_train.dataset.rows import read_rows


@pytest.fixture
def config(run_dir) -> Config:
    return Config(run_dir=str(run_dir))


def write_relabelled(run_dir, records) -> None:
    (run_dir / "relabelled").mkdir(exist_ok=True)
    (run_dir / "relabelled/train.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))


def own_rows(run_dir):
    return [json.loads(line) for line in (run_dir / "dataset/train.jsonl").read_text().splitlines()]


def rows_of(arm):
    return read_rows(arm.config.train.dataset)


def test_scale_writes_a_run_directory_for_each_size(config, run_dir):
    arms = make_arms("scale", replace(config, experiment=ExperimentConfig(sizes=(5, 2))))
    assert [(a.name, a.num_instructions, a.num_instances) for a in arms] == [
        ("2 instructions", 2, 2),
        ("5 instructions", 5, 5),
    ]
    assert [row.output for row in rows_of(arms[0])] == ["hello", "old 0"]
    assert arms[0].config.run_dir == str(run_dir / "scale/arms/2 instructions")
    assert load_config(["--config", f"{arms[0].config.run_dir}/config.yaml"]) == arms[0].config


def test_one_instruction_is_named_so(config):
    arms = make_arms("scale", replace(config, experiment=ExperimentConfig(sizes=(1,))))
    assert [a.name for a in arms] == ["1 instruction"]


def test_scale_reads_the_dataset_that_the_training_would(config, run_dir, tmp_path):
    named = tmp_path / "named.jsonl"
    named.write_text("".join(json.dumps(row) + "\n" for row in own_rows(run_dir)[:3]))
    arms = make_arms("scale", replace(config, train=TrainConfig(dataset=str(named))))
    assert [a.num_instructions for a in arms] == [1, 2, 3]


def test_distill_compares_the_same_rows_with_two_outputs(config, run_dir):
    rows = own_rows(run_dir)
    relabelled = [row | {"output": f"new {row['output']}"} if "source" not in row else row for row in rows]
    del relabelled[2]  # refused by the teacher: its row has no counterpart
    write_relabelled(run_dir, relabelled)
    own, new = make_arms("distill", config)
    assert (own.name, new.name) == ("own outputs", "relabelled outputs")
    assert [row.id for row in rows_of(own)] == [row.id for row in rows_of(new)]
    assert [row.output for row in rows_of(own)] == ["hello", "old 0", "old 2", "old 3", "old 4", "old 5"]
    assert [row.output for row in rows_of(new)][:2] == ["hello", "new old 0"]


def test_distill_without_new_outputs_is_one_line(config, run_dir):
    with pytest.raises(ValueError, match=r"relabelled: no relabelled dataset there; run .*relabel"):
        make_arms("distill", config)
    rows = own_rows(run_dir)
    write_relabelled(run_dir, rows)
    with pytest.raises(ValueError, match="every output is that of"):
        make_arms("distill", config)
    write_relabelled(run_dir, [row | {"instruction": "Other."} for row in rows])
    with pytest.raises(ValueError, match=r"row 's-0' is none of .*relabelled from other data"):
        make_arms("distill", config)


def test_distill_starts_from_what_was_relabelled(config, run_dir, tmp_path):
    named = tmp_path / "named.jsonl"
    named.write_text(json.dumps({"id": "x", "instruction": "Go.", "input": "", "output": "old"}) + "\n")
    write_relabelled(run_dir, [{"id": "x", "instruction": "Go.", "input": "", "output": "new"}])
    own, new = make_arms("distill", replace(config, relabel=RelabelConfig(dataset=str(named))))
    assert [row.output for row in (*rows_of(own), *rows_of(new))] == ["old", "new"]


def test_baselines_are_the_data_its_seeds_and_other_sets(config, run_dir, tmp_path):
    other = tmp_path / "other.json"
    other.write_text(json.dumps([{"instruction": "Go.", "input": i, "output": "x"} for i in "abc"]))
    arms = make_arms("baselines", replace(config, experiment=ExperimentConfig(datasets={"superni": str(other)})))
    assert [(a.name, a.mixture, a.config.train.dataset, a.num_instructions, a.num_instances) for a in arms] == [
        ("seeds and generated", "seeds+generated", str(run_dir / "dataset"), 7, 7),
        ("seeds alone", "seeds", str(run_dir / "dataset"), 1, 1),
        ("superni", "seeds+generated", str(other), 1, 3),
    ]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("superni", None, "other.jsonl: no dataset there; mend experiment.datasets .'superni'."),
        ("superni", "", "the dataset is empty"),
        ("superni", '{"instruction": "Go."}', "other.jsonl:1: column 'input' is missing"),
        ("..", "{}", "experiment.datasets: '..' cannot be a name"),
        ("seeds alone", "{}", "'seeds alone' cannot be the name of an arm"),
    ],
)
def test_other_sets_that_cannot_be_trained_on_are_one_line(config, tmp_path, name, content, message):
    other = tmp_path / "other.jsonl"
    if content is not None:
        other.write_text(content)
    with pytest.raises(ValueError, match=message):
        make_arms("baselines", replace(config, experiment=ExperimentConfig(datasets={name: str(other)})))


def test_an_arm_cannot_have_the_name_of_a_further_model(config):
    with pytest.raises(ValueError, match="eval.models: 'seeds alone' is the name of an arm"):
        make_arms("baselines", replace(config, eval=EvalConfig(models={"seeds alone": "x"})))


def test_a_written_configuration_reads_back_equal(config, run_dir):
    changed = replace(
        config,
        eval=EvalConfig(models={"40 instructions": "a folder/mödel"}, sampling=Sampling(stop=("\n\n", "Task:"))),
        train=TrainConfig(mixtures=("seeds",), max_steps=3, allow=("stops",)),
        budget=replace(config.budget, prices={"builtin:tiny": Price(1.0, 2.5)}, max_cost=3.0),
    )
    path = write_config(changed)
    assert path == run_dir / "config.yaml"
    assert load_config(["--config", str(path)]) == changed
