"""`selfinstruct configs`: the configs there are, ./configs first, then those of the package."""

from __future__ import annotations

from .verb import Call, Verb


def run(call: Call) -> None:
    from ..config.find import config_files, first_comment, package_folder

    files = config_files()
    width = max(map(len, files), default=0)
    for name, path in files.items():
        print(f"{name:<{width}}  {path}  {first_comment(path)}".rstrip())
    print(f"launch files for accelerate: {package_folder() / 'accelerate'}")


VERB = Verb(
    summary="List the configs that a verb takes by name: those in ./configs, then those of the package.",
    example="selfinstruct configs",
    run=run,
)
