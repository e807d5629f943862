"""What `selfinstruct publish` prints: what goes where, file by file, and how to load what was published.

Text alone, made of what it is given and of the run's record of what is published (published.json).
"""

from __future__ import annotations

from pathlib import Path

from ..config import Config
from .base import as_trained, base_license, base_of
from .contents import File
from .ready import Sources
from .upload import Kind, Published, known_commit

_DRY_RUN = "dry run: nothing was sent; --publish.push true uploads it"


def listing(config: Config, kind: Kind, folder: Path, files: tuple[File, ...]) -> str:
    """Return the files of a staged folder under a line that names its repository."""
    publish = config.publish
    repo = publish.model_repo if kind == "model" else publish.dataset_repo
    visibility = "private" if publish.private else "public"
    width = max(len(file.path) for file in files)
    digits = len(f"{max(file.size for file in files):,}")
    lines = [f"{kind} -> {repo}, branch {publish.revision}, {visibility}"]
    lines += [f"  {file.path:<{width}}  {file.size:>{digits},} bytes  sha256 {file.sha256[:12]}" for file in files]
    lines.append(f"  {len(files)} files, {sum(file.size for file in files):,} bytes; card: {folder / 'README.md'}")
    commit = known_commit(config, kind, files)
    if commit is not None:
        lines.append(f"  the same as published before in commit {commit}")
    return "\n".join(lines)


def dry_run(config: Config, sources: Sources) -> str:
    """Return the end of a dry run: that nothing was sent, and what only the push will find out."""
    base = base_of(config, sources.manifest)
    known = base_license(as_trained(config, sources.manifest), base)
    if config.card.license is not None or known is not None or not base.is_hub_id:
        return _DRY_RUN
    return f"the licence of {base.name} is not known here: the push looks it up on the Hub\n{_DRY_RUN}"


def outcome(published: Published, config: Config) -> str:
    """Return what became of an upload, with the line of Python that loads exactly it."""
    state = "published" if published.is_new else "already there, no new commit"
    visibility = "private" if published.private else "public"
    where = f"{published.repo}, branch {published.branch}, {visibility}"
    return f"{published.kind}: {state}: {where}: commit {published.commit}\n  {load_line(published, config)}"


def load_line(published: Published, config: Config) -> str:
    """Return the Python that loads exactly this commit."""
    pinned = f'"{published.repo}", revision="{published.commit}"'
    if published.kind == "dataset":
        return f'load_dataset({pinned}, split="train")'
    if config.publish.weights == "adapter":
        return f"PeftModel.from_pretrained(base, {pinned})"
    return f"AutoModelForCausalLM.from_pretrained({pinned})"
