"""The whole way over HTTP: publish to a local Hub with huggingface_hub's client, download, and find the same."""

import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from selfinstruct_train.core.model_source import model_source
from selfinstruct_train.dataset.rows import read_rows, write_rows
from tests.support.hub_server import READER, WRITER, HubServer

from .conftest import environment

TINY = Path(model_source("builtin:tiny"))
PUSH = ("--publish.push", "true")


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def error_line(done: subprocess.CompletedProcess) -> str:
    assert done.returncode == 2, done.stdout + done.stderr
    lines = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1, done.stderr
    return lines[0]


def in_fresh_process(code: str, hub: HubServer, home: Path) -> str:
    """Run code as a stranger with an empty home, and a token, since the repositories are private."""
    settings = {"HF_HOME": str(home), "HF_ENDPOINT": hub.url, "HF_HUB_DISABLE_XET": "1", "HF_TOKEN": WRITER}
    done = subprocess.run([sys.executable, "-c", code], env=environment(**settings), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


DOWNLOAD = """
import hashlib, json, sys
from datasets import load_dataset
from huggingface_hub import ModelCard, hf_hub_download
from transformers import AutoModelForCausalLM, AutoTokenizer
MODEL, DATA = {model!r}, {data!r}
def sha(*place, **options):
    return hashlib.sha256(open(hf_hub_download(*place, **options), "rb").read()).hexdigest()
model = AutoModelForCausalLM.from_pretrained("me/model", revision=MODEL)
tokenizer = AutoTokenizer.from_pretrained("me/model", revision=MODEL)
data = load_dataset("me/data", revision=DATA)
card = ModelCard.load("me/model")
print(json.dumps({{
    "weights": sha("me/model", "model.safetensors", revision=MODEL),
    "parquet": sha("me/data", "train.parquet", repo_type="dataset", revision=DATA),
    "parameters": model.num_parameters(),
    "ids": tokenizer("Response: red")["input_ids"],
    "splits": {{name: split.num_rows for name, split in data.items()}},
    "columns": data["train"].column_names,
    "results": [[r.metric_name, r.metric_value, r.metric_args["n"]] for r in card.data.eval_results],
    "license": card.data.license,
    "datasets": card.data.datasets,
}}))
"""


def test_a_dry_run_tells_all_and_sends_nothing(publish, run, store):
    done = publish(token=None)
    assert done.returncode == 0, done.stderr
    assert store.requests == []
    assert "dataset -> me/data, branch main, private" in done.stdout
    assert "model -> me/model, branch main, private" in done.stdout
    weights = next(line for line in done.stdout.splitlines() if "model.safetensors" in line)
    assert weights.split() == [
        *("model.safetensors", "21,515,168", "bytes", "sha256"),
        sha256(run.model / "model.safetensors")[:12],
    ]
    assert f"card: {run.staged / 'model' / 'README.md'}" in done.stdout
    assert "dry run: nothing was sent" in done.stdout
    assert "missing" not in done.stdout


def test_what_was_published_comes_back_with_the_same_hashes_and_works(publish, run, store, hub, tmp_path):
    done = publish(*PUSH)
    assert done.returncode == 0, done.stderr
    model, data = store.head("model", "me/model"), store.head("dataset", "me/data")
    assert f'AutoModelForCausalLM.from_pretrained("me/model", revision="{model}")' in done.stdout
    assert f'load_dataset("me/data", revision="{data}", split="train")' in done.stdout
    assert all(repo.private for repo in store.repos.values())
    record = json.loads((run.staged / "published.json").read_text())
    assert (record["model"]["commit"], record["dataset"]["commit"]) == (model, data)

    files = store.files("model", "me/model")
    assert set(files) == {
        *(".gitattributes", "README.md", "config.json", "generation_config.json", "model.safetensors"),
        *("tokenizer.json", "tokenizer_config.json", "manifest.json", "verification.json", "training.json"),
        *("log_history.json", "loss.png", "eval/scores.json"),
    }
    card = files["README.md"].decode()
    assert f"at commit `{data}`" in card
    assert str(run.folder.parent) not in card
    assert not any(str(run.folder.parent).encode() in content for content in files.values())

    told = json.loads(in_fresh_process(DOWNLOAD.format(model=model, data=data), hub, tmp_path / "stranger"))
    assert told["weights"] == sha256(run.model / "model.safetensors")
    assert told["parquet"] == sha256(run.folder / "dataset" / "train.parquet")
    assert told["splits"] == {"train": len(read_rows(run.folder / "dataset"))}
    assert {"instruction", "input", "output"} <= set(told["columns"])
    assert [name for name, _, _ in told["results"]] == ["ROUGE-L", "ROUGE-1", "Exact match"]
    assert told["results"][0][2] == 56  # one example of each of the 56 built-in tasks
    assert (told["license"], told["datasets"]) == ("apache-2.0", ["me/data"])

    code = re.search(r"```python\n(.*?)```", card, re.DOTALL)[1]
    assert in_fresh_process(code, hub, tmp_path / "reader").strip()

    before = len(store.sent())
    again = publish(*PUSH)
    assert again.stdout.count("already there, no new commit") == 2
    assert (store.head("model", "me/model"), store.head("dataset", "me/data")) == (model, data)
    assert len(store.sent()) == before
    assert f"the same as published before in commit {model}" in publish().stdout


def test_a_server_killed_in_the_second_large_file_gets_only_the_rest_later(publish, run, store, hub):
    only_model = ("--publish.dataset_repo", "null", *PUSH)
    store.faults["put"] = [None, "die"]
    line = error_line(publish(*only_model))
    assert "uploading to the model repository me/model: the Hub cannot be reached" in line
    assert "give the same command again" in line
    first = store.sent()
    assert len(first) == 1
    assert len(store.repos["model", "me/model"].commits) == 1  # nothing half: the initial commit alone
    restarted = HubServer(store, hub.port)
    done = publish(*only_model)
    restarted.kill()
    assert done.returncode == 0, done.stderr
    expected = {sha256(run.model / name) for name in ("model.safetensors", "loss.png")}
    assert sorted(store.sent()) == sorted(expected)  # each once, the first not again
    assert store.files("model", "me/model")["model.safetensors"] == (run.model / "model.safetensors").read_bytes()


def test_a_cut_connection_and_a_failing_server_are_tried_again(publish, store):
    store.faults = {"whoami": ["cut"], "put": ["cut"], "commit": [500]}
    done = publish("--publish.model_repo", "null", *PUSH)
    assert done.returncode == 0, done.stderr
    assert "trying again" in done.stderr
    assert "train.parquet" in store.files("dataset", "me/data")


def test_a_server_that_keeps_failing_is_told_in_one_line(publish, store):
    store.faults["create"] = [500, 500, 500]
    line = error_line(publish("--publish.model_repo", "null", *PUSH))
    assert "making the dataset repository me/data: the Hub failed (500)" in line
    assert not store.sent()


@pytest.mark.parametrize(
    ("token", "said"),
    [
        (None, "no token for the Hub: run `hf auth login`, or set HF_TOKEN"),
        ("hf_" + "x" * 34, "the Hub does not accept the token (401)"),
        (READER, "the token may only read"),
    ],
)
def test_a_token_that_is_missing_unknown_or_may_only_read_is_refused(publish, store, token, said):
    assert said in error_line(publish(*PUSH, token=token))
    assert not store.repos


def test_a_token_without_the_right_to_write_there_is_refused(publish, store):
    store.writable = False
    line = error_line(publish(*PUSH))
    assert "the token has no right to write there (403)" in line
    assert not store.repos


def test_a_hub_that_cannot_be_reached_is_told_in_one_line(publish):
    assert "the Hub cannot be reached" in error_line(publish(*PUSH, url="http://127.0.0.1:9"))


def test_a_public_repository_is_not_published_to_as_private(publish, store):
    store.make("dataset", "me/data", private=False)
    assert "dataset repository me/data is public, but publish.private is set" in error_line(publish(*PUSH))
    assert not store.sent()
    done = publish("--publish.model_repo", "null", "--publish.private", "false", *PUSH)
    assert done.returncode == 0, done.stderr
    assert not store.repos["dataset", "me/data"].private


def test_a_branch_is_made_and_main_stays_as_it_was(publish, store):
    done = publish("--publish.model_repo", "null", "--publish.revision", "trial", *PUSH)
    assert done.returncode == 0, done.stderr
    assert set(store.files("dataset", "me/data")) == {".gitattributes"}
    assert "train.parquet" in store.files("dataset", "me/data", "trial")


def test_weights_of_an_earlier_publication_are_deleted_and_other_files_stay(publish, store):
    repo = store.make("model", "me/model", private=True)
    names = ("model-00001-of-00002", "adapter/adapter_model", "other/model")
    old = {f"{name}.safetensors": "lfs:" + "0" * 64 for name in names} | {"notes.txt": store.keep(b"mine")}
    store.objects["lfs:" + "0" * 64] = b"old"
    store.commit(repo, "main", repo.commits[repo.branches["main"]] | old, "older")
    done = publish("--publish.dataset_repo", "null", *PUSH)
    assert done.returncode == 0, done.stderr
    files = set(store.files("model", "me/model"))
    assert "notes.txt" in files
    assert {name for name in files if name.endswith(".safetensors")} == {"model.safetensors", "other/model.safetensors"}


def test_data_other_than_those_trained_on_are_refused(publish, run, store):
    rows = read_rows(run.folder / "dataset")
    write_rows(run.folder / "dataset", rows[:-1])
    line = error_line(publish(*PUSH))
    assert "dataset/train.parquet is not what was trained on" in line
    assert store.requests == []


def test_an_unverified_model_is_published_only_when_forced_and_its_card_says_so(publish, run, store):
    (run.model / "verification.json").unlink()
    line = error_line(publish(*PUSH))
    assert "is not verified: run `selfinstruct verify` (publish.force" in line
    assert store.requests == []
    done = publish("--publish.force", "true", *PUSH)
    assert done.returncode == 0, done.stderr
    card = store.files("model", "me/model")["README.md"].decode()
    assert "**Published although not everything was proven of it.**" in card
    assert "> - the model is not verified\n" in card


def make_adapter(folder: Path) -> None:
    """Put a LoRA adapter that changes the tiny model in place of a trained model; training one is tested elsewhere."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    (folder / "model.safetensors").unlink()
    with torch.random.fork_rng():
        torch.manual_seed(5)
        network = AutoModelForCausalLM.from_pretrained(TINY, dtype=torch.float32)
        lora = LoraConfig(r=4, target_modules="all-linear", init_lora_weights=False, task_type="CAUSAL_LM")
        get_peft_model(network, lora).save_pretrained(folder)
    assert str(TINY) in (folder / "adapter_config.json").read_text()


def test_adapter_and_merged_model_come_back_and_answer_alike(publish, run, store, hub, tmp_path):
    make_adapter(run.model)
    lora = ("--publish.dataset_repo", "null", "--publish.force", "true", *PUSH)
    both = publish(*lora, "--publish.weights", "both")
    assert both.returncode == 0, both.stderr
    alone = publish(*lora, "--publish.weights", "adapter", "--publish.model_repo", "me/adapter")
    assert alone.returncode == 0, alone.stderr
    assert 'PeftModel.from_pretrained(base, "me/adapter", revision=' in alone.stdout
    files, adapter = store.files("model", "me/model"), store.files("model", "me/adapter")
    weights = (run.model / "adapter_model.safetensors").read_bytes()
    assert files["adapter/adapter_model.safetensors"] == adapter["adapter_model.safetensors"] == weights
    assert {name for name in adapter if name.endswith(".safetensors")} == {"adapter_model.safetensors"}
    settings = json.loads(adapter["adapter_config.json"])
    assert settings["base_model_name_or_path"] == "tiny"  # the folder's last part
    assert "library_name: peft" in adapter["README.md"].decode()
    assert adapter["generation_config.json"] == (run.model / "generation_config.json").read_bytes()
    code = re.findall(r"```python\n(.*?)```", files["README.md"].decode(), re.DOTALL)[1]  # of the adapter
    code = code.replace('"builtin:tiny"', repr(str(TINY)))
    compare = f"""
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer
def base():
    return AutoModelForCausalLM.from_pretrained({str(TINY)!r}, dtype=torch.float32)
tokenizer = AutoTokenizer.from_pretrained("me/adapter")
inputs = tokenizer("Instruction: What number is named?\\nInput: She has two hens.\\nResponse:", return_tensors="pt")
models = [
    AutoModelForCausalLM.from_pretrained("me/model", dtype=torch.float32),
    PeftModel.from_pretrained(base(), "me/model", subfolder="adapter"),
    PeftModel.from_pretrained(base(), "me/adapter"),
    base(),
]
for model in models:
    ids = model.generate(input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"], max_new_tokens=8)
    print(repr(tokenizer.decode(ids[0, inputs["input_ids"].shape[1]:])))
{code}
print("eos", model.generation_config.eos_token_id)
"""
    merged, subfolder, root, base, *_, end = in_fresh_process(compare, hub, tmp_path / "stranger").splitlines()
    assert merged == subfolder == root
    assert end == f"eos {json.loads(adapter['generation_config.json'])['eos_token_id']}"
    assert merged != base
