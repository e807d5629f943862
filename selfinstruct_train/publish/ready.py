"""What must be true before anything is published: repositories are named, the model is verified and evaluated.

Nothing is sent or written here. What `publish.force` may pass over is returned as sentences; all else is refused.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..config import Config
from ..core.model_source import fingerprint
from ..core.row_files import SUFFIXES
from ..core.storage import read_object, sha256_of
from ..dataset.rows import find_dataset
from ..train.verify.record import VERIFICATION_FILE, is_verified

_REPO = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", re.ASCII)


@dataclass(frozen=True)
class Sources:
    """What is published: folders of the run, None where no repository is named for them.

    `missing` says in sentences what is not proven of the model; only `publish.force` passes over it.
    """

    model: Path | None
    dataset: Path | None
    missing: tuple[str, ...] = ()

    @property
    def manifest(self) -> dict[str, Any]:
        """What the training recorded of the model."""
        return read_record(self.model / "manifest.json") if self.model is not None else {}

    @property
    def is_adapter(self) -> bool:
        """Whether the run trained an adapter (LoRA) and no whole model."""
        return self.model is not None and (self.model / "adapter_config.json").is_file()


def find_sources(config: Config) -> Sources:
    """Find what `publish` names and look at what is proven of it.

    Raises:
        ValueError: no repository is named, a name is malformed, or what should go there does not exist.
    """
    publish = config.publish
    if publish.model_repo is None and publish.dataset_repo is None:
        raise ValueError("nothing to publish: set publish.model_repo or publish.dataset_repo, e.g. your_name/my_model")
    for setting in ("model_repo", "dataset_repo"):
        name = getattr(publish, setting)
        if name is not None and not _is_repository(name):
            raise ValueError(f"publish.{setting} {name!r} is no repository of the Hub; write it as your_name/my_repo")
    dataset = _dataset(config) if publish.dataset_repo else None
    if publish.model_repo is None:
        return Sources(None, dataset)
    folder = Path(config.run_dir) / "model" / publish.mixture
    if not any(folder.glob("*.safetensors")):
        raise ValueError(f"{folder}: no trained model there; run `selfinstruct train` first, or mend publish.mixture")
    sources = Sources(folder, dataset, (*_unproven(config, folder), *_changed(folder, dataset)))
    if publish.weights != "model" and not sources.is_adapter:
        raise ValueError(
            f"publish.weights is {publish.weights!r}, but {folder} is a whole model without an adapter; set it to model"
        )
    return sources


def _is_repository(name: str) -> bool:
    """Ask the Hub's own client too, which knows of lengths, of dots and dashes in a row, and of endings."""
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id

    try:
        validate_repo_id(name)
    except HFValidationError:
        return False
    return _REPO.fullmatch(name) is not None


def refuse_unproven(sources: Sources, force: bool) -> None:
    """Refuse to upload a model of which something is not proven, unless forced.

    Raises:
        ValueError: naming all that is missing.
    """
    if sources.missing and not force:
        raise ValueError(f"not published: {'; '.join(sources.missing)} (publish.force publishes it all the same)")


def read_record(path: Path) -> dict[str, Any]:
    """Read a JSON object; a file that is missing is an empty one.

    Raises:
        ValueError: the file holds something else.
    """
    return read_object(path) if path.is_file() else {}


def read_scores(config: Config, folder: Path) -> list[dict[str, Any]]:
    """Return the sets of <run_dir>/eval/scores.json in which these very weights are scored; none: not evaluated.

    Raises:
        ValueError: the file is broken.
    """
    mark = fingerprint(folder)
    return [s for s in _scored(config) if s.get("weights", {}).get(config.publish.mixture) == mark]


def _scored(config: Config) -> list[dict[str, Any]]:
    """Return the sets in which some weights of the mixture are scored.

    Raises:
        ValueError: the file is broken.
    """
    path = Path(config.run_dir) / "eval" / "scores.json"
    if not path.is_file():
        return []
    try:
        sets = json.loads(path.read_text(encoding="utf-8"))
        return [s for s in sets if any(row["system"] == config.publish.mixture for row in s["scores"])]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path}: not the scores of `selfinstruct eval` ({error!r}); run it again") from error


def _unproven(config: Config, folder: Path) -> list[str]:
    missing = []
    if not is_verified(folder):
        why = (
            "failed its verification, or was changed after it"
            if (folder / VERIFICATION_FILE).is_file()
            else "is not verified"
        )
        missing.append(f"{folder} {why}: run `selfinstruct verify`")
    if not read_scores(config, folder):
        why = "the evaluation is of other weights" if _scored(config) else "there is no evaluation of the model"
        missing.append(f"{why}: run `selfinstruct eval`")
    return missing


def _changed(folder: Path, dataset: Path | None) -> list[str]:
    """Whether the data to be published are other ones than the model was trained on, by the manifest's checksums."""
    trained = read_record(folder / "manifest.json").get("dataset", {}).get("files", [])
    if dataset is None or not trained:
        return []
    before = {file["name"]: file["sha256"] for file in trained}
    now = {
        name: sha256_of(file)
        for file in sorted(dataset.rglob("*"))
        if file.suffix in SUFFIXES and not re.search(r"(^|/)\.", name := file.relative_to(dataset).as_posix())
    }
    changed = [name for name in sorted(before | now) if before.get(name) != now.get(name)]
    return [f"{dataset / changed[0]} is not what was trained on: run `selfinstruct train` on it"] if changed else []


def _dataset(config: Config) -> Path:
    """The folder of rows that the run trains on: its own dataset, or the one that train.dataset names."""
    folder = find_dataset(config, "train.dataset", config.train.dataset)
    if not folder.is_dir():
        raise ValueError(
            f"train.dataset {str(folder)!r} is a file; put it into a folder of its own, describe that with "
            "`selfinstruct describe`, and name it"
        )
    if not (folder / "README.md").is_file():
        raise ValueError(
            f"{folder}: it has no card; run `selfinstruct describe` (with card.dataset, if not the run's own)"
        )
    return folder
