"""Verify a finished model from its files: complete, changed by training, able to stop, and the same when merged.

Everything is read as a user would read it, with one model in memory at a time. The result is written beside the weights
with the checksum of every file; if a file changes, the model counts as unverified. Whether answers are right is
measured by the evaluation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...config import Config
from ...core.model_source import TOKENIZER_FILES, load_failure
from ...core.progress import shown
from ...core.prompt_format import embeddings_needed, end_id, stop_ids
from ...lm.transformers.memory import is_out_of_memory
from ...lm.transformers.pretrained import load_pretrained_network, load_pretrained_tokenizer
from ...lm.transformers.transformers_lm import num_embeddings
from ..checks.findings import AFTER_TRAINING, Finding, accept, to_json
from ..failures import first_sentence
from ..network.model import context_length
from ..plan import Plan, differing, read_identity
from .answers import Asking, check_answers, draw_questions, measure, new_token_limit
from .compare_merged import MERGED_NEXT_TOKENS, Answered, compare_merged
from .device import Batch, Device, choose_device, dtypes_of_use
from .merge_adapter import load_with_adapter, own_dtype
from .next_tokens import Context, next_token_share, next_tokens
from .record import read_record, write_record
from .saved_weights import RETRAIN, check_adapter, check_files, check_finite, check_full, is_adapter

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

SAMPLE_TEXTS = (
    "Name three colours.\n\nOutput: red, blue",
    " caf\u00e9 \u4e16\u754c \U0001f600\t1234567",
    "<a href='x'>{}</a>\r\n",
)


@dataclass(frozen=True)
class Verification:
    """The result for one model folder; `figures` describe its answers."""

    folder: Path
    passed: bool
    findings: tuple[Finding, ...]
    figures: dict[str, Any]
    was_known: bool = False
    """It was read from the file of an earlier verification of the same weights."""


OTHER_MACHINE = 0.02
"""Share of a merged model's next tokens that may differ by another machine's numerics; an assumption."""


def verify(plan: Plan, force: bool = False) -> Verification:
    """Verify the model at `plan.folder` and write the result beside it; a model that passed is not examined again.

    Raises:
        ValueError: the model is missing, is of another training, or does not fit into memory.
    """
    folder, allow = plan.folder, plan.config.train.allow
    if not any(folder.glob("*.safetensors")):
        raise ValueError(f"{folder}: no trained model there; run `selfinstruct train` first")
    found = read_identity(folder)
    if found != plan.identity:
        changed = ", ".join(differing(found or {}, plan.identity))
        raise ValueError(f"{folder} holds a model of another training (different: {changed}); give that run's config")
    record = None if force else read_record(folder)
    if record is not None and record["passed"] and set(record["accepted"]) <= set(allow):
        findings = tuple(Finding(**finding) for finding in record["findings"])
        return Verification(folder, True, findings, record["figures"], was_known=True)
    try:
        raw, figures = _examine(plan)
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        raise ValueError(_memory_line(folder, error)) from error
    findings = accept(raw, allow)
    passed = all(finding.level != "error" for finding in findings)
    accepted = sorted({finding.check for finding in raw if finding.level == "error" and finding.check in allow})
    write_record(folder, passed, {"accepted": accepted, "findings": to_json(findings), "figures": figures})
    return Verification(folder, passed, findings, figures)


def refuse_unfit(results: Sequence[Verification]) -> None:
    """Stop if a model failed.

    Raises:
        ValueError: one line with each failed check, its remedy, and the setting that accepts it.
    """
    failed = [(result.folder, f) for result in results for f in result.findings if f.level == "error"]
    if failed:
        reasons = "; ".join(f"{folder}: {f.check}: {f.what}; {f.remedy}" for folder, f in failed)
        names = sorted({f.check for _, f in failed} & set(AFTER_TRAINING))
        accepting = f" (or accept it: --train.allow '[{','.join(names)}]')" if names else ""
        raise ValueError(f"not fit for use: {reasons}{accepting}")


def verify_merge(merged: Path, adapter: Path, config: Config) -> None:
    """Refuse a merged model, as it will be published, that is broken or is not the verified one.

    If the adapter was never verified, which only publish.force allows, the answers are not compared.

    Raises:
        ValueError: it is incomplete, not finite, lacks weights, or its likely tokens differ from the verification.
    """
    import torch

    record = read_record(adapter)
    figures = {} if record is None else record["figures"]
    findings = [check_files(merged)]
    if findings[0].level == "ok":
        findings.append(check_finite(merged))
    _refuse_merge(findings)
    samples, trust = figures.get("samples", []), config.model.trust_remote_code
    tokenizer = load_pretrained_tokenizer(merged, trust_remote_code=trust)
    try:
        batch = Batch(1, figures.get("max_new_tokens", 0) + config.train.max_length)
        compared_in = getattr(torch, figures.get("merged_compared_in", "float32"))
        device = choose_device(config.model, batch, [compared_in, own_dtype(adapter, trust)])
        network, findings = _load_full(merged, device, trust)
        _refuse_merge(findings)
        if not figures:
            return
        assert network is not None
        share = next_token_share(network, samples, tokenizer, config.train.template)
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        raise ValueError(_memory_line(merged, error)) from error
    before = figures.get(MERGED_NEXT_TOKENS)
    if before is None:
        raise ValueError(
            f"{adapter}: its verification did not examine the merged model; run `selfinstruct verify --force`"
        )
    if share < before - OTHER_MACHINE:
        raise ValueError(
            f"the merged model is not the verified one: {share:.1%} of the samples' tokens are its most likely, "
            f"{before:.1%} were at the verification; publish the adapter (publish.weights: adapter), or verify again "
            "with --force"
        )


def _refuse_merge(findings: list[Finding]) -> None:
    for finding in findings:
        if finding.level == "error":
            raise ValueError(f"the merged model: {finding.what} {finding.example}".rstrip() + "; merge again")


def _memory_line(folder: Path, error: BaseException) -> str:
    return (
        f"{folder} could not be examined: memory ran out ({first_sentence(error)}); the model is kept, and can be "
        "verified now or later: `selfinstruct verify CONFIG --model.device cpu` (or a smaller "
        "--model.batch_size, or a larger machine)"
    )


def _examine(plan: Plan) -> tuple[list[Finding], dict[str, Any]]:
    """Make the checks in the order of their cost, and stop after a group with an error."""
    findings: list[Finding] = [check_files(plan.folder)]
    figures: dict[str, Any] = {}
    if findings[0].level == "error":
        return findings, figures
    for examine in (_examine_weights, _examine_tokenizer, _examine_behaviour):
        found, measured = examine(plan)
        findings += found
        figures |= measured
        if any(finding.level == "error" for finding in accept(found, plan.config.train.allow)):
            break
    return findings, figures


def _examine_weights(plan: Plan) -> tuple[list[Finding], dict[str, Any]]:
    with shown(f"verify {plan.mixture}, weights"):
        if is_adapter(plan.folder):
            return check_adapter(plan.folder, plan.config), {}
        return check_full(plan.folder, plan.config.model), {}


def _examine_tokenizer(plan: Plan) -> tuple[list[Finding], dict[str, Any]]:
    """Check that the saved tokenizer gives the ids of the training."""

    def error(what: str, example: str = "") -> tuple[list[Finding], dict[str, Any]]:
        return [Finding("tokenizer", "error", what, example=example, remedy=RETRAIN)], {}

    if not any((plan.folder / name).exists() for name in TOKENIZER_FILES):
        return error("there is no tokenizer beside the weights")
    try:
        saved = load_pretrained_tokenizer(plan.folder, trust_remote_code=plan.config.model.trust_remote_code)
    except Exception as failure:  # a tokenizer can fail in any way
        return error(f"the saved tokenizer cannot be loaded: {' '.join(str(failure).split())[:200]}")
    texts = [*SAMPLE_TEXTS, *(text for row in plan.source_rows[:50] for text in (row.instruction, row.output))]
    for text in texts:
        if saved(text)["input_ids"] != plan.tokenizer(text)["input_ids"]:
            return error("the saved tokenizer gives other ids than the base's", repr(text[:60]))
    for name in ("eos_token_id", "bos_token_id", "chat_template"):
        if getattr(saved, name) != getattr(plan.tokenizer, name):
            return error(f"the saved tokenizer has another {name} than the base's", repr(getattr(saved, name))[:60])
    return [Finding("tokenizer", "ok", f"loads, and gives the base's ids on {len(texts)} texts")], {}


def _examine_behaviour(plan: Plan) -> tuple[list[Finding], dict[str, Any]]:
    """Load the model and check its answers; for an adapter, compare them with the merged model's."""
    import torch

    config, folder = plan.config, plan.folder
    tokenizer = load_pretrained_tokenizer(folder, trust_remote_code=config.model.trust_remote_code)
    context = context_length(config.model)
    limit = new_token_limit(plan, context)
    questions = draw_questions(plan, tokenizer, limit, context)
    device = choose_device(
        config.model,
        Batch.of([len(q.prompt_ids) for q in questions], limit, config.model.batch_size),
        dtypes_of_use(config.model),
    )
    with shown(f"verify {plan.mixture}, loading"):
        network, findings = _load(plan, device)
    if network is None:
        return findings, {}
    findings += [_check_vocabulary(network, tokenizer), _check_end_token(plan, network)]
    stops = stop_ids(tokenizer, config.train.template, network.generation_config.eos_token_id, config.model.path)
    if not questions:
        what = f"no row's prompt leaves room for {limit} tokens in the model's context of {context}"
        return [*findings, Finding("stops", "error", what, remedy="train on shorter rows")], {}
    step = f"verify {plan.mixture}"
    answers = Asking(tokenizer, limit, frozenset(stops), config.model.batch_size, step).answers(network, questions)
    figures: dict[str, Any] = {"questions_from": "validation rows" if plan.validation_rows else "training rows"}
    figures |= measure(questions, answers, tokenizer, limit)
    findings += check_answers(figures)
    if is_adapter(folder):
        contexts = [Context.of(q.prompt_ids, a.ids) for q, a in zip(questions, answers, strict=True)]
        is_exact = device.dtype == torch.float32
        known = next_tokens(network, contexts, f"{step}, adapter") if is_exact else None
        del network  # frees its memory before another one is loaded
        found, measured = compare_merged(plan, Answered(contexts, device, known, figures["samples"]))
        findings += found
        figures |= measured
    return findings, figures


def _load(plan: Plan, device: Device) -> tuple[PreTrainedModel | None, list[Finding]]:
    """Load the model as a user would; weights missing in its file are an error, because they would be random."""
    trust = plan.config.model.trust_remote_code
    if is_adapter(plan.folder):
        network = load_with_adapter(plan.folder, device.dtype, trust, device_map=device.device_map)
        return device.put(network), [Finding("loads", "ok", "the adapter loads on its base")]
    return _load_full(plan.folder, device, trust)


def _load_full(folder: Path, device: Device, trust: bool) -> tuple[PreTrainedModel | None, list[Finding]]:
    try:
        loaded: Any = load_pretrained_network(
            folder,
            dtype=device.dtype,
            device_map=device.device_map,
            trust_remote_code=trust,
            output_loading_info=True,
        )
    except Exception as failure:  # a model can fail in any way
        if is_out_of_memory(failure):
            raise
        what = load_failure(str(folder), failure)
        return None, [Finding("loads", "error", what, remedy=RETRAIN)]
    network, info = loaded
    lost = sorted(str(key) for name in ("missing_keys", "mismatched_keys") for key in info[name])
    if lost:
        what = f"{len(lost)} weights are not in the file or have another shape, so they would be random"
        return None, [Finding("loads", "error", what, example=lost[0], remedy=RETRAIN)]
    return device.put(network), [Finding("loads", "ok", "every weight of the model is in its file")]


def _check_vocabulary(network: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> Finding:
    rows = num_embeddings(network)
    needed = embeddings_needed(tokenizer)
    if needed > rows:
        what = f"the tokenizer has {needed} tokens but the model {rows} embeddings"
        return Finding("embeddings", "error", what, remedy=RETRAIN)
    return Finding("embeddings", "ok", f"{needed} tokens fit into {rows} embeddings")


def _check_end_token(plan: Plan, network: PreTrainedModel) -> Finding:
    """Check that `generate` stops by default at the end token of the training."""
    import transformers

    settings = network.generation_config
    if is_adapter(plan.folder) and (plan.folder / "generation_config.json").exists():
        settings = transformers.GenerationConfig.from_pretrained(plan.folder)
    eos = settings.eos_token_id
    known = [eos] if isinstance(eos, int) else list(eos or ())
    end = end_id(plan.tokenizer, plan.config.train.template, plan.config.model.path)
    token = plan.tokenizer.convert_ids_to_tokens(end)
    if end in known:
        return Finding("end_token", "ok", f"generation_config.json stops at {token!r}, the end of a trained completion")
    what = f"generation_config.json does not stop at {token!r} (id {end}), the end of a trained completion"
    remedy = f"set eos_token_id to {[end, *known]} in {plan.folder / 'generation_config.json'}"
    return Finding("end_token", "error", what, example=f"eos_token_id is {eos}", remedy=remedy)
