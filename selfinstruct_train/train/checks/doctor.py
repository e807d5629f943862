"""The doctor: thirteen checks that find what would spoil a training before it starts, each with a remedy.

Rows are checked as training steps get them, through the same dataset and collator. Prompts are checked as evaluation
writes them, with a tokenizer that was saved and loaded again. Errors refuse the training, warnings do not. No weights
are loaded, and 50,000 rows take seconds. docs/training.md lists checks, thresholds and remedies.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ...config import Config
from ...core.prompt_format import end_id
from ...core.records import Row
from ...lm.transformers.pretrained import load_pretrained_tokenizer
from ..arguments import check_available, check_lora_targets, micro_batches
from ..launch import Launch, asked_launch
from ..network.model import context_length, make_skeleton, read_model_config, trains_on_gpu, uses_bfloat16
from ..plan import Plan
from .devices import Devices, find_devices
from .estimate import Estimate, estimate
from .findings import BEFORE_TRAINING, Finding, accept, check_allowed, findings_table, refuse
from .model_checks import check_memory, check_time, check_vocabulary
from .prompt_checks import check_double_bos, check_prompt_in_loss, check_template
from .row_audit import Collate, audit_rows
from .row_checks import (
    check_duplicates,
    check_eos,
    check_evaluation_data,
    check_lengths,
    check_no_label,
    check_pad,
    check_truncated,
)

if TYPE_CHECKING:
    from transformers import PreTrainedConfig, PreTrainedTokenizerBase

FindOverlaps = Callable[[Sequence[Row]], Sequence[object | None]]
"""Returns for every row its overlap with evaluation data, whose str() describes it, or None."""


@dataclass(frozen=True)
class Examination:
    """The result of `examine`: tables to print, and all findings in the order of the plans."""

    tables: tuple[str, ...]
    findings: tuple[Finding, ...]

    def refuse(self) -> None:
        """Stop if a finding is an error.

        Raises:
            ValueError: one line with each error and its remedy.
        """
        refuse(self.findings)


def examine(
    config: Config, plans: Sequence[Plan], overlaps: FindOverlaps, arms: Sequence[str] | None = None
) -> Examination:
    """Examine all plans of a run before the first of them is trained.

    Args:
        overlaps: finds the overlaps of rows with evaluation data. It is called once, with the rows of all plans, and
            not at all if generate.contamination.action is off.
        arms: the names of the plans, if they are the arms of an experiment, each trained by a command of its own. Then
            memory and time are not checked, because they depend on its launch, and every finding names its arm.

    Returns:
        A table for each plan; for arms one table with all warnings, errors and the findings on evaluation data.

    Raises:
        ValueError: train.allow names no check, the model's config cannot be read, or training would refuse the
            settings on this machine.
    """
    check_allowed(config.train.allow)
    is_looked_for = config.generate.contamination.action != "off"
    found_overlaps = _find_overlaps(plans, overlaps) if is_looked_for else [None] * len(plans)
    if arms is None:
        results = _examine_for_this_launch(config, plans, found_overlaps)
        tables = tuple(
            f"{plan.mixture}: {len(plan.rows):,} of {len(plan.source_rows):,} rows\n{findings_table(found)}"
            for plan, found in zip(plans, results, strict=True)
        )
        return Examination(tables, tuple(finding for found in results for finding in found))
    results = [
        accept(_data_findings(plan, found), config.train.allow)
        for plan, found in zip(plans, found_overlaps, strict=True)
    ]
    findings = tuple(
        replace(finding, what=f"{arm}: {finding.what}")
        for arm, found in zip(arms, results, strict=True)
        for finding in found
    )
    notable = [finding for finding in findings if finding.level != "ok" or finding.check == "evaluation_data"]
    return Examination((findings_table(notable),), findings)


def _examine_for_this_launch(
    config: Config, plans: Sequence[Plan], overlaps: Sequence[dict[int, object] | None]
) -> list[tuple[Finding, ...]]:
    """Make all checks of the plans, for the devices and the launch of this process."""
    launch = asked_launch()
    micro_batches(config, launch.num_processes)
    check_available(config, trains_on_gpu(config.model))
    if config.train.method != "full":
        check_lora_targets(config, make_skeleton(config.model))
    model_config = read_model_config(config.model)
    on_gpu = trains_on_gpu(config.model)
    devices = find_devices(on_gpu, launch.num_processes, uses_bfloat16(config.train, on_gpu))
    return [
        check_plan(plan, found, expect(plan, model_config, devices, launch), devices)
        for plan, found in zip(plans, overlaps, strict=True)
    ]


def _find_overlaps(plans: Sequence[Plan], overlaps: FindOverlaps) -> list[dict[int, object]]:
    """Return for each plan index in source_rows -> overlap with evaluation data; equal rows are compared once."""
    rows = list(dict.fromkeys(row for plan in plans for row in plan.source_rows))
    found = {row: overlap for row, overlap in zip(rows, overlaps(rows), strict=True) if overlap is not None}
    return [{number: found[row] for number, row in enumerate(p.source_rows) if row in found} for p in plans]


def check_plan(
    plan: Plan,
    overlaps: Mapping[int, object] | None,
    expected: Estimate | str,
    devices: Devices,
    collate: Collate | None = None,
    saved_tokenizer: PreTrainedTokenizerBase | None = None,
) -> tuple[Finding, ...]:
    """Run all checks on a plan; errors that train.allow accepts come back as warnings.

    Args:
        overlaps: index in plan.source_rows -> overlap with evaluation data; None: overlaps were not looked for.
        expected: memory and time, or the reason why they cannot be estimated.
        collate: makes the batches; None: the collator of the training.
        saved_tokenizer: the tokenizer of the evaluation; None: plan.tokenizer, saved and loaded again.
    """
    train = plan.config.train
    findings = _data_findings(plan, overlaps, collate, saved_tokenizer)
    if isinstance(expected, str):
        findings += [Finding(name, "warning", f"not estimated: {expected}") for name in ("memory", "time")]
    else:
        findings += [check_memory(expected, devices, train), check_time(expected, devices, train)]
    assert tuple(finding.check for finding in findings) == BEFORE_TRAINING
    return accept(findings, train.allow)


def _data_findings(
    plan: Plan,
    overlaps: Mapping[int, object] | None,
    collate: Collate | None = None,
    saved_tokenizer: PreTrainedTokenizerBase | None = None,
) -> list[Finding]:
    train, tokenizer = plan.config.train, plan.tokenizer
    end = end_id(tokenizer, train.template, plan.config.model.path)
    audit = audit_rows(plan.rows, tokenizer, train, end, collate)
    return [
        check_eos(plan, audit),
        check_pad(plan, audit),
        check_no_label(plan, audit),
        check_truncated(plan, audit),
        check_double_bos(plan),
        check_prompt_in_loss(plan, audit),
        check_template(plan, saved_tokenizer or _saved_and_read(plan)),
        check_vocabulary(plan, read_model_config(plan.config.model)),
        check_duplicates(plan),
        check_evaluation_data(plan, overlaps),
        check_lengths(plan, context_length(plan.config.model)),
    ]


def expect(plan: Plan, model_config: PreTrainedConfig, devices: Devices, launch: Launch) -> Estimate | str:
    """Estimate memory and time of a plan under a launch; or return why they cannot be estimated."""
    if launch.kind == "DEEPSPEED" and launch.zero_stage is None:
        return "the stage of ZeRO is set in DeepSpeed's own config file"
    is_sharded = launch.kind == "FSDP" or (launch.kind == "DEEPSPEED" and launch.zero_stage in (1, 2, 3))
    sharded = launch.num_processes if is_sharded else 1
    shards_weights = launch.kind == "FSDP" or launch.zero_stage == 3
    lengths = [len(row.input_ids) for row in plan.rows]
    try:
        return estimate(model_config, plan.config.train, lengths, devices, sharded, shards_weights)
    except ValueError as error:
        return " ".join(str(error).split())


def _saved_and_read(plan: Plan) -> PreTrainedTokenizerBase:
    """Return the tokenizer as evaluation will load it from the model folder."""
    with tempfile.TemporaryDirectory() as folder:
        plan.tokenizer.save_pretrained(folder)
        return load_pretrained_tokenizer(folder, trust_remote_code=plan.config.model.trust_remote_code)
