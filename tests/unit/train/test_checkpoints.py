"""The work folder: what a full disk or a kill leaves of it is neither refused for ever nor kept for ever."""

import resource
import shutil

import pytest

from selfinstruct_train.train.checkpoints import delete_checkpoints, put_in_place, work_folder
from selfinstruct_train.train.plan import is_complete, make_plan, read_identity, refuse_other_training
from tests.support.train_process import MIXTURE


def test_a_disk_that_fills_at_a_resume_leaves_the_checkpoints_their_settings(make_config):
    """A file may have 16 bytes here: the lock's process number fits, the settings do not."""
    plan = make_plan(make_config(), MIXTURE)
    with work_folder(plan, 0):
        pass
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (16, before[1]))
    try:
        with pytest.raises(OSError, match="training.json: cannot be written: File too large"), work_folder(plan, 0):
            pass
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert read_identity(plan.work) == plan.identity


@pytest.mark.parametrize("killed_in", ["rename", "rmtree"])
def test_killed_while_the_checkpoints_are_deleted_the_model_is_not_refused_and_they_go_next_time(
    make_config, monkeypatch, killed_in
):
    """Killed before the deletion, or within it, when the settings are gone and a checkpoint is not."""
    plan = make_plan(make_config(), MIXTURE)

    def killed(folder, **options):
        if folder.exists():
            (folder / "training.json").unlink()
            raise KeyboardInterrupt

    with work_folder(plan, 0):
        (plan.work / "checkpoint-1").mkdir()
        (plan.work / "checkpoint-1" / "model.safetensors").write_bytes(b"weights")
        shutil.copytree(plan.work, plan.work / "finished")
        if killed_in == "rename":
            (plan.work / "finished").rename(plan.folder)
        else:
            with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
                patch.setattr(shutil, "rmtree", killed)
                put_in_place(plan, plan.work / "finished")
    refuse_other_training(plan)
    assert is_complete(plan)
    delete_checkpoints(plan)
    assert [folder.name for folder in plan.folder.parent.iterdir()] == [MIXTURE]
