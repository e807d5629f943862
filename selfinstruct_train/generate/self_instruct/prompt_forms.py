"""The three ways to put a prompt to a model, and the ways back from its answer to what the parsers read.

plain: the text itself, for a base model to go on with (the paper). chat: the same text in a user's message that asks to
continue it. numbered: stage 1 asks in a chat for a numbered list; stages 2 and 3 as chat. A chat model answers in a
looser form (a preface, markdown, other numbering, the question again): `as_continuation` makes of that the text that a
base model would have written. It is pure and stands between journal and parser, so the journal keeps the raw answer.

No stop string that an answer may begin with is sent in a chat: it would cut at the first blank line, behind a preface.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from typing import Literal

from ...core.names import Stage
from ...core.records import Completion, Sampling
from .prompts import instruction_prompt

PromptForm = Literal["plain", "chat", "numbered"]

CHAT_ANSWER_TOKENS = 16
"""Of stage 2 in a chat, at least: a yes or no may come behind "**Answer:**" there; plain 3 are the released code's."""

_GO_ON = {
    "classification": (
        "The text below holds tasks, each followed by a question and its answer. Its last question is still open. "
        "Answer that one, with a single word: Yes or No."
    ),
    "instances": (
        "The text below holds tasks, each followed by examples of it. Its last task has no examples yet. Write what "
        "comes next for that task alone, with the same labels in front of the parts, and nothing else."
    ),
}

_THOUGHTS = re.compile(r"^\s*<think(?:ing)?>.*?(?:</think(?:ing)?>|\Z)", re.DOTALL)
_FENCED = re.compile(r"\A\s*```[^\n]*\n(.*?)\n?```\s*\Z", re.DOTALL)
_ASSENT = re.compile(r"(sure|certainly|of course|absolutely|okay|ok|great|happy to)\b", re.IGNORECASE)
_PREFACE = re.compile(
    r"(here (are|is)|here's|below (are|is)|i'll|i will|continuing|the (list|continuation))\b"
    r".*\b(list|tasks|items|instructions|continu\w+)\b",
    re.IGNORECASE,
)
_REFUSAL = re.compile(
    r"(i'm sorry|i am sorry|sorry,|i can ?not|i can't|i am unable|i'm unable|as an ai\b)", re.IGNORECASE
)
_HEADER = re.compile(r"come up with a series of ", re.IGNORECASE)
# "9.", "9)", "9:", "**9.**", "Task 9:", "### 9."; the dot of a decimal number ("3.5 litres") does not count
_NUMBERED = re.compile(r"^[\s#>*_-]*(?:task\s*)?#?(\d{1,3})\s*[.):]+(?:\*\*|__)?(?!\d)\s*(.*)$", re.IGNORECASE)
_BULLET = re.compile(r"^\s*[-*\u2022]\s+(\S.*)$")
_ANSWER = re.compile(r"\A\W*(?:(?:the\s+)?answer(?:\s+is)?\W+|is it classification\W+)*(yes|no)\b", re.IGNORECASE)
_VERDICT = re.compile(r"\bis\s+(not\s+)?(?:an?\s+)?(?:\w+\s+)?classification\b", re.IGNORECASE)
_LABEL = re.compile(
    r"^[ \t#>*_-]*(Example|Input|Output|Class label)[ \t]*(\d*)[ \t]*[*_]*[ \t]*([.:]?)[ \t]*[*_]*[ \t]*(.*)$",
    re.IGNORECASE,
)
_BOLD_LABEL = re.compile(r"^(?:\*\*|__)([^*_:\n]{1,30})(?::(?:\*\*|__)|(?:\*\*|__):)[ \t]*")
# ** or __ at the edge of a word, but not "2**3" or the blank "____"
_BOLD_MARK = re.compile(r"""(?<![\w*])(?:\*\*|__)(?=[^\W_]|["'`(\u201c])|(?<=[^\s*_(\[])(?<!__)(?:\*\*|__)(?![\w*])""")
_FAREWELL = re.compile(
    r"(let me know|i hope|feel free|would you like|if you (need|want|would)|please let)", re.IGNORECASE
)
# behind an example's output a letter may say farewell too; only what speaks of the examples or of help is the model's
_FAREWELL_OF_EXAMPLES = re.compile(
    rf"{_FAREWELL.pattern}.*\b(examples?|tasks?|instances|helps?|assist\w*)\b", re.IGNORECASE
)


def is_chat(form: PromptForm) -> bool:
    """Whether requests of this form are the user's message of a chat."""
    return form != "plain"


def instruction_message(instructions: Sequence[str], form: PromptForm, classification: bool = False) -> str:
    """Return what stage 1 asks: new tasks, as many as it shows, with the numbers after theirs."""
    text = instruction_prompt(instructions, classification)
    if form == "plain":
        return text
    first, last = len(instructions) + 1, 2 * len(instructions)
    if form == "chat":
        return (
            "The text below is a numbered list that somebody broke off. Go on with it exactly where it ends: write "
            f"what belongs behind number {first}, then the next numbers up to {last}, one task a line. Do not repeat "
            f"what is there and do not solve the tasks. Write nothing but the list.\n\n{text}"
        )
    what = "classification tasks" if classification else "tasks"
    labels = " Name the possible output labels in the task where you can." if classification else ""
    shown = "\n".join(text.split("\n")[1:-1])
    return (
        f"Here are {len(instructions)} {what} that somebody may give to an assistant:\n\n{shown}\n\n"
        f"Write {len(instructions)} new {what}, as different as possible from these and from each other, in kind, "
        f"subject and wording.{labels} Number them from {first} to {last}, one task a line. Do not solve them. Write "
        "nothing but the list."
    )


def few_shot_message(text: str, form: PromptForm, stage: Stage) -> str:
    """Return what stages 2 and 3 ask: their few-shot text, in a chat behind what is to be done with it."""
    return text if form == "plain" else f"{_GO_ON[stage]}\n\n{text}"


def form_sampling(sampling: Sampling, form: PromptForm, stage: Stage) -> Sampling:
    """Return how a stage is sampled: in a chat without stop strings, and with room for more than one word."""
    if form == "plain":
        return sampling
    tokens = sampling.max_new_tokens
    if stage == "classification":
        tokens = max(tokens, CHAT_ANSWER_TOKENS)
    return dataclasses.replace(sampling, max_new_tokens=tokens, stop=())


def as_continuation(
    completion: Completion, form: PromptForm, stage: Stage, num_shown: int = 0, stop: Sequence[str] = ()
) -> Completion:
    """Return the answer as a base model would have continued the plain prompt; a plain answer is returned as it is.

    Args:
        num_shown: of stage 1, how many numbered instructions the prompt showed.
        stop: of stage 3, the strings that end an answer.
    """
    if form == "plain":
        return completion
    text = _THOUGHTS.sub("", completion.text.replace("\r\n", "\n"))
    fenced = _FENCED.match(text)
    text = fenced.group(1) if fenced else text
    reason = completion.finish_reason
    if stage == "instructions":
        items = _list_items(text, num_shown)
        text = "\n".join(f"{'' if i == 0 else f'{num_shown + 1 + i}.'} {item}" for i, item in enumerate(items))
    elif stage == "classification":
        text = _yes_or_no(text)
    else:
        text, is_cut = _examples(text, stop)
        reason = "stop" if is_cut else reason
    return dataclasses.replace(completion, text=text, finish_reason=reason)


def _list_items(text: str, num_shown: int) -> list[str]:
    """Split a chat's list into its tasks, each on one line; what is no task is left out.

    Before the first number stands a preface, or the rest of the item that the prompt opened. A list that begins with 1
    and reaches beyond the instructions shown repeats these.
    """
    if _REFUSAL.match(text.strip()):
        return []
    numbers: list[int] = []
    items: list[str] = []
    before: list[str] = []
    is_open = False  # whether a line without a number goes on with the item above
    for line in text.split("\n"):
        found = _NUMBERED.match(line)
        if found:
            numbers.append(int(found.group(1)))
            items.append(found.group(2))
            is_open = True
        elif not numbers:
            before.append(line)
        elif line.strip() and is_open:
            items[-1] += " " + line.strip()
        else:
            is_open = False
    own = _unnumbered(before, lines_are_items=not numbers)
    if num_shown + 1 in numbers and numbers[0] == 1:
        items = [item for number, item in zip(numbers, items, strict=True) if number > num_shown]
    cleaned = [_plain_line(item) for item in (*own, *items)]
    return [item for item in cleaned if item]


def _unnumbered(lines: list[str], lines_are_items: bool) -> list[str]:
    """The tasks among lines without numbers: bullets, else each line of a whole answer, else one text broken off."""
    bullets = [found.group(1) for line in lines if (found := _BULLET.match(line))]
    if bullets:
        return bullets
    paragraphs = [p for p in "\n".join(lines).split("\n\n") if p.strip()]
    kept = [p for p in paragraphs if not _is_talk(p)]
    if lines_are_items:
        return [line for p in kept for line in p.split("\n") if line.strip() and not _is_talk(line)]
    return [" ".join(kept[0].split())] if kept else []


def _is_talk(text: str) -> bool:
    """Whether a paragraph speaks about the answer in place of being one."""
    plain = text.strip().strip("*_# ")
    starts = any(pattern.match(plain) for pattern in (_ASSENT, _PREFACE, _HEADER, _FAREWELL))
    return starts or plain.endswith(":") or not plain.strip("-=")


def _plain_line(text: str) -> str:
    """Drop the marks of bold text, code and quotation around an item."""
    text = " ".join(_BOLD_MARK.sub("", text).split())
    for left, right in (('"', '"'), ("\u201c", "\u201d"), ("`", "`"), ("*", "*"), ("_", "_")):
        if len(text) > 1 and text[0] == left and text[-1] == right and left not in text[1:-1]:
            text = text[1:-1].strip()
    return text


def _yes_or_no(text: str) -> str:
    """Return " Yes" or " No" where the answer says so, else the answer itself."""
    found = _ANSWER.match(text)
    if found:
        return f" {found.group(1).capitalize()}"
    said = _VERDICT.search(text)
    if said:
        return " No" if said.group(1) else " Yes"
    return text


def _examples(text: str, stop: Sequence[str]) -> tuple[str, bool]:
    """Return the labelled parts of a stage-3 answer, and whether it was ended by a stop string or a farewell."""
    lines = text.split("\n")
    labelled = [_plain_label(line) for line in lines]
    start = next((i for i, label in enumerate(labelled) if label is not None), None)
    if start is None:
        return text, False
    # an input may bear a name of its own ("Sentence: ..."); it keeps it, without its markdown
    body = "\n".join(
        _BOLD_LABEL.sub(r"\1: ", line) if label is None else label
        for line, label in zip(lines[start:], labelled[start:], strict=True)
    )
    ends = [index for index in (body.find(s) for s in stop) if index >= 0]
    body = body[: min(ends)] if ends else body
    paragraphs = body.rstrip().split("\n\n")
    while len(paragraphs) > 1 and (
        _FAREWELL_OF_EXAMPLES.match(paragraphs[-1].strip()) or not paragraphs[-1].strip("-*_ \n")
    ):
        paragraphs.pop()
        ends = [0]
    return "\n\n".join(paragraphs), bool(ends)


def _plain_label(line: str) -> str | None:
    """Return a line that a label opens without its markdown, or None if no label opens it."""
    found = _LABEL.match(line)
    if not found:
        return None
    word, number, mark, rest = found.groups()
    word = word.capitalize()
    if word == "Example":
        return f"Example {number}" + (f"\n{rest}" if rest else "") if number and (mark or not rest) else None
    if mark != ":":
        return None
    return f"{word}: {rest}".rstrip()
