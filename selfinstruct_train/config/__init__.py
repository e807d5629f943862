"""One YAML file is one run: its sections and settings, each with its meaning and default.

Every default that comes from the paper (arXiv 2212.10560) or its released code names its source. Reading and checking
is `config_file`'s.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from ..core.records import Sampling


@dataclass(frozen=True)
class ServerConfig:
    """OpenAI-compatible servers, used when `model.backend` is http; the model's name there is `model.path`."""

    base_urls: tuple[str, ...] = ("http://127.0.0.1:8000/v1",)
    """Several servers of the same model share the requests."""
    api_key_env: str = "OPENAI_API_KEY"
    """Name of the environment variable that holds the key; where it is unset, none is sent."""
    max_in_flight: int = 16
    """Requests on their way at once, over all servers."""
    requests_per_minute: int | None = None
    """The provider's limit; null: none."""
    tokens_per_minute: int | None = None
    """The provider's limit, prompt and completion together; null: none."""
    timeout_seconds: float = 120.0
    max_attempts: int = 8
    """Times a request is sent before it is left open; a later run of the same command asks it again."""
    extra_body: dict[str, Any] = field(default_factory=dict)
    """Fields sent with every request, e.g. {repeat_penalty: 1.0} for llama.cpp; null leaves out one of ours that a
    server refuses, e.g. {seed: null}. Part of what the answers depend on, so of the journals."""


@dataclass(frozen=True)
class VllmConfig:
    """The offline engine, used when `model.backend` is vllm (pip install 'selfinstruct-train[vllm]')."""

    tensor_parallel_size: int = 1
    data_parallel_size: int = 1
    gpu_memory_utilization: float = 0.9
    max_model_len: int | None = None
    """Tokens of prompt and completion together; null: the model's own."""


@dataclass(frozen=True)
class ModelConfig:
    """The language model: it generates, it is finetuned, it is the base of the comparison."""

    path: str = "builtin:tiny"
    """Hub id, local folder, or builtin:tiny; with backend http the name that the server knows it by."""
    backend: Literal["transformers", "http", "vllm"] = "transformers"
    """What runs it when instructions are generated; training is always done with transformers."""
    server: ServerConfig = field(default_factory=ServerConfig)
    vllm: VllmConfig = field(default_factory=VllmConfig)
    revision: str | None = None
    """Hub commit, tag or branch; pin it for a run you want to repeat. With backend http a word of your own for what is
    served, which becomes part of the model's name."""
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    """auto: bfloat16 on a GPU that has it, else float32."""
    device: str = "auto"
    """auto: the first GPU if there is one, else cpu."""
    batch_size: int = 32
    """Prompts run together by the transformers backend; speed only, but in 16 bits an answer may differ with it."""
    trust_remote_code: bool = False
    """Run Python code that comes with the model; only for repositories you have read."""


@dataclass(frozen=True)
class ContaminationConfig:
    """Generated rows that overlap evaluation data."""

    action: Literal["block", "flag", "off"] = "block"
    """block: they are left out of the dataset; flag: they stay, marked in the ledger; both are counted in the card."""
    sets: tuple[str, ...] = ("eval",)
    """Texts no row may overlap: eval (what the section `eval` names), or files, folders, archives and hub: datasets in
    one of its formats, or rows with instruction, input and output."""
    ngram: int = 13
    """A row that shares so many words in a row with an evaluation text overlaps it (13: GPT-3 paper, appendix C)."""
    rouge_l_threshold: float = 0.7
    """So does a row whose instruction or input is more similar than this to one of an evaluation set; 1: off."""


@dataclass(frozen=True)
class NearDuplicateConfig:
    """A second filter on instructions, beyond ROUGE-L (extra `dedup`)."""

    method: Literal["none", "minhash", "embeddings"] = "none"
    threshold: float = 0.8
    """Jaccard similarity of word triples (minhash) or cosine (embeddings) above which a candidate goes."""
    embedding_model: str | None = None
    """A sentence-transformers model, Hub id or folder."""
    embedding_revision: str | None = None
    """Its Hub commit, tag or branch; pin it for a run you want to repeat."""


@dataclass(frozen=True)
class GenerateConfig:
    """The paper's four steps, from seed tasks to a dataset."""

    method: Literal["default", "paper"] = "default"
    """paper: as the released code, faults included; default: known faults put right (DECISIONS.md)."""
    seed_tasks: str = "builtin:english"
    """builtin:english, builtin:tiny, or a file in the released seed_tasks.jsonl format."""
    templates: str = "builtin:english"
    """Few-shot prompts of stages 2 and 3: builtin:english, builtin:tiny, or a folder with the same file names."""
    num_instructions: int = 52_445
    """Stop when so many machine-written instructions are accepted (52,445: paper, table 1)."""
    prompt_form: Literal["plain", "chat", "numbered"] = "plain"
    """How a prompt is put to the model: plain text to go on with (a base model); chat: the same text in a chat that
    asks to continue it; numbered: a chat that asks for a numbered list. `make probe` compares them for your model."""
    language: Literal["english", "any"] = "english"
    """any: words of every script count for novelty and length, and no rule asks for a Latin first letter."""
    near_duplicates: NearDuplicateConfig = field(default_factory=NearDuplicateConfig)
    contamination: ContaminationConfig = field(default_factory=ContaminationConfig)
    max_requests: int | None = None
    """Stop stage 1 after so many prompts even if fewer instructions were accepted."""
    classification_seeds_only: bool = False
    """Prompt with classification seeds only, under the header that asks for such tasks (released code:
    use_clf_seed_tasks_only)."""
    num_prompt_instructions: int = 8
    """In-context instructions of a stage-1 prompt (paper, section 2.2)."""
    max_machine_instructions: int = 2
    """At most so many of them machine-written (paper, section 2.2)."""
    requests_per_round: int = 5
    """Prompts that see the same pool; part of the method (released code: request_batch_size 5)."""
    rouge_l_threshold: float = 0.7
    """A candidate more similar than this to any instruction of the pool is dropped (0.7: paper, section 2.2)."""
    max_instances: int = 5
    """Instances kept for one instruction (released code: max_instances_to_generate 5)."""
    instruction_sampling: Sampling = field(
        # released code, bootstrap_instructions.py
        default_factory=lambda: Sampling(1024, 0.7, 0.5, 2.0, 0.0, ("\n\n", "\n16", "16.", "16 ."))
    )
    classification_sampling: Sampling = field(
        # released code, identify_clf_or_not.py
        default_factory=lambda: Sampling(3, 0.0, 1.0, 0.0, 0.0, ("\n", "Task"))
    )
    instance_sampling: Sampling = field(
        # released code, generate_instances.py; 350 where its limit depended on the batch (DECISIONS.md)
        default_factory=lambda: Sampling(350, 0.0, 1.0, 1.5, 0.0, ("Task:",))
    )


@dataclass(frozen=True)
class Price:
    """Of one model, for a million tokens."""

    input: float
    output: float


@dataclass(frozen=True)
class BudgetConfig:
    """What a run may cost. A limit stops it cleanly; raise the limit and give the same command to go on."""

    currency: str = "USD"
    prices: dict[str, Price] = field(default_factory=dict)
    """By model.path; a model that is not named costs nothing."""
    max_cost: float | None = None
    """In `currency`, for the whole run directory; null: no limit."""
    max_tokens: int | None = None
    """Prompt and completion tokens together, for the whole run directory; null: no limit."""
    forecast: bool = False
    """Before the run, ask a few of its own requests and estimate tokens, cost and time from them; a run with prices or
    limits always does. The answers are kept."""


@dataclass(frozen=True)
class RelabelConfig:
    """`make relabel`: outputs written anew by another, stronger model (paper, section 4.5: about +10 %)."""

    dataset: str | None = None
    """File or folder of rows; null: the run's dataset."""
    model: ModelConfig = field(default_factory=ModelConfig)
    chat: bool = True
    """The instruction is the user's message of a chat; false: plain text, the evaluation's prompt in train.template."""
    sampling: Sampling = field(default_factory=lambda: Sampling(max_new_tokens=512))


@dataclass(frozen=True)
class QualityConfig:
    """`make quality`: rows below a score are left out."""

    dataset: str | None = None
    """File or folder of rows; null: the run's dataset."""
    scorer: Literal["judge", "reward_model"] = "judge"
    """judge: an LM asked for a grade of 1 to 5; reward_model: a sequence classifier with one output."""
    model: ModelConfig = field(default_factory=ModelConfig)
    chat: bool = True
    """Of the judge: the question is the user's message of a chat; false: plain text."""
    sampling: Sampling = field(default_factory=lambda: Sampling(max_new_tokens=16))
    """Of the judge: a model that reasons before it answers needs more tokens."""
    min_score: float | None = None
    """Rows with a lower score go, a judge's grade or the raw logit of a reward model; null: grade 4. Rows without a
    readable grade go too, counted apart."""
    keep_fraction: float | None = None
    """In place of min_score: of the rows with a score this share stays, the best."""


@dataclass(frozen=True)
class CardConfig:
    """`make describe`: what the dataset card says that cannot be computed."""

    dataset: str | None = None
    """Folder of rows to describe; null: the run's dataset."""
    name: str | None = None
    """Title; null: made of the run's name."""
    license: str | None = None
    """Hub licence id, e.g. apache-2.0; null: inherited from model and seed tasks where known, else `other`."""
    language: str = "en"
    """Code of ISO 639, e.g. en, de, zh."""


@dataclass(frozen=True)
class ExportConfig:
    """`make export`: the dataset in a form that another tool reads, in <run_dir>/export."""

    format: Literal["prompt_completion", "openai_chat", "alpaca", "messages"] = "messages"
    """prompt_completion: JSONL as the released code finetunes on; openai_chat: JSONL of OpenAI's fine-tuning; alpaca: a
    JSON list of instruction, input, output; messages: parquet of chats, as TRL reads them."""
    dataset: str | None = None
    """File or folder of rows; null: the run's dataset."""
    source: Literal["all", "generated", "seed"] = "all"
    """Which rows."""


@dataclass(frozen=True)
class LoraSettings:
    """Low-rank adapters, used when `train.method` is lora or qlora."""

    r: int = 16
    alpha: int = 32
    dropout: float = 0.0
    target_modules: str = "all-linear"
    """all-linear: every linear layer but the output head; or names, separated by commas: q_proj,v_proj."""
    use_dora: bool = False
    """Learn magnitude and direction apart (DoRA, arXiv 2402.09353)."""
    use_rslora: bool = False
    """Scale by alpha / sqrt(r) in place of alpha / r (rsLoRA, arXiv 2312.03732), for large ranks."""


@dataclass(frozen=True)
class TrainConfig:
    """Supervised finetuning of the same model on the generated data."""

    method: Literal["full", "lora", "qlora"] = "full"
    """qlora: LoRA on a base held in 4 bits (arXiv 2305.14314; extra `quant`)."""
    mixtures: tuple[Literal["seeds", "seeds+generated"], ...] = ("seeds+generated",)
    """What to train on; each mixture makes a model of its own in <run_dir>/model/<mixture>."""
    dataset: str | None = None
    """Train on this file or folder (jsonl, json, parquet; columns instruction, input, output) in place of the run's."""
    learning_rate: float = 2e-5
    epochs: float = 2.0
    """Two epochs: paper, section 4.1."""
    max_steps: int | None = None
    """Optimizer steps; overrides epochs, and makes mixtures of different size comparable."""
    batch_size: int = 16
    """Rows in an optimizer step, over all processes; with packing: packs."""
    per_device_batch_size: int = 16
    max_length: int = 1024
    """Tokens of a row; with packing, of a pack."""
    too_long: Literal["drop", "truncate"] = "drop"
    """What becomes of a longer row: dropped and counted, or its completion is cut (and then has no end to learn)."""
    packing: bool = False
    """Put several rows into one of max_length, kept apart in attention and positions; no work goes into padding."""
    prompt_loss_weight: float = 0.0
    """Of a prompt token's loss, where a completion token's is 1. 0: none on prompts (paper, section 4.1)."""
    neftune_alpha: float | None = None
    """Noise on the embeddings while training (NEFTune, arXiv 2310.05914); its authors try 5, 10 and 15. It shrinks with
    the root of a batch's width, which with packing is the pack's: there a larger alpha gives the same noise."""
    warmup_ratio: float = 0.03
    lr_scheduler: Literal["linear", "cosine", "constant"] = "linear"
    weight_decay: float = 0.0
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """Of the matrix products; the trained weights stay float32. auto: bfloat16 on a GPU that has it, else float32."""
    attention: Literal["auto", "sdpa", "eager", "flash_attention_2", "flex_attention"] = "auto"
    """auto: flash attention on a GPU that has it installed, else the model's default; with packing, SDPA runs document
    by document."""
    activation_checkpointing: Literal["auto", "on", "off"] = "auto"
    """Compute activations again in the backward pass, for memory. auto: on a GPU, from a billion parameters."""
    template: Literal["paper", "fixed", "chat"] = "paper"
    """paper: one of the released code's 7 + 6 templates drawn per row; fixed: one of our own; chat: the model's own
    chat template. Evaluation asks in the same form."""
    save_steps: int = 200
    validation_rows: int = 0
    """Rows kept out of training, by instruction, and measured at each checkpoint (loss, ROUGE-L); the best checkpoint
    becomes the model. 0: none, and the last step does."""
    best_by: Literal["loss", "rouge_l"] = "loss"
    """What the best checkpoint is best in, on the held-out rows."""
    report_to: tuple[str, ...] = ()
    """Trackers that transformers knows, e.g. tensorboard, wandb, trackio."""
    max_hours: float | None = None
    """Refuse a training that the doctor expects to take longer; null: no limit."""
    allow: tuple[str, ...] = ()
    """Checks of the doctor, or of the finished model, whose errors you accept: they become warnings."""
    lora: LoraSettings = field(default_factory=LoraSettings)


@dataclass(frozen=True)
class PublishConfig:
    """`make publish`: a trained model and its dataset to the Hub; a dry run unless `push` is set."""

    model_repo: str | None = None
    """Hub repository of the model, "name/repo"; null: the model is not published."""
    dataset_repo: str | None = None
    """Hub repository of the dataset; null: the dataset is not published."""
    mixture: Literal["seeds", "seeds+generated"] = "seeds+generated"
    """Which trained model of the run."""
    weights: Literal["model", "adapter", "both"] = "model"
    """Of a run with LoRA: the merged model, the adapter, or the model with the adapter in its folder `adapter`."""
    revision: str = "main"
    """Branch to commit to; made if missing."""
    private: bool = True
    push: bool = False
    """Upload; else only tell what would be."""
    force: bool = False
    """Publish a model that is not verified, has no evaluation, or was trained on other data; its card says so."""


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


@dataclass(frozen=True)
class JudgeConfig:
    """`make judge`: a language model grades the answers that `make eval` left, A to D and in pairs."""

    model: ModelConfig = field(default_factory=ModelConfig)
    chat: bool = True
    """The question is the user's message of a chat; false: plain text."""
    set: Literal["user_oriented", "tasks"] = "user_oriented"
    """Whose answers."""
    systems: tuple[str, ...] = ()
    """Which systems; empty: all but the cut base."""
    against: str = "base"
    """In pairs every other system meets this one, once in each order."""
    max_examples: int | None = None
    """So many, drawn from the run's seed; null: all."""
    sampling: Sampling = field(default_factory=lambda: Sampling(max_new_tokens=16))
    """A model that reasons before it answers needs more tokens."""


@dataclass(frozen=True)
class AnnotateConfig:
    """`make annotate`: a page on this machine where people rate answers, or review the generated data."""

    job: Literal["answers", "data"] = "answers"
    """answers: A to D for the answers of several systems, not knowing whose; data: is an instance of the generated
    data a valid task, its input appropriate, its output correct."""
    set: Literal["user_oriented", "tasks"] = "user_oriented"
    """Of answers: whose."""
    systems: tuple[str, ...] = ()
    """Of answers: which systems; empty: all but the cut base."""
    max_examples: int | None = None
    """Of answers: so many examples, drawn from the run's seed; null: all."""
    num_reviewed: int = 200
    """Of data: instances, each of another instruction (paper, section 3.3: 200)."""
    port: int = 0
    """0: a free one."""


@dataclass(frozen=True)
class ExperimentConfig:
    """`make scale`, `make distill`, `make baselines`: models on several sets of data, trained and scored alike."""

    sizes: tuple[int, ...] = ()
    """Of scale: numbers of instructions, the seeds first, each set within the next; empty: seeds, then doubled up to
    all."""
    datasets: dict[str, str] = field(default_factory=dict)
    """Of baselines: other sets of instruction data by name, file or folder each."""


@dataclass(frozen=True)
class Config:
    """A whole run."""

    run_dir: str = "runs/tiny"
    seed: int = 42
    model: ModelConfig = field(default_factory=ModelConfig)
    generate: GenerateConfig = field(default_factory=GenerateConfig)
    train: TrainConfig = field(default_factory=TrainConfig)
    eval: EvalConfig = field(default_factory=EvalConfig)
    judge: JudgeConfig = field(default_factory=JudgeConfig)
    annotate: AnnotateConfig = field(default_factory=AnnotateConfig)
    experiment: ExperimentConfig = field(default_factory=ExperimentConfig)
    budget: BudgetConfig = field(default_factory=BudgetConfig)
    relabel: RelabelConfig = field(default_factory=RelabelConfig)
    quality: QualityConfig = field(default_factory=QualityConfig)
    card: CardConfig = field(default_factory=CardConfig)
    export: ExportConfig = field(default_factory=ExportConfig)
    publish: PublishConfig = field(default_factory=PublishConfig)
