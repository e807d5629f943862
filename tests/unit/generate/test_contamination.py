"""Which rows count as overlapping evaluation data, and which do not."""

from __future__ import annotations

import random

import pytest

from selfinstruct_train.config import ContaminationConfig
from selfinstruct_train.core.records import EvaluationExample, Row
from selfinstruct_train.generate.contamination import Overlap, find_overlaps

WORDS = [f"word{i}" for i in range(400)]


def row(instruction: str = "Do what is asked for here.", text: str = "", output: str = "Yes") -> Row:
    return Row("g", instruction, text, output)


def held(
    instruction: str = "Say whether this is so.", text: str = "", output: str = "Yes", id: str = "e"
) -> EvaluationExample:
    return EvaluationExample("set", id, instruction, text, (output, "another"))


def rules(rows: list[Row], examples: list[EvaluationExample], ngram: int = 13, threshold: float = 0.7) -> list[str]:
    """The rule of each row, "" where it does not overlap."""
    settings = ContaminationConfig(ngram=ngram, rouge_l_threshold=threshold)
    return [overlap.rule if overlap else "" for overlap in find_overlaps(rows, examples, settings)]


def text_of(rng: random.Random, num_words: int) -> str:
    return " ".join(rng.choices(WORDS, k=num_words))


@pytest.mark.parametrize("seed", range(20))
def test_a_row_with_thirteen_words_in_a_row_of_an_evaluation_text_overlaps_and_with_twelve_not(seed):
    rng = random.Random(seed)
    texts = [text_of(rng, rng.randint(13, 60)) for _ in range(30)]
    examples = [held(text=t, id=str(i)) if i % 2 else held(t, id=str(i)) for i, t in enumerate(texts)]
    source = rng.randrange(len(texts))
    tokens = texts[source].split()
    start = rng.randrange(len(tokens) - 12)
    for num_shared, rule in ((13, "ngram"), (12, "")):
        shared = " ".join(tokens[start : start + num_shared])
        around = f"alpha, {shared.upper()}! omega"
        rows = [row(around), row(text=around), row(text=text_of(rng, 30)), row("Alpha: " + " ".join(shared.split()[:5]),
                " ".join(shared.split()[5:]))]  # fmt: skip
        found = find_overlaps(rows, examples, ContaminationConfig(rouge_l_threshold=1.0))
        assert [o.rule if o else "" for o in found] == [rule, rule, "", rule]
        if rule:
            assert found[0] == Overlap("set", str(source), "ngram", shared)


def test_an_evaluation_text_of_eight_words_counts_as_a_whole_within_a_row():
    text = "the harbour lies behind seven grey stone towers"
    assert rules([row(f"Explain why {text} now")], [held(text=text)]) == ["ngram"]
    assert rules([row(f"Explain why {text[:-7]} walls now")], [held(text=text)], threshold=1.0) == [""]
    assert rules([row("Explain why the harbour lies behind grey towers now")], [held(text="the harbour lies behind grey towers")]) == [""]  # fmt: skip # noqa: E501


def test_the_number_of_words_is_a_setting():
    rows, examples = [row("one two three four five six")], [held(text="zero two three four five seven")]
    assert [rules(rows, examples, ngram=n) for n in (3, 4, 5)] == [["ngram"], ["ngram"], [""]]


def test_short_answers_and_short_inputs_do_not_block_everything():
    examples = [held("Is it hot or cold?", "ice", "cold"), held("Answer yes or no.", "", "Yes")]
    assert rules([row(text="Yes"), row(output="cold"), row("Name a thing.", "ice", "water"), row("Yes")], examples) == [
        "", "", "", ""
    ]  # fmt: skip


def test_a_short_input_with_its_own_answer_is_the_example_itself():
    examples = [held("Is it hot or cold?", "Ice.", "cold")]
    assert rules([row("Tell the temperature.", "ice", "Cold"), row("x y z", "Thing: ICE", "another")], examples) == [
        "instance", "instance"
    ]  # fmt: skip


def test_a_whole_input_or_instruction_of_four_words_is_enough_whatever_its_case_field_name_and_final_stop():
    examples = [held("Name the odd one out.", "Peter is late again."), held("Sort it.", "3 + 4 - 5")]
    rows = [
        row("name the odd  one out"),
        row(text="Sentence: PETER is late again"),
        row("Sort it"),  # two words
        row(text="3 + 4 - 5", output="2"),  # three words: the answer differs
        row(text="Peter is late"),
        row(text="Peter is late again, and again."),
    ]
    assert rules(rows, examples) == ["equal", "equal", "", "", "", ""]


def test_evaluation_data_without_an_instruction_are_compared_by_their_inputs_alone():
    question, rest = "seven grey stone towers stand", "behind the old harbour"  # shorter than 8 words each
    examples = [held("", f"{question} {rest}"), held(question, "x"), held("", rest)]
    rows = [row(f"Say why {question} {rest} now"), row(f"Say why {question} {rest[:-8]} now")]
    assert rules(rows, examples[:1]) == ["ngram", ""]
    assert rules(rows, examples[1:]) == ["", ""]  # the question belongs to another example


def test_a_question_is_the_same_as_input_and_as_instruction():
    examples = [held("Answer the question.", "Who built the tower?"), held("Name the odd one out.")]
    rows = [row("Who built the tower?"), row("Rephrase.", "name the odd one out"), row("Answer it.", "the tower")]
    assert rules(rows, examples) == ["equal", "equal", ""]


def test_quotation_marks_around_a_text_and_the_final_stops_of_other_scripts_do_not_count():
    examples = [
        held("Say it.", "Peter is late again."),
        held("Say it.", "\u4eca\u5929\u5929\u6c14\u3002"),  # the weather today, in Chinese
        held("Say it.", ".5 + 3 + 4 - 6"),
    ]
    texts = [
        'Sentence: "Peter is late again."',
        "\u201cPeter is late again\u201d.",
        "\u4eca\u5929\u5929\u6c14",
        "5 + 3 + 4 - 6",
    ]
    assert rules([row(text=text, output="no") for text in texts], examples) == ["equal", "equal", "equal", ""]


def test_signs_count_in_short_texts():
    assert rules([row(text="11, 12, ?, 14, 15")], [held(text="11, ?, 12, 14, 15")]) == [""]
    assert rules([row(text="11, 12, ?, 14, 15")], [held(text="11, 12, ?, 14, 15")]) == ["equal"]


def test_similar_instructions_and_similar_inputs_overlap_above_the_threshold():
    text = "Write a friendly letter to the new neighbour across the street"  # 11 words
    near = "Write a friendly letter to the old neighbour across the road"  # 9 in common: 9 / 11
    examples = [held(text, "")]
    assert rules([row(near)], examples, threshold=0.8) == ["rouge_l"]
    assert rules([row(near)], examples, threshold=9 / 11) == [""]
    assert rules([row(text="", instruction="Do it."), row(text=near)], [held(text=text)], threshold=0.8) == ["", "rouge_l"]  # fmt: skip # noqa: E501
    assert rules([row(text=near)], examples, threshold=0.8) == [""]  # an input is not held against instructions
    assert rules([row(near)], examples, threshold=1.0) == [""]


def test_short_instructions_may_be_similar():
    assert rules([row("Translate this sentence into French.")], [held("Translate this sentence into Spanish.")]) == [""]


@pytest.mark.parametrize(
    "text",
    [
        "请把下面的句子翻译成英文,并说明为什么这样翻译。",
        "Переведи следующее предложение на английский язык и объясни, почему именно так, но не иначе.",
        "ترجم الجملة التالية إلى اللغة الإنجليزية واشرح لماذا اخترت هذه الترجمة بالذات وليس غيرها",
        "निम्नलिखित वाक्य का अंग्रेज़ी में अनुवाद करें और बताएं कि ऐसा क्यों किया गया है",
    ],
)
def test_texts_of_every_script_are_compared(text):
    unlike = "猫在桌子上睡觉 собака спит под столом القط نائم कुत्ता सो रहा है"
    examples = [held(text=f"{text} {unlike}")]
    assert rules([row(f"A: {text} B"), row(text), row(text=unlike)], examples, ngram=10) == ["ngram", "ngram", "ngram"]
    assert rules([row(text=text), row("x y z", text)], [held(text=text)]) == ["equal", "equal"]
    assert rules([row(unlike)], [held(text=text)]) == [""]


def test_unrelated_rows_never_overlap_whatever_their_number():
    rng = random.Random(5)
    examples = [held(text_of(rng, 20), text_of(rng, 40), id=str(i)) for i in range(200)]
    assert set(rules([row(text_of(rng, 16), text_of(rng, 13)) for _ in range(500)], examples)) == {""}


def test_the_result_does_not_hang_on_how_the_evaluation_data_are_cut_into_batches(monkeypatch):
    rng = random.Random(6)
    examples = [held(text_of(rng, 9), text_of(rng, 25), id=str(i)) for i in range(60)]
    rows = [row(examples[i].instruction + " please", examples[-1 - i].input[20:]) for i in range(0, 60, 3)]
    whole = find_overlaps(rows, examples, ContaminationConfig())
    assert all(whole)
    monkeypatch.setattr("selfinstruct_train.generate.contamination._BATCH_WORDS", 30)
    monkeypatch.setattr("selfinstruct_train.generate.contamination._BATCH_TEXTS", 3)
    assert find_overlaps(rows, examples, ContaminationConfig()) == whole


def test_the_strongest_rule_is_told_and_then_the_first_example():
    text = text_of(random.Random(7), 20)
    examples = [held(text=text + " more", id="a"), held(text=text, id="b"), held("other words here now", text, id="c")]
    assert find_overlaps([row(text=text)], examples, ContaminationConfig()) == [Overlap("set", "b", "equal", text)]


def test_no_rows_and_no_examples_are_no_overlap():
    assert rules([], [held(text="one two three four five")]) == []
    assert rules([row("one two three four five six seven eight nine ten eleven twelve thirteen")], []) == [""]
