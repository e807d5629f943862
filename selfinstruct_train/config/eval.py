"""What is evaluated, on which tasks, and how a model is asked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from ..core.records import Sampling
from .ranges import check_at_least_one, check_choices, check_limits, check_model_names, check_range


@dataclass(frozen=True)
class EvalConfig:
    """Evaluation of the base, of every trained model of the run, and of whatever else is named."""

    tasks: str = "builtin:tiny"
    """Natural Instructions v2: a folder with tasks/*.json and splits/<split>/test_tasks.txt, a zip or tar of such a
    folder, or hub:<owner/name> for a dataset of its rows; or builtin:tiny."""
    split: str = "default"
    """default: the official English split (119 tasks); xlingual: the official cross-lingual one; or one of your own."""
    user_oriented: str | None = None
    """A file in the user_oriented_instructions.jsonl format; None: not run."""
    published: str | None = None
    """Folder of predictions published for `user_oriented`, scored beside the run's models; null: the folder
    `predictions` beside that file, where there is one."""
    models: dict[str, str] = field(default_factory=dict)
    """Further models to ask, by the name they get in tables: a Hub id or folder each."""
    max_instances_per_task: int = 100
    """Tk-Instruct and the paper: 100."""
    encoding: Literal["template", "tk_instruct"] = "template"
    """How a task is put into a prompt. template: its definition is the instruction of train.template, as the paper's
    zero-shot setting; tk_instruct: the encoding of Tk-Instruct (arXiv 2204.07705), for models trained on it."""
    num_positive_examples: int = 0
    """Worked examples of the task in the prompt. 0: definition only, as the paper; Tk-Instruct's best: 2."""
    num_negative_examples: int = 0
    """Wrong answers to the task shown as such, after the positive examples (Tk-Instruct)."""
    explanations: bool = False
    """Each example is followed by why it is right or wrong, where the task says so."""
    max_prompt_tokens: int | None = None
    """By the model's own tokenizer. Examples that do not fit are left out, then the input is cut (Tk-Instruct: 1024);
    null: no limit of ours; with backend http it must be null."""
    rouge_tokenizer: str | None = None
    """Hub id or folder of a tokenizer whose tokens ROUGE compares, e.g. gpt2 as Tk-Instruct does for xlingual; null:
    rouge_score's own (a-z and 0-9, stemmed)."""
    sampling: Sampling = field(default_factory=lambda: Sampling(max_new_tokens=128))
    bootstrap_samples: int = 1000
    """Resamples of the tasks, for the standard error and skewness of every mean."""

    def __post_init__(self) -> None:
        check_choices("eval", self)
        check_at_least_one("eval", self, "max_instances_per_task", "bootstrap_samples")
        check_limits("eval", self, "max_prompt_tokens")
        examples = ("num_positive_examples", "num_negative_examples")
        check_range("eval", self, examples, lambda n: n >= 0, "it must be 0 or more")
        check_model_names("eval.models", self.models)
