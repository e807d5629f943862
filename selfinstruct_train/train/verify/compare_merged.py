"""Compare an adapter with its merged model: merged, saved and loaded again, it must answer as the adapter does.

They are compared in float32 and must be equal, on the CPU if no GPU has room. If the CPU has no room either, they are
compared in 16 bits and most answers must be equal. The effect of rounding and of a 4-bit base is only measured.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ...lm.transformers.greedy import Answer
from ...lm.transformers.memory import is_out_of_memory
from ...lm.transformers.pretrained import load_pretrained_network
from ..checks.findings import Finding
from ..network.model import load_network, moved_to
from ..plan import Plan
from .answers import Asking, Outputs, agreement, next_token_logits, next_token_share, parts_at_a_tie
from .device import Batch, Device, find_device
from .merge_adapter import load_with_adapter, merge_adapter, own_dtype

if TYPE_CHECKING:
    from transformers import PreTrainedModel

MERGED_NEXT_TOKENS = "merged_next_tokens"
"""The figure: the share of the samples' tokens that are the most likely ones of the merged model as published."""
MERGE_TOLERANCE = 1e-4
"""The tolerance of merged logits in float32, as a share of the largest absolute logit (at least 1)."""
SAME_TEXT_IN_16_BITS = 0.8
"""Share of equal answers below which a merge is refused if it was compared in 16 bits, and gets a warning if it is
published in 16 bits."""


def compare_merged(
    plan: Plan, asking: Asking, known: Outputs | None, samples: Sequence[dict[str, Any]]
) -> tuple[list[Finding], dict[str, Any]]:
    """Merge the adapter into its base, save and load it, and compare logits and greedy answers with the adapter's.

    Args:
        known: the adapter's outputs in the precision of the comparison, if they are known.
        samples: those of the answers' figures; publishing recognises the merged model by them.
    """
    import torch

    trust = plan.config.model.trust_remote_code
    device = asking.device if known else _device_of_comparison(plan, asking)
    exact = device.dtype
    if known is None:
        network = load_with_adapter(plan.folder, exact, trust, device_map=device.device_map)
        known = asking.outputs(device.put(network))
        del network  # frees its memory before another one is loaded
    answers, logits = known
    merged = _merged_and_reloaded(plan, device)
    tolerance = MERGE_TOLERANCE * max(1.0, float(logits.abs().max()))
    difference = float((next_token_logits(merged, asking.questions) - logits).abs().max())
    others = asking.answers(merged)
    parted = [(q, a, b) for q, a, b in zip(asking.questions, answers, others, strict=True) if a != b]
    ties = sum(parts_at_a_tie(merged, q, a, b, tolerance) for q, a, b in parted)
    figures: dict[str, Any] = {
        "merged_compared_in": str(exact).removeprefix("torch."),
        "merged_logits_difference": difference,
        "merged_logits_tolerance": tolerance,
        "merged_same_text": agreement(others, answers),
        "merged_parted_at_ties": ties,
    }
    own = own_dtype(plan.folder, trust)
    if own not in (exact, torch.float32):  # only a comparison in float32 can measure the rounding
        figures["merged_rounded_to"] = str(own).removeprefix("torch.")
        merged = moved_to(merged, own)
        figures["merged_rounded_same_text"] = agreement(asking.answers(merged), answers)
    figures[MERGED_NEXT_TOKENS] = next_token_share(merged, samples, plan.tokenizer, plan.config.train.template)
    is_exact = exact == torch.float32
    findings = [
        _merge_finding(figures, len(answers), is_exact, is_equal=len(parted) == ties and difference <= tolerance)
    ]
    if plan.config.train.method == "qlora":
        del merged
        findings.append(_compare_with_quantized(plan, asking, answers, figures))
    return findings, figures


def _device_of_comparison(plan: Plan, asking: Asking) -> Device:
    """Return a device with room for float32, or else the device of the answers with its precision."""
    import torch

    lengths = [len(question.prompt_ids) for question in asking.questions]
    batch = Batch.of(lengths, asking.how.max_new_tokens, asking.how.batch_size)
    return find_device(plan.config.model, batch, [torch.float32]) or asking.device


def _merged_and_reloaded(plan: Plan, device: Device) -> PreTrainedModel:
    """Return the merged model, loaded from a temporary folder beside the adapter."""
    trust = plan.config.model.trust_remote_code
    work = plan.folder.parent / f".verifying-{plan.mixture}"
    shutil.rmtree(work, ignore_errors=True)
    try:
        dtype: Any = str(device.dtype).removeprefix("torch.")
        merge_adapter(plan.folder, work / "merged", dtype, trust)
        network = load_pretrained_network(
            work / "merged", dtype=device.dtype, device_map=device.device_map, trust_remote_code=trust
        )
        return device.put(network)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _merge_finding(figures: dict[str, Any], number: int, is_exact: bool, is_equal: bool) -> Finding:
    same, rounded = figures["merged_same_text"], figures.get("merged_rounded_same_text", 1.0)
    what = (
        f"merged, saved and reloaded: {same:.0%} of {number} greedy answers are the adapter's, logits differ by "
        f"{figures['merged_logits_difference']:.1e} at most ({figures['merged_compared_in']}; allowed "
        f"{figures['merged_logits_tolerance']:.1e})"
    )
    if figures["merged_parted_at_ties"]:
        what += f"; {figures['merged_parted_at_ties']} answers differ at a tie"
    if "merged_rounded_to" in figures:
        what += f"; rounded to the base's {figures['merged_rounded_to']}, {rounded:.0%} are"
    remedy = "publish the adapter (publish.weights: adapter), not the merged model"
    if not is_exact:
        what += (
            f"; compared in {figures['merged_compared_in']} only, where {SAME_TEXT_IN_16_BITS:.0%} are required: "
            "neither GPU nor RAM has room for float32"
        )
    is_refused = not is_equal if is_exact else same < SAME_TEXT_IN_16_BITS
    if is_refused:
        return Finding("merged", "error", what, remedy=remedy)
    if min(same, rounded) < SAME_TEXT_IN_16_BITS:
        return Finding("merged", "warning", what, remedy=remedy)
    return Finding("merged", "ok", what)


def _compare_with_quantized(plan: Plan, asking: Asking, answers: list[Answer], figures: dict[str, Any]) -> Finding:
    """Measure how often the adapter answers the same on its 4-bit base; differences are not a fault."""
    import torch

    config = plan.config
    try:
        base = load_network(config.model, config.train, asking.device.name != "cpu", plan.embeddings_needed)
        network = load_with_adapter(plan.folder, torch.float32, base=base)
        same = figures["quantized_same_text"] = agreement(asking.answers(network), answers)
    except Exception as failure:
        if not isinstance(failure, ValueError | ImportError) and not is_out_of_memory(failure):
            raise
        what = f"not compared with the 4-bit base: {' '.join(str(failure).split())[:160]}"
        return Finding("quantized", "warning", what, remedy="install the extra `quant`, or evaluate the merged model")
    what = f"{same:.0%} of the answers are the same on the 4-bit base it was trained on as on the full-precision one"
    return Finding("quantized", "ok", what)
