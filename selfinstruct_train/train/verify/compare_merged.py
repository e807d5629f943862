"""Compare an adapter with its merged model: merged, saved and loaded again, it must predict what the adapter does.

Both are run along the adapter's answers (`next_tokens`). They are compared in float32 and must be equal, on the CPU if
no GPU has room. If the CPU has no room either, they are compared in 16 bits and most answers must be equal. The effect
of rounding and of a 4-bit base is only measured.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...core.progress import shown
from ...lm.transformers.memory import is_out_of_memory
from ...lm.transformers.pretrained import load_pretrained_network
from ..checks.findings import Finding
from ..network.model import load_network
from ..plan import Plan
from .device import Batch, Device, find_device
from .merge_adapter import load_with_adapter, merge_adapter, own_dtype
from .next_tokens import (
    COMPARED_TOKENS,
    Context,
    NextTokens,
    agreement,
    largest_difference,
    next_token_share,
    next_tokens,
)

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

MERGED_NEXT_TOKENS = "merged_next_tokens"
"""The figure: the share of the samples' tokens that are the most likely ones of the merged model as published."""
MERGE_TOLERANCE = 1e-4
"""The tolerance of merged logits in float32, as a share of the largest absolute logit (at least 1)."""
SAME_TEXT_IN_16_BITS = 0.8
"""Share of equal answers below which a merge is refused if it was compared in 16 bits, and gets a warning if it is
published in 16 bits."""


@dataclass(frozen=True)
class Answered:
    """The adapter's answers, along which the merged model is compared with it."""

    contexts: Sequence[Context]
    device: Device
    """Where the answers were generated."""
    known: Sequence[NextTokens] | None
    """What the adapter predicts along them; None: it did not run in float32."""
    samples: Sequence[dict[str, Any]]
    """Those of the answers' figures; publishing recognises the merged model by them."""


def compare_merged(plan: Plan, answered: Answered) -> tuple[list[Finding], dict[str, Any]]:
    """Merge the adapter into its base, save and load it, and compare its predictions with the adapter's."""
    import torch

    trust, contexts, known = plan.config.model.trust_remote_code, answered.contexts, answered.known
    device = answered.device if known else _device_of_comparison(plan, answered)
    exact = device.dtype
    if known is None:
        with shown(f"{_step(plan)}, loading the adapter"):
            network = device.put(load_with_adapter(plan.folder, exact, trust, device_map=device.device_map))
        known = next_tokens(network, contexts, f"{_step(plan)}, adapter")
        del network  # frees its memory before another one is loaded
    with shown(f"{_step(plan)}, merging"):
        merged = _merged_and_reloaded(plan, device)
    found = next_tokens(merged, contexts, f"{_step(plan)}, merged")
    tolerance = MERGE_TOLERANCE * max(1.0, *(float(one.logits.abs().max()) for one in known))
    different = [(a, b) for a, b in zip(found, known, strict=True) if a.differs(b)]
    ties = sum(a.differs_at_ties(b, tolerance) for a, b in different)
    figures: dict[str, Any] = {
        "merged_compared_in": str(exact).removeprefix("torch."),
        "merged_compared_tokens": sum(len(one.tokens) for one in known),
        "merged_logits_difference": largest_difference(found, known),
        "merged_logits_tolerance": tolerance,
        "merged_same_text": agreement(found, known),
        "merged_parted_at_ties": ties,
    }
    own = own_dtype(plan.folder, trust)
    is_exact = exact == torch.float32
    if is_exact and own != exact:  # only a comparison in float32 can measure the rounding
        figures["merged_rounded_to"] = str(own).removeprefix("torch.")
        round_weights(merged, own)
        found = next_tokens(merged, contexts, f"{_step(plan)}, rounded")
        figures["merged_rounded_same_text"] = agreement(found, known)
    figures[MERGED_NEXT_TOKENS] = next_token_share(merged, answered.samples, plan.tokenizer, plan.config.train.template)
    is_equal = len(different) == ties and figures["merged_logits_difference"] <= tolerance
    findings = [_merge_finding(figures, len(contexts), is_exact, is_equal)]
    if plan.config.train.method == "qlora":
        del merged
        findings.append(_compare_with_quantized(plan, answered, known, figures))
    return findings, figures


def round_weights(network: PreTrainedModel, dtype: torch.dtype) -> None:
    """Round every weight to what it is in a file of this dtype.

    The network still computes in its own dtype: a CPU without such instructions is up to 85 times slower in 16 bits.
    """
    import torch

    with torch.no_grad():
        for tensor in network.state_dict().values():
            if tensor.is_floating_point():
                tensor.copy_(tensor.to(dtype))


def _step(plan: Plan) -> str:
    return f"verify {plan.mixture}"


def _device_of_comparison(plan: Plan, answered: Answered) -> Device:
    """Return a device with room for float32, or else the device of the answers with its precision."""
    import torch

    batch = Batch.of([len(context.prompt_ids) for context in answered.contexts], COMPARED_TOKENS, 1)
    return find_device(plan.config.model, batch, [torch.float32]) or answered.device


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
        f"merged, saved and reloaded: {same:.0%} of {number} greedy answers are the adapter's (in their first "
        f"{COMPARED_TOKENS} tokens), logits differ by "
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


def _compare_with_quantized(
    plan: Plan, answered: Answered, known: Sequence[NextTokens], figures: dict[str, Any]
) -> Finding:
    """Measure how often the adapter answers the same on its 4-bit base; differences are not a fault."""
    import torch

    config = plan.config
    try:
        with shown(f"{_step(plan)}, loading the 4-bit base"):
            base = load_network(config.model, config.train, answered.device.name != "cpu", plan.embeddings_needed)
            network = load_with_adapter(plan.folder, torch.float32, base=base)
        found = next_tokens(network, answered.contexts, f"{_step(plan)}, 4-bit base")
        same = figures["quantized_same_text"] = agreement(found, known)
    except Exception as failure:
        if not isinstance(failure, ValueError | ImportError) and not is_out_of_memory(failure):
            raise
        what = f"not compared with the 4-bit base: {' '.join(str(failure).split())[:160]}"
        return Finding("quantized", "warning", what, remedy="install the extra `quant`, or evaluate the merged model")
    what = f"{same:.0%} of the answers are the same on the 4-bit base it was trained on as on the full-precision one"
    return Finding("quantized", "ok", what)
