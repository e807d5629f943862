"""Prompts written out by hand from the rules of Tk-Instruct's src/ni_collator.py, and limits counted in words."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from selfinstruct_eval.examples import Example
from selfinstruct_eval.prompts import PromptLimit, WorkedExamples, encode, prompt_limit, prompt_settings
from selfinstruct_eval.tasks import load_sets, load_tasks
from selfinstruct_train.config import Config, EvalConfig, ModelConfig, TrainConfig
from selfinstruct_train.config.load import load_config
from selfinstruct_train.core.prompt_format import evaluation_prompt
from selfinstruct_train.sources.natural_instructions import WorkedExample
from tests.support.ni_tasks import ni_task
from tests.support.paths import ROOT

EXAMPLE = Example("a-0", "task001_a", "Extraction", "Name the animal in the sentence", " A cow eats ", ("cow",))
WORKED = WorkedExamples(
    "there",
    (WorkedExample("A dog barks.", "dog", "Only a dog barks"), WorkedExample(" Where is the cat? ", " cat")),
    (WorkedExample("A hen runs.", "runs", ""),),
)
TK_INSTRUCT = EvalConfig(encoding="tk_instruct")


class Words:
    """Tokens are words."""

    bos_token_id = None

    def __call__(self, text: str, add_special_tokens: bool = True) -> dict[str, list[str]]:
        return {"input_ids": text.split()}

    def decode(self, ids: list[str], skip_special_tokens: bool) -> str:
        assert skip_special_tokens
        return " ".join(ids)


class Characters(Words):
    def __call__(self, text: str, add_special_tokens: bool = True) -> dict[str, list[str]]:
        return {"input_ids": list(text)}


def words(number: int) -> PromptLimit:
    return PromptLimit(number, Words(), "paper", "m")


def test_tk_instructs_prompt_with_two_positive_examples_a_negative_one_and_explanations():
    assert encode(EXAMPLE, WORKED, replace(TK_INSTRUCT, explanations=True)).prompt == (
        "Definition: Name the animal in the sentence.\n\n"
        " Positive Example 1 -\nInput: A dog barks.\n Output: dog.\n Explanation: Only a dog barks.\n\n"
        " Positive Example 2 -\nInput: Where is the cat?\n Output: cat.\n\n"
        " Negative Example 1 -\nInput: A hen runs.\n Output: runs.\n Explanation: .\n\n"
        "Now complete the following example -\nInput: A cow eats.\nOutput: "
    )


def test_tk_instructs_prompt_of_the_definition_alone():
    encoded = encode(replace(EXAMPLE, instruction=" Say hello! ", input=""), WorkedExamples(), TK_INSTRUCT)
    assert encoded.prompt == ("Definition: Say hello!\n\nNow complete the following example -\nInput: .\nOutput: ")
    assert encoded.instruction == " Say hello! "


def test_explanations_are_shown_only_when_asked_for():
    assert "Explanation" not in encode(EXAMPLE, WORKED, TK_INSTRUCT).prompt
    assert "Explanation" not in encode(EXAMPLE, WORKED, EvalConfig()).instruction


# definition 7 words, the question 11, positive examples 10 and 11, the negative one 10
@pytest.mark.parametrize(
    ("limit", "titles"),
    [
        (49, ["Positive Example 1", "Positive Example 2", "Negative Example 1"]),
        (48, ["Positive Example 1", "Positive Example 2"]),
        (38, ["Positive Example 1", "Negative Example 1"]),
        (37, ["Positive Example 1"]),
        (28, ["Positive Example 1"]),
        (27, []),
        (18, []),
    ],
)
def test_examples_are_added_while_they_fit_each_kind_for_itself(limit, titles):
    prompt = encode(EXAMPLE, WORKED, TK_INSTRUCT, words(limit)).prompt
    assert [line.strip(" -") for line in prompt.split("\n") if "Example" in line] == titles
    assert prompt.endswith("Input: A cow eats.\nOutput: ")


def test_a_text_that_is_too_long_without_examples_is_cut_by_tokens():
    assert encode(EXAMPLE, WORKED, TK_INSTRUCT, words(17)).prompt == (
        "Definition: Name the animal in the sentence. Now complete the following example - Input: A cow eats."
    )


def test_examples_are_counted_with_the_blank_that_the_original_puts_between_them():
    three = WorkedExamples("", (WorkedExample("a.", "b."),) * 3)
    whole = encode(EXAMPLE, three, TK_INSTRUCT).prompt
    assert whole.count("Positive") == 3
    exact = PromptLimit(len(whole), Characters(), "paper", "m")
    assert encode(EXAMPLE, three, TK_INSTRUCT, exact).prompt.count("Positive") == 2
    assert encode(EXAMPLE, three, TK_INSTRUCT, replace(exact, num_tokens=len(whole) + 1)).prompt == whole


def test_the_template_shows_negative_examples_and_explanations_too():
    encoded = encode(EXAMPLE, WORKED, EvalConfig(explanations=True))
    assert encoded.instruction == (
        "Name the animal in the sentence\n\n"
        "Positive Example 1\nInput: A dog barks.\nOutput: dog\nExplanation: Only a dog barks\n\n"
        "Positive Example 2\nInput: Where is the cat?\nOutput: cat\n\n"
        "Negative Example 1\nInput: A hen runs.\nOutput: runs"
    )
    assert encoded.prompt == "" and encoded.input == EXAMPLE.input


# "Task: ... sentence" 7 words, "Input: A cow eats" 4, "Output:" 1; examples of 9, 10 and 9 words
@pytest.mark.parametrize(("limit", "num_examples"), [(40, 3), (39, 2), (31, 2), (30, 1), (21, 1), (20, 0), (12, 0)])
def test_in_the_template_the_last_examples_go_first(limit, num_examples):
    encoded = encode(EXAMPLE, WORKED, EvalConfig(), words(limit))
    assert encoded.instruction.count("Example") == num_examples
    assert encoded.input == EXAMPLE.input


def test_in_the_template_the_end_of_the_input_is_cut_and_no_more_than_it_takes():
    assert encode(EXAMPLE, WORKED, EvalConfig(), words(11)).input == " A cow "
    assert encode(EXAMPLE, WORKED, EvalConfig(), words(10)).input == " A "
    assert encode(EXAMPLE, WORKED, EvalConfig(), words(7)).input == " "
    with pytest.raises(ValueError, match=r"there: its definition alone has more than eval.max_prompt_tokens \(6\)"):
        encode(EXAMPLE, WORKED, EvalConfig(), words(6))


def test_the_limit_is_counted_by_the_models_own_tokenizer_in_the_runs_prompt_format(write_tasks):
    from transformers import AutoTokenizer

    from selfinstruct_train.core.model_source import model_source

    long = ni_task(Instances=[{"id": "a", "input": "A cow eats the grass. " * 40, "output": ["cow"]}])
    evaluation = EvalConfig(tasks=str(write_tasks(task001_a=long)), num_positive_examples=2, max_prompt_tokens=60)
    config = Config(eval=evaluation, train=TrainConfig(template="fixed"))
    limit = prompt_limit(config)
    assert limit is not None and limit.model == "builtin:tiny"
    (example,) = load_sets(evaluation, limit)["tasks"]
    tokenizer = AutoTokenizer.from_pretrained(model_source("builtin:tiny"))

    def count(text: str) -> int:
        return len(tokenizer(evaluation_prompt(example.instruction, text, "fixed"))["input_ids"])

    assert example.instruction == "Name the animal in the sentence."
    whole = "A cow eats the grass. " * 40
    assert whole.startswith(example.input) and count(example.input) <= 60 < count(whole[: len(example.input) + 8])
    (unlimited,) = load_sets(evaluation)["tasks"]
    assert (unlimited.id, unlimited.input, unlimited.references) == ("a", whole, ("cow",))


def test_both_sets_are_encoded(write_tasks):
    config = EvalConfig(
        tasks=str(write_tasks(task001_a=ni_task())), user_oriented="builtin:tiny", encoding="tk_instruct"
    )
    sets = load_sets(config)
    assert all(e.prompt.startswith("Definition: ") for examples in sets.values() for e in examples)


def test_fewer_examples_than_asked_for_are_fine(write_tasks):
    one = ni_task(**{"Positive Examples": [{"input": "x", "output": "y"}]})
    del one["Negative Examples"]
    asked = EvalConfig(encoding="tk_instruct", num_positive_examples=2, num_negative_examples=2)
    prompt = load_tasks(str(write_tasks(task001_a=one)), encoding=asked)[0].prompt
    assert (prompt.count("Positive"), prompt.count("Negative")) == (1, 0)


@pytest.mark.parametrize(
    ("examples", "message"),
    [
        ("x", '"Positive Examples" must be a list'),
        (["x"], "positive example 0 is a str, where an object"),
        ([{"input": "x"}], 'positive example 0: "output" is missing'),
        (
            [{"input": "x", "output": "y", "explanation": 3}],
            'positive example 0: "explanation" is 3, where text must be',
        ),
    ],
)
def test_worked_examples_of_another_shape_are_refused(write_tasks, examples, message):
    root = write_tasks(task001_a=ni_task(**{"Positive Examples": examples}))
    with pytest.raises(ValueError, match=message):
        load_tasks(str(root), encoding=EvalConfig(num_positive_examples=2))
    load_tasks(str(root))


def test_without_a_limit_nothing_is_loaded_and_a_server_can_have_none():
    assert prompt_limit(Config()) is None
    behind = Config(model=ModelConfig(backend="http", path="m"), eval=EvalConfig(max_prompt_tokens=1024))
    with pytest.raises(ValueError, match="eval.max_prompt_tokens is 1024, but .* behind a server .* set it to null"):
        prompt_limit(behind)
    with pytest.raises(ValueError, match="no such folder"):
        prompt_limit(Config(eval=EvalConfig(max_prompt_tokens=9)), "./nowhere")


def test_an_adapter_without_a_tokenizer_is_counted_with_its_bases(tmp_path: Path):
    (tmp_path / "adapter_config.json").write_text('{"base_model_name_or_path": "builtin:tiny"}')
    (tmp_path / "adapter_model.safetensors").write_bytes(b"")
    limit = prompt_limit(Config(eval=EvalConfig(max_prompt_tokens=9)), str(tmp_path))
    assert limit is not None and len(limit.tokenizer("Name it.")["input_ids"]) > 1


def test_only_settings_that_change_a_prompt_are_written_down():
    assert prompt_settings(EvalConfig()) == {"num_positive_examples": 0}
    assert prompt_settings(EvalConfig(encoding="tk_instruct", explanations=True, max_prompt_tokens=1024)) == {
        "num_positive_examples": 0,
        "encoding": "tk_instruct",
        "explanations": True,
        "max_prompt_tokens": 1024,
    }


DOCS = (ROOT / "docs/superni.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)\n```", DOCS, flags=re.S)


def test_the_prompts_that_the_docs_show_are_those_that_are_asked():
    one_each = replace(WORKED, positive=WORKED.positive[:1])
    plain = encode(EXAMPLE, one_each, EvalConfig(explanations=True))
    texts = [
        evaluation_prompt(plain.instruction, plain.input, "paper"),
        encode(EXAMPLE, one_each, replace(TK_INSTRUCT, explanations=True)).prompt,
    ]
    assert blocks("text") == texts


def test_the_settings_that_the_docs_show_are_settings(tmp_path: Path):
    settings = []
    for number, block in enumerate(blocks("yaml")):
        (tmp_path / f"{number}.yaml").write_text(block)
        settings.append(load_config(["--config", str(tmp_path / f"{number}.yaml")]).eval)
    paper, tk_instruct, xlingual, stopped = settings
    assert (paper.encoding, paper.num_positive_examples, paper.max_instances_per_task) == ("template", 0, 100)
    assert (paper.sampling.temperature, paper.sampling.max_new_tokens, paper.sampling.stop) == (0, 128, ())
    assert (tk_instruct.encoding, tk_instruct.num_positive_examples, tk_instruct.max_prompt_tokens) == (
        "tk_instruct",
        2,
        1024,
    )
    assert (xlingual.split, xlingual.rouge_tokenizer, stopped.sampling.stop) == ("xlingual", "gpt2", ("\n\n",))
