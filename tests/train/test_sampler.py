"""The order of rows: whole epochs, steps at random, sorted by length inside a step."""

from selfinstruct_train.train.sampler import StepSampler

LENGTHS = [(7 * i) % 23 + 1 for i in range(50)]


def test_an_epoch_holds_every_row_once():
    assert sorted(StepSampler(LENGTHS, 8, 1)) == list(range(50))
    assert len(StepSampler(LENGTHS, 8, 1)) == 50


def test_rows_of_a_step_stand_by_length_and_steps_are_mixed():
    order = list(StepSampler(LENGTHS, 8, 1))
    steps = [[LENGTHS[i] for i in order[start : start + 8]] for start in range(0, 50, 8)]
    assert all(step == sorted(step) for step in steps)
    assert all(step[-1] - step[0] > 8 for step in steps[:-1])


def test_epochs_differ_and_can_be_entered_at_any():
    sampler = StepSampler(LENGTHS, 8, 1)
    first, second, third = list(sampler), list(sampler), list(sampler)
    assert first != second != third
    assert list(StepSampler(LENGTHS, 8, 1, first_epoch=1)) == second
    sampler.set_epoch(0)
    assert list(sampler) == first
    assert list(StepSampler(LENGTHS, 8, 2)) != first
