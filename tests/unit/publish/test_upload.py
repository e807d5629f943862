"""What is asked of the Hub before the first commit, in this process against the local Hub."""

import json
import logging

import pytest
from huggingface_hub import HfApi, constants

from selfinstruct_train.config import Config, GenerateConfig, ModelConfig, PublishConfig
from selfinstruct_train.dataset.license import inherited_license
from selfinstruct_train.publish import upload
from selfinstruct_train.publish.announce import dry_run
from selfinstruct_train.publish.contents import stage_dataset
from selfinstruct_train.publish.facts import card_facts
from selfinstruct_train.publish.ready import Sources
from selfinstruct_train.publish.upload import Hub
from tests.support.hub_server import WRITER

BOTH = {"dataset": "me/data", "model": "me/model"}


@pytest.fixture
def connection(hub, monkeypatch, tmp_path) -> Hub:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(upload, "_WAITS", (0.0, 0.0))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return Hub(HfApi(endpoint=hub.url, token=WRITER))


def test_a_model_that_may_not_be_written_to_keeps_the_dataset_from_being_touched(connection, store):
    store.make("model", "me/model", private=True)
    store.read_only.add(("model", "me/model"))
    with pytest.raises(
        ValueError, match=r"writing to the model repository me/model: .* no right to write there \(403\)"
    ):
        connection.prepare(BOTH, "main", private=True)
    assert ("dataset", "me/data") not in store.repos


def test_a_public_model_keeps_the_dataset_from_being_made(connection, store):
    store.make("model", "me/model", private=False)
    with pytest.raises(ValueError, match="me/model is public, but publish.private is set: .*; nothing was sent"):
        connection.prepare(BOTH, "main", private=True)
    assert ("dataset", "me/data") not in store.repos


def test_repositories_and_branches_that_are_missing_are_made(connection, store):
    store.make("model", "me/model", private=True)
    connection.prepare(BOTH, "trial", private=True)
    assert store.repos["dataset", "me/data"].private
    assert all("trial" in repo.branches for repo in store.repos.values())


@pytest.fixture
def trained_from_hub(store, connection, tmp_path) -> tuple[Config, Sources, str]:
    """A run whose base is a Hub model that lies in no cache, described before its licence could be read."""
    repo = store.make("model", "org/base", private=False)
    text = b"---\nlicense: apache-2.0\n---\n# Base\n"
    commit = store.commit(repo, "main", {"README.md": store.keep(text)}, "card")
    config = Config(
        run_dir=str(tmp_path),
        model=ModelConfig(path="org/base"),
        generate=GenerateConfig(seed_tasks="builtin:tiny"),
        publish=PublishConfig(model_repo="me/model", dataset_repo="me/data"),
    )
    sources = Sources(tmp_path / "model" / "seeds+generated", tmp_path / "dataset")
    for folder in (sources.model, sources.dataset):
        folder.mkdir(parents=True)
    (sources.model / "manifest.json").write_text(json.dumps({"model": {"commit": commit}}))
    unknown = inherited_license(config)
    assert unknown.id == "other"
    card = f"---\nlicense: {unknown.id}\n---\n## Licence\n\n`{unknown.id}`. {unknown.reason}\n"
    (sources.dataset / "README.md").write_text(card)
    return config, sources, commit


def test_the_licence_of_a_base_on_the_hub_is_looked_up_for_both_cards(connection, store, trained_from_hub):
    config, sources, commit = trained_from_hub
    assert card_facts(config, sources).license.id == "other"
    assert "the licence of org/base is not known here: the push looks it up" in dry_run(config, sources)
    connection.look_up_card("org/base", commit)
    assert f"GET /org/base/resolve/{commit}/README.md" in store.requests
    found = card_facts(config, sources).license
    assert found.id == "apache-2.0"
    assert found.reason == "The base model (org/base) and the data are both under apache-2.0."
    assert (stage_dataset(config, sources) / "README.md").read_text() == (
        "---\nlicense: apache-2.0\n---\n## Licence\n\n"
        "`apache-2.0`. The model that wrote the data and the seed tasks are both under apache-2.0.\n"
    )
    assert "looks it up" not in dry_run(config, sources)


def test_a_licence_that_cannot_be_looked_up_is_told_and_stays_unknown(connection, store, trained_from_hub, caplog):
    config, sources, commit = trained_from_hub
    del store.repos["model", "org/base"]
    with caplog.at_level(logging.WARNING):
        connection.look_up_card("org/base", commit)
    assert "looking up the licence of org/base: not found, or hidden" in caplog.text
    assert "going on with what is known here" in caplog.text
    assert card_facts(config, sources).license.id == "other"
