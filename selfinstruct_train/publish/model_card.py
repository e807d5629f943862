"""The model card: README.md of the published model, with the YAML head that the Hub reads. Pure: facts in, text out.

`card_facts` is who gathers the facts. As in the dataset's card, nothing of the machine stands in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ..core.builtin import ASSETS
from ..core.gguf import weights_origin
from ..core.names import TASKS
from ..core.prompt_format import TemplateName, evaluation_prompt
from ..dataset.license import License
from ..dataset.table import as_markdown
from .model_index import ScoreSet, comparison, eval_results, evaluation_table, judgement_table, set_name

if TYPE_CHECKING:
    from huggingface_hub import EvalResult

MARK = "<!-- written by selfinstruct-train -->"
TAGS = ("self-instruct", "instruction-tuning", "sft")
_CHAT_SETTINGS = {
    "enable_thinking": "False",
    "date_string": '"26 Jul 2024"',
}
"""What `prompt_format` tells every chat template, as Python."""
_ENOUGH = 30
"""Fewer examples than this are told as too few to lean on."""


@dataclass(frozen=True)
class Base:
    """The model that was finetuned: a Hub id, or the name alone of one that only the maker has."""

    name: str
    is_hub_id: bool
    revision: str | None = None
    gguf_file: str | None = None
    """Name of the GGUF file that held the model."""
    quantization: str = ""
    """Of that file, e.g. Q4_K_M."""

    @property
    def link(self) -> str:
        """What a card shows of it."""
        at = f" at revision `{self.revision}`" if self.revision else ""
        if self.gguf_file is not None:
            return f"`{self.gguf_file}` ({weights_origin(self.quantization)})"
        name = f"[{self.name}](https://huggingface.co/{self.name})" if self.is_hub_id else f"`{self.name}`"
        return name + at


@dataclass(frozen=True)
class Data:
    """What was trained on; `commit` is known once the dataset is published."""

    description: str
    repo: str | None = None
    commit: str | None = None
    files: tuple[tuple[str, str], ...] = ()
    """(name, sha256) of the published data files."""
    contamination: str = ""


@dataclass(frozen=True)
class CardFacts:
    """What a model card tells. Tables are (label, value) in their order; empty ones are left out of the card."""

    repo: str
    revision: str
    weights: str
    """model, adapter or both; of a run without LoRA always model."""
    method: str
    """full, lora or qlora."""
    template: TemplateName
    system: str
    """The name in the scores, which is the mixture's."""
    base: Base
    data: Data
    license: License
    language: str
    num_parameters: int = 0
    training: tuple[tuple[str, str], ...] = ()
    generation: tuple[tuple[str, str], ...] = ()
    sampling: str = ""
    verification: tuple[tuple[str, str], ...] = ()
    samples: str = ""
    """Answers of the finished model, as JSON, to questions of `samples_from`."""
    samples_from: str = "training rows"
    has_loss_plot: bool = False
    chat_template: str = ""
    """The tokenizer's; what training tells it, the code in the card must tell it too."""
    scores: Sequence[ScoreSet] = ()
    judge: Mapping[str, Any] | None = None
    """eval/judge.json and eval/people.json; only what is of the scored answers is told."""
    people: Mapping[str, Any] | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    unproven: tuple[str, ...] = ()


def render_card(facts: CardFacts) -> str:
    """Return the text of README.md."""
    import jinja2

    environment = jinja2.Environment(
        undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )
    template = environment.from_string((ASSETS / "model_card.md.j2").read_text(encoding="utf-8"))
    return template.render(
        mark=MARK,
        header=yaml_header(facts),
        f=facts,
        title=facts.repo.split("/")[-1],
        kind=_kind(facts),
        gain=_headline(facts),
        training=_table(facts.training),
        generation=_table(facts.generation),
        verification=_table(facts.verification, ("check", "result")),
        evaluations=[(set_name(s), s["num_tasks"], evaluation_table(s, facts.system)) for s in facts.scores],
        num_worked_examples=max((_num_worked_examples(s) for s in facts.scores), default=0),
        judgements=judgement_table(_results(facts)),
        few=[s for s in facts.scores if s["num_examples"] < _ENOUGH],
        usage=usage(facts),
        without_input=without_input(facts.template),
        adapter_usage=usage(replace(facts, weights="adapter"), "adapter") if facts.weights == "both" else "",
        versions=", ".join(f"{name} {version}" for name, version in facts.versions.items()),
    )


def yaml_header(facts: CardFacts) -> str:
    """Return the YAML head; huggingface_hub checks the form of the evaluation results."""
    from huggingface_hub import ModelCardData

    results = _results(facts)
    others: dict[str, Any] = {}
    if facts.base.is_hub_id:
        others["base_model_relation"] = "adapter" if facts.weights == "adapter" else "finetune"
    data = ModelCardData(
        base_model=facts.base.name if facts.base.is_hub_id else None,
        datasets=[facts.data.repo] if facts.data.repo else None,
        eval_results=results or None,
        model_name=facts.repo.split("/")[-1] if results else None,
        language=facts.language,
        library_name="peft" if facts.weights == "adapter" else "transformers",
        license=facts.license.id,
        metrics=sorted({result.metric_type for result in results}) or None,
        pipeline_tag="text-generation",
        tags=[*TAGS, *(["lora"] if facts.method != "full" else [])],
        **others,
    )
    return str(data.to_yaml()).strip()


def _results(facts: CardFacts) -> list[EvalResult]:
    return eval_results(facts.scores, facts.system, facts.judge, facts.people)


def _num_worked_examples(scored: ScoreSet) -> int:
    """How many the prompts of a set held; what is no Natural Instructions task has none."""
    return int(scored.get("prompt", {}).get("num_positive_examples", 0)) if scored["set"] == TASKS else 0


def usage(facts: CardFacts, subfolder: str = "") -> str:
    """Return Python that loads the published model and asks it in the form that it was trained on."""
    pinned = f', revision="{facts.revision}"' if facts.revision != "main" else ""
    lines = ["from transformers import AutoModelForCausalLM, AutoTokenizer", ""]
    if facts.weights == "adapter":
        subfolder_argument = f', subfolder="{subfolder}"' if subfolder else ""
        of_base = f', revision="{facts.base.revision}"' if facts.base.is_hub_id and facts.base.revision else ""
        named = f'base = "{facts.base.name}"'
        if facts.base.gguf_file is not None:
            of_base = f', gguf_file="{facts.base.gguf_file}"'
            named = f'base = "."  # the folder that holds {facts.base.gguf_file}'
        lines[0] += ", GenerationConfig"
        lines = ["from peft import PeftModel", *lines, named]
        load = [
            f"model = AutoModelForCausalLM.from_pretrained(base{of_base})",
            f"model = PeftModel.from_pretrained(model, repo{subfolder_argument}{pinned})",
            f"model.generation_config = GenerationConfig.from_pretrained(repo{pinned})  # where it stops",
        ]
    else:
        load = [f"model = AutoModelForCausalLM.from_pretrained(repo{pinned})"]
    lines += [f'repo = "{facts.repo}"', f"tokenizer = AutoTokenizer.from_pretrained(repo{pinned})", *load, ""]
    lines += _asking(facts)
    lines += [
        'answer = model.generate(inputs["input_ids"], attention_mask=inputs["attention_mask"], max_new_tokens=128)',
        'print(tokenizer.decode(answer[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True))',
    ]
    return "\n".join(lines)


def _asking(facts: CardFacts) -> list[str]:
    if facts.template == "chat":
        told = [f"{name}={code}" for name, code in _CHAT_SETTINGS.items() if name in facts.chat_template]
        return [
            'messages = [{"role": "user", "content": "Name the colour.\\n\\nred cat"}]',
            "inputs = tokenizer.apply_chat_template(",
            *(f"    {setting}," for setting in ("messages", "add_generation_prompt=True", *told)),
            '    return_tensors="pt",',
            "    return_dict=True,",
            ")",
        ]
    prompt = evaluation_prompt("{instruction}", "{input}", facts.template)
    return [
        'instruction, input = "Name the colour.", "red cat"',
        f'prompt = f"{_escaped(prompt)}"',
        'inputs = tokenizer(prompt, return_tensors="pt")',
    ]


def without_input(template: TemplateName) -> str:
    """Return the prompt of an instruction without input as a line of Python; of a chat there is nothing to say."""
    return "" if template == "chat" else f'f"{_escaped(evaluation_prompt("{instruction}", "", template))}"'


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def _kind(facts: CardFacts) -> str:
    if facts.method == "full":
        return "full finetuning"
    name = "LoRA" if facts.method == "lora" else "QLoRA"
    return {
        "model": f"{name}, merged into the base",
        "adapter": f"{name}; this repository holds the adapter alone, which needs the base model",
        "both": f"{name}, merged into the base; the adapter lies in the folder `adapter`",
    }[facts.weights]


def _headline(facts: CardFacts) -> str:
    """One sentence on the first set's gain; what its corrected p-value allows to say, no more."""
    row = comparison(facts.scores[0], facts.system) if facts.scores else None
    if row is None:
        return ""
    value = f"{row['value']:+.1f} ROUGE-L over its base (95 % interval {row['low']:+.1f} to {row['high']:+.1f}"
    where = f"{value}, {facts.scores[0]['num_examples']:,} examples of {facts.scores[0]['num_tasks']:,} tasks)"
    if row["verdict"] == "better":
        return f"It answers unseen tasks better than its base: {where}."
    if row["verdict"] == "worse":
        return f"It answers unseen tasks **worse** than its base: {where}."
    return f"That it answers unseen tasks better than its base is not shown: {where}."


def _table(rows: Sequence[tuple[str, str]], head: tuple[str, str] = ("", "")) -> str:
    return as_markdown([head, *rows], num_left=2) if rows else ""
