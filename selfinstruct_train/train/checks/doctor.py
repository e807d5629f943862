"""What would spoil a training, found before it costs anything: thirteen checks, each with count, example and remedy.

The rows are looked at as a training step sees them, through its own dataset and collator; the prompts as evaluation
asks them, with a tokenizer that was saved and read again. Errors refuse the training, warnings tell. No weights are
loaded, and 50,000 rows take seconds. docs/training.md lists checks, thresholds and remedies.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ...config import Config
from ...core.prompt_format import end_id
from ...core.records import Row
from ..arguments import check_available, check_lora_targets, micro_batches
from ..launch import Launch, asked_launch
from ..network.model import context_length, make_skeleton, read_model_config, trains_on_gpu
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

CHECKS = BEFORE_TRAINING

FindOverlaps = Callable[[Sequence[Row]], Sequence[object | None]]
"""For every row what it has in common with evaluation data, as its text tells, or None."""


@dataclass(frozen=True)
class Examination:
    """The result of `examine`: tables to print, and every finding in the order of the plans."""

    tables: tuple[str, ...]
    findings: tuple[Finding, ...]

    def refuse(self) -> None:
        """Stop where a finding is an error.

        Raises:
            ValueError: one line with each error and its remedy.
        """
        refuse(self.findings)


def examine(
    config: Config, plans: Sequence[Plan], overlaps: FindOverlaps, arms: Sequence[str] | None = None
) -> Examination:
    """Examine all plans of a run before the first of them is trained.

    Args:
        overlaps: finds what rows share with evaluation data; called once, with the rows of all plans, and not at all
            where generate.contamination.action is off.
        arms: the names of the plans, if each is an arm of an experiment and is trained by a command of its own. Then
            memory and time, which depend on its launch, are not examined, and every finding names its arm.

    Returns:
        A table for each plan; for arms one table with all warnings, errors and the findings on evaluation data.

    Raises:
        ValueError: train.allow names no check, the model's config cannot be read, or training would refuse the
            settings on this machine.
    """
    check_allowed(config.train.allow)
    looked = overlaps if config.generate.contamination.action != "off" else None
    if arms is None:
        results = examine_all(config, plans, looked)
        tables = tuple(
            f"{plan.mixture}: {len(plan.rows):,} of {len(plan.source_rows):,} rows\n{findings_table(found)}"
            for plan, found in zip(plans, results, strict=True)
        )
        return Examination(tables, tuple(finding for found in results for finding in found))
    results = examine_data(config, plans, looked)
    findings = tuple(
        replace(finding, what=f"{arm}: {finding.what}")
        for arm, found in zip(arms, results, strict=True)
        for finding in found
    )
    notable = [finding for finding in findings if finding.level != "ok" or finding.check == "evaluation_data"]
    return Examination((findings_table(notable),), findings)


def examine_all(config: Config, plans: Sequence[Plan], overlaps: FindOverlaps | None) -> list[tuple[Finding, ...]]:
    """Examine the plans of a run for the devices and the launch of this process.

    Args:
        overlaps: called once, with the rows of all plans; None: evaluation data is not looked for.

    Raises:
        ValueError: the model's config cannot be read, or training would refuse the settings on this machine.
    """
    launch = asked_launch()
    micro_batches(config, launch.num_processes)
    check_available(config, trains_on_gpu(config.model))
    if config.train.method != "full":
        check_lora_targets(config, make_skeleton(config.model))
    model_config = read_model_config(config.model)
    devices = find_devices(trains_on_gpu(config.model), launch.num_processes)
    return [
        check_plan(plan, common, expect(plan, model_config, devices, launch), devices)
        for plan, common in zip(plans, _in_common(plans, overlaps), strict=True)
    ]


def examine_data(config: Config, plans: Sequence[Plan], overlaps: FindOverlaps | None) -> list[tuple[Finding, ...]]:
    """Examine what will be trained elsewhere: all checks but those of memory and time, which hang on its launch.

    Args:
        overlaps: as of `examine_all`.

    Raises:
        ValueError: the model's config cannot be read.
    """
    return [
        accept(_data_findings(plan, common), config.train.allow)
        for plan, common in zip(plans, _in_common(plans, overlaps), strict=True)
    ]


def _in_common(plans: Sequence[Plan], overlaps: FindOverlaps | None) -> list[dict[int, object] | None]:
    """What the rows of each plan, by number, share with evaluation data, in one look; equal rows are looked at once."""
    if overlaps is None:
        return [None] * len(plans)
    rows = list(dict.fromkeys(row for plan in plans for row in plan.source_rows))
    found = {row: overlap for row, overlap in zip(rows, overlaps(rows), strict=True) if overlap is not None}
    return [{number: found[row] for number, row in enumerate(p.source_rows) if row in found} for p in plans]


def check_plan(
    plan: Plan,
    overlaps: Mapping[int, object] | None,
    expected: Estimate | str,
    devices: Devices,
    collate: Collate | None = None,
    asking: PreTrainedTokenizerBase | None = None,
) -> tuple[Finding, ...]:
    """Run all checks on a plan; errors that train.allow accepts come back as warnings.

    Args:
        overlaps: number in plan.source_rows -> what the row shares with evaluation data; None: not looked for.
        expected: memory and time; or why they cannot be estimated.
        collate: what makes the batches; None: the collator of the training.
        asking: the tokenizer of the evaluation; None: plan.tokenizer, saved and read again.
    """
    train = plan.config.train
    findings = _data_findings(plan, overlaps, collate, asking)
    if isinstance(expected, str):
        findings += [Finding(name, "warning", f"not estimated: {expected}") for name in ("memory", "time")]
    else:
        findings += [check_memory(expected, devices, train), check_time(expected, devices, train)]
    assert tuple(finding.check for finding in findings) == CHECKS
    return accept(findings, train.allow)


def _data_findings(
    plan: Plan,
    overlaps: Mapping[int, object] | None,
    collate: Collate | None = None,
    asking: PreTrainedTokenizerBase | None = None,
) -> list[Finding]:
    train, tokenizer = plan.config.train, plan.tokenizer
    end = end_id(tokenizer, train.template, plan.config.model.path)
    seen = audit_rows(plan.rows, tokenizer, train, end, collate)
    return [
        check_eos(plan, seen),
        check_pad(plan, seen),
        check_no_label(plan, seen),
        check_truncated(plan, seen),
        check_double_bos(plan),
        check_prompt_in_loss(plan, seen),
        check_template(plan, asking or _saved_and_read(plan)),
        check_vocabulary(plan, read_model_config(plan.config.model)),
        check_duplicates(plan),
        check_evaluation_data(plan, overlaps),
        check_lengths(plan, context_length(plan.config.model)),
    ]


def expect(plan: Plan, model_config: PreTrainedConfig, devices: Devices, launch: Launch) -> Estimate | str:
    """Estimate memory and time of a plan under a launch, or tell why that cannot be done."""
    if launch.kind == "DEEPSPEED" and launch.zero_stage is None:
        return "the stage of ZeRO stands in a file of DeepSpeed's own"
    is_sharded = launch.kind == "FSDP" or (launch.kind == "DEEPSPEED" and launch.zero_stage in (1, 2, 3))
    sharded = launch.num_processes if is_sharded else 1
    shards_weights = launch.kind == "FSDP" or launch.zero_stage == 3
    lengths = [len(row.input_ids) for row in plan.rows]
    try:
        return estimate(model_config, plan.config.train, lengths, devices, sharded, shards_weights)
    except ValueError as error:
        return " ".join(str(error).split())


def _saved_and_read(plan: Plan) -> PreTrainedTokenizerBase:
    """The tokenizer as evaluation will find it beside the trained model."""
    import transformers

    with tempfile.TemporaryDirectory() as folder:
        plan.tokenizer.save_pretrained(folder)
        return transformers.AutoTokenizer.from_pretrained(folder, trust_remote_code=plan.config.model.trust_remote_code)
