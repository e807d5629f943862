"""The doctor's checks of the prompts: their BOS, their weight in the loss, and whether evaluation writes the same.

At most 200 rows are tokenised again: a fault of a template or a tokenizer is in all rows.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from ...core.prompt_format import chat_text, question, user_message
from ..data.encode import IGNORED, EncodedRow, encode_rows, evaluation_ids
from ..plan import Plan
from .findings import Finding
from .row_audit import RowAudit
from .row_checks import example_of, level_of, shown

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

SAMPLE = 200
"""Number of rows whose prompts are tokenised again."""
MAX_MARKED = 0.02
"""Share of rows that hold special tokens as text. A few may write about them; more were already put in a template."""


def check_double_bos(plan: Plan) -> Finding:
    """Check that no row begins with two BOS tokens, and no prompt does when other tools tokenise it.

    Encoding a row leaves one BOS, whatever the tokenizer adds. A server or a user's own code does not.
    """
    bos, token = plan.tokenizer.bos_token_id, plan.tokenizer.bos_token
    if bos is None:
        return Finding("double_bos", "ok", "the tokenizer has no BOS token")
    bad = [index for index, row in enumerate(plan.rows) if row.input_ids[:2] == (bos, bos)]
    if bad:
        what = f"rows begin with the BOS token {token!r} twice, which no prompt of the evaluation does"
        remedy = "tokenise texts that hold the BOS (a chat template's) with add_special_tokens=False"
        return Finding("double_bos", "error", what, len(bad), len(plan.rows), example_of(plan, bad[0]), remedy)
    sample = _sample(plan)
    bad = [index for index in sample if _ids_of_other_tools(plan, index)[:2] == [bos, bos]]
    if not bad:
        return Finding("double_bos", "ok", "no row begins with two BOS tokens")
    what = f"the tokenizer puts the BOS token {token!r} twice in front of a prompt, and training has it once: a server "
    what += "or other code that asks the trained model would give it other ids than it was trained on"
    remedy = "let only one of text, chat template (chat_template.jinja) and post_processor (tokenizer.json) put the BOS"
    level = level_of(len(bad), len(sample), MAX_MARKED)
    return Finding("double_bos", level, what, len(bad), len(sample), example_of(plan, bad[0]), remedy)


def check_prompt_in_loss(plan: Plan, audit: RowAudit) -> Finding:
    """Check that prompt tokens have the weight of train.prompt_loss_weight in the loss."""
    weight = plan.config.train.prompt_loss_weight
    bad = set(audit.wrong_on_prompt)
    for index in _sample(plan):
        prompt = _prompt_again(plan, plan.tokenizer, index)
        if any(label != IGNORED for label in plan.rows[index].labels[: len(prompt)]):
            bad.add(index)
    if not bad:
        what = f"prompt tokens weigh {weight:g} in the loss" if weight else "no prompt token carries loss"
        return Finding("prompt_in_loss", "ok", what)
    what = f"prompt tokens do not weigh {weight:g} in the loss, which train.prompt_loss_weight asks for"
    remedy = "label prompt tokens -100 in every row, and let the collator keep the labels of the rows; for a "
    remedy += "loss on prompts set train.prompt_loss_weight"
    return Finding("prompt_in_loss", "error", what, len(bad), len(plan.rows), example_of(plan, min(bad)), remedy)


def check_template(plan: Plan, saved_tokenizer: PreTrainedTokenizerBase) -> Finding:
    """Check that training and evaluation have the same prompt ids, and that no space before a completion is lost.

    Args:
        saved_tokenizer: the tokenizer of the evaluation, as it is saved with the trained model.
    """
    sample = _sample(plan)
    if plan.config.train.template == "chat" and (why := _chat_fault(plan, saved_tokenizer)):
        remedy = "give training and evaluation one chat template (chat_template.jinja), or use train.template: fixed"
        return Finding("template", "error", why, remedy=remedy)
    differ, joined = [], []
    for index in sample:
        row = plan.rows[index]
        trained = row.input_ids[: _prompt_length(row)]
        if trained != _asked(plan, saved_tokenizer, index):
            differ.append(index)
        elif plan.config.train.template != "chat" and _is_space_lost(plan.tokenizer, row):
            joined.append(index)
    if differ:
        what = "the prompt's token ids in training are not those that the evaluation asks with"
        remedy = "encode rows with train.template and with the tokenizer that is saved beside the model"
        return Finding("template", "error", what, len(differ), len(sample), example_of(plan, differ[0]), remedy)
    if joined:
        what = "the completion's ids have lost the space between prompt and completion"
        remedy = "tokenise the completion behind its prompt, not by itself: the tokenizer strips a leading space"
        return Finding("template", "error", what, len(joined), len(sample), example_of(plan, joined[0]), remedy)
    if marked := _marked(plan):
        tokens = ", ".join(map(repr, sorted(set(marked.values()))[:5]))
        what = f"texts hold special tokens ({tokens}), which become those tokens, in training as in inference"
        remedy = "take them out of the dataset, whose texts are plain: train.template puts the special tokens"
        level = level_of(len(marked), len(plan.rows), MAX_MARKED)
        return Finding("template", level, what, len(marked), len(plan.rows), example_of(plan, min(marked)), remedy)
    what = f"training and evaluation have the same prompt ids ({len(sample)} rows compared)"
    if plan.config.train.template == "paper":
        what = (
            f"evaluation's tokenizer gives the same prompt ids ({len(sample)} rows compared), and its form is one of "
        )
        what += "those drawn"
    return Finding("template", "ok", what)


def _marked(plan: Plan) -> dict[int, str]:
    """Return the indices of rows whose texts hold a special token, with that token; padding has its own check."""
    tokenizer = plan.tokenizer
    tokens = {str(token) for token in tokenizer.added_tokens_decoder.values() if token.special}
    tokens = (tokens | set(tokenizer.all_special_tokens)) - {tokenizer.pad_token}
    pattern = re.compile("|".join(map(re.escape, sorted(tokens, key=lambda token: (-len(token), token)))))
    marked = {}
    for index, number in enumerate(plan.encoding.numbers):
        row = plan.source_rows[number]
        if found := pattern.search(f"{row.instruction}\n{row.input}\n{row.output}"):
            marked[index] = found[0]
    return marked


def _ids_of_other_tools(plan: Plan, index: int) -> list[int]:
    """Return a prompt's ids as other code tokenises it, with everything that tokenizer or chat template adds."""
    row = plan.source_rows[plan.encoding.numbers[index]]
    text, is_chat = question(row.instruction, row.input, plan.config.train.template)
    if is_chat:
        text, _ = chat_text(plan.tokenizer, text, row.output.strip(), plan.config.model.path)
    return list(plan.tokenizer(text, add_special_tokens=not is_chat)["input_ids"])


def _asked(plan: Plan, saved_tokenizer: PreTrainedTokenizerBase, index: int) -> tuple[int, ...]:
    """Return the prompt ids of inference; with template "paper", those of the format drawn for the row."""
    if plan.config.train.template == "paper":
        return _prompt_again(plan, saved_tokenizer, index)
    return tuple(
        evaluation_ids(saved_tokenizer, plan.source_rows[plan.encoding.numbers[index]], plan.config.train.template)
    )


def _prompt_again(plan: Plan, tokenizer: PreTrainedTokenizerBase, index: int) -> tuple[int, ...]:
    """Encode a row by itself and return its prompt ids."""
    whole = replace(plan.config.train, max_length=10**9)
    source = plan.source_rows[plan.encoding.numbers[index]]
    row = encode_rows([source], tokenizer, whole, plan.config.seed).rows[0]
    return row.input_ids[: _prompt_length(row)]


def _prompt_length(row: EncodedRow) -> int:
    return next((i for i, label in enumerate(row.labels) if label != IGNORED), len(row.labels))


def _is_space_lost(tokenizer: PreTrainedTokenizerBase, row: EncodedRow) -> bool:
    """Return whether the space is missing that follows every plain prompt with a final colon."""
    ids = list(row.input_ids)
    whole = str(tokenizer.decode(ids, clean_up_tokenization_spaces=False))
    prompt = str(tokenizer.decode(ids[: _prompt_length(row)], clean_up_tokenization_spaces=False))
    return prompt.endswith(":") and whole.startswith(prompt) and whole[len(prompt) : len(prompt) + 1] != " "


def _chat_fault(plan: Plan, saved_tokenizer: PreTrainedTokenizerBase) -> str:
    """Return the fault of the chat template; empty: it has none."""
    tokenizer = plan.tokenizer
    if saved_tokenizer.chat_template != tokenizer.chat_template:
        return "the chat template saved beside the model is not the one that rows are encoded with"
    for index in _sample(plan):
        row = plan.source_rows[plan.encoding.numbers[index]]
        message, answer = user_message(row.instruction, row.input), row.output.strip()
        prompt, completion = chat_text(tokenizer, message, answer, plan.config.model.path)
        if message not in prompt:
            return f"the chat template rewrites what it is given: {shown(message)} becomes {shown(prompt)}"
        opening = completion[: completion.find(answer)].strip()
        # templates like Mistral's ignore the argument too, but their answer follows the prompt directly
        if opening and prompt == _closed(tokenizer, message):
            return (
                f"the chat template ignores add_generation_prompt: a prompt does not open the assistant's turn, and "
                f"the model has to write {opening!r} itself"
            )
    return ""


def _closed(tokenizer: PreTrainedTokenizerBase, message: str) -> str:
    """Return a chat with one user message and no generation prompt."""
    chat = [{"role": "user", "content": message}]
    return str(tokenizer.apply_chat_template(chat, tokenize=False, enable_thinking=False))


def _sample(plan: Plan) -> list[int]:
    """At most SAMPLE indices of rows, evenly spaced."""
    step = max(1, len(plan.rows) // SAMPLE)
    return list(range(0, len(plan.rows), step))[:SAMPLE]
