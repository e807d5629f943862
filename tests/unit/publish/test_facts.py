"""What the card tells comes from the run's files; the licence from the base model and the data."""

import json
from dataclasses import replace

import pytest

from selfinstruct_train.config import CardConfig, Config, ModelConfig, PublishConfig
from selfinstruct_train.core.model_source import fingerprint
from selfinstruct_train.publish.facts import card_facts, published_license
from selfinstruct_train.publish.model_card import Base, render_card, yaml_header
from selfinstruct_train.publish.ready import Sources


@pytest.fixture
def config(tmp_path) -> Config:
    base, dataset, model = tmp_path / "base", tmp_path / "dataset", tmp_path / "model" / "seeds+generated"
    for folder in (base, dataset, model):
        folder.mkdir(parents=True)
    return Config(
        run_dir=str(tmp_path),
        model=ModelConfig(path=str(base)),
        publish=PublishConfig(model_repo="me/m", dataset_repo="me/d"),
    )


def sources(tmp_path) -> Sources:
    return Sources(tmp_path / "model" / "seeds+generated", tmp_path / "dataset")


def license_of(config, tmp_path, base: str | None, data: str | None):
    for folder, name in (("base", base), ("dataset", data)):
        if name is not None:
            (tmp_path / folder / "README.md").write_text(f"---\nlicense: {name}\n---\n")
    return published_license(config, sources(tmp_path))


def test_a_licence_that_base_and_data_share_is_handed_down(config, tmp_path):
    found = license_of(config, tmp_path, "mit", "mit")
    assert (found.id, found.reason) == ("mit", "The base model (base) and the data are both under mit.")


def test_two_licences_become_other_and_both_are_named(config, tmp_path):
    found = license_of(config, tmp_path, "llama3.1", "mit")
    assert found.id == "other"
    assert "is under llama3.1, the data are under mit" in found.reason


def test_a_licence_of_its_own_is_named_and_stays_other_for_the_hub(config, tmp_path):
    found = license_of(config, tmp_path, "other\nlicense_name: qwen-research", "mit")
    assert (found.id, "is under other: qwen-research, the data are under mit" in found.reason) == ("other", True)
    found = license_of(config, tmp_path, None, "other\nlicense_name: qwen-research")
    assert (found.id, "are both under other: qwen-research" in found.reason) == ("other", True)


@pytest.mark.parametrize(("base", "data"), [(None, "mit"), ("mit", None), (None, None), ("mit", "other")])
def test_an_unknown_licence_becomes_other_with_the_reason(config, tmp_path, base, data):
    found = license_of(config, tmp_path, base, data)
    assert found.id == "other"
    assert "could not be read here, so ask there before you use the model" in found.reason
    assert str(tmp_path) not in found.reason


def test_a_chosen_licence_counts(config, tmp_path):
    chosen = replace(config, card=CardConfig(license="cc0-1.0"))
    found = license_of(chosen, tmp_path, "llama3.1", "cc0-1.0")
    assert found.id == "cc0-1.0"
    assert "that of the base model (base) is llama3.1 and that of the data is cc0-1.0: mind them too" in found.reason
    assert license_of(chosen, tmp_path, "cc0-1.0", "cc0-1.0").reason == "Chosen by whoever made the model."


def test_base_data_and_licence_are_those_of_the_training_and_not_of_today(config, tmp_path):
    license_of(config, tmp_path, "llama3.1", "mit")
    trained = {"model": {"path": config.model.path, "revision": None}, "train": {"dataset": "rows/mine"}}
    (tmp_path / "model" / "seeds+generated" / "manifest.json").write_text(json.dumps({"config": trained}))
    facts = card_facts(replace(config, model=ModelConfig()), sources(tmp_path))  # builtin:tiny, under apache-2.0
    assert facts.base.name == "base"
    assert "is under llama3.1, the data are under mit" in facts.license.reason
    assert facts.data.description == "rows of instruction data"


def test_settings_are_those_of_the_training_and_not_of_today(config, tmp_path):
    folder = tmp_path / "model" / "seeds+generated"
    trained = {
        "method": "lora",
        "template": "chat",
        "learning_rate": 0.5,
        "epochs": 2.0,
        "max_steps": 7,
        "lora": {"r": 4},
    }
    record = {"identity": {"train": trained, "rows": 1234, "seed": 9}, "steps": 7}
    (folder / "training.json").write_text(json.dumps(record))
    manifest = {
        "seconds": 3725.0,
        "versions": {"torch": "2.13.0"},
        "hardware": {"device": "H200", "processes": 8, "distributed_type": "FSDP"},
        "training": {"tokens": 5000, "supervised_tokens": 700, "loss_first": 3.5, "loss_last": 1.25},
        "dataset": {"files": [{"name": "train.parquet", "sha256": "ab"}]},
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    facts = card_facts(config, sources(tmp_path), "c0ffee")
    told = dict(facts.training)
    assert (facts.method, facts.template) == ("lora", "chat")
    assert (told["learning rate"], told["LoRA rank"], told["seed"]) == ("0.5", "4", "9")
    assert "epochs" not in told  # max_steps overrides them
    assert told["tokens, of them with a label"] == "5,000, 700"
    assert told["loss, first and last logged"] == "3.500, 1.250"
    assert (told["hardware"], told["time"]) == ("8 x H200 (FSDP)", "1 h 2 min")
    assert facts.data.description.startswith("1,234 ")
    assert (facts.data.commit, facts.data.files) == ("c0ffee", (("train.parquet", "ab"),))


def test_the_bases_commit_is_pinned_where_the_training_recorded_it(config, tmp_path):
    hub = replace(config, model=ModelConfig(path="org/base", revision="main"))
    assert card_facts(hub, sources(tmp_path)).base.revision == "main"
    (tmp_path / "model" / "seeds+generated" / "manifest.json").write_text(json.dumps({"model": {"commit": "abc"}}))
    base = card_facts(hub, sources(tmp_path)).base
    assert (base.name, base.is_hub_id, base.revision) == ("org/base", True, "abc")
    (tmp_path / "model" / "seeds+generated" / "manifest.json").unlink()
    folder = card_facts(config, sources(tmp_path)).base
    assert (folder.name, folder.is_hub_id) == ("base", False)


@pytest.mark.parametrize(("recorded", "is_hub_id"), [({"fingerprint": "ab"}, False), ({"commit": "abc"}, True)])
def test_the_record_and_not_the_disk_says_whether_the_base_is_of_the_hub(
    config, tmp_path, monkeypatch, recorded, is_hub_id
):
    """A folder that was moved since is no repository of that name; a folder of a repository's name is not its model."""
    monkeypatch.chdir(tmp_path)
    if is_hub_id:
        (tmp_path / "models" / "mine").mkdir(parents=True)
        (tmp_path / "models" / "mine" / "README.md").write_text("---\nlicense: mit\n---\n")
    manifest = {"config": {"model": {"path": "models/mine", "revision": None}}, "model": recorded}
    (tmp_path / "model" / "seeds+generated" / "manifest.json").write_text(json.dumps(manifest))
    facts = card_facts(config, sources(tmp_path))
    expected = Base("models/mine", True, "abc") if is_hub_id else Base("mine", False)
    assert facts.base == expected
    assert f"the base model ({expected.name})" in facts.license.reason
    assert "mit" not in facts.license.reason
    assert ("huggingface.co/models/mine" in render_card(facts)) == is_hub_id


def test_a_base_in_a_gguf_file_is_told_as_recorded(config, tmp_path):
    recorded = {"fingerprint": "ab", "gguf": {"file": "m-Q4_K_M.gguf", "quantization": "Q4_K_M"}}
    manifest = {"config": {"model": {"path": "models/m-Q4_K_M.gguf", "revision": None}}, "model": recorded}
    (tmp_path / "model" / "seeds+generated" / "manifest.json").write_text(json.dumps(manifest))
    base = card_facts(config, sources(tmp_path)).base
    assert base == Base("m-Q4_K_M.gguf", False, gguf_file="m-Q4_K_M.gguf", quantization="Q4_K_M")


def test_answers_of_the_verification_are_shown_with_where_their_questions_come_from(config, tmp_path):
    samples = [{"instruction": "Count.", "answer": "x" * 400 + "\n```\n# no heading", "stopped": True}] * 5
    record = {"findings": [{"check": "stops", "level": "ok", "what": "see /srv/runs/a/loss.png"}]}
    record |= {"figures": {"questions_from": "held-out rows", "samples": samples}}
    (tmp_path / "model" / "seeds+generated" / "verification.json").write_text(json.dumps(record))
    facts = card_facts(config, sources(tmp_path))
    assert facts.verification == (("stops", "ok: see loss.png"),)
    shown = json.loads(facts.samples)
    assert (len(shown), len(shown[0]["answer"])) == (3, 300)
    assert "questions drawn at random from the held-out rows" in render_card(facts)


def test_what_a_judge_and_people_found_is_read_with_the_scores_of_these_weights(config, tmp_path):
    facts = card_facts(config, sources(tmp_path))
    assert (facts.scores, facts.judge, facts.people) == ([], None, None)
    model = tmp_path / "model" / "seeds+generated"
    (model / "model.safetensors").write_bytes(b"weights")
    row = {"system": "seeds+generated", "against": None, "kind": "overall", "group": "all", "num_tasks": 1}
    row |= {"metric": "rougeL", "value": 9.0, "low": 8.0, "high": 10.0, "n": 40}
    scored = {"set": "tasks", "source": "t", "num_examples": 40, "num_tasks": 1, "scores": [row]}
    scored["systems"] = {"seeds+generated": {"kind": "trained", "answers": "mark"}}
    people = {"set": "tasks", "answers": {"seeds+generated": "mark"}, "raters": ["ann", "bob"]}
    people["systems"] = {"seeds+generated": {"acceptable": {"value": 55.0, "low": 40.0, "high": 70.0, "n": 40}}}
    (tmp_path / "eval").mkdir()
    (tmp_path / "eval" / "people.json").write_text(json.dumps(people))
    for mark, told in ((fingerprint(model), True), ("of other weights", False)):
        marked = [scored | {"weights": {"seeds+generated": mark}}]
        (tmp_path / "eval" / "scores.json").write_text(json.dumps(marked))
        assert ("rated by 2 people" in yaml_header(card_facts(config, sources(tmp_path)))) is told
    marked = [scored | {"weights": {"seeds+generated": fingerprint(model)}}]
    (tmp_path / "eval" / "scores.json").write_text(json.dumps(marked))
    (tmp_path / "eval" / "people.json").write_text(json.dumps(people | {"systems": 3}))
    with pytest.raises(ValueError, match=r"people\.json is not as its command writes it"):
        card_facts(config, sources(tmp_path))
