"""What a model predicts along given texts, by one forward pass of each: the comparison of two models.

Greedy answers are equal exactly where every next token of the one text is the likeliest of the other model too. So two
models are compared along the answers of the first, without generating again. A pass of the prompt and the first tokens
of the answer is enough: a wrong merge changes the logits at once.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from ...core.progress import shown
from ...core.prompt_format import TemplateName
from ...core.records import Row
from ..data.encode import evaluation_ids

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

COMPARED_TOKENS = 32
"""The first tokens of an answer, along which models are compared."""


@dataclass(frozen=True)
class Context:
    """A prompt, and the first tokens of an answer to it."""

    prompt_ids: tuple[int, ...]
    answer_ids: tuple[int, ...]

    @staticmethod
    def of(prompt_ids: Sequence[int], answer_ids: Sequence[int]) -> Context:
        """Return the context of an answer, which is cut to the tokens that are compared."""
        return Context(tuple(prompt_ids), tuple(answer_ids[:COMPARED_TOKENS]))


@dataclass(frozen=True)
class NextTokens:
    """The likeliest next tokens after a prompt and after each token of the answer.

    `leads` says by how much the logit of each exceeds the second best. `logits` are those after the prompt, float32 on
    the CPU, (vocabulary,).
    """

    tokens: tuple[int, ...]
    leads: tuple[float, ...]
    logits: Tensor

    def differs(self, other: NextTokens) -> bool:
        """Return whether a likeliest token is another one."""
        return self.tokens != other.tokens

    def differs_at_ties(self, other: NextTokens, tolerance: float) -> bool:
        """Return whether the tokens differ only where the best two logits are closer than the tolerance allows."""
        pairs = zip(self.tokens, other.tokens, self.leads, strict=True)
        leads = [lead for token, another, lead in pairs if token != another]
        return bool(leads) and max(leads) <= 2 * tolerance


def next_tokens(network: PreTrainedModel, contexts: Sequence[Context], step: str) -> list[NextTokens]:
    """Return what a model predicts along the contexts, computed one by one.

    Args:
        step: what the live line is called.
    """
    found = []
    with shown(step, "answers compared", len(contexts)) as live:
        for context in contexts:
            best, logits = _best_two(network, context)
            tokens, leads = best.indices[:, 0].tolist(), (best.values[:, 0] - best.values[:, 1]).tolist()
            found.append(NextTokens(tuple(tokens), tuple(leads), logits))
            live.add(1)
    return found


def agreement(some: Sequence[NextTokens], others: Sequence[NextTokens]) -> float:
    """Return the share of contexts with identical likeliest tokens."""
    return sum(not a.differs(b) for a, b in zip(some, others, strict=True)) / len(some)


def largest_difference(some: Sequence[NextTokens], others: Sequence[NextTokens]) -> float:
    """Return the largest absolute difference of the logits after the prompts."""
    return max(float((a.logits - b.logits).abs().max()) for a, b in zip(some, others, strict=True))


def next_token_share(
    network: PreTrainedModel,
    samples: Sequence[dict[str, Any]],
    tokenizer: PreTrainedTokenizerBase,
    template: TemplateName,
) -> float:
    """Return the share of the samples' first tokens that are the most likely ones of this network.

    Args:
        samples: those of `answers.measure`.
    """
    same = total = 0
    for sample in samples:
        prompt = evaluation_ids(tokenizer, Row("", sample["instruction"], sample["input"], ""), template)
        context = Context.of(prompt, tokenizer(sample["answer"], add_special_tokens=False)["input_ids"])
        likeliest = _best_two(network, context)[0].indices[:-1, 0].tolist()
        same += sum(a == b for a, b in zip(likeliest, context.answer_ids, strict=True))
        total += len(context.answer_ids)
    return same / total if total else 1.0


def inner_network(network: PreTrainedModel) -> PreTrainedModel:
    """Return the network inside an adapter's model: it applies the adapter, and its `forward` names its arguments."""
    get_base_model = getattr(network, "get_base_model", None)
    return network if get_base_model is None else cast("PreTrainedModel", get_base_model())


def _best_two(network: PreTrainedModel, context: Context) -> tuple[Any, Tensor]:
    """Return the two best logits and tokens at each place, (1 + answer, 2), and the logits after the prompt."""
    import torch

    network = inner_network(network)
    places = 1 + len(context.answer_ids)
    ids = torch.tensor([[*context.prompt_ids, *context.answer_ids]], device=network.device)
    # without it, the logits of the whole prompt would be computed too
    keep = {"logits_to_keep": places} if "logits_to_keep" in inspect.signature(network.forward).parameters else {}
    with torch.no_grad():
        logits = network(input_ids=ids, use_cache=False, **keep).logits[0, -places:].float()
    return logits.topk(2), logits[0].cpu()
