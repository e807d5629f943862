"""The doctor's checks of the rows: as read, as encoded, and as training steps get them.

The prompts have checks of their own (`prompt_checks`); overlaps with evaluation data are found by the caller.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from ...core.builtin import resolve
from ...core.prompt_format import end_id
from ..data.packing import padding_id
from ..plan import Plan
from .findings import Finding, Level
from .row_audit import RowAudit

MAX_END_INSIDE = 0.02
"""Share of rows that hold the end token as text. A few may quote it; with more, EOS is an ordinary token like "."."""
MAX_WITHOUT_LOSS = 0.05
"""Share of rows with nothing to learn. Of the 52,000 released rows of Alpaca, 0.05 % have a blank output; a hundred
times as many are a fault of the dataset."""
MAX_TRUNCATED = 0.02
"""Share of cut rows. Each teaches the model not to stop, and one in fifty shows in its answers."""
MAX_DUPLICATES = 0.3
"""Share of exact duplicates. They are dropped, but with more the dataset was merged or sampled by mistake."""
MAX_CONTRADICTIONS = 0.3
"""Share of rows with the question of another row and another answer. Some are wanted (poems); with a third, the dataset
asks few questions."""
MAX_TOO_LONG = 0.1
"""Share of rows dropped by max_length. They are those with long answers, so the model learns short ones."""


def check_eos(plan: Plan, audit: RowAudit) -> Finding:
    """Check that every row ends with the end token in the loss, and holds it nowhere else."""
    end = end_id(plan.tokenizer, plan.config.train.template, plan.config.model.path)
    token = plan.tokenizer.convert_ids_to_tokens(end)
    cut = _cut(plan)
    bad = [index for index in audit.without_end if index not in cut]
    level: Level = "error"
    what = f"the end token {token!r} carries no loss at the end of a row, so the model would not learn to stop"
    remedy = "let every row end in the tokenizer's eos_token (tokenizer_config.json) and let the collator keep the "
    remedy += "labels of the rows"
    if not bad:
        bad = [index for index, row in enumerate(plan.rows) if end in row.labels[:-1]]
        level = level_of(len(bad), len(plan.rows), MAX_END_INSIDE)
        what = f"the end token {token!r} stands within completions too, so the model would stop there"
        remedy = "name a token that texts do not use as eos_token (tokenizer_config.json), or take it out of the rows"
    if not bad:
        return Finding("eos", "ok", f"the end token {token!r} carries loss at the end of every row that is whole")
    return Finding("eos", level, what, len(bad), len(plan.rows), example_of(plan, bad[0]), remedy)


def check_pad(plan: Plan, audit: RowAudit) -> Finding:
    """Check that padding takes no label and no attention from a token of a row."""
    tokenizer = plan.tokenizer
    pad = padding_id(tokenizer)
    token = str(tokenizer.convert_ids_to_tokens(pad))
    remedy = "give the tokenizer a padding token that no row uses (pad_token in tokenizer_config.json)"
    if audit.taken_for_padding:
        bad = audit.taken_for_padding
        what = f"the collator takes the padding token {token!r} for padding where it is part of a row"
        return Finding("pad_is_eos", "error", what, len(bad), len(plan.rows), example_of(plan, bad[0]), remedy)
    if pad in (tokenizer.eos_token_id, end_id(tokenizer, plan.config.train.template, plan.config.model.path)):
        how = (
            f"is the end token {token!r}" if tokenizer.pad_token_id is not None else f"is missing; {token!r} stands in"
        )
        what = f"the padding token {how}: harmless here, where labels come from the rows, but other tools mask it"
        return Finding("pad_is_eos", "warning", what, remedy=remedy)
    users = [index for index, row in enumerate(plan.rows) if pad in row.input_ids]
    if users:
        what = f"rows hold the padding token {token!r}: harmless here, but other tools mask it"
        return Finding("pad_is_eos", "warning", what, len(users), len(plan.rows), example_of(plan, users[0]), remedy)
    return Finding("pad_is_eos", "ok", f"padding has a token of its own, {token!r}")


def check_no_label(plan: Plan, audit: RowAudit) -> Finding:
    """Check that every row has a token with loss."""
    blank, masked = plan.encoding.dropped.get("blank", ()), audit.without_loss
    count, total = len(blank) + len(masked), len(plan.source_rows)
    if not count:
        return Finding("no_label", "ok", "every row has tokens that carry loss")
    what = "a blank instruction or output, dropped" if not masked else "no token carries loss"
    return Finding(
        "no_label",
        level_of(count, total, MAX_WITHOUT_LOSS),
        f"rows without anything to learn ({what})",
        count,
        total,
        example_of(plan, masked[0]) if masked else _source_example(plan, blank[0]),
        "take rows with a blank instruction or output out of the dataset"
        if not masked
        else "let the collator keep the rows' labels; a row whose labels are all -100 trains nothing",
    )


def check_truncated(plan: Plan, audit: RowAudit) -> Finding:
    """Check that completions are complete, in the encoding and in the batches."""
    cut = sorted(_cut(plan) | set(audit.not_whole))
    if not cut:
        return Finding("truncated", "ok", "every completion is whole, and every row a document of its own")
    return Finding(
        "truncated",
        "error" if audit.not_whole else level_of(len(cut), len(plan.rows), MAX_TRUNCATED),
        "rows are cut, lost or run into others on the way into a batch"
        if audit.not_whole
        else "completions are cut and have no end to learn",
        len(cut),
        len(plan.rows),
        example_of(plan, cut[0]),
        "keep the rows whole in dataset and collator (train.packing: false rules packing out)"
        if audit.not_whole
        else "raise train.max_length, or drop such rows (train.too_long: drop)",
    )


def check_duplicates(plan: Plan) -> Finding:
    """Check that few rows are duplicates or contradict one another."""
    total, exact = len(plan.source_rows), plan.encoding.dropped.get("duplicate", ())
    first: dict[tuple[str, str], int] = {}
    other = []
    for number in sorted(plan.encoding.numbers):
        row = plan.source_rows[number]
        if first.setdefault((row.instruction.strip(), row.input.strip()), number) != number:
            other.append(number)
    of_exact = level_of(len(exact), total, MAX_DUPLICATES)
    if of_exact == "error" or (exact and not other):
        what, remedy = "rows equal to an earlier one, dropped", "take the copies out of the dataset"
        return Finding("duplicates", of_exact, what, len(exact), total, _source_example(plan, exact[0]), remedy)
    if not other:
        return Finding("duplicates", "ok", "no row stands twice or contradicts another")
    dropped = f" ({len(exact):,} others are equal to an earlier row and dropped)" if exact else ""
    row = plan.source_rows[other[0]]
    earlier = first[row.instruction.strip(), row.input.strip()]
    return Finding(
        "duplicates",
        level_of(len(other), total, MAX_CONTRADICTIONS),
        f"rows that ask what an earlier one asks and answer otherwise{dropped}",
        len(other),
        total,
        f"rows {earlier + 1} and {other[0] + 1}: {shown(row.instruction)} -> "
        f"{shown(plan.source_rows[earlier].output, 30)} / {shown(row.output, 30)}",
        "keep one answer to a question, unless several are wanted",
    )


def check_evaluation_data(plan: Plan, overlaps: Mapping[int, object] | None) -> Finding:
    """Check that no row overlaps evaluation data.

    Args:
        overlaps: index in plan.source_rows -> overlap with evaluation data; None: overlaps were not looked for.
    """
    action = plan.config.generate.contamination.action
    name = "evaluation_data"
    if overlaps is None:
        what = f"not checked: generate.contamination.action is {action}"
        remedy = "set generate.contamination.action: block (or flag, for a warning only)"
        return Finding(name, "warning", what, remedy=remedy)
    if not overlaps:
        return Finding(name, "ok", "no row overlaps the evaluation data")
    seeds = _own_seed_rows(plan)
    others = [number for number in sorted(overlaps) if number not in seeds]
    bad = others or sorted(overlaps)
    what = "rows overlap evaluation data" if others else "seed rows overlap evaluation data (your own, so they stay)"
    if others and len(overlaps) > len(others):
        what += f", and {len(overlaps) - len(others)} seed rows"
    return Finding(
        name,
        "error" if others and action == "block" else "warning",
        what,
        len(bad),
        len(plan.source_rows),
        f"{_source_example(plan, bad[0])}: {overlaps[bad[0]]}" + _others(bad),
        "take these rows out of the dataset, or leave those tasks out of eval; generate.contamination.action: flag "
        "trains on them all the same",
    )


def _own_seed_rows(plan: Plan) -> set[int]:
    """Return the indices in plan.source_rows of the run's own seed tasks.

    In the run's dataset they are all rows with source "seed". In another dataset such rows may be of other people, so
    only those in the run's seed file count.
    """
    seeds = {number for number, row in enumerate(plan.source_rows) if row.source == "seed"}
    if plan.config.train.dataset is None or not seeds:
        return seeds
    file = Path(resolve(plan.config.generate.seed_tasks, "seed_tasks")).expanduser()
    try:
        known = {json.loads(line)["instruction"].strip() for line in file.read_bytes().splitlines() if line.strip()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return set()  # a training needs no seed file; without one, no row counts
    return {number for number in seeds if plan.source_rows[number].instruction.strip() in known}


def check_lengths(plan: Plan, context: int | None) -> Finding:
    """Check that max_length drops few rows and is within the model's context.

    Args:
        context: the context length in tokens; None: no limit.
    """
    lengths = sorted(len(row.input_ids) for row in plan.rows)
    marks = ", ".join(f"{int(100 * q)} %: {lengths[int(q * (len(lengths) - 1))]}" for q in (0.5, 0.9, 0.99))
    summary = f"tokens of a row {marks}, longest {lengths[-1]:,}"
    lost, total, limit = plan.encoding.dropped.get("too_long", ()), len(plan.source_rows), plan.config.train.max_length
    beyond = context is not None and limit > context
    if beyond:
        summary += f"; train.max_length {limit:,} is beyond the model's {context:,} positions, which hold instead"
    if not lost:
        remedy = f"set train.max_length: {context}" if beyond else ""
        return Finding("lengths", "warning" if beyond else "ok", summary, remedy=remedy)
    return Finding(
        "lengths",
        level_of(len(lost), total, MAX_TOO_LONG),
        f"{summary}; longer than max_length and dropped",
        len(lost),
        total,
        _source_example(plan, lost[0]),
        f"take a model with more than {context:,} positions, or shorter rows"
        if context is not None and limit >= context
        else "raise train.max_length",
    )


def level_of(count: int, total: int, most: float) -> Level:
    """Return the level of a fault in some rows: more than the share `most` of them is an error, fewer a warning."""
    if count > most * total:
        return "error"
    return "warning" if count else "ok"


def _cut(plan: Plan) -> set[int]:
    """Return the indices in plan.rows of rows whose completion was cut."""
    numbers = set(plan.encoding.truncated)
    return {index for index, number in enumerate(plan.encoding.numbers) if number in numbers}


def example_of(plan: Plan, index: int) -> str:
    """Describe an encoded row by the number and the text of its source row."""
    return _source_example(plan, plan.encoding.numbers[index])


def _source_example(plan: Plan, number: int) -> str:
    row = plan.source_rows[number]
    return f"row {number + 1}: {shown(row.instruction)} -> {shown(row.output, 40)}"


def _others(numbers: Iterable[int], most: int = 10) -> str:
    """List the numbers of the other rows, so that they can be removed."""
    rest = [str(number + 1) for number in list(numbers)[1:]]
    if not rest:
        return ""
    return f"; also rows {', '.join(rest[:most])}" + (f" and {len(rest) - most} more" if len(rest) > most else "")


def shown(text: str, length: int = 60) -> str:
    """Quote a text in one line, shortened if it is long."""
    text = " ".join(text.split())
    return f'"{text[: length - 3]}..."' if len(text) > length else f'"{text}"'
