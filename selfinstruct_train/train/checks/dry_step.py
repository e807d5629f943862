"""Run one training step on fake tensors: how much memory it keeps, and how many operations it takes.

The network is built from its config with tensors that have shapes but no content, and runs forward and backward as in
the trainer. So the activations come from the architecture's own code, not from a formula. GPU kernels that work
differently from a CPU's (fused attention, fused norms) are not modelled; the loss head of a GPU is in `estimate`.
"""

from __future__ import annotations

import contextlib
import dataclasses
import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from peft import LoraConfig
    from torch import Tensor, UntypedStorage, nn
    from transformers import PreTrainedConfig, PreTrainedModel

NUM_LAYERS_RUN = (2, 3)
"""A network of equal layers is run with these two numbers of layers, and the rest is extrapolated."""


@dataclass(frozen=True)
class Shape:
    """The shape of a micro-batch and the settings of its step."""

    rows: int
    length: int
    half: bool
    """Matrix products in bfloat16."""
    half_weights: bool
    """The weights themselves are in bfloat16: frozen ones, and those that FSDP gathers."""
    checkpointing: bool
    masked: bool
    """The attention mask is a matrix: there is padding or packs, and no flash attention."""
    attention: str | None
    """eager, sdpa or another name that the model knows; None: the model's default."""


@dataclass(frozen=True)
class Network:
    """Numbers of parameters of a network: all, trained, in the embeddings, in linear layers without the head, in all
    layers of the body, in the largest of them, and in the largest matrix."""

    num_parameters: int
    num_trained: int
    num_embedding: int
    num_linear: int
    num_layers_all: int
    num_largest_layer: int
    num_largest_matrix: int
    head_trained: bool


@dataclass(frozen=True)
class Step:
    """Bytes of a step beside weights, gradients and optimizer, and the operations of a micro-batch's matrix products.

    `kept` is held from forward to backward, `copies` are bfloat16 copies of weights, `peak` is the maximum without the
    loss head, `head` the memory of the plain loss head; `flops` is without head and attention products.
    """

    kept: float
    copies: float
    peak: float
    head: float
    flops: float


def dry_step(model_config: PreTrainedConfig, shape: Shape, lora: LoraConfig | None) -> tuple[Network, Step]:
    """Build the network of a transformers config and run one micro-batch through it, on fake tensors.

    Args:
        lora: a peft LoraConfig; None for full finetuning.

    Raises:
        ValueError: transformers cannot build or run this architecture in this way.
    """
    import torch
    from torch._subclasses.fake_tensor import FakeTensorMode

    try:
        with torch.random.fork_rng(devices=[]):  # peft draws random numbers for its adapters
            network = _build(model_config, shape)
            sizes = _sizes(network)
            if lora is not None:
                sizes = _add_adapters(network, lora, sizes)
        with FakeTensorMode():
            _put_on_fake_cpu(network)
            equal = _equal_layers(network)
            if equal is None:
                return sizes, _run(network, shape)
            parent, name, layers = equal
            few = []
            for number in NUM_LAYERS_RUN:
                setattr(parent, name, layers[:number])
                few.append(_run(network, shape))
            return sizes, _in_proportion(few[0], few[1], len(layers))
    except Exception as error:  # a foreign architecture can fail in any way
        raise _no_estimate(model_config, error) from error


def network_sizes(model_config: PreTrainedConfig) -> Network:
    """Return the sizes of the network of a transformers config, without running it.

    Raises:
        ValueError: transformers cannot build this architecture as a causal LM.
    """
    try:
        return _sizes(_build(model_config, Shape(1, 1, False, False, False, False, None)))
    except Exception as error:
        raise _no_estimate(model_config, error) from error


def _no_estimate(model_config: PreTrainedConfig, error: Exception) -> ValueError:
    message = " ".join(str(error).split())[:200]
    return ValueError(f"no estimate for a model of type {model_config.model_type!r}: {message}")


def _build(model_config: PreTrainedConfig, shape: Shape) -> PreTrainedModel:
    import torch
    from transformers import AutoModelForCausalLM

    dtype = torch.bfloat16 if shape.half_weights else torch.float32
    options = {} if shape.attention is None else {"attn_implementation": shape.attention}
    with torch.device("meta"):
        network = AutoModelForCausalLM.from_config(model_config, dtype=dtype, **options)
    network.train()
    if shape.checkpointing:
        name = "activation_checkpointing_enable"  # newer versions of transformers 5 renamed it
        enable = getattr(network, name, None) or network.gradient_checkpointing_enable
        enable({"use_reentrant": False})
        network.enable_input_require_grads()
    return network


def _put_on_fake_cpu(network: PreTrainedModel) -> None:
    """Replace parameters and buffers on the meta device by fake ones on a CPU, where autocast works as usual."""
    import torch

    made: dict[int, Tensor] = {}  # tied weights stay one
    for module in network.modules():
        registers: tuple[dict[str, Any], ...] = (module._parameters, module._buffers)
        for register in registers:
            for name, old in register.items():
                if old is None:
                    continue
                if id(old) not in made:
                    new = torch.empty(old.shape, dtype=old.dtype, device="cpu")
                    is_weight = isinstance(old, torch.nn.Parameter)
                    made[id(old)] = torch.nn.Parameter(new, requires_grad=old.requires_grad) if is_weight else new
                register[name] = made[id(old)]


def _sizes(network: PreTrainedModel) -> Network:
    import torch

    head = network.get_output_embeddings()
    embeddings = cast("torch.nn.Embedding", network.get_input_embeddings())
    linear = [
        module.weight.numel()
        for module in network.modules()
        if isinstance(module, torch.nn.Linear) and module is not head
    ]
    layers = [sum(p.numel() for p in layer.parameters()) for found in _lists(network) for layer in found[2]]
    total = sum(p.numel() for p in network.parameters())
    return Network(
        num_parameters=total,
        num_trained=total,
        num_embedding=embeddings.weight.numel(),
        num_linear=sum(linear),
        num_layers_all=sum(layers),
        num_largest_layer=max(layers, default=total),
        num_largest_matrix=max(linear, default=0),
        head_trained=True,
    )


def _add_adapters(network: PreTrainedModel, lora: LoraConfig, sizes: Network) -> Network:
    """Add the run's adapters to the network, in place, by peft itself."""
    from peft import get_peft_model

    get_peft_model(network, lora)
    num_trained = sum(p.numel() for p in network.parameters() if p.requires_grad)
    return dataclasses.replace(sizes, num_trained=num_trained, head_trained=False)


def _lists(network: PreTrainedModel) -> list[tuple[nn.Module, str, nn.ModuleList]]:
    """Return the longest list of layers of a network, with its owner and its name there; empty: it has none."""
    import torch

    found = []
    for path, module in network.base_model.named_modules():
        if isinstance(module, torch.nn.ModuleList):
            owner, _, name = path.rpartition(".")
            found.append((network.base_model.get_submodule(owner), name, module))
    return sorted(found, key=lambda item: -len(item[2]))[:1]


def _equal_layers(network: PreTrainedModel) -> tuple[nn.Module, str, nn.ModuleList] | None:
    """Return the list of layers if all of them have the same shapes and they are many; else None."""
    for owner, name, layers in _lists(network):
        shapes = {tuple((n, tuple(p.shape)) for n, p in layer.named_parameters()) for layer in layers}
        if len(shapes) == 1 and len(layers) > NUM_LAYERS_RUN[1]:
            return owner, name, layers
    return None


def _in_proportion(first: Step, second: Step, num_layers: int) -> Step:
    start, end = NUM_LAYERS_RUN
    names = ("kept", "copies", "peak", "head", "flops")
    share = (num_layers - end) / (end - start)
    values = {name: getattr(second, name) + share * (getattr(second, name) - getattr(first, name)) for name in names}
    return Step(**values)


def _run(network: PreTrainedModel, shape: Shape) -> Step:
    """Run forward and backward of the body, then of the plain loss head alone, and count the memory."""
    import torch

    ids = torch.zeros(shape.rows, shape.length, dtype=torch.long)
    mask = torch.ones(shape.rows, 1, shape.length, shape.length, dtype=torch.bool) if shape.masked else None
    autocast = torch.autocast("cpu", dtype=torch.bfloat16) if shape.half else contextlib.nullcontext()
    with count_memory(network) as body:
        with autocast:
            hidden = network.base_model(input_ids=ids, attention_mask=mask, use_cache=False).last_hidden_state
            kept, copies = body.live - body.copies, body.copies
        hidden.backward(hidden.detach())
    _forget_gradients(network)
    hidden = hidden.detach().requires_grad_()
    labels = torch.zeros(shape.rows, shape.length, dtype=torch.long)
    with count_memory(network) as head:
        with autocast:
            logits = network.get_output_embeddings()(hidden)
        # accelerate gives the trainer float32 outputs
        loss = network.loss_function(logits=logits.float(), labels=labels, vocab_size=logits.shape[-1])
        del logits
        loss.backward()
    _forget_gradients(network)
    return Step(kept, copies, body.peak, head.peak, body.flops)


def _forget_gradients(network: PreTrainedModel) -> None:
    for parameter in network.parameters():
        parameter.grad = None


class LiveBytes:
    """Bytes alive now and their maximum so far, of which `copies` are weights in another dtype; and operations."""

    live = 0
    peak = 0
    copies = 0
    flops = 0


@contextlib.contextmanager
def count_memory(network: nn.Module) -> Iterator[LiveBytes]:
    """Count the bytes of all tensors that operations make, except gradients of the network's parameters.

    It works on real tensors too, with which the tests measure. Matrix products are counted here because FlopCounterMode
    of torch 2.13 would keep tensors of checkpointed layers alive.
    """
    import torch
    from torch.utils._python_dispatch import TorchDispatchMode
    from torch.utils._pytree import tree_leaves

    count = LiveBytes()
    known: weakref.WeakKeyDictionary[UntypedStorage, list[int]] = weakref.WeakKeyDictionary()
    weights = {parameter.untyped_storage() for parameter in network.parameters()}

    def free(entry: list[int]) -> None:
        count.live -= entry[0]
        count.copies -= entry[1]
        entry[:] = [0, 0]

    def leave_out_gradient(parameter: Tensor) -> None:
        assert parameter.grad is not None
        free(known.get(parameter.grad.untyped_storage(), [0, 0]))

    class Count(TorchDispatchMode):
        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            result = func(*args, **(kwargs or {}))
            if func in (torch.ops.aten.mm.default, torch.ops.aten.addmm.default):
                left, right = args[-2:]
                count.flops += 2 * left.shape[0] * left.shape[1] * right.shape[1]
            is_copy = func is torch.ops.aten._to_copy.default and args[0].untyped_storage() in weights
            for tensor in tree_leaves(result):
                if not isinstance(tensor, torch.Tensor):
                    continue
                storage = tensor.untyped_storage()
                if storage not in known and storage not in weights:
                    size = storage.nbytes()
                    known[storage] = entry = [size, size * is_copy]
                    count.live += size
                    count.copies += size * is_copy
                    count.peak = max(count.peak, count.live)
                    weakref.finalize(storage, free, entry)
            return result

    hooks = [p.register_post_accumulate_grad_hook(leave_out_gradient) for p in network.parameters() if p.requires_grad]
    try:
        with Count():
            yield count
    finally:
        for hook in hooks:
            hook.remove()
