"""The whole loop on a GGUF file, by the commands: generate, train, verify, evaluate and stage for publishing."""

import json
from pathlib import Path

import pytest
import yaml

from selfinstruct_train.core.model_source import fingerprint
from tests.support.cli import Done, run_cli

SETTINGS = {
    "generate": {
        "seed_tasks": "builtin:tiny",
        "templates": "builtin:tiny",
        "num_instructions": 8,
        "contamination": {"rouge_l_threshold": 1.0},
        "requests_per_round": 8,
        "instruction_sampling": {"max_new_tokens": 100, "temperature": 1.0, "top_p": 0.9, "presence_penalty": 0.0},
        "instance_sampling": {"max_new_tokens": 64, "presence_penalty": 0.0, "temperature": 0.3, "stop": ["\nTask"]},
    },
    "train": {
        "learning_rate": 1e-3,
        "max_steps": 8,
        "template": "fixed",
        "max_length": 256,
        "mixtures": ["seeds+generated"],
        "allow": ["stops"],  # eight steps may not be enough
    },
    "eval": {"max_instances_per_task": 1, "sampling": {"max_new_tokens": 8}},
    "publish": {"model_repo": "me/tuned", "dataset_repo": "me/data"},
}


def written(folder: Path, model: Path, **train: object) -> Path:
    config = folder / "run.yaml"
    settings = SETTINGS | {"run_dir": str(folder / "run"), "train": SETTINGS["train"] | train}
    config.write_text(yaml.safe_dump(settings | {"model": {"device": "cpu", "path": str(model)}}))
    return config


def run(verb: str, config: Path, *options: str) -> Done:
    done = run_cli(verb, config, *options)
    assert done.returncode == 0, done.stderr[-3000:]
    return done


@pytest.fixture(scope="module")
def generated(tmp_path_factory, quantized_gguf_file) -> Path:
    folder = tmp_path_factory.mktemp("gguf-run")
    config = written(folder, quantized_gguf_file)
    run("generate", config)
    run("describe", config)
    return folder


def test_a_lora_of_a_gguf_file_is_trained_verified_scored_and_staged(generated, quantized_gguf_file):
    config = written(generated, quantized_gguf_file, method="lora", lora={"r": 4, "alpha": 8})
    run("train", config)
    run("eval", config)
    model = generated / "run" / "model" / "seeds+generated"
    adapter = json.loads((model / "adapter_config.json").read_text())
    assert adapter["base_model_name_or_path"] == str(quantized_gguf_file.resolve())
    manifest = json.loads((model / "manifest.json").read_text())
    assert manifest["model"]["gguf"] == {"file": "tiny-Q8_0.gguf", "quantization": "Q8_0"}
    assert manifest["model"]["fingerprint"] == fingerprint(quantized_gguf_file)
    checks = {f["check"]: f["level"] for f in json.loads((model / "verification.json").read_text())["findings"]}
    assert checks["weights_changed"] == checks["tokenizer"] == checks["merged"] == "ok"
    scores = json.loads((generated / "run" / "eval" / "scores.json").read_text())
    assert {s["weights"]["base"] for s in scores} == {fingerprint(quantized_gguf_file)}
    journals = sorted(path.name for path in (generated / "run" / "journal").glob("eval-base*"))
    assert journals == [f"eval-base-{fingerprint(quantized_gguf_file)[:8]}.jsonl"]

    run("publish", config, "--publish.weights", "both")
    staged = generated / "run" / "publish"
    told = "`tiny-Q8_0.gguf` (dequantised from Q8_0 by transformers)"
    card = (staged / "model" / "README.md").read_text()
    assert f"{told}, finetuned to follow instructions" in card
    assert 'AutoModelForCausalLM.from_pretrained(base, gguf_file="tiny-Q8_0.gguf")' in card
    assert told in (staged / "dataset" / "README.md").read_text()
    published = json.loads((staged / "model" / "adapter" / "adapter_config.json").read_text())
    assert published["base_model_name_or_path"] == "tiny-Q8_0.gguf"
    assert "quantization_config" not in json.loads((staged / "model" / "config.json").read_text())


def test_full_finetuning_of_a_folder_with_a_gguf_file_is_verified(generated, quantized_gguf_file, tmp_path):
    config = written(tmp_path, quantized_gguf_file.parent, method="full", dataset=str(generated / "run" / "dataset"))
    run("train", config)
    model = tmp_path / "run" / "model" / "seeds+generated"
    findings = {f["check"]: f for f in json.loads((model / "verification.json").read_text())["findings"]}
    assert findings["weights_changed"]["level"] == "ok"
    assert findings["weights_changed"]["what"].startswith("56 of 56 tensors differ from the base's")
    assert "quantization_config" not in json.loads((model / "config.json").read_text())


def test_qlora_of_a_gguf_file_is_refused_with_a_remedy(generated, quantized_gguf_file, tmp_path):
    config = written(tmp_path, quantized_gguf_file, method="qlora", dataset=str(generated / "run" / "dataset"))
    assert "set train.method to lora" in run_cli("train", config).error()
