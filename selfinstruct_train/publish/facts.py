"""Gather what a model card tells from the files of the run: no figure in it comes from anywhere else.

What a file does not say is left out of the card. Settings are those recorded at the training and in the journals of
the generation, not those of today's configuration.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from ..config import Config
from ..core.builtin import PREFIX
from ..core.journal import read_header
from ..core.names import SEEDS, SEEDS_AND_GENERATED, STAGES
from ..core.prompt_format import TemplateName
from ..dataset.card import contamination_told
from ..dataset.license import License, front_matter_license, model_name
from ..dataset.table import as_markdown
from ..train.verify.record import VERIFICATION_FILE
from .base import as_trained, base_license, base_of, dataset_card
from .contents import staging, without_machine
from .model_card import Base, CardFacts, Data
from .model_index import check_results
from .ready import Sources, read_record, read_scores

_SAMPLING = ("max_new_tokens", "temperature", "top_p", "presence_penalty", "frequency_penalty")
_NUM_SAMPLES, _LONGEST_SAMPLE = 3, 300
_SETTINGS = {
    "learning_rate": "learning rate",
    "lr_scheduler": "schedule",
    "warmup_ratio": "warm-up share",
    "epochs": "epochs",
    "batch_size": "batch size",
    "max_length": "longest row, tokens",
    "packing": "packing",
    "prompt_loss_weight": "weight of prompt tokens in the loss",
    "neftune_alpha": "NEFTune alpha",
    "weight_decay": "weight decay",
    "precision": "precision of matrix products",
    "template": "prompt template",
}
_LORA = {
    "r": "LoRA rank",
    "alpha": "LoRA alpha",
    "dropout": "LoRA dropout",
    "target_modules": "LoRA modules",
    "use_dora": "DoRA",
    "use_rslora": "rsLoRA",
}


def card_facts(config: Config, sources: Sources, dataset_commit: str | None = None) -> CardFacts:
    """Return the facts of the model card.

    Args:
        dataset_commit: of the dataset's repository, once it is uploaded.

    Raises:
        ValueError: a file of the run is broken.
    """
    assert sources.model is not None
    folder, publish = sources.model, config.publish
    record = read_record(folder / "training.json")
    manifest = read_record(folder / "manifest.json")
    verified = read_record(folder / VERIFICATION_FILE)
    trained = record.get("identity", {}).get("train", {})
    scores = read_scores(config, folder)
    judge, people = (read_record(Path(config.run_dir) / "eval" / f"{who}.json") or None for who in ("judge", "people"))
    check_results(config.run_dir, scores, publish.mixture, judge, people)
    config = as_trained(config, manifest)
    generated_here = config.train.dataset is None and publish.mixture == SEEDS_AND_GENERATED
    headers = _journal_headers(config) if generated_here else {}
    return CardFacts(
        repo=str(publish.model_repo),
        revision=publish.revision,
        weights=publish.weights,
        method=trained.get("method", "lora" if sources.is_adapter else "full"),
        template=cast(TemplateName, trained.get("template", config.train.template)),
        system=publish.mixture,
        base=base_of(config, manifest),
        data=_data(config, record, manifest, dataset_commit),
        license=published_license(config, sources),
        language=config.card.language,
        num_parameters=_count_parameters(staging(config, "model")),
        training=_training(record, manifest),
        generation=_generation(config, headers),
        sampling=_sampling(headers),
        verification=_verification(verified),
        samples=_samples(verified),
        samples_from=verified.get("figures", {}).get("questions_from", "training rows"),
        has_loss_plot=(folder / "loss.png").is_file(),
        chat_template=_chat_template(folder),
        scores=scores,
        judge=judge,
        people=people,
        versions={k: str(v) for k, v in manifest.get("versions", {}).items() if v},
        unproven=tuple(reason.replace(str(folder), "the model").partition(": run ")[0] for reason in sources.missing),
    )


def published_license(config: Config, sources: Sources) -> License:
    """Return card.license if set, else what base model and data have in common, else `other` with the reason."""
    trained = base_of(config, sources.manifest)
    name = f"the base model ({trained.name})"
    base, data = base_license(config, trained), _data_license(config, sources, trained)
    if config.card.license is not None:
        told = [f"that of {what} is {id}" for what, id in ((name, base), ("the data", data)) if id]
        others = f"; {' and '.join(told)}: mind them too" if {base, data} - {None, config.card.license} else ""
        return License(config.card.license, f"Chosen by whoever made the model{others}.")
    if base is None or data is None:
        unknown = " and of ".join(what for what, id in ((name, base), ("the data", data)) if id is None)
        known = "".join(f" That of {what} is {id}." for what, id in ((name, base), ("the data", data)) if id)
        return License(
            "other", f"The licence of {unknown} could not be read here, so ask there before you use the model.{known}"
        )
    if base != data:
        return License("other", f"{name[0].upper()}{name[1:]} is under {base}, the data are under {data}: mind both.")
    return License(base.partition(":")[0], f"{name[0].upper()}{name[1:]} and the data are both under {base}.")


def _data_license(config: Config, sources: Sources, base: Base) -> str | None:
    """What the dataset's card says; without a published dataset, the card of the one that was trained on."""
    named = config.train.dataset
    folder = sources.dataset or (Path(named).expanduser() if named else Path(config.run_dir) / "dataset")
    card = folder / "README.md"
    if not card.is_file():
        return None
    return front_matter_license(dataset_card(card.read_text(encoding="utf-8", errors="replace"), config, base))


def _data(config: Config, record: Mapping[str, Any], manifest: Mapping[str, Any], commit: str | None) -> Data:
    rows = record.get("identity", {}).get("rows")
    number = f"{rows:,} " if isinstance(rows, int) else ""
    kinds = {
        SEEDS: "rows of seed tasks",
        SEEDS_AND_GENERATED: "rows of machine-written instruction data and seed tasks",
    }
    of_run = config.train.dataset is None
    contamination = read_record(Path(config.run_dir) / "contamination.json") if of_run else {}
    return Data(
        description=number + (kinds[config.publish.mixture] if of_run else "rows of instruction data"),
        repo=config.publish.dataset_repo,
        commit=commit,
        files=tuple((file["name"], file["sha256"]) for file in manifest.get("dataset", {}).get("files", ())),
        contamination=contamination_told(contamination, config.eval) if contamination else "",
    )


def _training(record: Mapping[str, Any], manifest: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    trained = record.get("identity", {}).get("train", {})
    figures, hardware = manifest.get("training", {}), manifest.get("hardware", {})
    names = {"full": "full finetuning", "lora": "LoRA", "qlora": "QLoRA"}
    rows = [("method", names.get(trained.get("method"), "")), ("optimizer steps", _shown(record.get("steps")))]
    rows += [(label, _shown(trained.get(key))) for key, label in _SETTINGS.items()]
    if trained.get("max_steps"):  # it overrides epochs
        rows = [row for row in rows if row[0] != "epochs"]
    rows += [(label, _shown(trained.get("lora", {}).get(key))) for key, label in _LORA.items()]
    rows += [("seed", _shown(record.get("identity", {}).get("seed")))]
    losses = [figures.get(name) for name in ("loss_first", "loss_last")]
    rows += [("loss, first and last logged", ", ".join(f"{loss:.3f}" for loss in losses if loss is not None))]
    rows += [("validation rows", _shown(manifest.get("rows", {}).get("held_out") or None))]
    rows += [("best loss on them", _shown(figures.get("held_out_loss_best")))]
    rows += [("tokens, of them with a label", _pair(figures, "tokens", "supervised_tokens"))]
    rows += [("tokens a second", _shown(figures.get("tokens_per_second")))]
    rows += [("hardware", _hardware(hardware)), ("peak memory", _gigabytes(figures.get("peak_memory_bytes")))]
    rows += [("time", _duration(manifest.get("seconds")))]
    return tuple((label, value) for label, value in rows if value)


def _verification(record: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    return tuple(
        (str(finding["check"]).replace("_", " "), f"{finding['level']}: {without_machine(finding['what'])}")
        for finding in record.get("findings", ())
    )


def _samples(record: Mapping[str, Any]) -> str:
    """A few of the verification's answers as JSON, so that no text of the model's can end the block."""
    samples = record.get("figures", {}).get("samples", [])[:_NUM_SAMPLES]
    return json.dumps([_cut(sample) for sample in samples], ensure_ascii=False, indent=2) if samples else ""


def _cut(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _cut(entry) for key, entry in value.items()}
    return value if not isinstance(value, str) or len(value) <= _LONGEST_SAMPLE else value[: _LONGEST_SAMPLE - 1] + "…"


def _generation(config: Config, headers: Mapping[str, dict[str, Any]]) -> tuple[tuple[str, str], ...]:
    if not headers:
        return ()
    first = headers["instructions"]
    lm = str(first.get("lm", "")).rpartition("@")[0]
    generated = read_record(Path(config.run_dir) / "statistics.json").get("generated", {})
    seeds = config.generate.seed_tasks
    rows = [
        ("model that wrote the data", f"`{model_name(lm)}`" if lm else ""),
        ("seed tasks", f"`{seeds if seeds.startswith(PREFIX) else model_name(seeds)}`"),
        ("generated instructions", _shown(generated.get("num_instructions"))),
        ("generated instances", _shown(generated.get("num_instances"))),
        ("method", _shown(first.get("method"))),
        ("prompt form", _shown(first.get("prompt_form"))),
        ("instructions in a prompt", _shown(first.get("num_prompt_instructions"))),
        ("of them machine-written, at most", _shown(first.get("max_machine_instructions"))),
        ("ROUGE-L to the pool, at most", _shown(first.get("rouge_l_threshold"))),
        ("instances an instruction, at most", _shown(headers.get("instances", {}).get("max_instances"))),
        ("seed", _shown(first.get("seed"))),
    ]
    return tuple(row for row in rows if row[1])


def _sampling(headers: Mapping[str, dict[str, Any]]) -> str:
    if not headers:
        return ""
    cells = [("sampling", *(name.replace("_", " ") for name in _SAMPLING))]
    for stage, header in headers.items():
        sampling = header.get("sampling", {})
        cells.append((stage, *(f"{sampling.get(name, 0):g}" for name in _SAMPLING)))
    return as_markdown(cells)


def _journal_headers(config: Config) -> dict[str, dict[str, Any]]:
    paths = {stage: Path(config.run_dir) / "journal" / f"{stage}.jsonl" for stage in STAGES}
    headers: dict[str, dict[str, Any]] = {stage: read_header(path) for stage, path in paths.items() if path.is_file()}
    return headers if headers.get("instructions") else {}


def _chat_template(folder: Path) -> str:
    """Return the text that holds the tokenizer's chat template, which older versions keep in its settings."""
    files = (folder / "chat_template.jinja", folder / "tokenizer_config.json")
    return next((file.read_text(encoding="utf-8") for file in files if file.is_file()), "")


def _count_parameters(folder: Path) -> int:
    """Count the numbers in the published weights, by their headers alone."""
    import math

    from safetensors import safe_open

    total = 0
    for file in sorted(folder.glob("*.safetensors")):
        if file.name.startswith("adapter_"):
            continue
        with safe_open(file, framework="numpy") as tensors:
            total += sum(math.prod(tensors.get_slice(name).get_shape()) for name in tensors.keys())  # noqa: SIM118
    return total


def _hardware(hardware: Mapping[str, Any]) -> str:
    if not hardware:
        return ""
    device, processes = str(hardware.get("device", "")), hardware.get("processes", 1)
    kind = hardware.get("distributed_type", "")
    return device if processes == 1 else f"{processes} x {device} ({kind})"


def _gigabytes(number: int | None) -> str:
    return "" if number is None else f"{number / 2**30:.1f} GiB"


def _pair(figures: Mapping[str, Any], first: str, second: str) -> str:
    return ", ".join(_shown(figures[name]) for name in (first, second) if figures.get(name) is not None)


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return ""
    hours, minutes = int(seconds // 3600), int(seconds % 3600 // 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min" if minutes else f"{seconds:.0f} s"


def _shown(value: Any) -> str:
    """A setting as a table shows it; nothing for what is not set."""
    if value is None or value == []:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list):
        return ", ".join(_shown(entry) for entry in value)
    return str(value)
