"""Two models are compared along given answers; ties, shares and differences by hand."""

import pytest
import torch

from selfinstruct_train.train.verify.compare_merged import round_weights
from selfinstruct_train.train.verify.next_tokens import (
    COMPARED_TOKENS,
    Context,
    NextTokens,
    agreement,
    largest_difference,
    next_tokens,
)
from tests.support import small_model


def told(tokens, leads, logits=(0.0, 1.0)) -> NextTokens:
    return NextTokens(tuple(tokens), tuple(leads), torch.tensor(logits))


def test_a_difference_is_a_tie_where_the_two_best_tokens_are_as_close_as_the_tolerance():
    adapter = told([7, 8, 0], [5.0, 3.0, 2.0])
    merged = told([7, 9, 0], [5.0, 0.01, 2.0])
    assert merged.differs(adapter)
    assert merged.differs_at_ties(adapter, tolerance=0.005)
    assert not merged.differs_at_ties(adapter, tolerance=0.004)
    assert not told([6, 9, 0], [5.0, 0.01, 2.0]).differs_at_ties(adapter, tolerance=0.005)  # the first is no tie
    assert not adapter.differs(told([7, 8, 0], [1.0, 1.0, 1.0]))


def test_agreement_and_difference_by_hand():
    some = [told([7], [1.0], [0.0, 1.0]), told([8], [1.0], [0.0, 2.0])]
    others = [told([7], [1.0], [0.5, 1.0]), told([9], [1.0], [0.0, 1.25])]
    assert agreement(some, others) == 0.5
    assert largest_difference(some, others) == 0.75


@pytest.fixture
def network(tmp_path):
    return small_model.make_model(tmp_path, len(small_model.make_tokenizer(tmp_path))).eval()


def test_the_likeliest_tokens_are_those_of_whole_forward_passes(network):
    prompt, answer = [70, 71, 72], [80, 81, 82, 83]
    with torch.no_grad():
        logits = network(input_ids=torch.tensor([prompt + answer])).logits[0, 2:]
    found = next_tokens(network, [Context.of(prompt, answer)], "adapter")[0]
    assert found.tokens == tuple(logits.argmax(-1).tolist())
    assert found.logits == pytest.approx(logits[0], abs=1e-5)
    best = logits.topk(2).values
    assert found.leads == pytest.approx((best[:, 0] - best[:, 1]).tolist(), abs=1e-5)


def test_a_wrong_scaling_of_the_adapter_shows_in_logits_and_tokens(network):
    import peft

    adapted = peft.get_peft_model(network, peft.LoraConfig(r=4, lora_alpha=8, target_modules=["q_proj", "down_proj"]))
    for name, parameter in adapted.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter.data, std=0.5, generator=torch.Generator().manual_seed(0))
    contexts = [Context.of([70 + n, 71], [80, 81, 82, 83, 84]) for n in range(8)]
    right = next_tokens(adapted, contexts, "adapter")
    assert agreement(right, next_tokens(adapted, contexts, "adapter")) == 1.0
    for module in adapted.modules():
        if isinstance(module, peft.tuners.lora.Linear):
            module.scaling["default"] = 1.0
    wrong = next_tokens(adapted, contexts, "adapter")
    assert agreement(right, wrong) < 0.8
    assert largest_difference(right, wrong) > 0.1


def test_only_the_first_tokens_of_an_answer_are_compared(network):
    found = next_tokens(network, [Context.of([70], [80] * 100)], "adapter")
    assert len(found[0].tokens) == COMPARED_TOKENS + 1 == 33


def test_rounded_weights_are_those_of_a_16_bit_file(network, tmp_path):
    from transformers import AutoModelForCausalLM

    network.to(torch.bfloat16).save_pretrained(tmp_path / "half")
    network = AutoModelForCausalLM.from_pretrained(tmp_path, dtype=torch.float32)
    round_weights(network, torch.bfloat16)
    published = AutoModelForCausalLM.from_pretrained(tmp_path / "half", dtype=torch.float32).state_dict()
    assert network.dtype == torch.float32
    assert all(torch.equal(tensor, published[name]) for name, tensor in network.state_dict().items())
