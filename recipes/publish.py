"""Publish a run's model and dataset on the Hub: python recipes/publish.py --config configs/tiny.yaml
    --publish.model_repo me/my-model --publish.dataset_repo me/my-data [--publish.push true]

Without push nothing is sent: it tells what would go where, and leaves it in <run_dir>/publish to be looked at. Stopped
at any moment, the same command goes on. Exit code 2 and one line for what the user can mend.
"""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path

from selfinstruct_train.cli import run_recipe


def main() -> None:
    from selfinstruct_train.config.load import changed_settings, load_config

    config = load_config(None)
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    logging.getLogger("selfinstruct_train").setLevel(logging.INFO)
    logging.getLogger("selfinstruct_train.recipe").info("%s", changed_settings(config))

    from selfinstruct_train.core.storage import write_text
    from selfinstruct_train.publish import announce, contents, ready, upload
    from selfinstruct_train.publish.base import base_of
    from selfinstruct_train.publish.facts import card_facts
    from selfinstruct_train.publish.model_card import render_card

    settings = config.publish
    sources = ready.find_sources(config)
    hub = None
    if settings.push:
        ready.refuse_unproven(sources, settings.force)
        hub = upload.connect()
        if (base := base_of(config, sources.manifest)).is_hub_id:
            hub.look_up_card(base.name, base.revision)

    staged: dict[upload.Kind, tuple[str, Path]] = {}
    dataset_commit = None
    if settings.dataset_repo is not None:
        folder = contents.stage_dataset(config, sources)
        staged["dataset"] = (settings.dataset_repo, folder)
        dataset_commit = upload.known_commit(config, "dataset", contents.list_files(folder))
    if settings.model_repo is not None:
        folder = contents.stage_model(config, sources)
        write_text(folder / "README.md", render_card(card_facts(config, sources, dataset_commit)))
        staged["model"] = (settings.model_repo, folder)
    for kind, (_, folder) in staged.items():
        contents.refuse_secrets(folder, os.environ)
        print(announce.listing(config, kind, folder, contents.list_files(folder)))
    for reason in sources.missing:
        print(f"missing: {reason}")
    if hub is None:
        print(announce.dry_run(config, sources))
        return

    hub.prepare({kind: repo for kind, (repo, _) in staged.items()}, settings.revision, settings.private)
    for kind, (repo, folder) in staged.items():  # the dataset first: the model's card names its commit
        if kind == "model":
            write_text(folder / "README.md", render_card(card_facts(config, sources, dataset_commit)))
        files = contents.list_files(folder)
        published = hub.upload(folder, files, repo, kind, settings.revision)
        upload.remember(config, published, files)
        dataset_commit = published.commit
        print(announce.outcome(published, config))
    print(upload.record_path(config))


if __name__ == "__main__":
    sys.exit(run_recipe(main, "stopped; the same command goes on from here"))
