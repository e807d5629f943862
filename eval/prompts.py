"""How a task becomes a prompt: its definition, worked examples by option, and the input, within a limit of tokens.

Encoding "template" makes definition and examples the instruction of the run's prompt format; "tk_instruct" is the text
that Tk-Instruct was trained and evaluated on (arXiv 2204.07705; src/ni_collator.py of yizhongw/Tk-Instruct), to the
blank. No model is asked here, and a tokenizer is loaded only where there is a limit.
"""

from __future__ import annotations

import json
import string
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from selfinstruct_train.config import Config, EvalConfig
from selfinstruct_train.core.model_source import TOKENIZER_FILES, check_model_source, load_failure, model_source
from selfinstruct_train.core.prompt_format import TemplateName, question, question_ids
from selfinstruct_train.lm.transformers.pretrained import load_pretrained_tokenizer
from selfinstruct_train.sources.natural_instructions import WorkedExample, read_worked_examples

from .examples import Example

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


@dataclass(frozen=True)
class PromptLimit:
    """So many tokens of one model's tokenizer; `template` is what encoding "template" is counted in."""

    num_tokens: int
    tokenizer: PreTrainedTokenizerBase
    template: TemplateName
    model: str


@dataclass(frozen=True)
class WorkedExamples:
    """The worked examples of a task that its prompts may show; `where` is the task's location for messages."""

    where: str = ""
    positive: tuple[WorkedExample, ...] = ()
    negative: tuple[WorkedExample, ...] = ()


def prompt_limit(config: Config, path: str | None = None) -> PromptLimit | None:
    """Return the limit of `eval.max_prompt_tokens` for the model at `path` (None: the run's own); None: there is none.

    Raises:
        ValueError: the model is behind a server, which leaves no tokenizer to count with; or none can be loaded.
    """
    number = config.eval.max_prompt_tokens
    if number is None:
        return None
    if config.model.backend == "http":
        raise ValueError(
            f"eval.max_prompt_tokens is {number}, but the tokenizer of a model behind a server is not known here; set "
            "it to null"
        )
    named = path or config.model.path
    source = model_source(named)
    check_model_source(source)
    try:
        tokenizer = load_pretrained_tokenizer(
            _tokenizer_source(source),
            revision=config.model.revision if named == config.model.path else None,
            trust_remote_code=config.model.trust_remote_code,
        )
    except Exception as error:  # every way in which a foreign model can be broken, told in one line
        raise ValueError(load_failure(source, error)) from error
    return PromptLimit(number, tokenizer, config.train.template, named)


def _tokenizer_source(source: str) -> str:
    """Return where a model's tokenizer is: with it, or with the base model of an adapter that has none of its own."""
    adapter = Path(source) / "adapter_config.json"
    if not adapter.is_file() or any((Path(source) / name).exists() for name in TOKENIZER_FILES):
        return source
    return model_source(json.loads(adapter.read_text(encoding="utf-8"))["base_model_name_or_path"])


def prompt_settings(config: EvalConfig) -> dict[str, Any]:
    """Return the settings that decide the text of a prompt: what is not the default, and the number of examples."""
    default = EvalConfig()
    names = ("encoding", "num_negative_examples", "explanations", "max_prompt_tokens")
    changed = {name: getattr(config, name) for name in names if getattr(config, name) != getattr(default, name)}
    return {"num_positive_examples": config.num_positive_examples, **changed}


def worked_examples(where: str, task: dict[str, Any], config: EvalConfig) -> WorkedExamples:
    """Return the first worked examples of a task; fewer where it has fewer.

    Raises:
        ValueError: an example is of another shape.
    """
    return WorkedExamples(
        where,
        tuple(read_worked_examples(where, task, "Positive", config.num_positive_examples)),
        tuple(read_worked_examples(where, task, "Negative", config.num_negative_examples)),
    )


def encode(example: Example, shown: WorkedExamples, config: EvalConfig, limit: PromptLimit | None = None) -> Example:
    """Return the example as a model is asked it: with its instruction, or with its whole prompt.

    Args:
        example: its instruction is the task's definition.
        limit: "template": the last worked examples are left out until the prompt fits; if it does not fit without any,
            the end of the input is cut away, by characters, no more than it takes. "tk_instruct": see
            `tk_instruct_prompt`.

    Raises:
        ValueError: "template", and the definition alone is longer than the limit.
    """
    if config.encoding == "tk_instruct":
        return replace(example, prompt=tk_instruct_prompt(example, shown, config.explanations, limit))
    number = len(shown.positive) + len(shown.negative)
    for kept in range(number, -1, -1):
        instruction = _with_examples(example.instruction, shown, kept, config.explanations)
        if limit is None or _fits(instruction, example.input, limit):
            return replace(example, instruction=instruction)
    assert limit is not None, "without a limit the first try fits"
    return replace(example, input=_cut(example, shown.where, limit))


def tk_instruct_prompt(example: Example, shown: WorkedExamples, explanations: bool, limit: PromptLimit | None) -> str:
    """Return Tk-Instruct's text of a task and an input.

    Positive examples, then negative ones, are added one by one while the text still fits, as there counted with a blank
    between them that the text itself does not have; the first that does not fit ends its kind. A text that is too long
    without any is cut after the limit's last token, so that even "Output:" may go.
    """
    asked = f"Now complete the following example -\n{_ended(f'Input: {example.input.strip()}')}\nOutput: "
    head = f"{_ended(f'Definition: {example.instruction.strip()}')}\n\n"

    def fits(text: str) -> bool:
        return limit is None or len(limit.tokenizer(text)["input_ids"]) <= limit.num_tokens

    positive: list[str] = []
    negative: list[str] = []
    for kind, examples, texts in (("Positive", shown.positive, positive), ("Negative", shown.negative, negative)):
        for number, worked in enumerate(examples, start=1):
            text = _tk_instruct_example(f" {kind} Example {number} -", worked, explanations)
            if not fits(head + " ".join(positive) + " ".join(negative) + text + asked):
                break
            texts.append(text)
    prompt = head + "".join(positive) + "".join(negative) + asked
    if limit is None or fits(prompt):
        return prompt
    ids = limit.tokenizer(prompt)["input_ids"][: limit.num_tokens]
    return str(limit.tokenizer.decode(ids, skip_special_tokens=True))


def _tk_instruct_example(title: str, worked: WorkedExample, explanations: bool) -> str:
    lines = [title, _ended(f"Input: {worked.input.strip()}"), _ended(f" Output: {worked.output.strip()}")]
    if explanations and worked.explanation is not None:  # an empty one too: " Explanation: ."
        lines.append(_ended(f" Explanation: {worked.explanation.strip()}"))
    return "\n".join(lines) + "\n\n"


def _ended(text: str) -> str:
    """Return a text that ends with a punctuation mark, an added full stop if need be."""
    return text if text[-1] in string.punctuation else f"{text}."


def _with_examples(definition: str, shown: WorkedExamples, number: int, explanations: bool) -> str:
    """Return the instruction with the first `number` of the worked examples, positive ones first."""
    text = definition
    kinds: Sequence[tuple[str, tuple[WorkedExample, ...]]] = (
        ("Positive", shown.positive[:number]),
        ("Negative", shown.negative[: max(0, number - len(shown.positive))]),
    )
    for kind, examples in kinds:
        for number, worked in enumerate(examples, start=1):
            text += f"\n\n{kind} Example {number}\nInput: {worked.input.strip()}\nOutput: {worked.output.strip()}"
            if explanations and worked.explanation and worked.explanation.strip():
                text += f"\nExplanation: {worked.explanation.strip()}"
    return text


def _fits(instruction: str, input: str, limit: PromptLimit) -> bool:
    text, is_chat = question(instruction, input, limit.template)
    return len(question_ids(limit.tokenizer, text, is_chat, limit.model)) <= limit.num_tokens


def _cut(example: Example, where: str, limit: PromptLimit) -> str:
    """Return the longest beginning of the input that fits, found by halving."""
    if not _fits(example.instruction, "", limit):
        raise ValueError(
            f"{where or example.task}: its definition alone has more than eval.max_prompt_tokens ({limit.num_tokens}) "
            f"tokens of {limit.model}; raise the limit"
        )
    fitting, too_long = 0, len(example.input)
    while too_long - fitting > 1:
        middle = (fitting + too_long) // 2
        fitting, too_long = (
            (middle, too_long) if _fits(example.instruction, example.input[:middle], limit) else (fitting, middle)
        )
    return example.input[:fitting]
