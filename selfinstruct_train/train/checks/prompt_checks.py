"""The doctor's checks of the prompts: how they begin, what they weigh in the loss, whether evaluation asks alike."""

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
"""Rows whose prompts are tokenised once more; a fault of a template or tokenizer is in all of them."""
MAX_MARKED = 0.02
"""Share of rows that hold special tokens as text: some speak of them; more were written in a template before."""


def check_double_bos(plan: Plan) -> Finding:
    """No row begins with the BOS token twice, and no prompt does as other tools tokenise it.

    Encoding a row leaves one BOS in front, whatever the tokenizer adds. A server or a user's own code does not.
    """
    bos, token = plan.tokenizer.bos_token_id, plan.tokenizer.bos_token
    if bos is None:
        return Finding("double_bos", "ok", "the tokenizer has no BOS token")
    bad = [place for place, row in enumerate(plan.rows) if row.input_ids[:2] == (bos, bos)]
    if bad:
        what = f"rows begin with the BOS token {token!r} twice, which no prompt of the evaluation does"
        remedy = "tokenise texts that hold the BOS (a chat template's) with add_special_tokens=False"
        return Finding("double_bos", "error", what, len(bad), len(plan.rows), example_of(plan, bad[0]), remedy)
    sample = _sample(plan)
    bad = [place for place in sample if _ids_of_other_tools(plan, place)[:2] == [bos, bos]]
    if not bad:
        return Finding("double_bos", "ok", "no row begins with two BOS tokens")
    what = f"the tokenizer puts the BOS token {token!r} twice in front of a prompt, and training has it once: a server "
    what += "or other code that asks the trained model would give it other ids than it was trained on"
    remedy = "let only one of text, chat template (chat_template.jinja) and post_processor (tokenizer.json) put the BOS"
    level = level_of(len(bad), len(sample), MAX_MARKED)
    return Finding("double_bos", level, what, len(bad), len(sample), example_of(plan, bad[0]), remedy)


def check_prompt_in_loss(plan: Plan, seen: RowAudit) -> Finding:
    """Prompt tokens have the weight in the loss that train.prompt_loss_weight gives them."""
    weight = plan.config.train.prompt_loss_weight
    bad = set(seen.wrong_on_prompt)
    for place in _sample(plan):
        prompt = _prompt_again(plan, plan.tokenizer, place)
        if any(label != IGNORED for label in plan.rows[place].labels[: len(prompt)]):
            bad.add(place)
    if not bad:
        what = f"prompt tokens weigh {weight:g} in the loss" if weight else "no prompt token carries loss"
        return Finding("prompt_in_loss", "ok", what)
    what = f"prompt tokens do not weigh {weight:g} in the loss, which train.prompt_loss_weight asks for"
    remedy = "label prompt tokens -100 in every row, and let the collator keep the labels of the rows; a loss on "
    remedy += "prompts is train.prompt_loss_weight's affair"
    return Finding("prompt_in_loss", "error", what, len(bad), len(plan.rows), example_of(plan, min(bad)), remedy)


def check_template(plan: Plan, asking: PreTrainedTokenizerBase) -> Finding:
    """Training and evaluation give the model the same prompt ids, with its space before the completion.

    Args:
        asking: the tokenizer of the evaluation: the one that stands beside the trained model.
    """
    sample = _sample(plan)
    if plan.config.train.template == "chat" and (why := _chat_fault(plan, asking)):
        remedy = "give training and evaluation one chat template (chat_template.jinja), or use train.template: fixed"
        return Finding("template", "error", why, remedy=remedy)
    differ, joined = [], []
    for place in sample:
        row = plan.rows[place]
        trained = row.input_ids[: _prompt_length(row)]
        if trained != _asked(plan, asking, place):
            differ.append(place)
        elif plan.config.train.template != "chat" and _is_space_lost(plan.tokenizer, row):
            joined.append(place)
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
    """Places of rows in whose texts a special token stands, and that token; padding has a check of its own."""
    tokenizer = plan.tokenizer
    tokens = {str(token) for token in tokenizer.added_tokens_decoder.values() if token.special}
    tokens = (tokens | set(tokenizer.all_special_tokens)) - {tokenizer.pad_token}
    pattern = re.compile("|".join(map(re.escape, sorted(tokens, key=lambda token: (-len(token), token)))))
    marked = {}
    for place, number in enumerate(plan.encoding.numbers):
        row = plan.source_rows[number]
        if found := pattern.search(f"{row.instruction}\n{row.input}\n{row.output}"):
            marked[place] = found[0]
    return marked


def _ids_of_other_tools(plan: Plan, place: int) -> list[int]:
    """A row's prompt as other code tokenises it: with all that the tokenizer or the chat template adds."""
    row = plan.source_rows[plan.encoding.numbers[place]]
    text, is_chat = question(row.instruction, row.input, plan.config.train.template)
    if is_chat:
        text, _ = chat_text(plan.tokenizer, text, row.output.strip(), plan.config.model.path)
    return list(plan.tokenizer(text, add_special_tokens=not is_chat)["input_ids"])


def _asked(plan: Plan, asking: PreTrainedTokenizerBase, place: int) -> tuple[int, ...]:
    """The prompt ids of inference; template "paper" draws one of its forms for each row, evaluation's among them."""
    if plan.config.train.template == "paper":
        return _prompt_again(plan, asking, place)
    return tuple(evaluation_ids(asking, plan.source_rows[plan.encoding.numbers[place]], plan.config.train.template))


def _prompt_again(plan: Plan, tokenizer: PreTrainedTokenizerBase, place: int) -> tuple[int, ...]:
    """The prompt ids that a row gets when it is encoded by itself."""
    whole = replace(plan.config.train, max_length=10**9)
    source = plan.source_rows[plan.encoding.numbers[place]]
    row = encode_rows([source], tokenizer, whole, plan.config.seed).rows[0]
    return row.input_ids[: _prompt_length(row)]


def _prompt_length(row: EncodedRow) -> int:
    return next((i for i, label in enumerate(row.labels) if label != IGNORED), len(row.labels))


def _is_space_lost(tokenizer: PreTrainedTokenizerBase, row: EncodedRow) -> bool:
    """Every plain form whose prompt ends in a colon has a space behind it."""
    ids = list(row.input_ids)
    whole = str(tokenizer.decode(ids, clean_up_tokenization_spaces=False))
    prompt = str(tokenizer.decode(ids[: _prompt_length(row)], clean_up_tokenization_spaces=False))
    return prompt.endswith(":") and whole.startswith(prompt) and whole[len(prompt) : len(prompt) + 1] != " "


def _chat_fault(plan: Plan, asking: PreTrainedTokenizerBase) -> str:
    """What is wrong with the chat template; empty: nothing."""
    tokenizer = plan.tokenizer
    if asking.chat_template != tokenizer.chat_template:
        return "the chat template saved beside the model is not the one that rows are encoded with"
    for place in _sample(plan):
        row = plan.source_rows[plan.encoding.numbers[place]]
        message, answer = user_message(row.instruction, row.input), row.output.strip()
        prompt, completion = chat_text(tokenizer, message, answer, plan.config.model.path)
        if message not in prompt:
            return f"the chat template rewrites what it is given: {shown(message)} becomes {shown(prompt)}"
        opening = completion[: completion.find(answer)].strip()
        # Templates in the manner of Mistral ignore the argument too, but an answer follows their prompt at once.
        if opening and prompt == _closed(tokenizer, message):
            return (
                f"the chat template ignores add_generation_prompt: a prompt does not open the assistant's turn, and "
                f"the model has to write {opening!r} itself"
            )
    return ""


def _closed(tokenizer: PreTrainedTokenizerBase, message: str) -> str:
    """A chat of one message of the user's, without the opening of an answer."""
    chat = [{"role": "user", "content": message}]
    return str(tokenizer.apply_chat_template(chat, tokenize=False, enable_thinking=False))


def _sample(plan: Plan) -> list[int]:
    """At most SAMPLE places of rows, evenly spaced."""
    step = max(1, len(plan.rows) // SAMPLE)
    return list(range(0, len(plan.rows), step))[:SAMPLE]
