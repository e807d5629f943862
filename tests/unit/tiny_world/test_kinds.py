"""Every kind of the little world: it accepts what it draws, its wordings are read back, held-out inputs stay out."""

from random import Random

import pytest
from rapidfuzz.distance import LCSseq

from tiny_world.corpus import documents, instruct
from tiny_world.kind import (
    Example,
    Kind,
    Verdict,
    by_rule,
    draw_example,
    expand,
    is_held_out,
    lookup,
    pattern,
    read_back,
)
from tiny_world.kinds import BY_NAME, FAR, KINDS, NEAR, PROSE


def rouge_l(a: str, b: str) -> float:
    """ROUGE-L F1 on lower-case words."""
    x, y = a.lower().split(), b.lower().split()
    return 2 * LCSseq.similarity(x, y) / (len(x) + len(y))


def test_a_wording_expands_and_reads_back():
    wording = "[Tell me|What is] the [exact |]opposite of {input}[, please|]?"
    assert expand(wording, Random(0), {"input": "hot"}) in {
        f"{a} the {b}opposite of hot{c}?"
        for a in ("Tell me", "What is")
        for b in ("exact ", "")
        for c in (", please", "")
    }
    assert pattern(wording).fullmatch("what is the opposite of very hot").groupdict() == {"input": "very hot"}
    assert pattern(wording).fullmatch("What is the weather?") is None


def test_a_table_judges_case_and_punctuation_aside():
    draw, judge = lookup({"hot": ("cold", "cool"), "big": "small"})
    assert draw(Random(0)).output in {"cold", "small"}
    assert judge("Hot", "Cool.", {}) == Verdict(True, True)
    assert judge("hot", "warm", {}) == Verdict(True, False)
    assert judge("green", "red", {}) == Verdict(False, False)


def test_a_rule_draws_its_first_answer_and_keeps_the_others():
    draw, _ = by_rule(lambda rng: Example("2 3", "", {"op": "add"}), lambda text, slots: ["5", "five"])
    assert draw(Random(0)) == Example("2 3", "5", {"op": "add"}, ("five",))


def test_the_world_is_rich():
    assert len(NEAR) > 110
    assert len(FAR) >= 10
    assert len({k.category for k in NEAR}) >= 10
    assert sum(k.is_classification for k in NEAR) >= 15
    assert sum(len(k.wordings) + len(k.inline) for k in NEAR) > 1500
    assert len({k.definition for k in KINDS}) == len(KINDS)
    assert len(PROSE) > 20


@pytest.mark.parametrize("kind", KINDS, ids=lambda k: k.name)
def test_the_judge_accepts_what_the_kind_draws_and_never_crashes(kind: Kind):
    rng = Random(kind.name)
    outputs = []
    for _ in range(60):
        example = kind.draw(rng)
        outputs.append(example.output)
        assert kind.judge(example.input, example.output, example.slots) == Verdict(True, True), example
        if kind.labels:
            assert example.output in kind.labels
    wrong = [o for o in outputs if o != example.output]
    accepted = sum(kind.judge(example.input, o, example.slots).output_ok for o in wrong)
    assert accepted < 0.5 * len(wrong) or not wrong, "the judge accepts the answers to other inputs"
    slots = dict.fromkeys(example.slots, "nonsense 12 ,.")
    for junk in ("", "?", "x", "two words", "Anna 3, 4 and 5.\n- so\n- on", "the the the the the the the"):
        for given in (example.slots, slots, {}):
            assert isinstance(kind.judge(junk, junk, given), Verdict)
            assert not kind.judge(example.input, junk, slots).output_ok or junk not in ("", "?")


@pytest.mark.parametrize("kind", NEAR, ids=lambda k: k.name)
def test_every_wording_is_read_back_as_its_kind(kind: Kind):
    rng = Random(kind.name)
    for _ in range(40):
        example = kind.draw(rng)
        instruction, input = instruct(kind, example, rng)
        found = [(k, slots) for k, slots in read_back(instruction, NEAR) if k.name == kind.name]
        assert found, instruction
        verdicts = [k.judge(s.get("input", input), example.output, {**s}) for k, s in found]
        assert Verdict(True, True) in verdicts, (instruction, input, example.output)


def test_most_wordings_of_a_kind_are_novel_to_one_another():
    novel = total = 0
    for kind in NEAR:
        example = draw_example(kind, Random(1), held_out=False)
        texts = [expand(w, Random(2), example.slots) for w in kind.wordings]
        kept: list[str] = []
        for text in texts:
            if all(rouge_l(text, k) <= 0.7 for k in kept):
                kept.append(text)
        novel, total = novel + len(kept), total + len(texts)
    assert novel / total > 0.8


def test_pages_hold_no_held_out_input_and_no_label_of_the_prompt_format():
    pages = documents(3)
    for _ in range(300):
        page = next(pages)
        assert "Instruction:" not in page
        assert "Response:" not in page
        assert "{" not in page


def test_the_held_out_side_is_kept_apart_and_repeatable():
    kind = BY_NAME["opposite"]
    for evaluation_data in (False, True):
        inputs = {draw_example(kind, Random(i), evaluation_data).input for i in range(50)}
        assert all(is_held_out(text) == evaluation_data for text in inputs)
    assert {t: is_held_out(t) for t in ("cold", "Cold!", "warm")}["cold"] == is_held_out("Cold!")


def test_the_same_seed_gives_the_same_pages():
    first, again, other = documents(5), documents(5), documents(6)
    pages = [next(first) for _ in range(20)]
    assert pages == [next(again) for _ in range(20)]
    assert pages != [next(other) for _ in range(20)]
