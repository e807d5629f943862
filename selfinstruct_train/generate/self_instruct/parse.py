"""From a completion to instructions or instances, each with its verdict.

`method="paper"` gives what the released code gives (bootstrap_instructions.py, prepare_for_finetuning.py), except that
instances come in the order of the text, where the released code has the order of a set. `method="default"` departs
where the released code is at fault: names keep their capitals, and a completion cut by the token limit loses the cut
item only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, get_args

from ...core.names import KEPT
from ..heuristics import Language, instance_verdict, instance_verdicts, instruction_verdict

REFUSED = "refused"
"""The verdict where the provider withheld the answer."""
Method = Literal["default", "paper"]

# The released code's patterns.
_NEXT_NUMBER = re.compile(r"\n\d+\s?\. ")
_EXAMPLE = re.compile(r"Example\s?\d*\.?")
_OUTPUT = re.compile(r"Output\s*\d*\s*:")
_INPUT = re.compile(r"Input\s*\d*\s*:")
CLASS_LABEL = "Class label:"


@dataclass(frozen=True)
class InstructionCandidate:
    """One item of a stage-1 completion; `verdict` is "kept" or the reason it was dropped."""

    text: str
    verdict: str


@dataclass(frozen=True)
class InstanceCandidate:
    """One instance of a stage-3 completion; `verdict` is "kept" or the reason it was dropped."""

    input: str
    output: str
    verdict: str


def parse_instructions(text: str, finish_reason: str, method: Method) -> list[str]:
    """Return the usable instructions of a stage-1 completion, in order.

    Args:
        finish_reason: "length" where the completion was cut; its last instruction is then not whole.
        method: "default", or "paper" for the released code's behaviour.
    """
    return [c.text for c in instruction_candidates(text, finish_reason, method) if c.verdict == KEPT]


def parse_instances(text: str, finish_reason: str, is_classification: bool, method: Method) -> list[tuple[str, str]]:
    """Return the usable (input, output) pairs of a stage-3 completion, in order.

    Args:
        is_classification: whether the completion gives labels before inputs.
    """
    candidates = instance_candidates(text, finish_reason, is_classification, method)
    return [(c.input, c.output) for c in candidates if c.verdict == KEPT]


def instruction_candidates(
    text: str, finish_reason: str, method: Method, language: Language = "english"
) -> list[InstructionCandidate]:
    """Split a stage-1 completion at its numbers and filter every item."""
    _check_method(method)
    if finish_reason == "content_filter":
        return [InstructionCandidate("", REFUSED)]
    is_cut = finish_reason == "length"
    items = _NEXT_NUMBER.split(text)
    candidates = []
    for position, item in enumerate(items):
        instruction = _capitalize(re.sub(r"\s+", " ", item).strip(), method)
        # departs from the released code in "default": there a cut completion loses its complete items too
        is_cut_item = is_cut and (method == "paper" or position == len(items) - 1)
        verdict = "cut_off" if is_cut_item else instruction_verdict(instruction, language)
        candidates.append(InstructionCandidate(instruction, verdict))
    return candidates


def instance_candidates(
    text: str, finish_reason: str, is_classification: bool, method: Method
) -> list[InstanceCandidate]:
    """Split a stage-3 completion into pairs and filter each, alone and beside the others.

    A completion without a single example gives one candidate, "no_examples", with the text as its output.
    """
    _check_method(method)
    if finish_reason == "content_filter":
        return [InstanceCandidate("", "", REFUSED)]
    pairs, num_complete = (_split_labels if is_classification else _split_examples)(text, method)
    if not pairs:
        return [InstanceCandidate("", text.strip(), "no_examples")]
    if finish_reason != "length":
        num_complete = len(pairs)
    verdicts = [instance_verdict(*pair) if i < num_complete else "cut_off" for i, pair in enumerate(pairs)]
    kept = [i for i, verdict in enumerate(verdicts) if verdict == KEPT]
    for i, verdict in zip(kept, instance_verdicts([pairs[i] for i in kept]), strict=True):
        verdicts[i] = verdict
    return [InstanceCandidate(*pair, verdict) for pair, verdict in zip(pairs, verdicts, strict=True)]


def _split_examples(text: str, method: Method) -> tuple[list[tuple[str, str]], int]:
    """Split an input-first completion; also tell how many of its pairs are whole if it was cut."""
    text = text.strip()
    if _EXAMPLE.search(text):
        parts = [part.strip() for part in _EXAMPLE.split(text)]
    elif _OUTPUT.search(text):
        parts = [text]
    else:
        return [], 0
    pairs = [_split_pair(part) for part in parts if part]
    # departs from the released code in "default": cut right behind "Example 3", it drops example 2, which is whole
    ends_with_marker = method == "default" and not parts[-1]
    return pairs, len(pairs) - (0 if ends_with_marker else 1)


def _split_pair(text: str) -> tuple[str, str]:
    """Split "Input: ... Output: ..."; what follows a second marker is another pair run on, and goes."""
    parts = _OUTPUT.split(text)
    input, output = (parts[0].strip(), parts[1].strip()) if len(parts) > 1 else ("", text.strip())
    output = _INPUT.split(output)[0].strip()
    leading = _INPUT.match(input)
    if leading:
        input = input[leading.end() :].strip()
    return input, output


def _split_labels(text: str, method: Method) -> tuple[list[tuple[str, str]], int]:
    """Split an output-first completion: a label's line, then its input up to the next label."""
    pairs = []
    for part in text.split(CLASS_LABEL)[1:]:
        label, _, input = part.strip().partition("\n")
        pairs.append((input.strip(), label.strip()))
    return pairs, len(pairs) - 1


def _capitalize(text: str, method: Method) -> str:
    if method == "paper":
        return text.capitalize()
    # departs from the released code: capitalize() lower-cases all that follows, names included
    return text[:1].upper() + text[1:]


def _check_method(method: str) -> None:
    if method not in get_args(Method):
        raise ValueError(f"method is {method!r}; it must be one of {', '.join(get_args(Method))}")
