"""How an instruction and its input become the text a model reads, in training and in evaluation alike.

Template "paper": training draws one of the released code's 7 + 6 formats for each row, so that the model tolerates many
forms; evaluation uses two fixed ones of the same lists. Template "fixed": one format of our own for both, which a small
model learns quickly. No format carries an end-of-text mark: `train.encode` appends the model's own EOS id.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from typing import Any, Literal

TemplateName = Literal["paper", "fixed", "chat"]


@dataclass(frozen=True)
class Format:
    """A prompt and the completion behind it; the separating space belongs to the completion."""

    prompt: str
    completion: str


# The two lists: released code, prepare_for_finetuning.py (there with <|endoftext|> at the end of each completion).
TRAIN_TEMPLATES_WITH_INPUT = (
    Format("{instruction}\nInput: {input}\nOutput:", " {output}"),
    Format("{instruction}\n\nInput: {input}\n\nOutput:", " {output}"),
    Format("Task: {instruction}\nInput: {input}\nOutput:", " {output}"),
    Format("{instruction}\n\n{input}\n\nOutput:", " {output}"),
    Format("{instruction}\n\n{input}\n\n", "{output}"),
    Format("{instruction}\n{input}\n\n", "{output}"),
    Format("Task: {instruction}\n\n{input}\n\n", "{output}"),
)
TRAIN_TEMPLATES_WITHOUT_INPUT = (
    Format("{instruction} Output:", " {output}"),
    Format("{instruction}\nOutput:", " {output}"),
    Format("{instruction}\n\nOutput:", " {output}"),
    Format("{instruction}\n", "{output}"),
    Format("{instruction}\n\n", "{output}"),
    Format("Task: {instruction}\n\n", "{output}"),
)
EVALUATION_TEMPLATE_WITH_INPUT = TRAIN_TEMPLATES_WITH_INPUT[2]
EVALUATION_TEMPLATE_WITHOUT_INPUT = TRAIN_TEMPLATES_WITHOUT_INPUT[2]
# Ours: neither word occurs in the tiny model's pretraining text, so nothing but the finetuning teaches it this form.
FIXED_TEMPLATE_WITH_INPUT = Format("Instruction: {instruction}\nInput: {input}\nResponse:", " {output}")
FIXED_TEMPLATE_WITHOUT_INPUT = Format("Instruction: {instruction}\nResponse:", " {output}")


def training_text(
    instruction: str, input: str, output: str, template: TemplateName, rng: random.Random
) -> tuple[str, str]:
    """Return (prompt, completion) of one training row.

    Args:
        rng: the row's own generator; template "paper" draws the format, and whether the input is simplified, from it.
    """
    instruction, input, output = instruction.strip(), input.strip(), output.strip()
    _check_template(template)
    if template == "fixed":
        chosen = FIXED_TEMPLATE_WITH_INPUT if input else FIXED_TEMPLATE_WITHOUT_INPUT
    else:
        if rng.random() < 0.5:  # 0.5: released code, prepare_for_finetuning.py
            input = _simplify_input(input)
        chosen = rng.choice(TRAIN_TEMPLATES_WITH_INPUT if input else TRAIN_TEMPLATES_WITHOUT_INPUT)
    return chosen.prompt.format(instruction=instruction, input=input), chosen.completion.format(output=output)


def evaluation_prompt(instruction: str, input: str, template: TemplateName) -> str:
    """Return the text that asks a model to follow `instruction` on `input` (which may be empty)."""
    instruction, input = instruction.strip(), input.strip()
    _check_template(template)
    if template == "fixed":
        chosen = FIXED_TEMPLATE_WITH_INPUT if input else FIXED_TEMPLATE_WITHOUT_INPUT
    else:
        chosen = EVALUATION_TEMPLATE_WITH_INPUT if input else EVALUATION_TEMPLATE_WITHOUT_INPUT
    return chosen.prompt.format(instruction=instruction, input=input)


def user_message(instruction: str, input: str) -> str:
    """Return an instruction and its input (which may be empty) as the user's message of a chat."""
    return "\n\n".join(part for part in (instruction.strip(), input.strip()) if part)


def _check_template(template: str) -> None:
    if template not in ("paper", "fixed"):
        raise ValueError(f"template is {template!r}; known: paper, fixed")


def _simplify_input(text: str) -> str:
    """Drop the field name of an input that has just one, and blank lines, as the released code does half the time."""
    if len(set(re.findall(r"(\w+):", text))) == 1:
        text = text.split(":", 1)[1].strip()
    return text.replace("\n\n", "\n")


def prompt_ids(tokenizer: Any, prompt: str) -> list[int]:
    """Return a prompt's token ids as the model sees them, in training and in inference alike.

    One BOS token stands in front where the tokenizer puts one, and no EOS behind, since a completion follows. An empty
    prompt without BOS becomes the BOS token, or nothing where the tokenizer has none.
    """
    ids = list(tokenizer(prompt, add_special_tokens=False)["input_ids"])
    bos = tokenizer.bos_token_id
    adds_bos = bos is not None and tokenizer(prompt)["input_ids"][:1] == [bos]
    if bos is not None and ids[:1] != [bos] and (adds_bos or not ids):
        return [bos, *ids]
    return ids
