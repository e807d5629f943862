"""Check the saved weights of a training, read from their files one tensor after another.

The files must be complete, every number finite, and training must have changed them. No model is built and two models
are never in memory at once, so it works for large models; only a base in a GGUF file is loaded, because transformers
dequantises it. How the model answers is checked in `answers`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...config import Config, ModelConfig
from ...core.gguf import gguf_file
from ...core.model_source import model_source
from ...lm.transformers.pretrained import load_pretrained_network
from ..arguments import make_lora
from ..checks.findings import Finding
from ..network.model import make_skeleton

if TYPE_CHECKING:
    from torch import Tensor

ADAPTER, FULL, INDEX = "adapter_model.safetensors", "model.safetensors", "model.safetensors.index.json"
PICKLES = (".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt")
RETRAIN = "delete this folder and train again (`selfinstruct train`)"
UNTRAINED = "the model was not trained: look at train.learning_rate and at loss.png, delete this folder and train again"


def is_adapter(folder: Path) -> bool:
    """Return whether a model folder holds a LoRA adapter, not a full model."""
    return (folder / "adapter_config.json").exists()


def check_files(folder: Path) -> Finding:
    """Check that all files are complete, and that none is a pickle."""
    from safetensors import SafetensorError, safe_open

    check = "weights_whole"
    pickles = [file.name for file in sorted(folder.rglob("*")) if file.suffix in PICKLES]
    if pickles:
        remedy = "delete the file; nothing needs it"
        return _error(check, "a file holds pickled objects, which run code when they are read", pickles[0], remedy)
    try:
        files = [folder / ADAPTER] if is_adapter(folder) else weight_files(folder)
        found: set[str] = set()
        for file in files:
            with safe_open(file, framework="pt") as tensors:  # compares the header with the file's size
                found |= set(tensors.keys())
    except (SafetensorError, OSError, ValueError) as failure:
        return _error(check, "the weights are incomplete or missing", " ".join(str(failure).split())[:200], RETRAIN)
    if (folder / INDEX).exists():
        lost = sorted(json.loads((folder / INDEX).read_text(encoding="utf-8"))["weight_map"].keys() - found)
        if lost:
            return _error(check, "the index names tensors that no file holds", lost[0], RETRAIN)
    size = sum(file.stat().st_size for file in files)
    return Finding(check, "ok", f"{len(found)} tensors in {len(files)} safetensors files, {size:,} bytes; no pickle")


def check_finite(folder: Path) -> Finding:
    """Check that every number of a full model is finite."""
    import torch

    finite = {name: bool(torch.isfinite(tensor).all()) for name, tensor in read_tensors(weight_files(folder))}
    return _finite(tuple(name for name in finite if not finite[name]), len(finite))


def check_full(folder: Path, model: ModelConfig) -> list[Finding]:
    """Check that every number of a full model is finite, and that its weights differ from the base's."""
    check = "weights_changed"
    with _base_tensors(model) as base:
        result = _compare(weight_files(folder), base)
    findings = [_finite(result.not_finite, result.tensors)]
    if not result.compared:
        what = "no tensor has the name of one of the base's, so nothing can be compared"
        return [*findings, _error(check, what, "", "set model.path to the model that was trained")]
    what = f"{result.changed} of {result.compared} tensors differ from the base's, by {result.largest:.2g} at most"
    if not result.changed:
        return [*findings, _error(check, what, "", UNTRAINED)]
    if result.changed * 2 < result.compared:
        remedy = "most updates were lost: raise train.learning_rate or train longer"
        return [*findings, Finding(check, "warning", what, remedy=remedy)]
    return [*findings, Finding(check, "ok", what)]


def check_adapter(folder: Path, config: Config) -> list[Finding]:
    """Check that an adapter has every matrix of the settings, all finite, and that it changes the model."""
    import torch

    check = "weights_changed"
    changes: dict[str, bool] = {}
    not_finite = []
    for name, tensor in read_tensors([folder / ADAPTER]):
        changes[name] = bool(torch.count_nonzero(tensor))
        if not torch.isfinite(tensor).all():
            not_finite.append(name)
    findings = [_finite(tuple(not_finite), len(changes))]
    expected = _expected_matrices(config)
    missing = sorted(expected - changes.keys())
    if missing:
        size = (folder / ADAPTER).stat().st_size
        what = f"the adapter ({size:,} bytes) lacks {len(missing)} of the {len(expected)} matrices of train.lora"
        remedy = f"it was saved without its weights, or with other settings; {RETRAIN}"
        return [*findings, _error(check, what, missing[0], remedy)]
    outer = sorted(name for name in expected if ".lora_B." in name)
    zero = [name for name in outer if not changes[name]]
    what = f"{len(outer) - len(zero)} of {len(outer)} adapted modules change something (B is not zero)"
    if len(zero) == len(outer):
        return [*findings, _error(check, what, zero[0], UNTRAINED)]
    if zero:
        remedy = "these modules learned nothing: train longer, or leave them out of train.lora.target_modules"
        return [*findings, Finding(check, "warning", what, example=zero[0], remedy=remedy)]
    return [*findings, Finding(check, "ok", what)]


def weight_files(folder: Path, model: ModelConfig | None = None) -> list[Path]:
    """Return a model's safetensors files as `from_pretrained` finds them: by the index, or the single file.

    Args:
        model: the config of a base that may be on the Hub, whose files come from the cache.

    Raises:
        ValueError: a file is missing.
    """
    import huggingface_hub
    from huggingface_hub.errors import EntryNotFoundError

    is_local = model is None or folder.is_dir()

    def get(name: str) -> Path | None:
        if is_local:
            return folder / name if (folder / name).exists() else None
        assert model is not None
        try:
            return Path(huggingface_hub.hf_hub_download(model.path, name, revision=model.revision))
        except (EntryNotFoundError, FileNotFoundError):
            return None

    index = get(INDEX)
    names = (
        [FULL] if index is None else sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
    )
    files = {name: get(name) for name in names}
    lacking = [name for name, file in files.items() if file is None]
    if lacking:
        raise ValueError(f"{folder if is_local else model and model.path}: {lacking[0]} is missing")
    return [file for file in files.values() if file is not None]


def read_tensors(files: list[Path]) -> Iterator[tuple[str, Tensor]]:
    """Yield (name, tensor) of safetensors files, one after another."""
    from safetensors import safe_open

    for file in files:
        with safe_open(file, framework="pt") as tensors:
            for name in tensors.keys():  # noqa: SIM118 (no mapping)
                yield name, tensors.get_tensor(name)


def _error(check: str, what: str, example: str, remedy: str) -> Finding:
    return Finding(check, "error", what, example=example, remedy=remedy)


def _finite(not_finite: tuple[str, ...], total: int) -> Finding:
    check = "weights_finite"
    if not not_finite:
        return Finding(check, "ok", f"every number of {total} tensors is finite")
    what = f"{len(not_finite)} of {total} tensors hold numbers that are not finite (NaN or infinite)"
    remedy = "training diverged: lower train.learning_rate, or set train.precision to float32, and train again"
    return _error(check, what, not_finite[0], remedy)


@dataclass(frozen=True)
class _Comparison:
    tensors: int
    compared: int
    changed: int
    largest: float
    not_finite: tuple[str, ...]


@contextmanager
def _base_tensors(model: ModelConfig) -> Iterator[dict[str, Callable[[], Tensor]]]:
    """Yield for each tensor of the base, by name, the function that reads it."""
    import torch
    from safetensors import safe_open

    source = model_source(model.path)
    if gguf_file(source) is not None:
        weights = load_pretrained_network(source, dtype=torch.float32).state_dict()
        yield {name: weights[name].detach for name in weights}
        return
    with ExitStack() as stack:
        readers: dict[str, Callable[[], Tensor]] = {}
        for file in weight_files(Path(source), model):
            opened: Any = stack.enter_context(safe_open(file, framework="pt"))
            readers |= {name: partial(opened.get_tensor, name) for name in opened.keys()}  # noqa: SIM118 (no mapping)
        yield readers


def _compare(trained: list[Path], base: Mapping[str, Callable[[], Tensor]]) -> _Comparison:
    """Compare tensors by name, in the trained weights' dtype; some checkpoints omit the first part of a name."""
    import torch

    tensors, compared, changed, largest, not_finite = 0, 0, 0, 0.0, []
    for name, tensor in read_tensors(trained):
        tensors += 1
        if not torch.isfinite(tensor).all():
            not_finite.append(name)
        base_name = name if name in base else name.partition(".")[2]
        if base_name not in base:
            continue
        compared += 1
        before = base[base_name]()
        if before.shape != tensor.shape:
            changed += 1
        elif not torch.equal(before := before.to(tensor.dtype), tensor):
            changed += 1
            largest = max(largest, float((before.float() - tensor.float()).abs().max()))
    return _Comparison(tensors, compared, changed, largest, tuple(not_finite))


def _expected_matrices(config: Config) -> set[str]:
    """Return the names of an adapter's A and B matrices by the run's settings, without weights."""
    import peft

    plain = replace(config, train=replace(config.train, lora=replace(config.train.lora, use_dora=False)))
    lora = make_lora(plain)
    assert lora is not None, "an adapter of full finetuning"
    adapted = peft.get_peft_model(make_skeleton(config.model), lora)
    return set(peft.get_peft_model_state_dict(adapted, save_embedding_layers=False))
