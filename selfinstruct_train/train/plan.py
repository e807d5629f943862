"""The plan of one training, made before the model is loaded: the encoded rows, the folders, the identity.

The identity is everything that decides the trained weights: settings, seed, base model, data. It is stored beside the
model and the checkpoints, so that a finished training is not repeated and a checkpoint of another one is not resumed.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..config import RENAMED, Config, TrainConfig
from ..core.model_source import fingerprint, model_source
from ..core.prompt_format import embeddings_needed
from ..core.records import Row
from .data.encode import EncodedRow, Encoding, encode_rows
from .data.rows import read_training_rows
from .data.split import check_best_by, split_validation
from .network.model import context_length, load_tokenizer

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

IDENTITY_FILE = "training.json"
_NOT_IDENTITY = (
    *("mixtures", "per_device_batch_size", "dataset", "attention", "activation_checkpointing"),
    *("report_to", "max_hours", "allow"),
)
"""Settings that do not decide the weights; the data enters by its content, not by its path."""
_WITH_VALIDATION = ("save_steps", "best_by")
"""Settings that decide the weights only if there are validation rows, by which the best checkpoint is chosen."""
_STORED_NAMES = {"validation_rows": "held_out"}
"""Settings that were renamed; an identity of format 2 keeps the name that stored runs have."""


@dataclass(frozen=True)
class Plan:
    """One mixture's training. `folder` is where its model goes, `work` where its checkpoints are until then."""

    config: Config
    mixture: str
    source_rows: tuple[Row, ...]
    """The training rows as they were read, without the validation rows; `encoding` refers to them by index."""
    encoding: Encoding
    validation_rows: tuple[Row, ...]
    tokenizer: PreTrainedTokenizerBase
    identity: dict[str, Any]
    folder: Path
    work: Path

    @property
    def rows(self) -> tuple[EncodedRow, ...]:
        """The encoded training rows."""
        return self.encoding.rows

    @property
    def embeddings_needed(self) -> int:
        """The number of embeddings that the tokenizer and the rows need."""
        return max(embeddings_needed(self.tokenizer), *(max(row.input_ids) + 1 for row in self.rows))

    @property
    def dropped(self) -> dict[str, int]:
        """The number of dropped rows, by reason."""
        return {reason: len(numbers) for reason, numbers in self.encoding.dropped.items()}


def make_plan(config: Config, mixture: str) -> Plan:
    """Read and encode the rows of a mixture, and choose the folder of its model.

    Raises:
        ValueError: the data, the model's files or the settings are not fit for training.
    """
    rows, validation_rows = split_validation(
        read_training_rows(config, mixture), config.train.validation_rows, config.seed
    )
    check_best_by(config.train, validation_rows)
    tokenizer = load_tokenizer(config.model)
    encoding = encode_rows(rows, tokenizer, within_context(config), config.seed)
    models = Path(config.run_dir) / "model"
    return Plan(
        config=config,
        mixture=mixture,
        source_rows=tuple(rows),
        encoding=encoding,
        validation_rows=tuple(validation_rows),
        tokenizer=tokenizer,
        identity=_identity(config, mixture, encoding.rows, validation_rows),
        folder=models / mixture,
        work=models / f".training-{mixture}",
    )


def within_context(config: Config) -> TrainConfig:
    """Return the settings of a training with max_length lowered to the model's context length."""
    train = config.train
    return dataclasses.replace(
        train, max_length=min(train.max_length, context_length(config.model) or train.max_length)
    )


def is_complete(plan: Plan) -> bool:
    """Return whether the model folder holds the result of exactly this plan."""
    return read_identity(plan.folder) == plan.identity


def refuse_other_training(plan: Plan) -> None:
    """Refuse to overwrite the model or the checkpoints of another training.

    Raises:
        ValueError: it names the settings that differ.
    """
    for folder, what in ((plan.folder, "a model"), (plan.work, "checkpoints")):
        found = read_identity(folder)
        is_other = found is not None and found != plan.identity
        is_unknown = found is None and folder.exists() and (folder == plan.folder or any(folder.glob("checkpoint-*")))
        if is_other or is_unknown:
            changed = ", ".join(differing(found, plan.identity)) if found else "it does not record its settings"
            raise ValueError(
                f"{folder} holds {what} of another training (different: {changed}); undo that, delete the folder, or "
                "choose another run_dir"
            )


def read_identity(folder: Path) -> dict[str, Any] | None:
    """Read the identity of the training that wrote a folder; None: it has none."""
    try:
        content = json.loads((folder / IDENTITY_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return content["identity"] if isinstance(content, dict) and isinstance(content.get("identity"), dict) else None


def differing(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """Return the dotted names of the entries in which two identities differ, settings by their present names."""
    names: list[str] = []
    for key in sorted(old.keys() | new.keys()):
        before, after = old.get(key), new.get(key)
        if before != after:
            if isinstance(before, dict) and isinstance(after, dict):
                names += [f"{key}.{name}" for name in differing(before, after)]
            else:
                names.append(key)
    return [RENAMED.get(name, name) for name in names]


def _identity(
    config: Config, mixture: str, rows: tuple[EncodedRow, ...], validation_rows: Sequence[Row]
) -> dict[str, Any]:
    left_out = {
        *_NOT_IDENTITY,
        *(() if validation_rows else _WITH_VALIDATION),
        *(["lora"] if config.train.method == "full" else []),
    }
    source = Path(model_source(config.model.path))
    identity = {
        "format": 2,
        "mixture": mixture,
        "seed": config.seed,
        "model": config.model.path,
        "model_revision": fingerprint(source) if source.exists() else config.model.revision,
        "train": {_STORED_NAMES.get(k, k): v for k, v in dataclasses.asdict(config.train).items() if k not in left_out},
        "rows": len(rows),
        "data_sha256": _digest([row.input_ids, row.labels] for row in rows),
    }
    if validation_rows:
        identity["held_out_sha256"] = _digest([row.instruction, row.input, row.output] for row in validation_rows)
    return identity


def _digest(records: Iterable[list[Any]]) -> str:
    digest = hashlib.sha256()
    for record in records:
        digest.update(json.dumps(record).encode("ascii"))
    return digest.hexdigest()
