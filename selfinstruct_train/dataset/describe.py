"""What a dataset is, written beside it: similarity to the seeds, pictures, card; table 1 for the terminal.

Everything here is derived from the rows and rebuilt whole at every call. Of a run's own dataset the card tells how it
was made; of other rows, those in a run directory without journals (merged ones) included, only what they are.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from ..config import Config
from ..core.builtin import resolve
from ..core.journal import read_header, read_journal
from ..core.names import STAGES
from ..core.paper_numbers import NUM_INSTRUCTIONS, NUM_WITH_VERB_AND_NOUN
from ..core.records import Row, SeedTask
from ..core.storage import read_object, write_atomically, write_json, write_jsonl, write_text
from ..generate.funnel import Funnel, funnel_from_json
from ..generate.pipeline import prepare
from ..generate.seeds import read_seed_tasks
from ..generate.statistics import statistics
from ..generate.tokenize import tokenization_of
from ..lm.budget import FREE, Usage, money, price_of, usage_of
from .card import MARK, CardFacts, Picture, contamination_told, render_card, settings_shown, yaml_header
from .figures import draw_lengths, draw_similarity, draw_wheel, length_histogram, similarity_histogram, wheel
from .license import License, inherited_license
from .origin import read_origin
from .rows import columns_of, find_dataset, read_rows, run_dataset
from .table import as_text, table1
from .verbs import VerbNoun, verb_noun_pairs


@dataclass(frozen=True)
class Described:
    """`table` is table 1 as plain text; `files` are the files written, the card first."""

    table: str
    files: list[Path]


@dataclass(frozen=True)
class Similarity:
    """The seed instruction most similar to a generated one, and their ROUGE-L in [0, 1]."""

    instruction_id: str
    nearest_seed: str
    rouge_l: float


def describe(config: Config) -> Described:
    """Describe `card.dataset`, or the run's dataset.

    Raises:
        ValueError: there is no dataset, or it is no folder; its README.md is someone's own; the run directory's
            journals belong to another configuration.
    """
    folder = find_dataset(config, "card.dataset", config.card.dataset)
    if not folder.is_dir():
        raise ValueError(f"card.dataset {str(folder)!r} is a file; put it into a folder of its own and name that")
    own = (
        folder.resolve() == run_dataset(config).resolve()
        and (Path(config.run_dir) / f"journal/{STAGES[0]}.jsonl").is_file()
    )
    readme = folder / "README.md"
    if readme.exists() and MARK not in readme.read_text(encoding="utf-8", errors="replace"):
        raise ValueError(f"{readme} was not written by this command; move it away, or describe a copy of the folder")
    if own:
        prepare(config)  # the settings in the card are those that the journals were made with
        _check_model(config)
    rows = read_rows(folder)
    similarities = _similarities(config, rows, _seeds(config, rows, own))
    files = []

    def beside(name: str) -> Path:
        return Path(config.run_dir) / name if own else folder.with_name(f"{folder.name}_{name}")

    if similarities:
        files.append(write_jsonl(beside("nearest_seed.jsonl"), (asdict(similarity) for similarity in similarities)))
    instructions = list({row.instruction_id: row.instruction for row in rows if row.source == "generated"}.values())
    pairs = verb_noun_pairs(instructions) if config.card.language.startswith("en") else []
    if any(pairs):
        files.append(write_json(beside("verb_noun.json"), _verb_noun(pairs)))
    pictures = _draw(config, folder, rows, pairs, similarities, own)
    facts = _facts(config, folder, rows, own)
    shown = [picture for picture, _ in pictures]
    write_text(readme, render_card(replace(facts, pictures=shown)))
    table = as_text(table1(facts.statistics, facts.labelled))
    return Described(table, [readme, *(path for _, path in pictures), *files])


def _check_model(config: Config) -> None:
    """Raise ValueError if another model answered than the one that the card would name."""
    for stage in STAGES:
        path = Path(config.run_dir) / f"journal/{stage}.jsonl"
        name = str(read_header(path).get("lm", "")) if path.is_file() else ""
        if name and not name.startswith(f"{config.model.path}@"):
            raise ValueError(f"{path}: answered by {name}, not by model.path {config.model.path!r}; give that one")


def _facts(config: Config, folder: Path, rows: Sequence[Row], own: bool) -> CardFacts:
    run_dir, origin = Path(config.run_dir), None if own else read_origin(folder)
    named = folder.resolve().parent if folder.name == run_dataset(config).name else folder
    title = config.card.name or (origin.title if origin else f"Self-Instruct data: {named.name}")
    if own:
        license = inherited_license(config)
    elif config.card.license:
        license = License(config.card.license, "Chosen by whoever made the dataset.")
    elif origin is not None:
        license = License(origin.license, origin.license_reason)
    else:
        license = License("other", "Where these rows come from is not known here, nor under which licence they stand.")
    sources = {source: [row for row in rows if row.source == source] for source in ("generated", "seed")}
    contamination = contamination_told(_read_if_there(run_dir / "contamination.json"), config.eval)
    return CardFacts(
        title=title,
        header=yaml_header(config, title, license, folder, len(rows), by_people=origin is not None),
        rows=rows,
        columns=columns_of(folder),
        statistics={source: statistics(part) for source, part in sources.items() if part or own},
        labelled=own or any(row.is_classification for row in rows),
        license=license,
        seed=config.seed,
        origin=origin,
        made=settings_shown(config) | {"contamination": contamination} if own else None,
        funnel=_read_funnel(run_dir / "funnel.json") if own else None,
        review=_review_of(run_dir / "review.json", folder) if own else None,
        spending=_spending(config) if own else "",
        versions=_versions(),
    )


def _seeds(config: Config, rows: Sequence[Row], own: bool) -> list[SeedTask]:
    """The run's seed tasks; of other rows, those that say they are seeds."""
    if own:
        return read_seed_tasks(resolve(config.generate.seed_tasks, "seed_tasks"))
    texts = {row.instruction_id: row.instruction for row in rows if row.source == "seed"}
    return [SeedTask(id, text, (), False) for id, text in texts.items()]


def _similarities(config: Config, rows: Sequence[Row], seeds: Sequence[SeedTask]) -> list[Similarity]:
    """Of each generated instruction the most similar seed, by the words that the run's novelty test compares."""
    texts = {row.instruction_id: row.instruction for row in rows if row.source == "generated"}
    if not texts or not seeds:
        return []

    from .similarity import nearest_seed

    words = tokenization_of(config.generate.language, config.generate.method)
    found = nearest_seed(list(texts.values()), seeds, tokenization=words)
    return [Similarity(id, seed, value) for id, (seed, value) in zip(texts, found, strict=True)]


def _draw(
    config: Config,
    folder: Path,
    rows: Sequence[Row],
    pairs: Sequence[VerbNoun | None],
    similarities: Sequence[Similarity],
    own: bool,
) -> list[tuple[Picture, Path]]:
    """Draw what there is data for into <folder>/figures."""
    generated = [row for row in rows if row.source == "generated"]
    instructions = list({row.instruction_id: row.instruction for row in generated}.values())
    if not instructions:
        return []
    drawn: list[tuple[Picture, bytes]] = []
    num_pairs = sum(pair is not None for pair in pairs)
    if num_pairs:
        spokes = wheel(pairs)
        num_drawn = sum(spoke.drawn for spoke in spokes)
        caption = (
            f"The {len(spokes)} most frequent root verbs and up to 4 most frequent direct objects of each. A verb with "
            f"its object was found in {num_pairs:,} of {len(pairs):,} instructions ({num_pairs / len(pairs):.0%}; the "
            f"paper, with another parser: {NUM_WITH_VERB_AND_NOUN:,} of {NUM_INSTRUCTIONS:,}, "
            f"{NUM_WITH_VERB_AND_NOUN / NUM_INSTRUCTIONS:.0%}); the wheel shows {num_drawn:,} of them. "
            "The others are questions or ask for a clause. Tagged by machine: on 100 instructions of GPT-3, checked by "
            "hand, 97 were right."
        )
        drawn.append((Picture("Verbs and their objects", "figures/verb_noun.png", caption), draw_wheel(spokes)))
    texts = {
        "instructions": instructions,
        "inputs that are not empty": [row.input for row in generated if row.input],
        "outputs": [row.output for row in generated],
    }
    lengths = [(name, length_histogram(part)) for name, part in texts.items() if part]
    caption = "Words in the generated instructions, inputs and outputs."
    drawn.append((Picture("Lengths", "figures/lengths.png", caption), draw_lengths(lengths)))
    if similarities:
        values = [similarity.rouge_l for similarity in similarities]
        histogram = similarity_histogram(values)
        caption = (
            f"ROUGE-L of each generated instruction to the seed instruction most similar to it: mean "
            f"{histogram.mean:.2f}, largest {max(values):.2f}."
        )
        threshold = config.generate.rouge_l_threshold if own else None
        picture = Picture("Distance from the seed tasks", "figures/seed_similarity.png", caption)
        drawn.append((picture, draw_similarity(histogram, threshold)))
    return [(picture, write_atomically(folder / picture.path, png)) for picture, png in drawn]


def _verb_noun(pairs: Sequence[VerbNoun | None]) -> dict[str, Any]:
    """Figure 3 of the paper in numbers."""
    spokes = wheel(pairs)
    return {
        "num_instructions": len(pairs),
        "num_with_pair": sum(pair is not None for pair in pairs),
        "num_drawn": sum(spoke.drawn for spoke in spokes),
        "verbs": [asdict(spoke) for spoke in spokes],
    }


def _spending(config: Config) -> str:
    """What the journals of the run's stages tell of requests, tokens and cost."""
    budget = config.budget
    usage, priced = Usage(), True
    for stage in STAGES:
        path = Path(config.run_dir) / "journal" / f"{stage}.jsonl"
        if path.is_file():
            header, completions = read_journal(path)
            price = price_of(str(header.get("lm", "")), budget)
            priced = priced and price is not FREE
            usage += usage_of(completions, price)
    if not usage.num_requests:
        return ""
    cost = f", {money(usage.cost)} {budget.currency} by the prices of the configuration" if priced else ""
    return (
        f"{usage.num_requests:,} answered requests: {usage.prompt_tokens:,} prompt tokens and "
        f"{usage.completion_tokens:,} completion tokens{cost}. The paper's authors paid some 600 USD for generation."
    )


def _review_of(path: Path, folder: Path) -> dict[str, Any] | None:
    """The run's review, if it says that it is of just this file of rows."""
    if not path.is_file():
        return None
    review, data = read_object(path), folder / "train.parquet"
    belongs = data.is_file() and review.get("dataset_sha256") == _sha256(data.read_bytes())
    return review if belongs and review.get("n") and isinstance(review.get("percent"), dict) else None


def _read_funnel(path: Path) -> Funnel | None:
    record = _read_if_there(path)
    return None if record is None else funnel_from_json(record)


def _read_if_there(path: Path) -> dict[str, Any] | None:
    return read_object(path) if path.is_file() else None


def _versions() -> str:
    names = ("selfinstruct-train", "transformers", "torch")
    return ", ".join(f"{name} {importlib.metadata.version(name)}" for name in names)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
