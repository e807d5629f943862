"""Chat templates in the manner of published models: trained ids are inference's, the end of the turn is learnt."""

from dataclasses import replace

import pytest

from selfinstruct_train.config import TrainConfig
from selfinstruct_train.core.prompt_format import end_id, question, question_ids, stop_ids
from selfinstruct_train.core.records import Row
from selfinstruct_train.train.checks.devices import Devices
from selfinstruct_train.train.checks.doctor import check_plan
from selfinstruct_train.train.checks.estimate import Estimate
from selfinstruct_train.train.data.encode import encode_rows
from selfinstruct_train.train.plan import make_plan
from tests.support import small_model
from tests.support.tokenizers_of_types import TYPES

OPEN = "{% if add_generation_prompt %}"
# name: type of tokenizer, the tokens it adds, the token that ends a turn, template (our own, in that manner)
STYLES = {
    "chatml": (
        *("gpt2", ("<|im_start|>", "<|im_end|>"), "<|im_end|>"),
        "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
        + OPEN
        + "<|im_start|>assistant\n{% endif %}",
    ),
    "llama2": (
        *("llama2_legacy", (), "</s>"),
        "{% for m in messages %}{% if m.role == 'user' %}{{ bos_token + '[INST] ' + m.content.strip() + ' [/INST]' }}"
        "{% else %}{{ ' ' + m.content.strip() + ' ' + eos_token }}{% endif %}{% endfor %}",
    ),
    "llama3": (
        *("llama3", ("<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"), "<|eot_id|>"),
        "{{ bos_token }}{% for m in messages %}{{ '<|start_header_id|>' + m.role + '<|end_header_id|>\n\n' + "
        "m.content | trim + '<|eot_id|>' }}{% endfor %}"
        + OPEN
        + "{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}",
    ),
    "mistral": (
        *("llama2", ("[INST]", "[/INST]"), "</s>"),
        "{{ bos_token }}{% for m in messages %}{% if m.role == 'user' %}{{ '[INST] ' + m.content + '[/INST]' }}"
        "{% else %}{{ ' ' + m.content | trim + eos_token }}{% endif %}{% endfor %}",
    ),
    "gemma": (
        *("llama2", ("<start_of_turn>", "<end_of_turn>"), "<end_of_turn>"),
        "{{ bos_token }}{% for m in messages %}{{ '<start_of_turn>' + ('model' if m.role == 'assistant' else m.role) + "
        "'\n' + m.content | trim + '<end_of_turn>\n' }}{% endfor %}"
        + OPEN
        + "{{ '<start_of_turn>model\n' }}{% endif %}",
    ),
    "qwen3": (
        *("gpt2", ("<|im_start|>", "<|im_end|>", "<think>", "</think>"), "<|im_end|>"),
        "{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' }}{% if m.role == 'assistant' and loop.last %}"
        "{{ '<think>\n\n</think>\n\n' }}{% endif %}{{ m.content.split('</think>')[-1] + '<|im_end|>\n' }}{% endfor %}"
        + OPEN
        + "{{ '<|im_start|>assistant\n' }}{% if enable_thinking is defined and enable_thinking is false %}"
        "{{ '<think>\n\n</think>\n\n' }}{% endif %}{% endif %}",
    ),
    "zephyr": (
        *("llama2_legacy", (), "</s>"),
        "{% for m in messages %}\n{% if m.role == 'user' %}\n{{ '<|user|>\n' + m.content + eos_token }}\n{% else %}\n"
        "{{ '<|assistant|>\n' + m.content + eos_token }}\n{% endif %}\n{% if loop.last and add_generation_prompt %}\n"
        "{{ '<|assistant|>' }}\n{% endif %}\n{% endfor %}",
    ),
    "phi3": (
        *("llama2_legacy", ("<|user|>", "<|assistant|>", "<|end|>"), "<|end|>"),
        "{% for m in messages %}{{ '<|' + m.role + '|>\n' + m.content + '<|end|>\n' }}{% endfor %}"
        + OPEN
        + "{{ '<|assistant|>\n' }}{% else %}{{ eos_token }}{% endif %}",
    ),
}
ROWS = (Row("", "Do b.", "a b", "Say a.\n\n1. b"), Row("", "Do b.", "", "<b>\nhm\n</b>"), Row("", "Do b", " x", "b"))


@pytest.mark.parametrize("style", STYLES)
def test_training_has_the_ids_of_inference_and_ends_where_the_template_ends_a_turn(style):
    kind, added, end, template = STYLES[style]
    tokenizer = TYPES[kind]()
    tokenizer.add_special_tokens({"additional_special_tokens": list(added)})
    tokenizer.chat_template = template
    assert tokenizer.convert_ids_to_tokens(end_id(tokenizer, "chat", "")) == end
    assert tokenizer.convert_ids_to_tokens(stop_ids(tokenizer, "chat", None)) == list(dict.fromkeys([end, "</s>"]))
    rows = encode_rows(ROWS, tokenizer, TrainConfig(template="chat", max_length=500), seed=1).rows
    for row, source in zip(rows, ROWS, strict=True):
        asked = question_ids(tokenizer, *question(source.instruction, source.input, "chat"), "")
        assert list(row.input_ids[: len(asked)]) == asked
        assert set(row.labels[: len(asked)]) == {-100}
        assert row.labels[len(asked) :] == row.input_ids[len(asked) :]
        assert row.labels[-1] == tokenizer.convert_tokens_to_ids(end)
        answer = tokenizer.decode(row.labels[len(asked) : -1], clean_up_tokenization_spaces=False)
        assert answer.strip() == source.output
        assert row.input_ids.count(tokenizer.bos_token_id) == ("bos_token" in template)


@pytest.mark.parametrize("style", STYLES)
def test_the_doctor_finds_no_fault_in_it(style, make_config, tmp_path):
    _, added, _, template = STYLES[style]
    tokenizer = small_model.make_tokenizer(tmp_path, bos=True)
    tokenizer.add_special_tokens({"additional_special_tokens": list(added), "pad_token": "<|pad|>"})
    tokenizer.chat_template = template
    tokenizer.save_pretrained(tmp_path)
    small_model.make_model(tmp_path, 400)
    config = make_config(template="chat", max_length=256)
    config = replace(config, model=replace(config.model, path=str(tmp_path)))
    plan = make_plan(config, "seeds+generated")
    devices, expected = Devices("H100", 1, 80 * 2**30, 989e12), Estimate({"weights": 4000}, 10, 60.0)
    found = check_plan(plan, {}, expected, devices)
    assert {finding.check: finding.what for finding in found if finding.level != "ok"} == {}
