"""`selfinstruct init`: write a config for a model, from the nearest template."""

from __future__ import annotations

from .verb import Call, Verb


def run(call: Call) -> None:
    from ..config.template import write_config

    path, template = write_config(call.options["name"], call.options["model"])
    print(f"{path} (from {template}); check it, then: selfinstruct run {path.stem}")


VERB = Verb(
    summary="Write configs/NAME.yaml for a model, from the nearest template.",
    example="selfinstruct init my_run --model Qwen/Qwen3-8B-Base",
    run=run,
    options={
        "name": {"metavar": "NAME", "help": "name of the run: configs/NAME.yaml, runs/NAME"},
        "--model": {"required": True, "metavar": "ORG/NAME", "help": "Hub id or folder of the pretrained model"},
    },
)
