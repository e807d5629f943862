"""Which files are published, laid out in <run_dir>/publish/{model,dataset} exactly as the repository will hold them.

Only what is named here is taken, so checkpoints, optimizer states, pickles and journals cannot slip in. Large files are
hard links where the file system allows it. Every text is searched for secrets, and nothing of the machine (folders,
addresses of servers) stays in what was recorded.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from ..config import Config
from ..core.model_source import TOKENIZER_FILES, fingerprint
from ..core.row_files import SUFFIXES
from ..core.secrets import find_secret
from ..core.storage import sha256_of
from ..dataset.license import model_name
from .base import as_trained, base_of, dataset_card
from .model_card import Base
from .ready import Sources, read_record, read_scores

_WEIGHTS = ("*.safetensors", "*.safetensors.index.json", "config.json", "generation_config.json", "*.py")
_ADAPTER = ("adapter_model.safetensors", "adapter_config.json")
_TOKENIZER = (
    *TOKENIZER_FILES,
    *("tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "merges.txt"),
    *("chat_template.jinja", "chat_template.json", "additional_chat_templates/*.jinja"),
)
_RECORDS = ("manifest.json", "verification.json", "training.json", "log_history.json", "loss.png")
_TEXTS = {".json", ".jsonl", ".md", ".txt", ".jinja", ".py", ".yaml"}
_PATH_IN_TEXT = re.compile(r"(?<![\w/:.])(?:/[\w.+@-]+)+/([\w.+@-]+)")
_OF_THE_MACHINE = frozenset(("server", "base_urls", "hostname", "host", "node", "user", "cwd"))
_OF_ROWS = frozenset(("samples", "stop"))
"""Texts of rows and answers: a path in them is what somebody wrote, and without it they would be other texts."""


@dataclass(frozen=True)
class File:
    """A file as it will lie in the repository."""

    path: str
    size: int
    sha256: str


def staging(config: Config, kind: str) -> Path:
    """Return the folder that shows a repository ("model" or "dataset") as it will be."""
    return Path(config.run_dir) / "publish" / kind


def stage_model(config: Config, sources: Sources) -> Path:
    """Lay out the model's files, all but its card; a LoRA adapter is merged first where the merged model goes."""
    assert sources.model is not None
    source, folder = sources.model, _emptied(staging(config, "model"))
    weights = config.publish.weights
    if not sources.is_adapter:
        _take(source, folder, _WEIGHTS)
    elif weights != "adapter":
        _take(_merged(config, source), folder, _WEIGHTS)
    if sources.is_adapter and weights != "model":
        target = folder / "adapter" if weights == "both" else folder
        _take(source, target, _ADAPTER)
        _name_base(target / "adapter_config.json", base_of(config, sources.manifest))
        if weights == "adapter":  # where it learned to stop; its base may know of another end
            _take(source, folder, ("generation_config.json",))
    _take(source, folder, _TOKENIZER)
    _take(source, folder, _RECORDS)
    if read_scores(config, source):
        _take(Path(config.run_dir), folder, ("eval/scores.json",))
    for name in (*_RECORDS, "eval/scores.json"):
        if name.endswith(".json") and (folder / name).is_file():
            _rewrite(folder / name)
    return folder


def stage_dataset(config: Config, sources: Sources) -> Path:
    """Lay out the dataset's files, its card with the repository's name and the licence as known by now."""
    assert sources.dataset is not None
    folder = _emptied(staging(config, "dataset"))
    _take(sources.dataset, folder, ("figures/*.png", "README.md"))
    for path in _files(sources.dataset):  # in folders of folders too, as the training reads them
        name = path.relative_to(sources.dataset)
        if path.suffix in SUFFIXES and not any(part.startswith(".") for part in name.parts):
            _link(path, folder / name)
    card = folder / "README.md"
    trained = as_trained(config, sources.manifest)
    text = dataset_card(card.read_text(encoding="utf-8"), trained, base_of(config, sources.manifest))
    card.unlink()  # a hard link: the run's own card stays as it is
    card.write_text(text.replace("<this repository or folder>", str(config.publish.dataset_repo)), encoding="utf-8")
    return folder


def list_files(folder: Path) -> tuple[File, ...]:
    """Return the files of a staged folder with size and checksum, by name."""
    return tuple(
        File(path.relative_to(folder).as_posix(), path.stat().st_size, sha256_of(path)) for path in _files(folder)
    )


def refuse_secrets(folder: Path, values: Mapping[str, str]) -> None:
    """Search every text of a staged folder, the cells of parquet files too, for tokens and keys.

    Args:
        values: secrets by the name of their environment variable, from `core.secrets.secret_values`.

    Raises:
        ValueError: one was found; the line names file and kind, never the secret.
    """
    for path in _files(folder):
        for text in _texts(path):
            found = find_secret(text, values)
            if found is not None:
                raise ValueError(
                    f"{path.relative_to(folder)} holds what looks like {found}; nothing was sent. Take it out of "
                    "the run's file, and withdraw it if others may have seen it"
                )


def without_machine(value: Any) -> Any:
    """Return JSON data without what tells of a machine: of a folder its last part, no servers, no host names.

    Texts of rows and answers stay as they are.
    """
    if isinstance(value, dict):
        kept = {key: entry for key, entry in value.items() if key not in _OF_THE_MACHINE}
        return {key: entry if key in _OF_ROWS else without_machine(entry) for key, entry in kept.items()}
    if isinstance(value, list):
        return [without_machine(entry) for entry in value]
    if isinstance(value, str):
        if re.match(r"(~|\.{0,2}/|[A-Za-z]:\\)\S", value) and "\n" not in value and " " not in value:
            return model_name(value)
        return _PATH_IN_TEXT.sub(lambda found: found[1], value)
    return value


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _emptied(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def _take(source: Path, folder: Path, patterns: tuple[str, ...]) -> None:
    for path in _files(source):
        name = path.relative_to(source).as_posix()
        if any(fnmatch(name, pattern) and name.count("/") == pattern.count("/") for pattern in patterns):
            _link(path, folder / name)


def _link(path: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(path.resolve(), target)
    except OSError:  # another file system, or one without hard links
        shutil.copyfile(path, target)


def _rewrite(path: Path) -> None:
    """Write a record anew without what tells of the machine; the run's own file is another one and stays."""
    value = without_machine(json.loads(path.read_text(encoding="utf-8")))
    path.unlink()
    path.write_text(json.dumps(value, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def _name_base(path: Path, base: Base) -> None:
    """Name the base in an adapter's settings with the commit that it was trained on; of a folder the name alone."""
    settings = read_record(path)
    if base.is_hub_id:
        settings |= {"base_model_name_or_path": base.name, "revision": base.revision}
    else:
        settings["base_model_name_or_path"] = Path(str(settings.get("base_model_name_or_path", ""))).name
    path.unlink()
    path.write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")


def _merged(config: Config, adapter: Path) -> Path:
    """Merge an adapter, once for its weights: the result is kept beside the staged folders, unless it is refused."""
    from ..train.verify.merge_adapter import merge_adapter
    from ..train.verify.verification import verify_merge

    folder = staging(config, "merged") / fingerprint(adapter)
    if not folder.is_dir():
        _emptied(folder.parent)
        merge_adapter(adapter, folder, trust_remote_code=config.model.trust_remote_code)
    try:
        verify_merge(folder, adapter, config)
    except ValueError:
        shutil.rmtree(folder)
        raise
    return folder


def _texts(path: Path) -> Iterator[str]:
    if path.suffix in _TEXTS:
        yield path.read_text(encoding="utf-8", errors="replace")
    elif path.suffix == ".parquet":
        import pyarrow.parquet

        for batch in pyarrow.parquet.ParquetFile(path).iter_batches():
            yield json.dumps(batch.to_pylist(), ensure_ascii=False, default=str)
