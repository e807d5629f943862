"""The dataset card: README.md beside the data, with the YAML head that the Hub reads. Pure: facts in, text out.

Nothing of the machine stands in it: of folders and files the name alone, no addresses of servers, no keys. Whoever
gathers the facts (`describe`) keeps to that; `settings_shown` is where settings become what may be shown.
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..config import Config, EvalConfig
from ..core.builtin import ASSETS, PREFIX
from ..core.gguf import gguf_file, quantization, weights_origin
from ..core.model_source import model_source
from ..core.paper_numbers import REVIEW
from ..core.records import Row, Sampling
from ..core.seeding import derive_seed
from ..generate.funnel import Funnel
from ..generate.statistics import Statistics
from .license import License, model_name
from .origin import Origin
from .table import as_markdown, table1

MARK = "<!-- written by selfinstruct-train -->"
"""Stands in every card, so that no card of someone's own writing is replaced."""
TAGS = ("self-instruct", "synthetic", "instruction-tuning")
_QUESTIONS = {
    "valid_task": "the instruction is a valid task",
    "input_appropriate": "the input is appropriate",
    "output_correct": "the output is correct",
    "all": "all fields are right",
}
_RULES = {
    "equal": "an equal text",
    "instance": "an equal instance",
    "ngram": "a run of shared words",
    "rouge_l": "ROUGE-L",
}
_COLUMNS = {
    "id": "of the row",
    "instruction": "what to do",
    "input": "what to do it on; may be empty",
    "output": "the answer",
    "is_classification": "whether the task asks for one of a few labels; for generated rows the model's own opinion",
    "source": "`seed`: written by people; `generated`: by the model",
    "instruction_id": "shared by the instances of one instruction",
    "request_id": "the request whose answer holds the instruction",
    "instance_request_id": "the request whose answer holds input and output",
    "parents": "instructions shown in the prompt that gave this one",
    "finish_reason": "`length`: that answer was cut at the token limit",
}
_VERDICTS = {
    "kept": "in the dataset, or in the pool that became it",
    "too_similar": "ROUGE-L to an instruction of the pool above the threshold",
    "near_duplicate": "found by the second filter",
    "empty": "no text",
    "too_short": "of too few words",
    "too_long": "of too many words",
    "keyword": "about images, files and other things a language model cannot see",
    "write_a_program": "unclear whether a program or its result is wanted",
    "punctuation": "begins with a punctuation mark",
    "non_ascii": "begins with no letter of English",
    "cut_off": "cut at the token limit",
    "classification": "the model says that it is a classification task",
    "not_classification": "the model says that it is none",
    "unclear": "neither yes nor no; taken as no classification task",
    "no_output": "an instance without output",
    "no_examples": "no instance in the answer",
    "input_equals_output": "the output repeats the input",
    "ends_with_colon": "an unfinished text",
    "conflicting_outputs": "one input with several outputs",
    "duplicate": "the same instance again",
    "over_max_instances": "more instances than one instruction may have",
    "repeats_example": "repeats a few-shot example of the prompt",
    "refused": "the provider withheld the answer",
    "contaminated": "overlaps evaluation data",
}


@dataclass(frozen=True)
class Picture:
    """A picture beside the card: `path` relative to it."""

    title: str
    path: str
    caption: str


@dataclass(frozen=True)
class CardFacts:
    """What a card tells; `columns` are those of the files.

    `made`, `funnel` and `spending` are empty for rows of which no run of ours is known; `origin` is told of those that
    people wrote, where whoever converted them left it.
    """

    title: str
    header: str
    rows: Sequence[Row]
    columns: Sequence[str]
    statistics: Mapping[str, Statistics]
    labelled: bool
    license: License
    seed: int
    origin: Origin | None = None
    made: Mapping[str, Any] | None = None
    funnel: Funnel | None = None
    review: Mapping[str, Any] | None = None
    spending: str = ""
    versions: str = ""
    pictures: Sequence[Picture] = ()


def render_card(facts: CardFacts) -> str:
    """Return the text of README.md."""
    import jinja2

    environment = jinja2.Environment(
        undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )
    template = environment.from_string((ASSETS / "dataset_card.md.j2").read_text(encoding="utf-8"))
    columns = [("column", "what it holds"), *((f"`{n}`", what) for n, what in _COLUMNS.items() if n in facts.columns)]
    return template.render(
        mark=MARK,
        header=facts.header.strip(),
        title=facts.title,
        num_rows=len(facts.rows),
        generated=facts.statistics.get("generated"),
        seed=facts.statistics.get("seed"),
        table1=as_markdown(table1(facts.statistics, facts.labelled)),
        origin=facts.origin,
        made=facts.made,
        funnel=_funnel(facts.funnel),
        review=_review(facts.review),
        spending=facts.spending,
        versions=facts.versions,
        pictures=facts.pictures,
        columns=as_markdown(columns, num_left=2),
        examples=_examples(facts.rows, facts.seed),
        license=facts.license,
    )


def yaml_header(
    config: Config, title: str, license: License, folder: Path, num_rows: int, by_people: bool = False
) -> str:
    """Return the YAML head for the data files of `folder`; features and sizes are told of a single parquet file.

    Args:
        by_people: no model wrote the rows.
    """
    from datasets import DatasetInfo, Features, SplitDict, SplitInfo
    from datasets.info import DatasetInfosDict
    from datasets.utils.metadata import MetadataConfigs
    from huggingface_hub import DatasetCardData

    from ..core.row_files import SUFFIXES

    data = DatasetCardData(
        language=config.card.language,
        license=license.id,
        pretty_name=title,
        tags=["instruction-tuning"] if by_people else list(TAGS),
        task_categories=["text-generation"],
        size_categories=[size_category(num_rows)],
        language_creators=["found" if by_people else "machine-generated"],
    )
    files = sorted(f for f in folder.iterdir() if f.suffix in SUFFIXES and not f.name.startswith("."))
    if [f.suffix for f in files] == [".parquet"]:
        import pyarrow.parquet

        table = pyarrow.parquet.read_table(files[0])
        info = DatasetInfo(
            features=Features.from_arrow_schema(table.schema),
            splits=SplitDict({"train": SplitInfo("train", table.nbytes, table.num_rows)}),
            download_size=files[0].stat().st_size,
            dataset_size=table.nbytes,
        )
        DatasetInfosDict({"default": info}).to_dataset_card_data(data)
    paths = [f.name for f in files]
    data_files = [{"split": "train", "path": paths[0] if len(paths) == 1 else paths}]
    MetadataConfigs({"default": {"data_files": data_files}}).to_dataset_card_data(data)
    return data.to_yaml()


def size_category(num_rows: int) -> str:
    """Return the Hub's name for a number of rows, e.g. 1K<n<10K."""
    if num_rows < 1000:
        return "n<1K"
    names = ("1K", "10K", "100K", "1M", "10M", "100M", "1B")
    step = next(i for i in range(1, 7) if num_rows < 1000 * 10**i or i == 6)
    return f"{names[step - 1]}<n<{names[step]}"


def settings_shown(config: Config) -> dict[str, Any]:
    """Return the settings of a generation run as its card shows them."""
    g = config.generate
    near = g.near_duplicates
    samplings = {
        "instructions": g.instruction_sampling,
        "classification": g.classification_sampling,
        "instances": g.instance_sampling,
    }
    names = ("max_new_tokens", "temperature", "top_p", "presence_penalty", "frequency_penalty")
    rows = [("sampling", *(n.replace("_", " ") for n in names))]
    rows += [(stage, *(_number(getattr(sampling, n)) for n in names)) for stage, sampling in samplings.items()]
    return {
        "model": _model_link(config),
        "revision": config.model.revision,
        "method": g.method,
        "prompt_form": g.prompt_form,
        "seed_tasks": _file_name(g.seed_tasks),
        "classification_seeds_only": g.classification_seeds_only,
        "num_prompt_instructions": g.num_prompt_instructions,
        "max_machine_instructions": g.max_machine_instructions,
        "requests_per_round": g.requests_per_round,
        "rouge_l_threshold": g.rouge_l_threshold,
        "near_duplicates": "" if near.method == "none" else f"{near.method}, at most {near.threshold}",
        "max_instances": g.max_instances,
        "seed": config.seed,
        "sampling": as_markdown(rows),
    }


def contamination_told(record: Mapping[str, Any] | None, evaluation: EvalConfig) -> str:
    """Say which evaluation data the rows were held against, and what was found.

    Args:
        record: the content of contamination.json.
        evaluation: what its names eval.tasks and eval.user_oriented stand for.
    """
    if record is None:
        return "Nothing is recorded of a comparison with evaluation data."
    if record["action"] == "off":
        return "The rows were not compared with any evaluation data."
    known = {"eval.tasks": evaluation.tasks, "eval.user_oriented": evaluation.user_oriented}
    names = {name: _file_name(known.get(name) or name) for name in record["sets"]}
    kinds = {"eval.tasks": "tasks, ", "eval.user_oriented": "user-oriented tasks, "}
    sets = ", ".join(
        f"`{names[name]}` ({kinds.get(name, '')}{number:,} examples)" for name, number in record["sets"].items()
    )
    if not sets:
        return "The rows were not compared with any evaluation data: no set was named."
    number = sum(record["generated"].values())
    rules = ", ".join(f"{count:,} by {_RULES.get(rule, rule)}" for rule, count in record["generated"].items() if count)
    outcome = "overlapped and were left out" if record["action"] == "block" else "overlap and are still in the data"
    seeds = f" Of the seed tasks' instances {len(record['seeds']):,} overlap and stay." if record["seeds"] else ""
    return (
        f"Every row was held against evaluation data: {sets}. {number:,} generated rows {outcome}"
        f"{f' ({rules})' if rules else ''}.{seeds} Paraphrases and translations are not found by this."
    )


def _funnel(funnel: Funnel | None) -> str:
    if not funnel:
        return ""
    cells: list[tuple[str, ...]] = [("stage", "verdict", "meaning", "candidates", "share")]
    for stage, counts in funnel.items():
        for verdict, count in counts.verdicts.items():
            meaning = _VERDICTS.get(verdict, "")
            cells.append((stage, f"`{verdict}`", meaning, f"{count:,}", f"{count / counts.num_candidates:.1%}"))
        cells.append((stage, "**all**", f"from {counts.num_requests:,} requests", f"{counts.num_candidates:,}", ""))
    return as_markdown(cells, num_left=3)


def _review(review: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if review is None:
        return None
    paper = {name: percent for name, _, percent in REVIEW}
    cells: list[tuple[str, ...]] = [("", "this dataset", "paper (GPT-3)")]
    for name, question in _QUESTIONS.items():
        if name in review["percent"]:
            low, high = review.get("interval", {}).get(name, (None, None))
            interval = "" if low is None else f" [{low:.1f}, {high:.1f}]"
            cells.append((question, f"{review['percent'][name]:.1f}{interval}", str(paper[name])))
    return {"reviewer": review.get("reviewer", "a reviewer"), "n": int(review["n"]), "table": as_markdown(cells)}


def _examples(rows: Sequence[Row], seed: int, number: int = 3, max_characters: int = 400) -> str:
    """A few rows as JSON, so that no text of theirs can end the block or become Markdown."""
    pool = [row for row in rows if row.source == "generated"] or list(rows)
    chosen = random.Random(derive_seed(seed, "card", "examples")).sample(pool, min(number, len(pool)))
    fields = ("instruction", "input", "output")
    records = [{name: _cut(getattr(row, name), max_characters) for name in fields} for row in chosen]
    return json.dumps(records, ensure_ascii=False, indent=2)


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"


def _model_link(config: Config) -> str:
    name = model_name(config.model.path)
    is_hub_id = config.model.backend != "http" and name == config.model.path and name.count("/") == 1
    if is_hub_id and not Path(name).exists():
        return f"[{name}](https://huggingface.co/{name})"
    if name == f"{PREFIX}tiny":
        return "the built-in tiny model (`builtin:tiny`)"
    gguf = gguf_file(model_source(config.model.path)) if config.model.backend == "transformers" else None
    return f"`{name}` ({weights_origin(quantization(gguf))})" if gguf else f"`{name}`"


def _file_name(name: str) -> str:
    return name if name.startswith(PREFIX) else model_name(name.replace("\\", "/")).split("/")[-1]


def _number(value: Sampling | float) -> str:
    return f"{value:g}"
