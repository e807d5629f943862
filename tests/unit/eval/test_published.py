"""The published answers to the 252, as they lie beside them."""

from pathlib import Path

import pytest

from selfinstruct_eval.published import PUBLISHED, find_published, read_published
from selfinstruct_eval.tasks import load_user_oriented
from selfinstruct_train.config import EvalConfig


def test_all_eight_have_their_names_in_the_paper(tmp_path: Path):
    for stem in PUBLISHED:
        (tmp_path / f"{stem}_predictions.jsonl").touch()
    found = find_published(EvalConfig(user_oriented="u.jsonl", published=str(tmp_path)))
    assert list(found) == [
        "GPT3", "GPT3+T0", "GPT3+SuperNI", "GPT3-SelfInst", "GPT3-SelfInst+SuperNI",
        "InstructGPT-001", "InstructGPT-002", "InstructGPT-003",
    ]  # fmt: skip
    assert found["GPT3-SelfInst+SuperNI"].name == "davinci-self-instruct-and-superni-ft_predictions.jsonl"


def test_without_a_setting_the_folder_beside_the_tasks_is_read_where_there_is_one(tmp_path: Path):
    assert find_published(EvalConfig()) == {}
    assert find_published(EvalConfig(user_oriented="builtin:tiny")) == {}
    assert find_published(EvalConfig(user_oriented=str(tmp_path / "u.jsonl"))) == {}


def test_a_folder_without_any_is_refused_where_it_is_named(tmp_path: Path):
    with pytest.raises(ValueError, match=r"holds no published predictions; eval.published names"):
        find_published(EvalConfig(user_oriented="u.jsonl", published=str(tmp_path)))
    with pytest.raises(ValueError, match=r"eval.published is set, but eval.user_oriented"):
        find_published(EvalConfig(published=str(tmp_path)))


def test_answers_come_in_the_order_of_the_tasks(shared_data: Path):
    path = shared_data / "official" / "human_eval" / "user_oriented_instructions.jsonl"
    examples = load_user_oriented(str(path))
    answers = read_published(EvalConfig(user_oriented=str(path)), examples)
    assert {name: len(texts) for name, texts in answers.items()} == {
        "GPT3": 252,
        "GPT3-SelfInst": 252,
        "InstructGPT-001": 252,
    }
    assert answers["GPT3-SelfInst"][0] == (
        " If you have any questions about my rate or if you need to change the scope of this project, please let me "
        "know."
    )


def test_files_that_answer_other_tasks_are_left_out_unless_their_folder_is_named(shared_data: Path, caplog):
    path = shared_data / "official" / "human_eval" / "user_oriented_instructions.jsonl"
    others = load_user_oriented(str(path))[1:]
    assert read_published(EvalConfig(user_oriented=str(path)), others) == {}
    assert "GPT3-SelfInst is left out: " in caplog.text and "predictions for another split?" in caplog.text
    with pytest.raises(ValueError, match="is not in user_oriented; are these predictions for another split"):
        read_published(EvalConfig(user_oriented=str(path), published=str(path.parent / "predictions")), others)
