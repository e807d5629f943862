"""The card of a full and of a bare dataset: all sections, nothing of the machine, a head that the Hub can parse."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from selfinstruct_train.config import Config, EvalConfig, GenerateConfig, ModelConfig, NearDuplicateConfig, ServerConfig
from selfinstruct_train.core.records import Row
from selfinstruct_train.dataset.card import (
    CardFacts,
    Picture,
    contamination_told,
    render_card,
    settings_shown,
    size_category,
    yaml_header,
)
from selfinstruct_train.dataset.license import License
from selfinstruct_train.dataset.rows import write_rows
from selfinstruct_train.generate.funnel import StageCounts
from selfinstruct_train.generate.statistics import statistics

FENCE = "Close it:\n```\n# not a heading\n| not | a table |"
ROWS = [
    Row("s-0", "Say hi.", "", "hi", False, "seed", "s", "", "", (), ""),
    Row("g-0", "Name a red | blue thing.", FENCE, "x" * 500, True, "generated", "g", "r", "i", ("s",), "stop"),
]
FUNNEL = {
    "instructions": StageCounts(2, 4, {"kept": 3, "too_similar": 1}),
    "instances": StageCounts(3, 2000, {"kept": 1998, "contaminated": 2}),
}
CONTAMINATION = {
    "action": "block",
    "sets": {"eval.tasks": 1400, "eval.user_oriented": 52},
    "generated": {"equal": 0, "instance": 0, "ngram": 2, "rouge_l": 0},
    "seeds": {},
}
REVIEW = {
    "reviewer": "two people",
    "n": 1365,
    "percent": {"valid_task": 91.4, "all": 82.0},
    "interval": {"all": [80, 84]},
}


def bare() -> CardFacts:
    return CardFacts(
        title="My data",
        header="license: mit",
        rows=ROWS[1:],
        columns=["instruction", "input", "output"],
        statistics={"generated": statistics(ROWS[1:])},
        labelled=False,
        license=License("mit", "Chosen."),
        seed=1,
    )


def full() -> CardFacts:
    return replace(
        bare(),
        rows=ROWS,
        columns=list(Row.__dataclass_fields__),
        statistics={"generated": statistics(ROWS[1:]), "seed": statistics(ROWS[:1])},
        labelled=True,
        made=settings_shown(Config()) | {"contamination": contamination_told(CONTAMINATION, EvalConfig())},
        funnel=FUNNEL,
        review=REVIEW,
        spending="1,000 answered requests.",
        versions="selfinstruct-train 9.9",
        pictures=[Picture("Lengths", "figures/lengths.png", "In words.")],
    )


def headings(text: str) -> list[str]:
    tokens = MarkdownIt("commonmark").enable("table").parse(text.split("---\n", 2)[2])
    return [
        tokens[i + 1].content for i, token in enumerate(tokens) if token.type == "heading_open" and token.tag != "h3"
    ]


def test_the_card_of_a_full_run_has_every_section() -> None:
    text = render_card(full())
    assert headings(text) == [
        "My data",
        "Size",
        "How it was made",
        "What is in it",
        "Overlap with evaluation data",
        "What it took",
        "Review",
        "Limits",
        "Columns",
        "How to load it",
        "Examples",
        "Licence",
        "Citation",
    ]
    html = MarkdownIt("commonmark").enable("table").render(text.split("---\n", 2)[2])
    assert html.count("<table>") == 5  # table 1, sampling, funnel, review, columns
    assert html.count('<img src="figures/lengths.png"') == 1
    for line in [
        "| instances | 1 | 1 | 82,439 |",
        "| instances | `contaminated` | overlaps evaluation data | 2 | 0.1% |",
        "| instructions | **all** | from 2 requests | 4 |  |",
        "| all fields are right | 82.0 [80.0, 84.0] | 54 |",
        "| the instruction is a valid task | 91.4 | 92 |",
        "| instructions | 1024 | 0.7 | 0.5 | 2 | 0 |",
    ]:
        assert f"\n{line}\n" in text, line
    assert "It was reviewed by two people (below), by nobody else.\n\n" in text
    assert "This card was written with selfinstruct-train 9.9." in text


def test_the_card_of_rows_of_unknown_origin_says_only_what_it_knows() -> None:
    text = render_card(bare())
    assert headings(text) == [
        "My data",
        "Size",
        "Limits",
        "Columns",
        "How to load it",
        "Examples",
        "Licence",
        "Citation",
    ]
    assert "Where it comes from, and whether anyone reviewed it, is not known to this card" in text
    assert "\n- Outputs that a model wrote are often wrong: of 200" in text
    assert "Nobody has" not in text
    assert "Novelty was judged" not in text
    assert "| - classification instructions | - | 11,584 |" in text
    assert "source" not in text.split("## How to load it")[1].split("## Examples")[0]


def test_texts_of_rows_stay_inside_their_block() -> None:
    text = render_card(full())
    assert "# not a heading" not in headings(text)
    tokens = MarkdownIt("commonmark").parse(text)
    (block,) = [token.content for token in tokens if token.type == "fence" and token.info == "json"]
    assert "# not a heading" in block
    assert "x" * 399 + "…" in block
    assert "x" * 401 not in block


def test_every_list_item_of_the_limits_stands_on_its_own_line() -> None:
    for facts, number in ((full(), 4), (bare(), 3)):
        limits = render_card(facts).split("## Limits")[1].split("\n## ")[0]
        tokens = MarkdownIt("commonmark").parse(limits)
        assert sum(token.type == "list_item_open" for token in tokens) == number


def test_settings_show_names_and_never_paths_or_addresses(tmp_path: Path) -> None:
    server = ServerConfig(base_urls=("http://secret.example:8000/v1",), extra_body={"user": "someone"})
    config = replace(
        Config(),
        run_dir=str(tmp_path),
        model=ModelConfig(path=f"{tmp_path}/deep/my-model", server=server),
        generate=GenerateConfig(
            seed_tasks=f"{tmp_path}/mine.jsonl",
            near_duplicates=NearDuplicateConfig("embeddings", 0.9, f"{tmp_path}/embedder"),
        ),
    )
    found = CONTAMINATION | {"sets": {f"{tmp_path}/evaluation_data.jsonl": 9, "eval.tasks": 1, "eval.user_oriented": 2}}
    evaluation = EvalConfig(tasks=f"{tmp_path}/natural", user_oriented=f"{tmp_path}/user.jsonl")
    shown = settings_shown(config) | {"contamination": contamination_told(found, evaluation)}
    text = render_card(replace(full(), made=shown))
    for name in (
        "`my-model`",
        "`mine.jsonl`",
        "`natural`",
        "`user.jsonl`",
        "`evaluation_data.jsonl`",
        "embeddings, at most 0.9",
    ):
        assert name in text
    assert str(tmp_path) not in text
    assert "secret.example" not in text
    assert "someone" not in text


def test_a_hub_model_is_linked() -> None:
    shown = settings_shown(replace(Config(), model=ModelConfig(path="org/model", revision="abc")))
    assert shown["model"] == "[org/model](https://huggingface.co/org/model)"
    assert "Model revision `abc`." in render_card(replace(full(), made=shown | {"contamination": "-"}))


def test_a_gguf_file_is_told_with_its_quantisation(quantized_gguf_file: Path) -> None:
    shown = settings_shown(replace(Config(), model=ModelConfig(path=str(quantized_gguf_file))))
    assert shown["model"] == "`tiny-Q8_0.gguf` (dequantised from Q8_0 by transformers)"


def test_contamination_is_told_as_it_was_found() -> None:
    assert contamination_told(None, EvalConfig()) == "Nothing is recorded of a comparison with evaluation data."
    off = {"action": "off", "sets": {}, "generated": {}, "seeds": {}}
    assert contamination_told(off, EvalConfig()) == "The rows were not compared with any evaluation data."
    assert contamination_told(off | {"action": "block"}, EvalConfig()).endswith("evaluation data: no set was named.")
    evaluation = EvalConfig(user_oriented="their/user.jsonl")
    assert contamination_told(CONTAMINATION, evaluation) == (
        "Every row was held against evaluation data: `builtin:tiny` (tasks, 1,400 examples), "
        "`user.jsonl` (user-oriented tasks, 52 examples). "
        "2 generated rows overlapped and were left out (2 by a run of shared words). "
        "Paraphrases and translations are not found by this."
    )
    flagged = {"action": "flag", "sets": {"a/b.jsonl": 3}, "generated": {"equal": 0}, "seeds": {"s-0": {}}}
    assert contamination_told(flagged, evaluation) == (
        "Every row was held against evaluation data: `b.jsonl` (3 examples). 0 generated rows overlap and are still in "
        "the data. Of the seed tasks' instances 1 overlap and stay. Paraphrases and translations are not found by this."
    )


@pytest.mark.parametrize(
    ("number", "category"),
    [
        (0, "n<1K"),
        (999, "n<1K"),
        (1000, "1K<n<10K"),
        (82_439, "10K<n<100K"),
        (100_000, "100K<n<1M"),
        (10**7, "10M<n<100M"),
    ],
)
def test_sizes_have_the_hubs_names(number: int, category: str) -> None:
    assert size_category(number) == category


def test_the_head_is_what_the_hubs_parser_reads_and_datasets_loads(tmp_path: Path) -> None:
    from datasets import load_dataset
    from huggingface_hub import DatasetCard

    folder = tmp_path / "dataset"
    write_rows(folder, ROWS)
    header = yaml_header(Config(), "My: data", License("apache-2.0", ""), folder, len(ROWS))
    (folder / "README.md").write_text(render_card(replace(full(), header=header)))
    (folder / "figures").mkdir()
    (folder / "figures/lengths.png").write_bytes(b"\x89PNG\r\n\x1a\n")

    head = DatasetCard.load(folder / "README.md").data.to_dict()
    assert head["license"] == "apache-2.0"
    assert head["language"] == "en"
    assert head["pretty_name"] == "My: data"
    assert head["task_categories"] == ["text-generation"]
    assert head["size_categories"] == ["n<1K"]
    assert "self-instruct" in head["tags"]
    assert head["configs"] == [{"config_name": "default", "data_files": [{"split": "train", "path": "train.parquet"}]}]
    assert {"name": "is_classification", "dtype": "bool"} in head["dataset_info"]["features"]

    data = load_dataset(str(folder), split="train", cache_dir=str(tmp_path / "cache"))
    assert data["id"][:] == ["s-0", "g-0"]
    split = head["dataset_info"]["splits"][0]
    told = (split["num_examples"], split["num_bytes"], head["dataset_info"]["dataset_size"])
    assert told == (2, data.info.splits["train"].num_bytes, data.info.dataset_size)
    assert head["dataset_info"]["download_size"] == (folder / "train.parquet").stat().st_size
