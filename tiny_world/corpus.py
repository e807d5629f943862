"""The text that the tiny base model is pretrained on: pages of the little world, in many forms.

Prose, lists of tasks, work sheets, question-and-answer pages, dialogues, sorted task lists. It is a base model's text: a page goes
on with the next task after an answer, so nothing teaches a model to stop; the labels of the run's prompt format
("Instruction:", "Response:") never occur; no definition and no held-out example of the evaluation occurs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random

from tiny_world.kind import Example, Kind, draw_example, expand
from tiny_world.kinds import NEAR, PROSE
from tiny_world.world import DAYS, MEN, PEOPLE, WOMEN

FORBIDDEN = ("Instruction:", "Response:")

_LIST_TITLES = (
    "Tasks for today", "A list of tasks", "Homework", "Things to practise", "Exercises for the week", "Some tasks to try",
    "What the class did on {day}", "Tasks of all sorts", "Small exercises", "Questions and exercises", "Test paper {n}",
    "Ideas for lessons", "Come and try these", "Practice sheet {n}", "Tasks from the old notebook", "Here is a series of tasks",
    "More tasks", "A collection of short tasks", "Work for rainy days", "{name}'s list of tasks", "Week {n}",
)  # fmt: skip
_SHEET_TITLES = (
    "Work sheet {n}", "Examples", "Solved exercises", "{name}'s notebook", "Answers to the homework", "Worked examples",
    "Examples for several tasks", "Page {n}", "Unit {n}", "Exercises with answers", "Practice with solutions", "Lesson {n}",
)  # fmt: skip
_QA_TITLES = (
    "Questions and answers",
    "Quiz night",
    "Ask {name}",
    "Quick questions",
    "Quiz {n}",
    "Questions of the week",
    "FAQ",
)
_QA_LABELS = (
    ("Q: ", "A: "),
    ("Question: ", "Answer: "),
    ("- ", "  "),
    ("? ", "! "),
    ("Q. ", "A. "),
    ("", "- "),
    ("Reader: ", "Editor: "),
)
_PAIR_LABELS = (
    ("Input: ", "Output: "), ("Input: ", "Output: "), ("Given: ", "Result: "), ("Q: ", "A: "), ("Text: ", "Answer: "), ("Before: ", "After: "),
    ("Line: ", "Answer: "), ("Start: ", "End: "), ("In: ", "Out: "), ("Question: ", "Answer: "), ("Problem: ", "Solution: "),
    ("", "= "), ("", "-> "), ("Example: ", "Solution: "), ("Item: ", "Result: "), ("Prompt - ", "Reply - "),
)  # fmt: skip
_LABEL_FIRST = ("Class label", "Class label", "Class label", "Label", "Class", "Kind", "Answer")
_TEXT_FIELDS = ("Text", "Sentence", "Input", "Line", "Item", "Example")
_SORTING = (
    ("Is it classification?", "Yes", "No"), ("Is it classification?", "Yes", "No"), ("Is it a choice between labels?", "Yes", "No"),
    ("Fixed answers?", "Yes", "No"), ("Labels:", "yes", "no"), ("Kind:", "classification", "other"), ("Type:", "choose a label", "free answer"),
)  # fmt: skip


def instruct(kind: Kind, example: Example, rng: Random, inline: bool | None = None) -> tuple[str, str]:
    """Word the example's task: (instruction, input); an inline wording holds the input itself, so the input is empty."""
    short = 0 < len(example.input.split()) <= 12 and "\n" not in example.input
    if inline is None:
        inline = bool(kind.inline) and short and (not kind.wordings or rng.random() < 0.3)
    if inline and kind.inline and short:
        return expand(rng.choice(kind.inline), rng, {**example.slots, "input": example.input}), ""
    if not kind.wordings:
        return expand(rng.choice(kind.inline), rng, {**example.slots, "input": example.input}), ""
    return expand(rng.choice(kind.wordings), rng, example.slots), example.input


def _draw(kind: Kind, rng: Random) -> Example:
    return draw_example(kind, rng, held_out=False)


def _title(titles: tuple[str, ...], rng: Random) -> str:
    title = rng.choice(titles).format(n=rng.randint(1, 40), day=rng.choice(DAYS), name=rng.choice(PEOPLE))
    return title + rng.choice((":", "", ".", ":"))


def _numbering(rng: Random) -> Callable[[int], str]:
    style = rng.choices(("{}. ", "{}) ", "- ", "* ", "({}) ", "Task {}: ", "{}: "), (60, 8, 8, 4, 4, 6, 4))[0]
    start = 1 if rng.random() < 0.85 else rng.randint(2, 30)
    return lambda i: style.format(i + start)


def task_list(rng: Random) -> str:
    """A list of instructions without answers; now and then all of one sort."""
    pool = NEAR
    if rng.random() < 0.12:
        pool = [k for k in NEAR if k.is_classification]
    number = _numbering(rng)
    lines = [_title(_LIST_TITLES, rng)] if rng.random() < 0.8 else []
    for i in range(rng.randint(6, 22)):
        kind = rng.choice(pool)
        lines.append(number(i) + instruct(kind, _draw(kind, rng), rng)[0])
    return "\n".join(lines)


def _examples(kind: Kind, rng: Random, count: int) -> list[Example]:
    """Examples that share their slots (so that one instruction fits all), with different inputs."""
    first = _draw(kind, rng)
    found = [first]
    if not first.input:
        return found
    for _ in range(60):
        if len(found) == count:
            break
        example = _draw(kind, rng)
        if example.slots == first.slots and example.input not in [e.input for e in found]:
            found.append(example)
    return found


def input_first(rng: Random, kind: Kind, head: str, numbered: bool, labels: tuple[str, str], most: int = 4) -> str:
    """One task with its worked examples, the input before the output."""
    examples = _examples(kind, rng, rng.randint(1, most))
    instruction, input = instruct(kind, examples[0], rng)
    lines = [head + instruction]
    if not input:
        return "\n".join([*lines, labels[1] + examples[0].output])
    blocks = []
    for i, example in enumerate(examples):
        block = [f"Example {i + 1}"] if numbered else []
        block += [labels[0] + example.input, labels[1] + example.output]
        blocks.append("\n".join(block))
    return "\n".join([*lines, ("\n\n" if numbered else "\n").join(blocks)])


def label_first(rng: Random, kind: Kind, head: str, label: str, text: str, most: int = 5) -> str:
    """One classification task, each label before an input that has it (the paper's output-first order)."""
    examples = _examples(kind, rng, rng.randint(2, most))
    instruction, input = instruct(kind, examples[0], rng, inline=False)
    lines = [head + instruction]
    for example in examples:
        lines.append(f"{label}: {example.output}")
        if input:
            lines.append(f"{text}: {example.input}" if text else example.input)
    return "\n".join(lines)


def work_sheet(rng: Random) -> str:
    """Several tasks with worked examples, in one layout; a new task follows each answer."""
    head = rng.choice(("Task: ", "Task: ", "Task: ", "Exercise: ", "", "Problem: ", "Assignment: ", "To do: ", "# "))
    style = rng.random()
    parts = [_title(_SHEET_TITLES, rng)] if rng.random() < 0.4 else []
    if style < 0.2:
        label, text = rng.choice(_LABEL_FIRST), rng.choice(_TEXT_FIELDS)
        pool = [k for k in NEAR if k.is_classification and k.wordings]
        parts += [label_first(rng, rng.choice(pool), head, label, text) for _ in range(rng.randint(2, 5))]
    else:
        numbered = style < 0.65
        labels = ("Input: ", "Output: ") if numbered and rng.random() < 0.7 else rng.choice(_PAIR_LABELS)
        kinds = [rng.choice(NEAR) for _ in range(rng.randint(3, 7))]
        parts += [input_first(rng, kind, head, numbered, labels) for kind in kinds]
    return "\n\n".join(parts)


def quiz(rng: Random) -> str:
    """Short questions, each with its answer, one after the other."""
    ask, answer = rng.choice(_QA_LABELS)
    gap = rng.choice(("\n", "\n\n"))
    pool = [k for k in NEAR if k.inline or k.wordings]
    pairs = []
    for _ in range(rng.randint(5, 14)):
        kind = rng.choice(pool)
        example = _draw(kind, rng)
        instruction, input = instruct(kind, example, rng, inline=bool(kind.inline))
        joined = f"{instruction} {input}" if input else instruction
        pairs.append(f"{ask}{joined}\n{answer}{example.output}")
    return "\n".join([_title(_QA_TITLES, rng)] * (rng.random() < 0.6) + [gap.join(pairs)])


def dialogue(rng: Random) -> str:
    """Two people, one asking and one answering, turn after turn."""
    asker = rng.choice(("Teacher", "Mum", "Dad", "Coach", "Guide", "Customer", *rng.sample(PEOPLE, 2)))
    helper = rng.choice([p for p in (*WOMEN, *MEN, "Assistant", "Pupil") if p != asker])
    opening = rng.choice(
        ("Good morning.", "Can you help me?", "Let us begin.", "Hello!", "I have some questions.", "Are you ready?")
    )
    reply = rng.choice(
        ("Of course.", "Yes, please.", "Good morning.", "I am ready.", "Hello! What can I do?", "Sure, go ahead.")
    )
    lines = [f"{asker}: {opening}", f"{helper}: {reply}"] if rng.random() < 0.6 else []
    for _ in range(rng.randint(3, 8)):
        kind = rng.choice(NEAR)
        example = _draw(kind, rng)
        instruction, input = instruct(kind, example, rng)
        quote = rng.choice((' "{}"', " {}", "\n{}"))
        lines.append(f"{asker}: {instruction}" + (quote.format(input) if input else ""))
        lines.append(f"{helper}: {example.output}")
        if rng.random() < 0.25:
            lines.append(
                f"{asker}: "
                + rng.choice(("Good.", "Thank you.", "Very good.", "That is right.", "Well done!", "Great, next one."))
            )
    return "\n".join(lines)


def sorted_tasks(rng: Random) -> str:
    """Tasks, each marked as a choice between fixed labels or not."""
    question, yes, no = rng.choice(_SORTING)
    head = rng.choice(("Task: ", "Task: ", "", "- "))
    gap = "\n\n" if head == "Task: " else rng.choice(("\n", "\n\n"))
    labelled = [k for k in NEAR if k.is_classification]
    blocks = []
    for _ in range(rng.randint(6, 16)):
        kind = rng.choice(labelled) if rng.random() < 0.4 else rng.choice(NEAR)
        instruction = instruct(kind, _draw(kind, rng), rng)[0]
        blocks.append(f"{head}{instruction}\n{question} {yes if kind.is_classification else no}")
    return gap.join(blocks)


def prose_page(rng: Random) -> str:
    """A page of paragraphs about the world."""
    return rng.choice(("\n\n", "\n", " ")).join(rng.choice(PROSE)(rng) for _ in range(rng.randint(2, 6)))


def practice_sheet(rng: Random) -> str:
    """Few tasks with many worked examples each, mostly in the numbered layout."""
    numbered = rng.random() < 0.75
    labels = ("Input: ", "Output: ") if numbered and rng.random() < 0.8 else rng.choice(_PAIR_LABELS)
    head = "Task: " if rng.random() < 0.7 else rng.choice(("Exercise: ", "", "Problem: ", "Assignment: "))
    if rng.random() < 0.25:
        label = "Class label" if rng.random() < 0.7 else rng.choice(_LABEL_FIRST)
        text = "" if rng.random() < 0.6 else rng.choice(_TEXT_FIELDS)
        pool = [k for k in NEAR if k.is_classification and k.wordings]
        return "\n\n".join(label_first(rng, rng.choice(pool), head, label, text, 7) for _ in range(rng.randint(2, 4)))
    kinds = [rng.choice(NEAR) for _ in range(rng.randint(2, 5))]
    return "\n\n".join(input_first(rng, kind, head, numbered, labels, 7) for kind in kinds)


Mixture = tuple[tuple[Callable[[Random], str], float], ...]
# page, its share of the documents: first the whole world, then mostly practice
GENERAL: Mixture = (
    (prose_page, 0.24), (task_list, 0.14), (work_sheet, 0.38), (quiz, 0.1), (dialogue, 0.08), (sorted_tasks, 0.06),
)  # fmt: skip
PRACTICE: Mixture = (
    (prose_page, 0.12), (task_list, 0.06), (work_sheet, 0.12), (practice_sheet, 0.48), (quiz, 0.1), (dialogue, 0.05), (sorted_tasks, 0.07),
)  # fmt: skip


def documents(seed: int, mixture: Mixture = GENERAL) -> Iterator[str]:
    """An endless stream of pages; the same seed and mixture give the same stream."""
    rng = Random(seed)
    pages, shares = zip(*mixture, strict=True)
    while True:
        text = rng.choices(pages, shares)[0](rng)
        assert not any(word in text for word in FORBIDDEN), text
        yield text
