"""The order of rows: whole epochs, steps at random, sorted by length inside a step, filled up for several processes."""

import itertools

from selfinstruct_train.train.data.sampler import StepSampler

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


def test_only_the_last_step_is_filled_up_and_rows_stay_in_their_steps():
    """50 rows in steps of 8: the seventh has 2; 4 processes with micro-batches of 3 take 12 together."""
    plain, filled = list(StepSampler(LENGTHS, 8, 1)), StepSampler(LENGTHS, 8, 1, multiple=12)
    assert list(filled) == [*plain[:48], *[50] * 10, *plain[48:]]
    assert len(filled) == 60
    assert len(StepSampler(LENGTHS, 8, 1, multiple=10)) == 50


def test_processes_share_the_steps_of_one_whatever_the_numbers():
    """As accelerate shares batches out: all take equally many, no row is left out, repeated or in another step."""
    from accelerate.data_loader import BatchSamplerShard
    from torch.utils.data import BatchSampler

    for rows, size, processes, accumulation in itertools.product(range(1, 20), (1, 2, 3), (2, 3), (1, 2, 3)):
        together = size * processes
        batch_size, lengths = together * accumulation, LENGTHS[:rows]
        one = list(StepSampler(lengths, batch_size, 1))
        shares = []
        for process in range(processes):
            sampler = StepSampler(lengths, batch_size, 1, multiple=together)
            batches = list(BatchSamplerShard(BatchSampler(sampler, size, False), processes, process))
            assert len(batches) == -(-rows // together)
            shares.append([batches[i : i + accumulation] for i in range(0, len(batches), accumulation)])
        steps = []
        for step in zip(*shares, strict=True):
            steps.append(sorted(row for share in step for batch in share for row in batch if row < rows))
        assert steps == [sorted(one[start : start + batch_size]) for start in range(0, rows, batch_size)]
