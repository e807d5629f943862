"""Full memory, full disks, and refusals that all processes must share: one line with the remedy."""

import errno

import pytest

from selfinstruct_train.config import LoraSettings
from selfinstruct_train.train import checkpoints, trainer
from selfinstruct_train.train.failures import first_does, in_one_line
from selfinstruct_train.train.plan import make_plan
from selfinstruct_train.train.trainer import train
from tests.support.train_process import MIXTURE


def line_of(plan, error: BaseException) -> str:
    with pytest.raises(ValueError, match=r"\S") as raised, in_one_line(plan):
        raise error
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_a_full_gpu_is_told_with_what_would_help(make_config):
    import torch

    error = torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.\nGPU 0 has a total capacity of ...")
    line = line_of(make_plan(make_config(), MIXTURE), error)
    assert "memory ran out (CUDA out of memory)" in line
    for remedy in (
        *("train.per_device_batch_size below 4", "train.activation_checkpointing: on", "configs/accelerate/fsdp2.yaml"),
        *("train.max_length below 128", "train.method: lora or qlora"),
    ):
        assert remedy in line
    config = make_config(method="qlora", per_device_batch_size=1, activation_checkpointing="on", lora=LoraSettings())
    line = line_of(make_plan(config, MIXTURE), error)
    assert "per_device_batch_size" not in line
    assert "train.method" not in line
    assert "activation_checkpointing" not in line


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        OSError(errno.EDQUOT, "Disk quota exceeded"),
        RuntimeError("[enforce fail at inline_container.cc:672] . unexpected pos 576 vs 534"),
        Exception("Error while serializing: I/O error: No space left on device (os error 28)"),  # safetensors' own
    ],
)
def test_a_full_disk_is_told_whoever_wrote(make_config, error):
    plan = make_plan(make_config(), MIXTURE)
    (plan.work / "checkpoint-7").mkdir(parents=True)
    (plan.work / "checkpoint-7" / "whole").touch()
    line = line_of(plan, error)
    assert line.startswith(f"{plan.work}: it could not be written, because the disk or your quota is full (")
    assert line.endswith("make room, then the same command goes on from checkpoint-7")


def test_other_errors_pass_as_they_are(make_config):
    plan = make_plan(make_config(), MIXTURE)
    with pytest.raises(RuntimeError, match="shape mismatch"), in_one_line(plan):
        raise RuntimeError("shape mismatch")
    with pytest.raises(OSError, match="Permission denied"), in_one_line(plan):
        raise PermissionError(errno.EACCES, "Permission denied")


def test_too_full_a_disk_is_refused_before_training(make_config, monkeypatch):
    """36,528 parameters, 12 bytes each, three checkpoints: 1.3 MB."""
    plan = make_plan(make_config(max_steps=2), MIXTURE)
    usage = type("Usage", (), {"free": 1_000_000})()
    monkeypatch.setattr(checkpoints.shutil, "disk_usage", lambda path: usage)
    with pytest.raises(ValueError, match="3 checkpoints of about .* GB free; make room, or choose another run_dir"):
        train(plan)
    assert not list(plan.work.glob("checkpoint-*"))
    usage.free = 3_000_000
    train(plan)


def test_a_disk_without_locks_is_trained_on_with_a_warning(make_config, monkeypatch, caplog):
    def flock(*args) -> None:
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr(checkpoints.fcntl, "flock", flock)
    plan = make_plan(make_config(), MIXTURE)
    with checkpoints.work_folder(plan, 1):
        assert "this disk has no locks ([Errno 38] Function not implemented)" in caplog.text
        assert (plan.work / "lock").exists()


def test_a_full_disk_at_the_final_save_keeps_the_last_checkpoint(make_config, monkeypatch):
    plan = make_plan(make_config(max_steps=4, save_steps=2), MIXTURE)
    with monkeypatch.context() as patch:
        patch.setattr("selfinstruct_train.train.saving.model_folder.plot_loss", fails_for_want_of_space)
        with pytest.raises(ValueError, match="full .* then the same command goes on from checkpoint-4"):
            train(plan)
    assert not plan.folder.exists()
    assert train(plan).steps == 4


def fails_for_want_of_space(*args) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_an_adapter_without_weights_is_never_put_in_place(make_config, monkeypatch):
    """As sharded training once left it: a file of 443 bytes."""
    import peft
    import torch

    plan = make_plan(make_config(method="lora", max_steps=2), MIXTURE)
    save = peft.PeftModel.save_pretrained

    def save_nothing(self, folder, *args, **kwargs):
        is_final = str(folder).endswith("finished")
        state = {name: torch.empty(0) for name in self.state_dict() if "lora" in name} if is_final else None
        return save(self, folder, **(kwargs | {"state_dict": state}))

    monkeypatch.setattr(peft.PeftModel, "save_pretrained", save_nothing)
    with pytest.raises(ValueError, match="28 of 28 saved tensors are empty"):
        train(plan)
    assert not plan.folder.exists()
    assert (plan.work / "checkpoint-2" / "whole").exists()


def test_what_the_first_process_refuses_is_raised():
    def refuse() -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(ValueError, match="No space left on device"):
        first_does(refuse)
    done = []
    first_does(lambda: done.append(1))
    assert done == [1]


def test_training_is_told_to_be_elsewhere_if_a_model_appeared_meanwhile(make_config, monkeypatch):
    plan = make_plan(make_config(max_steps=2), MIXTURE)
    train(plan)
    with pytest.raises(ValueError, match="has just been trained by another command; run your command again"):
        trainer.train(plan)
