"""The steps of publishing: stage what goes to the Hub, show it, and upload it where publish.push is set.

The dataset goes first, because the model's card names its commit. Without a push nothing is sent and the staged files
stay in <run_dir>/publish.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from ..config import Config
from ..core.secrets import secret_values
from ..core.storage import write_text
from . import announce, contents, ready, upload
from .base import base_of
from .facts import card_facts
from .model_card import render_card

Staged = dict[upload.Kind, tuple[str, Path]]
"""Of each kind its repository and the folder of its files."""


def publish(config: Config, show: Callable[[str], None]) -> None:
    """Stage the run's dataset and model, and upload them if publish.push is set.

    Args:
        show: called with each text for the user, as soon as it is known.

    Raises:
        ValueError: the run is not ready, or the Hub refuses; one line with the remedy.
    """
    sources = ready.find_sources(config)
    hub = _connect(config, sources) if config.publish.push else None
    staged, dataset_commit = _stage(config, sources)
    secrets = secret_values(os.environ, asdict(config))
    for kind, (_, folder) in staged.items():
        contents.refuse_secrets(folder, secrets)
        show(announce.listing(config, kind, folder, contents.list_files(folder)))
    for reason in sources.missing:
        show(f"missing: {reason}")
    if hub is None:
        show(announce.dry_run(config, sources))
        return
    _upload(config, sources, hub, staged, dataset_commit, show)
    show(str(upload.record_path(config)))


def _connect(config: Config, sources: ready.Sources) -> upload.Hub:
    ready.refuse_unproven(sources, config.publish.force)
    hub = upload.connect()
    if (base := base_of(config, sources.manifest)).is_hub_id:
        hub.look_up_card(base.name, base.revision)
    return hub


def _stage(config: Config, sources: ready.Sources) -> tuple[Staged, str | None]:
    """Return what is staged, and the commit under which these very dataset files were uploaded before."""
    staged: Staged = {}
    dataset_commit = None
    if config.publish.dataset_repo is not None:
        folder = contents.stage_dataset(config, sources)
        staged["dataset"] = (config.publish.dataset_repo, folder)
        dataset_commit = upload.known_commit(config, "dataset", contents.list_files(folder))
    if config.publish.model_repo is not None:
        folder = contents.stage_model(config, sources)
        _write_card(config, sources, folder, dataset_commit)
        staged["model"] = (config.publish.model_repo, folder)
    return staged, dataset_commit


def _upload(
    config: Config,
    sources: ready.Sources,
    hub: upload.Hub,
    staged: Staged,
    dataset_commit: str | None,
    show: Callable[[str], None],
) -> None:
    settings = config.publish
    hub.prepare({kind: repo for kind, (repo, _) in staged.items()}, settings.revision, settings.private)
    for kind, (repo, folder) in staged.items():
        if kind == "model":
            _write_card(config, sources, folder, dataset_commit)
        files = contents.list_files(folder)
        published = hub.upload(folder, files, repo, kind, settings.revision)
        upload.remember(config, published, files)
        dataset_commit = published.commit
        show(announce.outcome(published, config))


def _write_card(config: Config, sources: ready.Sources, folder: Path, dataset_commit: str | None) -> None:
    write_text(folder / "README.md", render_card(card_facts(config, sources, dataset_commit)))
