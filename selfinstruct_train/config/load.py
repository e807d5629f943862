"""Read a run's YAML and the command line into a Config, and check it at the door.

Precedence: defaults < the YAML of `--config` < dotted overrides on the command line. Whatever is wrong with a setting
is one ValueError line: key, value, remedy.
"""

from __future__ import annotations

import dataclasses
import difflib
import re
import sys
from pathlib import Path
from typing import Any, get_type_hints
from urllib.parse import SplitResult, urlsplit

from . import BudgetConfig, Config, ModelConfig, ServerConfig


def load_config(argv: list[str] | None = None) -> Config:
    """Read `--config FILE` and dotted overrides (`--generate.num_instructions 50`) into a Config.

    Raises:
        ValueError: unknown key (with the nearest known one), wrong type, a value out of range, an unreadable file.
        SystemExit: `--help` and `--print_config`, as usual for a command line.
    """
    import jsonargparse

    jsonargparse.set_parsing_settings(docstring_parse_attribute_docstrings=True)
    parser = jsonargparse.ArgumentParser(exit_on_error=False, description="Settings of one run.")
    parser.add_argument("--config", action="config", help="the YAML of the run, e.g. configs/tiny.yaml")
    parser.add_class_arguments(Config)
    args = list(sys.argv[1:] if argv is None else argv)
    known = _known_keys(Config)
    _check_config_file(args, known)
    for arg in args:
        if arg.startswith("--"):
            key = arg[2:].split("=", 1)[0]
            if key not in {*known, "config", "help", "print_config"}:
                raise ValueError(_unknown_key(key, "the command line", known))
    try:
        namespace = parser.parse_args(args)
        config = parser.instantiate(namespace)
    except (jsonargparse.ArgumentError, TypeError, ValueError) as error:
        raise ValueError(_plain(error)) from error
    fields = {k: v for k, v in vars(config).items() if k != "config"}
    return _check(Config(**fields))


def check_price(budget: BudgetConfig, setting: str, model: ModelConfig) -> None:
    """Refuse a model without a price where money is limited; `setting` is its place in the config, "relabel.model".

    Raises:
        ValueError: one line with the remedy.
    """
    if budget.max_cost is not None and model.path not in budget.prices:
        raise ValueError(
            f"budget.max_cost is {budget.max_cost}, but budget.prices has no price for {setting}.path "
            f"{model.path!r}; name its price for a million tokens, input and output"
        )


def changed_settings(config: Config) -> str:
    """Tell the settings that are not the defaults, one a line, for a log: "generate.max_requests: 5"."""
    return "\n".join(f"{key}: {value}" for key, value in _changes(config, Config()))


def _changes(value: Any, default: Any, prefix: str = "") -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for f in dataclasses.fields(default):
        now, before, key = getattr(value, f.name), getattr(default, f.name), f"{prefix}{f.name}"
        if dataclasses.is_dataclass(before) and dataclasses.is_dataclass(now):
            found += _changes(now, before, f"{key}.")
        elif now != before:
            found.append((key, now))
    return found


def _known_keys(cls: type, prefix: str = "") -> dict[str, type | None]:
    """Dotted names of all settings; the value is the dataclass of a section, None for a leaf."""
    keys: dict[str, type | None] = {}
    hints = get_type_hints(cls)
    for f in dataclasses.fields(cls):
        kind = hints[f.name]
        section = kind if dataclasses.is_dataclass(kind) else None
        keys[prefix + f.name] = section if isinstance(section, type) else None
        if isinstance(section, type):
            keys |= _known_keys(section, f"{prefix}{f.name}.")
    return keys


def _unknown_key(key: str, where: str, known: dict[str, type | None]) -> str:
    near = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
    if not near:  # the right leaf in the wrong section
        near = [k for k in known if k.split(".")[-1] == key.split(".")[-1]][:1]
    return f"{where}: unknown key {key!r}; " + (
        f"did you mean {near[0]!r}?" if near else "see --help for the known keys"
    )


def _check_config_file(args: list[str], known: dict[str, type | None]) -> None:
    """Report an unknown key of the YAML with its file and nearest known key, before the parser's longer message."""
    import yaml

    values = [a.split("=", 1)[1] for a in args if a.startswith("--config=")]
    values += [args[i + 1] for i, a in enumerate(args[:-1]) if a == "--config"]
    for path in values:
        try:
            data = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
        except UnicodeDecodeError as error:
            raise ValueError(f"{path}: not UTF-8 text (byte {error.start}); save it as UTF-8") from error
        except OSError as error:
            raise ValueError(f"{path}: cannot read this config: {error.strerror}") from error
        except yaml.YAMLError as error:
            raise ValueError(f"{path}: not valid YAML: {' '.join(str(error).split())}") from error
        if not isinstance(data, dict):
            raise ValueError(f"{path}: a config is a mapping of settings, this holds {type(data).__name__}")
        _check_keys(data, path, known, "")


def _check_keys(data: dict[str, object], path: str, known: dict[str, type | None], prefix: str) -> None:
    for key, value in data.items():
        name = f"{prefix}{key}"
        if name not in known:
            raise ValueError(_unknown_key(name, path, known))
        if known[name] is not None:
            if not isinstance(value, dict):
                raise ValueError(f"{path}: {name} is a section with settings of its own, not {value!r}")
            _check_keys(value, path, known, f"{name}.")


def _plain(error: BaseException) -> str:
    """The parser's message in one line, without its type names."""
    text = " ".join(line.strip(" -") for line in str(error).splitlines() if line.strip())
    text = re.sub(r'^Parser key "([\w.]+)":', r"\1:", text)
    text = re.sub(r"Expected a <class '(\w+)'>\. Got value: (.*)", r"expected a value of type \1, got \2", text)
    text = re.sub(
        r"Does not validate .*? Subtypes: \[<class '(\w+)'>, <class 'NoneType'>\].*Given value: (.*)",
        r"expected a value of type \1 or null, got \2",
        text,
    )
    return re.sub(r"Expected a typing\.Literal\[(.*?)\]\. Got value: (.*)", r"expected one of \1, got \2", text)


def _check(config: Config) -> Config:
    """Ranges that no type can say; each message names the key, the value and the remedy."""
    g, t, e = config.generate, config.train, config.eval
    at_least_one = {
        "model.batch_size": config.model.batch_size,
        "generate.num_instructions": g.num_instructions,
        "generate.num_prompt_instructions": g.num_prompt_instructions,
        "generate.requests_per_round": g.requests_per_round,
        "generate.max_instances": g.max_instances,
        "train.batch_size": t.batch_size,
        "train.per_device_batch_size": t.per_device_batch_size,
        "train.max_length": t.max_length,
        "train.save_steps": t.save_steps,
        "train.lora.r": t.lora.r,
        "eval.max_instances_per_task": e.max_instances_per_task,
        "eval.bootstrap_samples": e.bootstrap_samples,
        "annotate.num_reviewed": config.annotate.num_reviewed,
    }
    for key, value in at_least_one.items():
        if value < 1:
            raise ValueError(f"{key} is {value}; it must be at least 1")
    for key, optional in {
        "generate.max_requests": g.max_requests,
        "train.max_steps": t.max_steps,
        "eval.max_prompt_tokens": e.max_prompt_tokens,
        "judge.max_examples": config.judge.max_examples,
        "annotate.max_examples": config.annotate.max_examples,
    }.items():
        if optional is not None and optional < 1:
            raise ValueError(f"{key} is {optional}; it must be at least 1, or null for no limit")
    if not 0 < g.rouge_l_threshold <= 1:
        raise ValueError(f"generate.rouge_l_threshold is {g.rouge_l_threshold}; it must lie in (0, 1]")
    if not 0 <= g.max_machine_instructions <= g.num_prompt_instructions:
        raise ValueError(
            f"generate.max_machine_instructions is {g.max_machine_instructions}; it must lie between 0 and "
            f"num_prompt_instructions ({g.num_prompt_instructions})"
        )
    for key, server in {
        "model.server": config.model.server,
        "relabel.model.server": config.relabel.model.server,
        "quality.model.server": config.quality.model.server,
        "judge.model.server": config.judge.model.server,
    }.items():
        _check_server(key, server)
    for key, limit in {
        "budget.max_cost": config.budget.max_cost,
        "budget.max_tokens": config.budget.max_tokens,
    }.items():
        if limit is not None and not limit > 0:  # nor NaN
            raise ValueError(f"{key} is {limit}; it must be above 0, or null for no limit")
    check_price(config.budget, "model", config.model)
    for model, price in config.budget.prices.items():
        if not (price.input >= 0 and price.output >= 0):
            raise ValueError(f"budget.prices: {model!r} has a price below 0 or none ({price.input}, {price.output})")
    for key, share in {
        "generate.contamination.rouge_l_threshold": g.contamination.rouge_l_threshold,
        "generate.near_duplicates.threshold": g.near_duplicates.threshold,
    }.items():
        if not 0 < share <= 1:
            raise ValueError(f"{key} is {share}; it must lie in (0, 1]")
    if g.contamination.ngram < 1:
        raise ValueError(f"generate.contamination.ngram is {g.contamination.ngram}; it must be at least 1")
    if g.near_duplicates.method == "embeddings" and not g.near_duplicates.embedding_model:
        raise ValueError("generate.near_duplicates.method is embeddings; name generate.near_duplicates.embedding_model")
    q = config.quality
    if q.min_score is not None and q.keep_fraction is not None:
        raise ValueError("quality.min_score and quality.keep_fraction are both set; choose one")
    if q.scorer == "reward_model" and q.min_score is None and q.keep_fraction is None:
        raise ValueError(
            "quality.scorer is reward_model, whose scores have no common scale; set quality.keep_fraction or min_score"
        )
    if q.keep_fraction is not None and not 0 < q.keep_fraction <= 1:
        raise ValueError(f"quality.keep_fraction is {q.keep_fraction}; it must lie in (0, 1]")
    if config.card.license is not None and not re.fullmatch(r"[a-z0-9][a-z0-9.+-]*", config.card.license):
        raise ValueError(
            f"card.license is {config.card.license!r}; it must be a licence id of the Hub, e.g. apache-2.0"
        )
    if not re.fullmatch(r"[a-z]{2,3}(-[A-Za-z]+)*", config.card.language):
        raise ValueError(f"card.language is {config.card.language!r}; it must be a code of ISO 639, e.g. en")
    if t.learning_rate <= 0:
        raise ValueError(f"train.learning_rate is {t.learning_rate}; it must be above 0")
    if t.epochs <= 0:
        raise ValueError(f"train.epochs is {t.epochs}; it must be above 0")
    if not 0 <= t.warmup_ratio <= 1:
        raise ValueError(f"train.warmup_ratio is {t.warmup_ratio}; it must lie in [0, 1]")
    for key, part in {"train.weight_decay": t.weight_decay, "train.lora.dropout": t.lora.dropout}.items():
        if not 0 <= part < 1:
            raise ValueError(f"{key} is {part}; it must lie in [0, 1)")
    if not 0 <= t.prompt_loss_weight <= 1:
        raise ValueError(f"train.prompt_loss_weight is {t.prompt_loss_weight}; it must lie in [0, 1]")
    for key, above_zero in {"train.neftune_alpha": t.neftune_alpha, "train.max_hours": t.max_hours}.items():
        if above_zero is not None and not above_zero > 0:
            raise ValueError(f"{key} is {above_zero}; it must be above 0, or null")
    for key, number in {
        "eval.num_positive_examples": e.num_positive_examples,
        "eval.num_negative_examples": e.num_negative_examples,
    }.items():
        if number < 0:
            raise ValueError(f"{key} is {number}; it must be 0 or more")
    if not 0 <= config.annotate.port <= 65535:
        raise ValueError(f"annotate.port is {config.annotate.port}; it must lie between 0 (a free one) and 65535")
    if any(size < 1 for size in config.experiment.sizes) or len({*config.experiment.sizes}) < len(
        config.experiment.sizes
    ):
        raise ValueError(f"experiment.sizes is {config.experiment.sizes}; name different numbers of at least 1")
    reserved = {"base", "base, cut", "seeds", "seeds+generated"}
    for key, names in {"eval.models": e.models, "experiment.datasets": config.experiment.datasets}.items():
        for name in names:
            if name in reserved or not re.fullmatch(r"[\w+-][\w .+-]*", name):
                raise ValueError(
                    f"{key}: {name!r} cannot be a name; use letters, digits, . + - and none of the run's own"
                )
    if t.validation_rows < 0:
        raise ValueError(f"train.validation_rows is {t.validation_rows}; it must be 0 (none) or a number of rows")
    for key, repo in {
        "publish.model_repo": config.publish.model_repo,
        "publish.dataset_repo": config.publish.dataset_repo,
    }.items():
        if repo is not None and not re.fullmatch(r"[\w.-]+/[\w.-]+", repo):
            raise ValueError(f"{key} is {repo!r}; it must be the name of a Hub repository, e.g. my-name/my-model")
    if not t.mixtures:
        raise ValueError("train.mixtures is empty; name at least one of seeds, seeds+generated")
    return config


def _http_address(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        host, _ = (parts.hostname or "").encode("idna"), parts.port  # each raises where it cannot be one
    except ValueError:
        return None
    is_plain = url.isprintable() and " " not in url
    return parts if parts.scheme in ("http", "https") and host and is_plain else None


def _check_server(key: str, server: ServerConfig) -> None:
    if not server.base_urls:
        raise ValueError(f"{key}.base_urls is empty; name at least one, e.g. http://127.0.0.1:8000/v1")
    for url in server.base_urls:
        parts = _http_address(url)
        if parts is None:
            shown = "an entry with a password" if "@" in url else repr(url)
            raise ValueError(f"{key}.base_urls: {shown} is no http address; e.g. http://127.0.0.1:8000/v1")
        if "@" in parts.netloc or parts.query or parts.fragment:  # the address may be shown, and may hold no key
            raise ValueError(
                f"{key}.base_urls: the address of {parts.hostname} holds more than scheme, host, port and path; a key "
                f"belongs into the environment variable that {key}.api_key_env names"
            )
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", server.api_key_env):
        raise ValueError(
            f"{key}.api_key_env is no name of an environment variable; it names the variable, it is not the key itself"
        )
    own = {"model", "prompt", "messages", "n", "stream"} & set(server.extra_body)
    if own:
        raise ValueError(f"{key}.extra_body: {', '.join(sorted(own))} cannot be set; the client does")
    for name in ("max_in_flight", "max_attempts", "requests_per_minute", "tokens_per_minute"):
        value = getattr(server, name)
        if value is not None and value < 1:
            raise ValueError(f"{key}.{name} is {value}; it must be at least 1")
    if server.timeout_seconds <= 0:
        raise ValueError(f"{key}.timeout_seconds is {server.timeout_seconds}; it must be above 0")
