"""Ends of a training in this process that are as sudden as a kill."""


class Killed(BaseException):
    """Ends a training as a kill would: nothing catches it."""


def killed_after(step: int, during_save: bool = False):
    """Return Trainer callbacks that end the training after a step, or while its checkpoint is being written."""
    from transformers import TrainerCallback

    class Kill(TrainerCallback):
        def on_step_end(self, args, state, control, **kwargs):
            if state.global_step == step and not during_save:
                raise Killed

        def on_save(self, args, state, control, **kwargs):
            if state.global_step == step and during_save:
                raise Killed

    return Kill()
