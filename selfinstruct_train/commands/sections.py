"""Parts of a config that several verbs read, for their help."""

EVALUATION_DATA = ("eval.tasks", "eval.split", "eval.user_oriented")
TRAINED_MODEL = tuple(
    f"model.{name}" for name in ("path", "revision", "dtype", "device", "batch_size", "trust_remote_code")
)
"""What a training reads of the section `model`; servers and engines do not train."""
GENERATION = ("run_dir", "seed", "model", "generate", "budget", *EVALUATION_DATA)
TRAINING = ("run_dir", "seed", *TRAINED_MODEL, "train", "generate.contamination", *EVALUATION_DATA)
EVALUATION = ("run_dir", "seed", *TRAINED_MODEL, "model.backend", "model.vllm")
EVALUATION += ("train.mixtures", "train.template", "eval", "budget")
EXPERIMENT = tuple(dict.fromkeys((*TRAINING, *EVALUATION)))
