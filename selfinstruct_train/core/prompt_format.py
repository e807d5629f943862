"""How an instruction and its input become the tokens a model reads, in training and in evaluation alike.

Template "paper": training draws one of the released code's 7 + 6 formats for each row, so that the model tolerates many
forms; evaluation uses two fixed ones of the same lists. Template "fixed": one format of our own for both, which a small
model learns quickly. Template "chat": the model's own chat template, instruction and input being the user's message.
No format carries an end mark: `train.encode` appends the id of the token that ends a completion (`end_id`).
"""

from __future__ import annotations

import datetime
import random
import re
from collections.abc import Sequence
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

    Raises:
        ValueError: the template is unknown, or is "chat", whose text only a tokenizer knows (`chat_text`).
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
    """Return the text that asks a model to follow `instruction` on `input` (which may be empty).

    Raises:
        ValueError: the template is unknown, or is "chat", whose text only a tokenizer knows (see `question`).
    """
    instruction, input = instruction.strip(), input.strip()
    _check_template(template)
    if template == "fixed":
        chosen = FIXED_TEMPLATE_WITH_INPUT if input else FIXED_TEMPLATE_WITHOUT_INPUT
    else:
        chosen = EVALUATION_TEMPLATE_WITH_INPUT if input else EVALUATION_TEMPLATE_WITHOUT_INPUT
    return chosen.prompt.format(instruction=instruction, input=input)


def question(instruction: str, input: str, template: TemplateName) -> tuple[str, bool]:
    """Return what evaluation asks a model, and whether that is the user's message of a chat or plain text."""
    if template == "chat":
        return user_message(instruction, input), True
    return evaluation_prompt(instruction, input, template), False


def user_message(instruction: str, input: str) -> str:
    """Return an instruction and its input (which may be empty) as the user's message of a chat."""
    return "\n\n".join(part for part in (instruction.strip(), input.strip()) if part)


def _check_template(template: str) -> None:
    if template not in ("paper", "fixed"):
        raise ValueError(f"template is {template!r}; known: paper, fixed, and chat where there is a tokenizer")


def _simplify_input(text: str) -> str:
    """Drop the field name of an input that has just one, and blank lines, as the released code does half the time."""
    if len(set(re.findall(r"(\w+):", text))) == 1:
        text = text.split(":", 1)[1].strip()
    return text.replace("\n\n", "\n")


def question_ids(tokenizer: Any, text: str, is_chat: bool, model_name: str) -> list[int]:
    """Return the token ids of a question as a model is asked it, in training and in inference alike."""
    return chat_ids(tokenizer, text, model_name) if is_chat else prompt_ids(tokenizer, text)


def prompt_ids(tokenizer: Any, prompt: str) -> list[int]:
    """Return a plain prompt's token ids.

    One BOS token stands in front where the tokenizer puts one, and no EOS behind, since a completion follows. An empty
    prompt without BOS becomes the BOS token, or nothing where the tokenizer has none.
    """
    ids = list(tokenizer(prompt, add_special_tokens=False)["input_ids"])
    bos = tokenizer.bos_token_id
    adds_bos = bos is not None and tokenizer(prompt)["input_ids"][:1] == [bos]
    if bos is not None and ids[:1] != [bos] and (adds_bos or not ids):
        return [bos, *ids]
    return _with_one_bos(ids, bos)


def chat_ids(tokenizer: Any, message: str, model_name: str) -> list[int]:
    """Return the token ids of a user's message with the opening of the assistant's; a BOS is the template's affair.

    A template that knows `enable_thinking` is asked for an answer without thoughts.

    Raises:
        ValueError: the tokenizer has no chat template, or the template refuses the message.
    """
    return rendered_ids(tokenizer, _render(tokenizer, [_user(message)], model_name, is_open=True))


def rendered_ids(tokenizer: Any, text: str) -> list[int]:
    """Return the token ids of a text into which a chat template has written its special tokens, BOS included."""
    return _with_one_bos(list(tokenizer(text, add_special_tokens=False)["input_ids"]), tokenizer.bos_token_id)


def chat_text(tokenizer: Any, message: str, answer: str, model_name: str) -> tuple[str, str]:
    """Return a chat's prompt, as `chat_ids` encodes it, and the completion: all that the model has to write before
    the token that ends its turn (`end_id`).

    The template is asked where it puts an answer, not to write this one: it may cut thoughts out of what it takes for
    the history of a chat, and a model has to learn the answer as it stands.

    Raises:
        ValueError: as `chat_ids`; or the template opens an answer in one way and records it in another.
    """
    prompt = _render(tokenizer, [_user(message)], model_name, is_open=True)
    before, after = _around_answer(tokenizer, message, model_name)
    if before.startswith(prompt):
        opening = before[len(prompt) :]
    elif prompt.startswith(before):  # e.g. an empty block of thoughts that only the open prompt has
        opening = ""
    else:
        raise ValueError(
            f"model {model_name!r}: its chat template opens an answer with {_tail(prompt, before)!r} but records it "
            f"behind {_tail(before, prompt)!r}, so training and inference would differ; use train.template: fixed"
        )
    end = _first_special(tokenizer, after)
    return prompt, opening + answer + (after[: end[0]] if end is not None else "")


def end_id(tokenizer: Any, template: TemplateName, model_name: str) -> int:
    """Return the token that ends a completion: the tokenizer's EOS, in a chat what the template ends a turn with.

    A chat template that ends a turn with no special token gets the tokenizer's EOS, without which nothing would stop.

    Raises:
        ValueError: as `chat_ids`; or the tokenizer has no EOS token where one is needed.
    """
    if template == "chat":
        end = _first_special(tokenizer, _around_answer(tokenizer, "Hello.", model_name)[1])
        if end is not None:
            return end[1]
    if tokenizer.eos_token_id is None:
        raise ValueError(
            f"model {model_name!r}: its tokenizer has no EOS token, so a model trained with it would never stop; "
            "set eos_token in tokenizer_config.json"
        )
    return int(tokenizer.eos_token_id)


def stop_ids(
    tokenizer: Any, template: TemplateName, generation_config_eos: int | Sequence[int] | None, model_name: str = ""
) -> list[int]:
    """Return what belongs into generation_config.eos_token_id of a trained model: its end token, then those it had."""
    had = [generation_config_eos] if isinstance(generation_config_eos, int) else list(generation_config_eos or ())
    own = [tokenizer.eos_token_id] if tokenizer.eos_token_id is not None else []
    return list(dict.fromkeys([end_id(tokenizer, template, model_name), *own, *had]))


def embeddings_needed(tokenizer: Any) -> int:
    """Return how many embeddings a model must have for a tokenizer: as far as the ids of its regular vocabulary go, and
    of the special tokens that are used without being named in a text.

    Other added tokens may lie beyond them, as Gemma 3's for images do in its text-only models.
    """
    special = (tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.pad_token_id)
    return max(int(tokenizer.vocab_size), *(id + 1 for id in special if id is not None), 0)


_ANSWER = "the answer stands here"
_DAY = datetime.date(2024, 7, 26)
"""What templates that tell the date (Llama 3, SmolLM3, gpt-oss) take for today: a model that is evaluated a day after
its training must see the same prompts. Any day would do; this one is the default of Llama 3's own template."""
_STRFTIME_NOW = "".join(
    (
        "{%- macro strftime_now(form) -%}{{ form",
        *(
            f" | replace('{part}', '{_DAY.strftime(part)}')"
            for part in ("%d", "%b", "%B", "%Y", "%y", "%m", "%a", "%A")
        ),
        " }}{%- endmacro %}\n",
    )
)
"""In front of a template it stands for transformers' function of this name, which cannot be given as a setting: from
5.23 on a template sees data alone. The line's end goes with the tag, so that the template begins as it did."""


def _user(message: str) -> dict[str, str]:
    return {"role": "user", "content": message}


def _render(tokenizer: Any, messages: list[dict[str, str]], model_name: str, is_open: bool) -> str:
    """Write a chat in the model's template, closed or with the opening of the assistant's message."""
    import jinja2

    remedy = (
        "plain prompts (train.template: fixed, generate.prompt_form: plain, relabel.chat, quality.chat, judge.chat: "
        "false)"
    )
    if not tokenizer.chat_template:
        raise ValueError(
            f"model {model_name!r}: its tokenizer has no chat template; use an instruct model, or {remedy}"
        )
    template = tokenizer.chat_template
    dated = {"chat_template": _STRFTIME_NOW + template} if "strftime_now" in template else {}
    try:
        text = tokenizer.apply_chat_template(
            messages,
            add_generation_prompt=is_open,
            tokenize=False,
            enable_thinking=False,
            date_string=_DAY.strftime("%d %b %Y"),
            **dated,
        )
    except jinja2.TemplateError as error:
        raise ValueError(
            f"model {model_name!r}: its chat template refuses a user's message ({error}); use {remedy}"
        ) from error
    if not isinstance(text, str):
        raise ValueError(
            f"model {model_name!r}: its chat template gives {type(text).__name__}, where a text must be; use {remedy}"
        )
    return text


def _around_answer(tokenizer: Any, message: str, model_name: str) -> tuple[str, str]:
    """Return what a template writes before and after the assistant's answer."""
    chat = [_user(message), {"role": "assistant", "content": _ANSWER}]
    before, found, after = _render(tokenizer, chat, model_name, is_open=False).rpartition(_ANSWER)
    if not found:
        raise ValueError(
            f"model {model_name!r}: its chat template leaves out the assistant's answer; use train.template: fixed"
        )
    return before, after


def _first_special(tokenizer: Any, text: str) -> tuple[int, int] | None:
    """Return the index and the id of the first special or added token in a text."""
    tokens = {str(token): id for id, token in tokenizer.added_tokens_decoder.items()}
    tokens |= dict(zip(tokenizer.all_special_tokens, tokenizer.all_special_ids, strict=True))
    found = [(text.find(token), -len(token), id) for token, id in tokens.items() if token.strip() and token in text]
    if not found:
        return None
    index, _, id = min(found)
    return index, id


def _with_one_bos(ids: list[int], bos: int | None) -> list[int]:
    while bos is not None and ids[:2] == [bos, bos]:
        ids = ids[1:]
    return ids


def _tail(text: str, other: str) -> str:
    """Return the end of a text from where it differs from another, or its last 20 characters if that is less."""
    same = next((i for i, (a, b) in enumerate(zip(text, other, strict=False)) if a != b), min(len(text), len(other)))
    return text[min(same, max(len(text) - 20, 0)) :][:80]
