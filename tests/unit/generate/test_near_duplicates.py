"""The second filter: what MinHash and embeddings find that ROUGE-L does not, and what is told when they cannot."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

from selfinstruct_train.config import GenerateConfig, NearDuplicateConfig
from selfinstruct_train.core.builtin import resolve
from selfinstruct_train.core.records import Completion, Pair, SeedTask
from selfinstruct_train.generate.near_duplicates import (
    EmbeddingPool,
    MinHashPool,
    check_near_duplicates,
    open_near_duplicates,
)
from selfinstruct_train.generate.novelty import Match, NoveltyIndex
from selfinstruct_train.generate.pipeline import prepare
from selfinstruct_train.generate.self_instruct.instructions import CandidateFilter
from tests.support import scripted_lm as scripted

FIRST = "You are given a list of words below, name the longest word and say how many letters it has."
MOVED = "Name the longest word and say how many letters it has, you are given a list of words below."


@pytest.fixture(scope="module")
def embedding_model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The built-in model's last states, averaged, as a sentence-transformers model."""
    from sentence_transformers import SentenceTransformer, models

    folder = tmp_path_factory.mktemp("embedder")
    transformer = models.Transformer(resolve("builtin:tiny", "model"))
    pooling = models.Pooling(transformer.get_word_embedding_dimension(), "mean")
    SentenceTransformer(modules=[transformer, pooling], device="cpu").save(str(folder))
    return str(folder)


def test_minhash_finds_a_moved_phrase_that_rouge_l_does_not() -> None:
    rouge, pool = NoveltyIndex(0.7), MinHashPool(0.6)
    rouge.add(FIRST)
    pool.add(FIRST)
    assert rouge.is_novel(MOVED)
    assert pool.check(MOVED) == Match(FIRST, 15 / 19)  # of 17 triples each, 15 are shared
    assert pool.check("Write a poem about the sea in the style of your favourite poet.") is None


def test_minhash_goes_by_the_threshold_and_tells_the_earliest_of_equals() -> None:
    pool = MinHashPool(15 / 19)
    pool.add(FIRST)
    assert pool.check(MOVED) is None
    pool.add(FIRST.upper())
    assert pool.check(FIRST) == Match(FIRST, 1.0)
    short = MinHashPool(0.8)
    short.add("写诗")
    assert short.check("写诗") == Match("写诗", 1.0)
    assert short.check("作诗") is None


@pytest.mark.parametrize(("threshold", "is_found"), [(0.99, True), (0.999, True), (1.0, False)])
def test_minhash_works_up_to_a_threshold_that_nothing_is_above(threshold: float, is_found: bool) -> None:
    pool = MinHashPool(threshold)
    words = [f"w{i}" for i in range(402)]
    pool.add(" ".join(words))  # 400 triples
    assert pool.check(" ".join(words)) == (Match(" ".join(words), 1.0) if is_found else None)
    assert pool.check(" ".join([*words[:-5], "x"])) is None  # 395 of 401 triples are shared


def test_minhash_finds_nearly_all_pairs_above_the_threshold_among_real_instructions(shared_data: Path) -> None:
    lines = (shared_data / "self_instruct_5k.jsonl").read_text().splitlines()[:2500]
    texts = [json.loads(line)["instruction"] for line in lines]

    def triples(text: str) -> set[tuple[str, ...]]:
        words = "".join(c if c.isalnum() else " " for c in text.lower()).split()
        return {tuple(words[i : i + 3]) for i in range(max(1, len(words) - 2))}

    pool, kept, num_due = MinHashPool(0.4), [], 0
    num_found = 0
    for text in texts:
        mine = triples(text)
        due = max((len(mine & other) / len(mine | other) for other in kept), default=0.0) > 0.4
        num_due += due
        num_found += due and pool.check(text) is not None
        if not due:
            assert pool.check(text) is None
            pool.add(text)
            kept.append(mine)
    assert num_due > 20
    assert num_found / num_due > 0.95


def test_embeddings_tell_the_cosine_and_grow_past_their_room() -> None:
    class Angles:
        """A text is an angle in degrees."""

        def embed(self, text: str) -> np.ndarray:
            return np.array([np.cos(np.radians(float(text))), np.sin(np.radians(float(text)))], np.float32)

    pool = EmbeddingPool(Angles(), 0.8)
    assert pool.check("0") is None
    for i in range(1500):
        pool.add(f"{90 + i / 10}")
    match = pool.check("60")
    assert match is not None
    assert (match.text, round(match.score, 4)) == ("90.0", 0.866)
    assert pool.check("50") is None  # cosine 0.766
    assert pool.check("239.88") == Match("239.9", pytest.approx(1.0))


def test_a_sentence_transformers_model_is_used_whole(embedding_model: str) -> None:
    pool = open_near_duplicates(NearDuplicateConfig("embeddings", 0.99, embedding_model))
    assert pool is not None
    pool.add("Name three animals that live in the sea.")
    pool.add("Write a letter to a friend.")
    match = pool.check("Write a letter to a friend.")
    assert match is not None
    assert (match.text, match.score) == ("Write a letter to a friend.", pytest.approx(1.0))
    assert pool.check("How many legs has a spider?") is None
    assert open_near_duplicates(NearDuplicateConfig("none")) is None


@pytest.mark.parametrize("method", ["minhash", "embeddings"])
def test_the_ledger_names_the_near_duplicate_and_what_it_repeats(method: str, embedding_model: str) -> None:
    near = NearDuplicateConfig(method, 0.6, embedding_model)  # type: ignore[arg-type]
    seeds = [SeedTask("s1", FIRST, (Pair("", "x"),), False)]
    completion = Completion("instructions-000000-00", f" {MOVED}", "stop", 1, 1)
    candidates = CandidateFilter(seeds, GenerateConfig(near_duplicates=near))
    candidates.filter(completion, ("s1",))
    (outcome,) = candidates.outcomes
    assert (outcome.verdict, outcome.nearest, outcome.rouge_l) == ("near_duplicate", FIRST, 0.0)
    assert outcome.similarity > 0.6
    assert candidates.accepted == []
    without = CandidateFilter(seeds, GenerateConfig())
    without.filter(completion, ("s1",))
    assert [(f.verdict, f.similarity) for f in without.outcomes] == [("kept", 0.0)]


@pytest.mark.parametrize(("method", "package"), [("minhash", "datasketch"), ("embeddings", "sentence-transformers")])
def test_a_missing_package_is_told_before_anything_is_loaded(
    world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str, package: str
) -> None:
    near = NearDuplicateConfig(method, 0.8, "some/model")  # type: ignore[arg-type]
    config = scripted.make_config(world, tmp_path / "run", near_duplicates=near)
    prepare(config)
    find_spec = importlib.util.find_spec
    name = package.replace("-", "_")
    monkeypatch.setattr(importlib.util, "find_spec", lambda n, *rest: None if n == name else find_spec(n, *rest))
    with pytest.raises(ValueError, match=rf"needs the package {package}; pip install 'selfinstruct-train\[dedup\]'"):
        prepare(config)


def test_an_embedding_model_that_is_not_there_is_told_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="embedding_model '/no/such/folder': no such folder"):
        check_near_duplicates(NearDuplicateConfig("embeddings", 0.8, "/no/such/folder"))
    with pytest.raises(ValueError, match="holds no model"):
        check_near_duplicates(NearDuplicateConfig("embeddings", 0.8, str(tmp_path)))
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ValueError, match="cannot be loaded") as failure:
        open_near_duplicates(NearDuplicateConfig("embeddings", 0.8, str(tmp_path)))
    assert "\n" not in str(failure.value)


def test_the_revision_reaches_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    import sentence_transformers

    seen = {}

    def fake(source: str, **options: object) -> None:
        seen.update(options, source=source)

    monkeypatch.setattr(sentence_transformers, "SentenceTransformer", fake)
    open_near_duplicates(NearDuplicateConfig("embeddings", 0.8, "some/model", "abc123"))
    assert (seen["source"], seen["revision"]) == ("some/model", "abc123")
