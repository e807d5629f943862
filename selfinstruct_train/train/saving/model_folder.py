"""Write a trained model to a folder: weights as safetensors, tokenizer, log, loss plot, manifest and identity.

The first process writes. No second copy of the weights is made on a GPU: if one process holds all of them they are cast
in place, else they are gathered on the CPU. The folder is moved to its final name by `checkpoints.put_in_place`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from ...core.model_source import model_source
from ...core.prompt_format import stop_ids
from ...core.storage import write_json
from ..checkpoints import Taken, bring_to_disk
from ..network.model import moved_to, network_of
from ..plan import IDENTITY_FILE, Plan
from .manifest import make_manifest
from .plot import plot_loss

if TYPE_CHECKING:
    from transformers import Trainer


def save_model(plan: Plan, trainer: Trainer, folder: Path, is_half: bool, taken: Taken, first_step: int) -> None:
    """Write model, tokenizer, log, plot and manifest. Every process calls it; the trainer cannot be used afterwards.

    Args:
        is_half: save the weights of full finetuning in bfloat16, the precision of the training.
        first_step: the step of the checkpoint that this command resumed from; 0: none.

    Raises:
        ValueError: there are no weights to save.
    """
    _settle_generation(plan, trainer)
    _write_weights(plan, trainer, folder, is_half and plan.config.train.method == "full")
    if not trainer.args.should_save:
        return
    # a pickle that nothing reads, and peft's empty model card
    for name in ("training_args.bin", "README.md"):
        (folder / name).unlink(missing_ok=True)
    plan.tokenizer.save_pretrained(folder)
    if plan.config.train.method != "full":
        _name_base_model(plan, folder)
    _check_weights(folder)
    history = trainer.state.log_history
    (folder / "log_history.json").write_text(json.dumps(history, indent=1) + "\n", encoding="utf-8")
    plot_loss(history, f"{plan.mixture}: {len(plan.rows)} rows, {plan.config.train.method}", folder / "loss.png")
    write_json(folder / "manifest.json", make_manifest(plan, trainer, taken, first_step))
    record = {
        "identity": plan.identity,
        "dropped": plan.dropped,
        "steps": trainer.state.global_step,
        "num_processes": trainer.accelerator.num_processes,
        "distributed_type": str(trainer.accelerator.distributed_type.value),
    }
    (folder / IDENTITY_FILE).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    bring_to_disk(folder)


def _settle_generation(plan: Plan, trainer: Trainer) -> None:
    """Let the saved model stop at the end token of the training, and use its cache."""
    network = network_of(trainer)
    network.config.use_cache = True
    settings = network.generation_config
    if settings is not None:
        ids = stop_ids(plan.tokenizer, plan.config.train.template, settings.eos_token_id, plan.config.model.path)
        settings.eos_token_id = ids if len(ids) > 1 else ids[0]


def _write_weights(plan: Plan, trainer: Trainer, folder: Path, is_half: bool) -> None:
    import torch

    network = network_of(trainer)
    if trainer.is_deepspeed_enabled:  # it gathers on the CPU, in the 16 bits that it trains in
        trainer.save_model(str(folder))
        return
    state = None
    if trainer.is_fsdp_enabled:
        state = trainer.accelerator.get_state_dict(trainer.model)
        # After gathering, a tied output layer has memory of its own and would be written twice.
        for name in getattr(network, "all_tied_weights_keys", {}):
            state.pop(name, None)
        if is_half:
            state = {name: w.to(torch.bfloat16) if w.is_floating_point() else w for name, w in state.items()}
    elif is_half:
        moved_to(network, torch.bfloat16)
    if not trainer.args.should_save:
        return
    network.save_pretrained(folder, state_dict=state)
    if network.generation_config is not None:  # peft does not save it, and it holds the stop tokens
        network.generation_config.save_pretrained(folder)
    config = folder / "config.json"
    if state is not None and is_half and config.exists():  # it was written by the network, which is still in float32
        settings = json.loads(config.read_text(encoding="utf-8"))
        config.write_text(json.dumps(settings | {"dtype": "bfloat16"}, indent=2) + "\n", encoding="utf-8")


def _name_base_model(plan: Plan, folder: Path) -> None:
    """Write the base model's name into the adapter's config: as in the run's config, but folders as absolute paths."""
    path = plan.config.model.path
    if Path(path).expanduser().exists():
        path = str(Path(model_source(path)).resolve())
    file = folder / "adapter_config.json"
    settings = json.loads(file.read_text(encoding="utf-8"))
    settings |= {"base_model_name_or_path": path, "revision": plan.config.model.revision}
    if isinstance(settings["target_modules"], list):  # a set in peft, whose order differs between processes
        settings["target_modules"] = sorted(settings["target_modules"])
    file.write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")


def _check_weights(folder: Path) -> None:
    """Refuse a model without weights, which sharded training can write (443 bytes of adapter, alpaca-lora #446)."""
    from safetensors import safe_open

    sizes = []
    for file in folder.glob("*.safetensors"):
        with safe_open(file, framework="numpy") as tensors:
            sizes += [min(tensors.get_slice(name).get_shape(), default=1) for name in tensors.keys()]  # noqa: SIM118
    if not sizes or min(sizes) == 0:
        raise ValueError(
            f"{folder}: {sizes.count(0)} of {len(sizes)} saved tensors are empty, because this launch does not "
            "gather the weights; the checkpoints stay: run the same command with another file of configs/accelerate"
        )
