"""The reward model: a score is the classifier's own logit for the row alone; what is no reward model is refused."""

from pathlib import Path

import pytest

from selfinstruct_train.config import ModelConfig
from selfinstruct_train.core.records import Request, Sampling
from selfinstruct_train.lm.reward import load_reward_model
from tests.support.small_reward import make_reward_model

TEXTS = [
    "Say hi.\n\n\nhi",
    "Add.\n1 2\n\n3",
    "Add.\n4 4\n\n8",
    "Sort the words.\nred blue\n\nblue red",
    "Say no.\n\n\nno",
]
REQUESTS = [Request(str(i), text) for i, text in enumerate(TEXTS)]


def load(folder: Path, batch_size: int = 2):
    return load_reward_model(ModelConfig(str(folder), device="cpu", batch_size=batch_size))


@pytest.mark.parametrize("decoder", [False, True])
def test_the_score_is_the_models_own_logit_for_the_text_alone(tmp_path, decoder):
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    folder = make_reward_model(tmp_path, decoder=decoder)
    network = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    with torch.inference_mode():
        alone = [network(**tokenizer(text, return_tensors="pt")).logits.item() for text in TEXTS]
    told = []
    answers = load(folder).complete(REQUESTS, Sampling(), told.extend)
    assert [a.request_id for a in answers] == ["0", "1", "2", "3", "4"]
    assert [float(a.text) for a in answers] == pytest.approx(alone, abs=1e-5)
    assert len({round(score, 3) for score in alone}) == 5
    assert sorted(told, key=lambda a: a.request_id) == answers


def test_the_batch_size_does_not_reach_the_scores(tmp_path):
    folder = make_reward_model(tmp_path)
    one, all_at_once = (load(folder, size).complete(REQUESTS, Sampling()) for size in (1, 32))
    assert [float(a.text) for a in one] == pytest.approx([float(a.text) for a in all_at_once], abs=1e-5)


def test_a_text_that_does_not_fit_the_model_has_no_score(tmp_path):
    model = load(make_reward_model(tmp_path))
    fits, too_long = model.complete([Request("a", "x" * 128), Request("b", "x" * 129)], Sampling())
    assert (fits.finish_reason, fits.prompt_tokens) == ("stop", 128)
    assert (too_long.text, too_long.finish_reason, too_long.prompt_tokens) == ("", "length", 129)


def test_a_row_is_put_into_the_chat_template_or_into_plain_text(tmp_path):
    assert load(make_reward_model(tmp_path / "plain")).render(" Add. ", "1 2", "3\n") == "Add.\n1 2\n\n3"
    template = "{% for m in messages %}<{{ m['role'] }}>{{ m['content'] }}{% endfor %}"
    chat = load(make_reward_model(tmp_path / "chat", chat_template=template))
    assert chat.render("Add.", "1 2", "3") == "<user>Add.\n\n1 2<assistant>3"


def test_what_is_no_reward_model_is_refused_in_one_line(tmp_path, model_folder):
    with pytest.raises(ValueError, match=r"has 3 outputs; a reward model has 1"):
        load(make_reward_model(tmp_path / "three", num_labels=3))
    with pytest.raises(ValueError, match=r"is no reward model: it has no weights for score.weight"):
        load(model_folder)
    with pytest.raises(ValueError, match=r"no such folder"):
        load(tmp_path / "absent")


def test_the_name_changes_with_the_weights(tmp_path):
    first = load(make_reward_model(tmp_path / "a")).name
    assert first.endswith(" transformers reward float32")
    assert first.split("@")[1] != load(make_reward_model(tmp_path / "b", decoder=True)).name.split("@")[1]
