"""What is asked of the Hub before the first commit, in this process against the local Hub."""

import pytest
from huggingface_hub import HfApi, constants

from selfinstruct_train.publish import upload
from selfinstruct_train.publish.upload import Hub

from .hub_server import WRITER

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
