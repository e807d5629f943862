"""The model card: a head that the Hub can read, figures with intervals, code that fits the template, honest limits."""

import re
from dataclasses import replace

import pytest
import yaml

from selfinstruct_train.dataset.license import License
from selfinstruct_train.publish.model_card import Base, CardFacts, Data, render_card, usage
from selfinstruct_train.publish.model_index import eval_results, evaluation_table, set_name


def row(system, value, low, high, against=None, metric="rougeL", kind="overall"):
    score = {"metric": metric, "value": value, "low": low, "high": high, "n": 20, "group": "all"}
    return {"system": system, "against": against, "kind": kind, "num_tasks": 4} | score


SCORES = {
    "set": "tasks",
    "source": "data/natural-instructions",
    "num_examples": 20,
    "num_tasks": 4,
    "scores": [
        row("base", 10.04, 8.0, 12.0),
        row("seeds+generated", 31.256, 25.0, 37.0),
        row("seeds+generated", 21.216, 15.0, 27.0, against="base"),
        row("seeds+generated", 50.0, 40.0, 60.0, metric="exact_match"),
        row("seeds+generated", 99.0, 99.0, 99.0, kind="task"),
    ],
}


@pytest.fixture
def facts() -> CardFacts:
    return CardFacts(
        repo="me/model",
        revision="main",
        weights="model",
        method="full",
        template="fixed",
        system="seeds+generated",
        base=Base("org/base", True, "abc123"),
        data=Data("100 rows", "me/data", "def456", (("train.parquet", "9" * 64),)),
        license=License("apache-2.0", "Both are."),
        language="en",
        num_parameters=5_400_000,
        training=(("steps", "12"),),
        scores=(SCORES,),
    )


def head(text: str) -> dict:
    return yaml.safe_load(re.match(r"---\n(.*?)\n---\n", text, re.DOTALL)[1])


def test_the_head_is_what_the_hub_reads(facts):
    from huggingface_hub import ModelCardData

    found = head(render_card(facts))
    assert (found["license"], found["library_name"], found["pipeline_tag"]) == (
        *("apache-2.0", "transformers"),
        "text-generation",
    )
    assert (found["base_model"], found["base_model_relation"]) == ("org/base", "finetune")
    assert found["datasets"] == ["me/data"]
    first, second = ModelCardData(**found).eval_results
    assert (first.metric_type, first.metric_value, first.metric_args) == (
        "rouge",
        31.26,
        {"interval_95": [25.0, 37.0], "n": 20},
    )
    assert (second.metric_type, second.metric_value) == ("exact_match", 50.0)
    assert (first.dataset_name, first.dataset_args) == (
        "Test tasks (natural-instructions)",
        {"num_examples": 20, "num_tasks": 4},
    )


def test_an_adapter_alone_says_so_in_the_head_and_in_the_code(facts):
    text = render_card(replace(facts, weights="adapter", method="lora"))
    found = head(text)
    assert (found["library_name"], found["base_model_relation"]) == ("peft", "adapter")
    assert 'base = "org/base"' in text
    assert 'AutoModelForCausalLM.from_pretrained(base, revision="abc123")' in text
    assert "model.generation_config = GenerationConfig.from_pretrained(repo)" in text


def test_the_card_says_how_to_pin_what_the_branch_holds_now(facts):
    text = render_card(replace(facts, revision="trial")).partition("## Evaluation")[0]
    assert "This code loads what branch `trial` holds when it runs" in text
    assert '`revision="<commit>"` with every `repo`' in text


def test_a_base_that_is_not_on_the_hub_is_not_linked(facts):
    text = render_card(replace(facts, base=Base("my-folder", False)))
    assert "base_model" not in head(text)
    assert "huggingface.co/my-folder" not in text
    assert "`my-folder`, finetuned" in text


def test_a_base_in_a_gguf_file_is_told_with_its_quantisation_and_how_to_load_it(facts):
    base = Base("m-Q4_K_M.gguf", False, gguf_file="m-Q4_K_M.gguf", quantization="Q4_K_M")
    text = render_card(replace(facts, base=base, weights="adapter"))
    assert "`m-Q4_K_M.gguf` (dequantised from Q4_K_M by transformers), finetuned" in text
    assert 'base = "."  # the folder that holds m-Q4_K_M.gguf\n' in text
    assert 'AutoModelForCausalLM.from_pretrained(base, gguf_file="m-Q4_K_M.gguf")' in text


def test_the_evaluation_table_has_base_tuned_and_gain_with_intervals(facts):
    assert evaluation_table(SCORES, "seeds+generated").splitlines() == [
        "|  | ROUGE-L | ROUGE-1 | Exact match | n |",
        "| --- | ---: | ---: | ---: | ---: |",
        "| base model | 10.0 [8.0, 12.0] |  |  | 20 |",
        "| **this model** | 31.3 [25.0, 37.0] |  | 50.0 [40.0, 60.0] | 20 |",
        "| **gain over the base** | +21.2 [+15.0, +27.0] |  |  | 20 |",
    ]
    assert "The evaluation on 20 examples of 4 tasks is small" in render_card(facts)


@pytest.mark.parametrize(
    ("low", "high", "verdict", "said"),
    [
        (15.0, 27.0, "better", "better than its base: +21.0 ROUGE-L over its base"),
        (-30.0, -20.0, "worse", "**worse** than its base"),
        (-1.0, 9.0, "cannot be told apart", "is not shown"),
        (0.5, 9.5, "cannot be told apart", "is not shown"),  # its own interval leaves zero out: not enough
    ],
)
def test_the_headline_claims_no_more_than_the_corrected_comparison_allows(facts, low, high, verdict, said):
    pair = {"system": "seeds+generated", "against": "base", "value": (low + high) / 2, "low": low, "high": high}
    rows = [pair | {"metric": metric, "verdict": v} for metric, v in (("rouge1", "better"), ("rougeL", verdict))]
    scores = SCORES | {"comparisons": rows}
    assert said in render_card(replace(facts, scores=(scores,))).partition("## How to use it")[0]


def test_the_card_tells_what_a_judge_and_people_found_of_these_answers_only(facts):
    figure = {"value": 61.5, "low": 50.25, "high": 70.0, "n": 20}
    judge = {
        "lm": "/home/me/judge@1a2b transformers",
        "set": "tasks",
        "answers": {"seeds+generated": "mark"},
        "prompt_sha256": {"rating": "1" * 64},
        "rating": {"seeds+generated": {"acceptable": figure}},
        "pairwise": {"against": "base", "systems": {}},
    }
    people = {"set": "tasks", "answers": {"seeds+generated": "mark"}, "raters": ["ann"]}
    people["systems"] = {"seeds+generated": {"acceptable": figure | {"value": 40.0}}}
    scores = SCORES | {"systems": {"seeds+generated": {"kind": "trained", "answers": "mark"}}}
    text = render_card(replace(facts, scores=(scores,), judge=judge, people=people))
    assert [r["type"] for r in head(text)["model-index"][0]["results"][0]["metrics"]] == [
        *("rouge", "exact_match", "acceptable_by_judge", "acceptable_by_people"),
    ]
    by = "Acceptable answers (A or B of A to D)"
    assert f"| {by}, judged by judge@1a2b transformers | 61.5 [50.2, 70.0] | 20 |" in text
    assert f"| {by}, rated by 1 person | 40.0 [50.2, 70.0] | 20 |" in text
    assert "/home/me" not in text
    for other in (SCORES, SCORES | {"systems": {"seeds+generated": {"answers": "other"}}}):
        text = render_card(replace(facts, scores=(other,), judge=judge, people=people))
        assert "cceptable" not in text and "What a judge and people found" not in text


def test_the_card_says_how_many_worked_examples_the_prompts_held(facts):
    assert "\nZero-shot, in percent" in render_card(facts)
    scores = SCORES | {"prompt": {"num_positive_examples": 2}}
    text = render_card(replace(facts, scores=(scores,)))
    assert "With up to 2 worked examples of a test task in its prompt, in percent" in text
    assert "ero-shot" not in text


@pytest.mark.parametrize(
    ("template", "prompt"),
    [
        ("fixed", r'f"Instruction: {instruction}\nInput: {input}\nResponse:"'),
        ("paper", r'f"Task: {instruction}\nInput: {input}\nOutput:"'),
        ("chat", "tokenizer.apply_chat_template("),
    ],
)
def test_the_code_asks_in_the_form_of_the_training(facts, template, prompt):
    code = usage(replace(facts, template=template))
    compile(code, "card", "exec")
    assert prompt in code
    assert ("apply_chat_template" in code) == (template == "chat")


def test_the_code_of_a_chat_model_makes_the_prompts_of_its_training(facts, tmp_path):
    """With a template that opens an answer otherwise when nobody tells it what training told it, as Qwen3's does."""
    import torch
    from transformers import AutoTokenizer

    from selfinstruct_train.core.model_source import model_source
    from selfinstruct_train.core.prompt_format import chat_ids, user_message

    tokenizer = AutoTokenizer.from_pretrained(model_source("builtin:tiny"))
    tokenizer.chat_template = (
        "{{ date_string | default('today') }} {% for m in messages %}{{ m.content }}"
        "{% endfor %}{% if enable_thinking is defined and enable_thinking is false %}<none>{% endif %}"
    )
    code = usage(replace(facts, template="chat", chat_template=tokenizer.chat_template))
    names = {"tokenizer": tokenizer}
    lines = code.split("model = AutoModelForCausalLM.from_pretrained(repo)\n")[1].split("answer = ")[0]
    exec(lines, names)
    expected = chat_ids(tokenizer, user_message("Name the colour.", "red cat"), "m")
    assert torch.equal(names["inputs"]["input_ids"], torch.tensor([expected]))
    assert "26 July 2024" in render_card(replace(facts, template="chat", chat_template="{{ strftime_now('%d') }}"))
    assert "enable_thinking" not in usage(replace(facts, template="chat", chat_template="{{ messages }}"))


def test_a_forced_card_says_what_was_not_proven_and_a_proven_one_does_not(facts):
    assert "Published although" not in render_card(facts)
    text = render_card(replace(facts, unproven=("the model is not verified",)))
    assert "> - the model is not verified\n" in text


def test_a_model_without_evaluation_says_so(facts):
    text = render_card(replace(facts, scores=()))
    assert "- It was not evaluated." in text
    assert "model-index" not in head(text)


def test_limits_fit_the_models_size(facts):
    assert "5.4 million parameters it is a tiny model" in render_card(facts)
    assert "tiny model" not in render_card(replace(facts, num_parameters=8_000_000_000))


def test_results_of_other_systems_and_groups_are_left_out():
    assert [(r.metric_type, r.metric_value) for r in eval_results([SCORES], "seeds+generated")] == [
        ("rouge", 31.26),
        ("exact_match", 50.0),
    ]
    assert eval_results([SCORES], "seeds") == []
    assert set_name({"set": "user_oriented", "source": "builtin:tiny"}) == "User-oriented tasks (builtin:tiny)"
