"""Shares of tasks, and what a sampler keeps of a stream."""

from collections import Counter

import pytest

from selfinstruct_train.dataset.balanced import Sampler, shares


@pytest.mark.parametrize(
    ("counts", "total", "expected"),
    [
        ([2, 50, 50], 20, [2, 9, 9]),
        ([50, 2, 50], 21, [9, 2, 10]),  # the odd one goes to a large task
        ([5, 5], 100, [5, 5]),
        ([9, 9, 9], 3, [1, 1, 1]),
        ([1, 4, 100], 30, [1, 4, 25]),
    ],
)
def test_a_total_is_shared_as_evenly_as_the_counts_allow(counts, total, expected):
    assert shares(counts, total) == expected


def test_a_sampler_keeps_no_more_than_it_may_and_counts_what_it_skips():
    sampler = Sampler(max_rows=1000, max_per_task=3, seed=1)
    for task in ("a", "b"):
        sampler.open(task)
        for number in range(500):
            sampler.add(task, ("do", str(number), "x") if number % 2 else "empty")
            assert len(sampler.rows[task]) <= 3
    drawn = sampler.draw()
    assert {task: len(instances) for task, instances in drawn.items()} == {"a": 3, "b": 3}
    assert all(str(position) == texts[1] for instances in drawn.values() for position, texts in instances)
    assert [position for position, _ in drawn["a"]] == sorted(position for position, _ in drawn["a"])
    assert drawn["a"] != drawn["b"]  # each task draws from a seed of its own
    assert (sampler.num_read, dict(sampler.skipped)) == (1000, {"empty": 500})


@pytest.mark.parametrize("interleaved", [False, True])
def test_of_many_large_tasks_little_is_in_memory_and_every_instance_is_as_likely(interleaved):
    def drawn(seed: int) -> dict[str, list[int]]:
        sampler = Sampler(max_rows=12, max_per_task=None, seed=seed)
        sizes = {"small": 1, **{f"large {n}": 20 for n in range(5)}}
        stream = [(task, n) for task, size in sizes.items() for n in range(size)]
        for task, n in sorted(stream, key=lambda row: row[1]) if interleaved else stream:
            sampler.open(task)
            sampler.add(task, ("do", str(n), "x"))
            assert sum(map(len, sampler.rows.values())) <= 24
        return {task: [position for position, _ in instances] for task, instances in sampler.draw().items()}

    assert sorted(map(len, drawn(0).values())) == [1, 2, 2, 2, 2, 3]
    counts = Counter((task, n) for seed in range(1000) for task, numbers in drawn(seed).items() for n in numbers)
    assert len(counts) == 101
    for (task, _), count in counts.items():
        # 2 of 20 in 1,000 draws: 100 expected, standard deviation 9.5; of the last task 3: 150 and 11.3; five of them
        low, high = {"small": (1000, 1000), "large 4": (93, 207)}.get(task, (52, 148))
        assert low <= count <= high, (task, count)


def test_nothing_to_draw_from_is_told_with_the_reasons():
    sampler = Sampler(max_rows=10, max_per_task=None, seed=1)
    sampler.open("a")
    sampler.add("a", "empty")
    with pytest.raises(ValueError, match=r"a: no instance makes a row \(\{'empty': 1\}\)"):
        sampler.draw()
