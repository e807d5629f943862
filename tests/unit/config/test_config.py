"""Settings are read into dataclasses, and every mistake gets one line that names the key and the remedy."""

from pathlib import Path

import pytest

from selfinstruct_train.config import (
    BudgetConfig,
    Config,
    LoraSettings,
    ModelConfig,
    NearDuplicateConfig,
    ServerConfig,
    TrainConfig,
)
from selfinstruct_train.config.load import changed_settings, load_config
from tests.support.paths import run_configs


def write(path: Path, text: str) -> str:
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_yaml_beats_the_default_and_the_command_line_beats_the_yaml(tmp_path):
    path = write(tmp_path / "a.yaml", "seed: 7\ngenerate:\n  num_instructions: 10\n  max_instances: 2\n")
    config = load_config(["--config", path, "--generate.num_instructions", "3"])
    assert (config.seed, config.generate.num_instructions, config.generate.max_instances) == (7, 3, 2)
    assert config.train == Config().train


def test_overriding_one_field_of_a_sampling_keeps_the_papers_others(tmp_path):
    path = write(tmp_path / "a.yaml", "generate:\n  instruction_sampling:\n    temperature: 1.0\n")
    sampling = load_config(["--config", path]).generate.instruction_sampling
    assert (sampling.temperature, sampling.top_p, sampling.presence_penalty) == (1.0, 0.5, 2.0)
    assert sampling.stop == ("\n\n", "\n16", "16.", "16 .")
    sampling = load_config(["--generate.instance_sampling.max_new_tokens", "9"]).generate.instance_sampling
    assert (sampling.max_new_tokens, sampling.presence_penalty) == (9, 1.5)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("generate:\n  num_instuctions: 5\n", ["a.yaml", "'generate.num_instuctions'", "'generate.num_instructions'"]),
        ("sed: 5\n", ["a.yaml", "'sed'", "'seed'"]),
        ("learning_rate: 0.1\n", ["'learning_rate'", "'train.learning_rate'"]),
        ("generate: 5\n", ["generate is a section"]),
        ("train:\n  method: dpo\n", ["train.method", "full", "lora", "dpo"]),
        ("seed: many\n", ["seed: expected a value of type int, got many"]),
        ("generate:\n  max_requests: 1.5\n", ["generate.max_requests: expected a value of type int or null, got 1.5"]),
        ("train:\n  batch_size: 0\n", ["train.batch_size is 0"]),
        ("train:\n  warmup_ratio: 1.5\n", ["train.warmup_ratio is 1.5"]),
        ("train:\n  learning_rate: 0\n", ["train.learning_rate is 0", "above 0"]),
        ("train:\n  epochs: 0\n", ["train.epochs is 0", "above 0"]),
        ("generate:\n  rouge_l_threshold: 1.5\n", ["rouge_l_threshold is 1.5"]),
        ("generate:\n  max_machine_instructions: 9\n", ["max_machine_instructions is 9"]),
        ("eval:\n  sampling:\n    top_p: 0\n", ["top_p is 0", "(0, 1]"]),
        ("eval:\n  num_negative_examples: -1\n", ["eval.num_negative_examples is -1; it must be 0 or more"]),
        ("train:\n  mixtures: []\n", ["train.mixtures is empty"]),
        ("train:\n  max_steps: 0\n", ["train.max_steps is 0"]),
        ("annotate:\n  max_examples: 0\n", ["annotate.max_examples is 0; it must be at least 1, or null for no limit"]),
        (
            "quality: {min_score: 4.0, keep_fraction: 0.5}\n",
            ["quality.min_score and quality.keep_fraction are both set"],
        ),
        ("quality: {scorer: reward_model}\n", ["no common scale", "set quality.keep_fraction or min_score"]),
        ("quality: {keep_fraction: 1.5}\n", ["quality.keep_fraction is 1.5", "(0, 1]"]),
        ("card: {license: Apache License 2.0}\n", ["card.license is 'Apache License 2.0'", "e.g. apache-2.0"]),
        ("card: {language: English}\n", ["card.language is 'English'", "e.g. en"]),
        ("- a\n- b\n", ["a.yaml", "mapping", "list"]),
        ("a: [1\n", ["a.yaml", "not valid YAML"]),
    ],
)
def test_a_bad_config_is_refused_in_one_line_that_names_the_key(tmp_path, text, words):
    with pytest.raises(ValueError, match=r".") as caught:
        load_config(["--config", write(tmp_path / "a.yaml", text)])
    message = str(caught.value)
    assert "\n" not in message
    for word in words:
        assert word in message, message


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("base_urls: []", ["model.server.base_urls is empty"]),
        ("base_urls: ['localhost:8000']", ["'localhost:8000' is no http address"]),
        ("base_urls: ['http://h:99999/v1']", ["'http://h:99999/v1' is no http address"]),
        ("base_urls: ['http://[::1/v1']", ["'http://[::1/v1' is no http address"]),
        ("base_urls: ['http:///v1']", ["'http:///v1' is no http address"]),
        ("base_urls: ['http://a b/v1']", ["'http://a b/v1' is no http address"]),
        ("base_urls: ['https://me:s3cret@h:99999/v1']", ["an entry with a password is no http address"]),
        ("base_urls: ['https://me:s3cret@h.org/v1']", ["h.org holds more than", "model.server.api_key_env"]),
        ("base_urls: ['https://h.org/v1?key=s3cret']", ["h.org holds more than", "model.server.api_key_env"]),
        ("api_key_env: sk-s3cret", ["model.server.api_key_env is no name", "not the key itself"]),
        ("max_in_flight: 0", ["model.server.max_in_flight is 0"]),
        ("max_attempts: 0", ["model.server.max_attempts is 0"]),
        ("requests_per_minute: 0", ["model.server.requests_per_minute is 0"]),
        ("tokens_per_minute: -1", ["model.server.tokens_per_minute is -1"]),
        ("timeout_seconds: 0", ["model.server.timeout_seconds is 0"]),
        ("extra_body: {stream: true, n: 2, top_k: 5}", ["model.server.extra_body: n, stream cannot be set"]),
    ],
)
def test_a_bad_server_setting_is_refused_without_showing_a_key(tmp_path, text, words):
    with pytest.raises(ValueError, match=r".") as caught:
        load_config(["--config", write(tmp_path / "a.yaml", f"model:\n  server:\n    {text}\n")])
    message = str(caught.value)
    assert "s3cret" not in message
    for word in words:
        assert word in message, message


def test_a_missing_config_and_an_unknown_option_are_named():
    with pytest.raises(ValueError, match=r"nowhere\.yaml: cannot read this config"):
        load_config(["--config", "nowhere.yaml"])
    with pytest.raises(
        ValueError, match=r"unknown key 'generate\.num_instruction'; did you mean 'generate\.num_instructions'"
    ):
        load_config(["--generate.num_instruction", "5"])


def test_a_setting_of_an_old_name_tells_the_new_one(tmp_path):
    path = write(tmp_path / "a.yaml", "train: {held_out: 500}")
    with pytest.raises(ValueError, match=r"a\.yaml: train\.held_out was renamed to train\.validation_rows$"):
        load_config(["--config", path])
    with pytest.raises(ValueError, match=r"^the command line: train\.held_out was renamed to train\.validation_rows$"):
        load_config(["--train.held_out", "500"])


def test_every_config_of_the_repository_loads():
    paths = run_configs()
    assert len(paths) == 16
    for path in paths:
        assert load_config(["--config", str(path)]).run_dir == f"runs/{path.stem}"


def test_a_config_that_is_not_utf_8_is_one_line_with_its_name(tmp_path):
    path = tmp_path / "latin.yaml"
    path.write_bytes(b"run_dir: runs/\xe9")
    with pytest.raises(ValueError, match=r"latin.yaml: not UTF-8 text \(byte 14\)"):
        load_config(["--config", str(path)])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{max_tokens: 0}", "budget.max_tokens is 0"),
        ("{max_cost: .nan, prices: {builtin:tiny: {input: 1, output: 1}}}", "budget.max_cost is nan"),
        ("{prices: {m: {input: .nan, output: 1}}}", "a price below 0 or none"),
    ],
)
def test_a_limit_that_would_never_stop_a_run_is_refused(tmp_path, text, message):
    path = tmp_path / "a.yaml"
    path.write_text(f"budget: {text}")
    with pytest.raises(ValueError, match=message):
        load_config(["--config", str(path)])


def test_the_log_tells_what_is_not_the_default():
    config = load_config(["--generate.max_requests", "5", "--model.server.max_in_flight", "3"])
    assert changed_settings(config) == "model.server.max_in_flight: 3\ngenerate.max_requests: 5"


@pytest.mark.parametrize(
    ("build", "argv", "message"),
    [
        (
            lambda: TrainConfig(learning_rate=-1.0),
            ["--train.learning_rate", "-1"],
            "train.learning_rate is -1.0; it must be above 0",
        ),
        (
            lambda: TrainConfig(method="dpo"),  # type: ignore[arg-type]
            ["--train.method", "dpo"],
            "train.method: expected one of 'full', 'lora', 'qlora', got dpo",
        ),
        (
            lambda: TrainConfig(mixtures=("seed",)),  # type: ignore[arg-type]
            ["--train.mixtures", "[seed]"],
            "train.mixtures: expected one of 'seeds', 'seeds+generated', got seed",
        ),
        (lambda: LoraSettings(r=0), ["--train.lora.r", "0"], "train.lora.r is 0; it must be at least 1"),
        (
            lambda: NearDuplicateConfig("embeddings"),
            ["--generate.near_duplicates.method", "embeddings"],
            "generate.near_duplicates.method is embeddings; name generate.near_duplicates.embedding_model",
        ),
        (
            lambda: ServerConfig(base_urls=()),
            ["--model.server.base_urls", "[]"],
            "model.server.base_urls is empty; name at least one, e.g. http://127.0.0.1:8000/v1",
        ),
        (
            lambda: Config(model=ModelConfig("m"), budget=BudgetConfig(max_cost=2.0)),
            ["--model.path", "m", "--budget.max_cost", "2"],
            "budget.max_cost is 2.0, but budget.prices has no price for model.path 'm'; name its price for a million "
            "tokens, input and output",
        ),
    ],
)
def test_a_section_built_in_code_is_refused_in_the_words_of_the_command_line(build, argv, message):
    for make in (build, lambda: load_config(argv)):
        with pytest.raises(ValueError, match=r".") as caught:
            make()
        assert str(caught.value) == message


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--judge.model.server.base_urls", "[]"], "judge.model.server.base_urls is empty"),
        (["--relabel.model.batch_size", "0"], "relabel.model.batch_size is 0; it must be at least 1"),
        (
            ["--generate.instance_sampling.top_p", "0"],
            "generate.instance_sampling: top_p is 0.0; it must lie in (0, 1]",
        ),
        (
            ["--quality.model.server.base_urls", "[https://me:pw@h.org/v1]"],
            "quality.model.server.base_urls: the address of h.org holds more than scheme, host, port and path; a key "
            "belongs into the environment variable that quality.model.server.api_key_env names",
        ),
    ],
)
def test_a_section_that_stands_in_several_places_is_named_by_its_place(argv, message):
    with pytest.raises(ValueError, match=r".") as caught:
        load_config(argv)
    assert str(caught.value).startswith(message)
