"""A prompt as the user's message of a chat, in the model's own chat template."""

from __future__ import annotations

from typing import Any


def chat_ids(tokenizer: Any, prompt: str, model_name: str) -> list[int]:
    """Return the token ids of a user's message with the opening of the assistant's; a BOS is the template's affair.

    A template that knows `enable_thinking` is asked for an answer without thoughts.

    Raises:
        ValueError: the tokenizer has no chat template, or the template refuses the message.
    """
    import jinja2

    if not tokenizer.chat_template:
        raise ValueError(
            f"model {model_name!r}: its tokenizer has no chat template; use an instruct model, or plain prompts "
            "(generate.prompt_form: plain, relabel.chat: false, quality.chat: false)"
        )
    try:
        text = tokenizer.apply_chat_template(
            [{"role": "user", "content": prompt}], add_generation_prompt=True, tokenize=False, enable_thinking=False
        )
    except jinja2.TemplateError as error:
        raise ValueError(
            f"model {model_name!r}: its chat template refuses a user's message ({error}); use plain prompts "
            "(generate.prompt_form: plain, relabel.chat: false, quality.chat: false)"
        ) from error
    return list(tokenizer(text, add_special_tokens=False)["input_ids"])
