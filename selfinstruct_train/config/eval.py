"""Settings of the evaluation: tasks, further models, prompts and metrics."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from ..core.records import Sampling
from .ranges import check_at_least_one, check_choices, check_limits, check_model_names, check_range


@dataclass(frozen=True)
class EvalConfig:
    """Evaluation of the base model, the run's trained models and further models."""

    tasks: str = "builtin:tiny"
    """Natural Instructions v2: a folder with tasks/*.json and splits/<split>/test_tasks.txt, a zip or tar of such a
    folder, hub:<owner/name> for a dataset of its rows, or builtin:tiny."""
    split: str = "default"
    """default: official English split (119 tasks); xlingual: official cross-lingual split; or a split of your own."""
    user_oriented: str | None = None
    """File in the user_oriented_instructions.jsonl format; null: not evaluated."""
    published: str | None = None
    """Folder of published predictions for `user_oriented`, scored with the run's models; null: the folder `predictions`
    beside that file, if it exists."""
    models: dict[str, str] = field(default_factory=dict)
    """Further models to evaluate: Hub id or folder, by the name to show in tables."""
    max_instances_per_task: int = 100
    """Maximum number of instances per task (100: paper and Tk-Instruct)."""
    encoding: Literal["template", "tk_instruct"] = "template"
    """Prompt format. template: the task definition is the instruction in train.template (the paper's zero-shot
    setting); tk_instruct: the encoding of Tk-Instruct (arXiv 2204.07705), for models trained on it."""
    num_positive_examples: int = 0
    """Number of positive examples in the prompt. 0: definition only, as in the paper; 2: Tk-Instruct's best setting."""
    num_negative_examples: int = 0
    """Number of negative examples in the prompt, after the positive ones (Tk-Instruct)."""
    explanations: bool = False
    """Add the task's explanation to each example, if it has one."""
    max_prompt_tokens: int | None = None
    """Maximum number of prompt tokens, counted by the model's tokenizer (1024: Tk-Instruct). Examples that do not fit
    are dropped, then the input is cut. null: no limit; backend http requires null."""
    rouge_tokenizer: str | None = None
    """Hub id or folder of the tokenizer for ROUGE, e.g. gpt2 (Tk-Instruct for xlingual); null: rouge_score's default
    (a-z and 0-9, stemmed)."""
    sampling: Sampling = field(default_factory=lambda: Sampling(max_new_tokens=128))
    """Sampling of the predictions; greedy by default."""
    bootstrap_samples: int = 1000
    """Number of bootstrap samples over tasks, for the standard error and skewness of each mean."""

    def __post_init__(self) -> None:
        check_choices("eval", self)
        check_at_least_one("eval", self, "max_instances_per_task", "bootstrap_samples")
        check_limits("eval", self, "max_prompt_tokens")
        examples = ("num_positive_examples", "num_negative_examples")
        check_range("eval", self, examples, lambda n: n >= 0, "it must be 0 or more")
        check_model_names("eval.models", self.models)
