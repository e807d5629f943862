"""Greedy answers: cut at a stop token or the limit, by no other settings than ours, the same in every batch."""

import pytest

from selfinstruct_train.lm.transformers.greedy import Answer, Greedy, greedy_answers
from tests.support import small_model

PROMPTS = [[70, 71, 72, 73, 74, 75], [80, 81], [90], [70, 71, 72]]


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    folder = tmp_path_factory.mktemp("network")
    return small_model.make_model(folder, len(small_model.make_tokenizer(folder))).eval()


def by_hand(network, prompt, limit, stop_ids):
    """The likeliest token after the whole text, one after another, without cache or padding."""
    import torch

    ids = list(prompt)
    for _ in range(limit):
        with torch.no_grad():
            token = int(network(input_ids=torch.tensor([ids])).logits[0, -1].argmax())
        if token in stop_ids:
            return Answer(tuple(ids[len(prompt) :]), True)
        ids.append(token)
    return Answer(tuple(ids[len(prompt) :]), False)


@pytest.mark.parametrize("batch_size", [1, 3, 4])
def test_each_answer_is_the_likeliest_text_by_hand_in_every_batch(network, batch_size):
    free = [by_hand(network, prompt, 8, ()) for prompt in PROMPTS]
    stop_ids = (free[0].ids[3], free[1].ids[5])
    expected = [by_hand(network, prompt, 8, stop_ids) for prompt in PROMPTS]
    assert {answer.stopped for answer in expected} == {True, False}
    assert greedy_answers(network, PROMPTS, Greedy(8, stop_ids, batch_size), "cpu") == expected


def test_the_models_own_generation_settings_are_left_aside_and_come_back(network):
    import peft
    from transformers import GenerationConfig

    expected = greedy_answers(network, PROMPTS, Greedy(8, (0,), 4), "cpu")
    own = GenerationConfig(repetition_penalty=5.0, no_repeat_ngram_size=1, do_sample=True, eos_token_id=[70])
    before, network.generation_config = network.generation_config, own
    try:
        assert greedy_answers(network, PROMPTS, Greedy(8, (0,), 4), "cpu") == expected
        assert network.generation_config is own
        adapted = peft.get_peft_model(network, peft.LoraConfig(r=2, target_modules=["q_proj"]))
        assert greedy_answers(adapted, PROMPTS, Greedy(8, (0,), 4), "cpu") == expected  # a fresh adapter adds nothing
        assert adapted.generation_config is own and network.generation_config is own
    finally:
        network.generation_config = before
