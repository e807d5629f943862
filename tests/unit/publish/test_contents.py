"""Only what is meant goes out: no pickle, no secret, nothing that tells of the machine; the run's files stay."""

import json
from dataclasses import asdict, replace

import pytest

from selfinstruct_train.config import Config, JudgeConfig, PublishConfig
from selfinstruct_train.core.secrets import secret_values
from selfinstruct_train.publish.contents import list_files, refuse_secrets, stage_dataset, stage_model, without_machine
from selfinstruct_train.publish.ready import Sources


@pytest.fixture
def config(tmp_path) -> Config:
    return Config(run_dir=str(tmp_path), publish=PublishConfig(model_repo="me/m", dataset_repo="me/d"))


@pytest.fixture
def model(tmp_path):
    folder = tmp_path / "model" / "seeds+generated"
    (folder / "checkpoint-2").mkdir(parents=True)
    names = ("model.safetensors", "config.json", "tokenizer.json", "loss.png", "training_args.bin", "optimizer.pt")
    for name in (*names, "checkpoint-2/model.safetensors", "notes.txt", ".env"):
        (folder / name).write_text("{}")
    (folder / "manifest.json").write_text(json.dumps({"config": {"run_dir": str(tmp_path)}}))
    return folder


def names(folder) -> list[str]:
    return [file.path for file in list_files(folder)]


def test_pickles_checkpoints_and_strangers_stay_behind(config, model):
    folder = stage_model(config, Sources(model, None))
    assert names(folder) == ["config.json", "loss.png", "manifest.json", "model.safetensors", "tokenizer.json"]


@pytest.mark.parametrize(
    ("path", "recorded", "named"),
    [
        ("org/base", {"commit": "abc123"}, ("org/base", "abc123")),
        ("models/mine", {"fingerprint": "f00"}, ("mine", None)),
    ],
)
def test_an_adapter_names_its_base_with_the_commit_it_was_trained_on(config, model, path, recorded, named):
    written = {"base_model_name_or_path": path, "revision": None, "r": 4}
    (model / "adapter_config.json").write_text(json.dumps(written))
    manifest = {"config": {"model": {"path": path, "revision": "main"}}, "model": recorded}
    (model / "manifest.json").write_text(json.dumps(manifest))
    adapter = replace(config, publish=replace(config.publish, weights="adapter"))
    settings = json.loads((stage_model(adapter, Sources(model, None)) / "adapter_config.json").read_text())
    assert (settings["base_model_name_or_path"], settings["revision"], settings["r"]) == (*named, 4)
    assert json.loads((model / "adapter_config.json").read_text()) == written


def test_a_merge_that_is_not_the_verified_model_is_not_staged_and_not_kept(config, model, monkeypatch):
    from selfinstruct_train.train.verify import merge_adapter
    from selfinstruct_train.train.verify import verification as verify

    def refuse(merged, adapter, config):
        assert (merged / "model.safetensors").is_file()
        raise ValueError("the merged model is not the verified one")

    def merge(adapter, out, **_):
        out.mkdir()
        (out / "model.safetensors").write_text("merged")

    (model / "model.safetensors").unlink()
    for name in ("adapter_config.json", "adapter_model.safetensors"):
        (model / name).write_text("{}")
    monkeypatch.setattr(merge_adapter, "merge_adapter", merge)
    with monkeypatch.context() as patch:
        patch.setattr(verify, "verify_merge", refuse)
        with pytest.raises(ValueError, match="not the verified one"):
            stage_model(config, Sources(model, None))
    assert not list(model.parents[1].glob("publish/merged/*"))
    monkeypatch.setattr(verify, "verify_merge", lambda *_: None)
    assert "model.safetensors" in names(stage_model(config, Sources(model, None)))


def test_a_second_staging_drops_what_is_gone(config, model):
    stage_model(config, Sources(model, None))
    (model / "loss.png").unlink()
    assert "loss.png" not in names(stage_model(config, Sources(model, None)))


def test_recorded_folders_are_taken_out_and_the_runs_own_record_stays(config, model, tmp_path):
    before = (model / "manifest.json").read_text()
    staged = stage_model(config, Sources(model, None)) / "manifest.json"
    assert json.loads(staged.read_text()) == {"config": {"run_dir": tmp_path.name}}
    assert (model / "manifest.json").read_text() == before


def test_the_datasets_card_names_its_repository(config, tmp_path):
    dataset = tmp_path / "dataset"
    (dataset / "figures").mkdir(parents=True)
    (dataset / "part").mkdir()
    for name in ("train.parquet", "part/train.parquet", "figures/lengths.png", "draft.txt", ".train.parquet"):
        (dataset / name).write_text("x")
    (dataset / "README.md").write_text('load_dataset("<this repository or folder>")')
    folder = stage_dataset(config, Sources(None, dataset))
    assert names(folder) == ["README.md", "figures/lengths.png", "part/train.parquet", "train.parquet"]
    assert (folder / "README.md").read_text() == 'load_dataset("me/d")'
    assert "<this repository" in (dataset / "README.md").read_text()


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("hf_" + "aB3" * 11, "a Hub token"),
        ("key: sk-" + "proj-abc123" * 3, "an API key"),
        ("ghp_" + "a1" * 18, "a GitHub token"),
        ("-----BEGIN RSA PRIVATE KEY-----", "a private key"),
        ("my password is tulips-in-may", "the value of MAIL_PASSWORD"),
    ],
)
def test_a_text_that_holds_a_secret_is_refused_without_repeating_it(tmp_path, text, kind):
    (tmp_path / "eval").mkdir()
    (tmp_path / "eval" / "scores.json").write_text(json.dumps({"note": text}))
    with pytest.raises(ValueError, match=f"eval/scores.json holds what looks like {kind}; nothing was sent") as refusal:
        refuse_secrets(tmp_path, secret_values({"MAIL_PASSWORD": "tulips-in-may"}))
    assert text not in str(refusal.value)
    assert "tulips" not in str(refusal.value)


def test_the_judges_key_is_refused_though_its_variable_is_not_named_like_a_secret(tmp_path):
    server = replace(JudgeConfig().model.server, api_key_env="MY_PROVIDER")
    config = Config(judge=JudgeConfig(model=replace(JudgeConfig().model, server=server)))
    (tmp_path / "README.md").write_text("graded with the-judges-key")
    with pytest.raises(ValueError, match="README.md holds what looks like the value of MY_PROVIDER") as refusal:
        refuse_secrets(tmp_path, secret_values({"MY_PROVIDER": "the-judges-key"}, asdict(config)))
    assert "the-judges-key" not in str(refusal.value)


def test_a_secret_in_a_cell_of_the_data_is_found(tmp_path):
    import pyarrow
    import pyarrow.parquet

    table = pyarrow.table({"instruction": ["Say hello."] * 500, "output": ["hello"] * 499 + ["hf_" + "Zz9" * 11]})
    pyarrow.parquet.write_table(table, tmp_path / "train.parquet", compression="zstd")
    with pytest.raises(ValueError, match="train.parquet holds what looks like a Hub token"):
        refuse_secrets(tmp_path, {})


def test_harmless_words_and_short_values_are_no_secrets(tmp_path):
    (tmp_path / "README.md").write_text("task-oriented-instruction-following-data, hf_hub_download, true, risk-averse")
    refuse_secrets(tmp_path, secret_values({"USE_TOKEN": "true", "HOME": "README", "X_API_KEY": ""}))


def test_paths_and_servers_are_taken_out_of_records():
    record = {
        "model": {"path": "/home/me/models/base", "server": {"base_urls": ["http://10.0.0.1"]}},
        "told": "set eos_token_id in /srv/runs/a/generation_config.json, and/or see http://example.org/a/b",
        "path": "org/name",
        "list": ["../data/rows", 3, None],
    }
    assert without_machine(record) == {
        "model": {"path": "base"},
        "told": "set eos_token_id in generation_config.json, and/or see http://example.org/a/b",
        "path": "org/name",
        "list": ["rows", 3, None],
    }


def test_paths_in_texts_of_rows_and_answers_stay():
    record = {
        "figures": {"samples": [{"instruction": "Write a regex for /usr/local/bin.", "answer": "/etc/hosts"}]},
        "findings": [{"what": "see /srv/runs/a/loss.png"}],
        "sampling": {"stop": ["/path/end"]},
    }
    assert without_machine(record) == record | {"findings": [{"what": "see loss.png"}]}
