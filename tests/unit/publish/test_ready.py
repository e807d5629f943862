"""What is refused before anything is sent, each with its remedy."""

import hashlib
import json
from dataclasses import replace

import pytest

from selfinstruct_train.config import Config, PublishConfig
from selfinstruct_train.core.model_source import fingerprint
from selfinstruct_train.publish.ready import find_sources, read_scores, refuse_unproven

SYSTEM = "seeds+generated"


@pytest.fixture
def config(tmp_path) -> Config:
    """A run with what looks like a verified and evaluated model and a described dataset."""
    model, dataset = tmp_path / "model" / SYSTEM, tmp_path / "dataset"
    model.mkdir(parents=True)
    (model / "model.safetensors").write_bytes(b"weights")
    dataset.mkdir()
    (dataset / "train.parquet").write_bytes(b"rows")
    (dataset / "README.md").write_text("---\nlicense: mit\n---\n")
    checksums = {"model.safetensors": hashlib.sha256(b"weights").hexdigest()}
    record = {"format": 3, "passed": True, "sha256": checksums, "accepted": [], "findings": []}
    (model / "verification.json").write_text(json.dumps(record | {"figures": {}}))
    evaluate(tmp_path, fingerprint(model))
    return Config(run_dir=str(tmp_path), publish=PublishConfig(model_repo="me/m", dataset_repo="me/d"))


def evaluate(run_dir, mark: str) -> None:
    score = {"system": SYSTEM, "against": None, "kind": "overall", "metric": "rougeL"}
    (run_dir / "eval").mkdir(exist_ok=True)
    scored = {"set": "tasks", "weights": {"base": "0", SYSTEM: mark}, "scores": [score]}
    (run_dir / "eval" / "scores.json").write_text(json.dumps([scored]))


def having(config: Config, **settings) -> Config:
    return replace(config, publish=replace(config.publish, **settings))


def test_a_proven_run_is_ready(config):
    sources = find_sources(config)
    assert sources.missing == ()
    refuse_unproven(sources, force=False)


def test_nothing_named_is_refused(config):
    with pytest.raises(ValueError, match="nothing to publish: set publish.model_repo or publish.dataset_repo"):
        find_sources(having(config, model_repo=None, dataset_repo=None))


@pytest.mark.parametrize(
    "name",
    [
        "model",
        "me/my/model",
        "me/",
        "/model",
        "me/my model",
        "https://hub/me/m",
        "me/a--b",
        "me/a..b",
        "me/m.git",
        "me/m-",
        "me/modèle",
        "me/" + "m" * 97,
    ],
)
def test_a_malformed_repository_is_refused(config, name):
    with pytest.raises(
        ValueError, match="is no repository of the Hub; write it as|must be the name of a Hub repository"
    ):
        find_sources(having(config, model_repo=name))


def test_a_mixture_that_was_not_trained_is_refused(config):
    with pytest.raises(ValueError, match=r"model/seeds: no trained model there; run `selfinstruct train`"):
        find_sources(having(config, mixture="seeds"))


@pytest.mark.parametrize("weights", ["adapter", "both"])
def test_an_adapter_of_a_full_training_is_refused(config, weights):
    with pytest.raises(ValueError, match="is a whole model without an adapter; set it to model"):
        find_sources(having(config, weights=weights))


def test_a_dataset_without_a_card_is_refused(config, tmp_path):
    (tmp_path / "dataset" / "README.md").unlink()
    with pytest.raises(ValueError, match=r"it has no card; run `selfinstruct describe`"):
        find_sources(config)
    assert find_sources(having(config, dataset_repo=None)).dataset is None


def test_a_failed_verification_and_one_of_other_weights_do_not_count(config, tmp_path):
    path = tmp_path / "model" / SYSTEM / "verification.json"
    record = json.loads(path.read_text())
    for change in ({"passed": False}, {"sha256": {"model.safetensors": "0" * 64}}):
        path.write_text(json.dumps(record | change))
        sources = find_sources(config)
        assert len(sources.missing) == 1
        with pytest.raises(
            ValueError, match="failed its verification, or was changed after it: run `selfinstruct verify`"
        ):
            refuse_unproven(sources, force=False)
        refuse_unproven(sources, force=True)


def test_an_evaluation_of_other_weights_does_not_count(config, tmp_path):
    model = tmp_path / "model" / SYSTEM
    (model / "model.safetensors").write_bytes(b"trained again")
    assert read_scores(config, model) == []  # so that no card shows them, forced or not
    assert "the evaluation is of other weights: run `selfinstruct eval`" in find_sources(config).missing
    (tmp_path / "journal").mkdir()
    (tmp_path / "journal" / f"eval-{SYSTEM}-{fingerprint(model)[:8]}.jsonl").touch()  # one that was stopped
    assert "the evaluation is of other weights: run `selfinstruct eval`" in find_sources(config).missing
    evaluate(tmp_path, fingerprint(model))
    assert [s["set"] for s in read_scores(config, model)] == ["tasks"]


def test_a_run_without_evaluation_and_broken_scores_are_told(config, tmp_path):
    scores = tmp_path / "eval" / "scores.json"
    scores.write_text("[{}]")
    with pytest.raises(ValueError, match="not the scores of `selfinstruct eval`"):
        read_scores(config, tmp_path / "model" / SYSTEM)
    scores.unlink()
    assert find_sources(config).missing == ("there is no evaluation of the model: run `selfinstruct eval`",)


def test_a_dataset_with_a_file_more_in_it_is_not_the_one_trained_on(config, tmp_path):
    rows = tmp_path / "dataset" / "part" / "train.parquet"
    rows.parent.mkdir()
    (tmp_path / "dataset" / "train.parquet").rename(rows)
    sha256 = hashlib.sha256(b"rows").hexdigest()
    manifest = {"dataset": {"files": [{"name": "part/train.parquet", "sha256": sha256}]}}
    (tmp_path / "model" / SYSTEM / "manifest.json").write_text(json.dumps(manifest))
    assert find_sources(config).missing == ()
    (tmp_path / "dataset" / "more.parquet").write_bytes(b"others")
    assert "more.parquet is not what was trained on" in find_sources(config).missing[0]
