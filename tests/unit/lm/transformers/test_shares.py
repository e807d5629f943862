"""Cutting a call into shares: prefixes, groups and sizes by hand."""

from selfinstruct_train.lm.transformers.shares import Share, shares

A, B = list(range(100, 140)), list(range(200, 230))


def test_one_process_takes_a_call_whole_and_longest_first():
    assert shares([[1], [1, 2, 3], [1, 2]], batch_size=2) == [Share((1, 2, 0), 0)]


def test_a_prefix_leaves_every_prompt_a_token_of_its_own():
    assert shares([A, [*A, 1], A], batch_size=8) == [Share((1, 0, 2), 39)]


def test_short_common_beginnings_are_not_shared():
    assert shares([[*A[:15], 1], [*A[:15], 2]], batch_size=8) == [Share((0, 1), 0)]


def test_mixed_prefixes_get_shares_of_their_own_in_any_order():
    prompts = [[*(A if i % 2 else B), i] for i in range(20)]
    assert shares(prompts, batch_size=4) == [Share(tuple(range(1, 20, 2)), 40), Share(tuple(range(0, 20, 2)), 30)]


def test_few_rows_with_a_prefix_of_their_own_run_with_the_rest():
    prompts = [[*A, i] for i in range(9)] + [[*B, 1], [*B, 2], [7, 8]]
    assert shares(prompts, batch_size=4) == [Share(tuple(range(9)), 40), Share((9, 10, 11), 0)]


def test_exact_answers_are_cut_for_the_processes_there_are():
    prompts = [[i] for i in range(32)]
    assert [len(s.indices) for s in shares(prompts, batch_size=32, num_processes=2)] == [8, 8, 8, 8]
    assert [len(s.indices) for s in shares(prompts, batch_size=8, num_processes=1)] == [32]


def test_in_16_bits_the_number_of_processes_does_not_matter():
    for count, sizes in ((20, [8, 8, 4]), (64, [16] * 4), (256, [32] * 8)):
        prompts = [[i] for i in range(count)]
        cuts = [shares(prompts, 8, processes, is_exact=False) for processes in (1, 2, 7)]
        assert cuts[0] == cuts[1] == cuts[2]
        assert [len(s.indices) for s in cuts[0]] == sizes
