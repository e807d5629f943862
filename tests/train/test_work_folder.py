"""The work folder: what a full disk or a kill leaves of it, and that none of it is refused for ever or kept for ever."""

import resource

import pytest

from selfinstruct_train.train.plan import make_plan, read_identity
from selfinstruct_train.train.work_folder import work_folder

from .recipe import MIXTURE


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
