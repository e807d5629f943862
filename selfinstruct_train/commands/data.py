"""`selfinstruct data`: the paper's own material into a folder, from GitHub, a mirror or folders."""

from __future__ import annotations

from pathlib import Path

from .verb import GOES_ON, Call, Verb


def run(call: Call) -> None:
    from ..sources.fetch import GITHUB, Folders, mirror
    from ..sources.official import get_official

    data = Path(call.options["data"])
    folders, url = call.options["folders"], call.options["mirror"]
    if folders and url:
        raise ValueError("--from and --mirror: give one of them; with --from nothing is downloaded")
    if folders:
        ready, lacking = get_official(data, Folders([Path(folder) for folder in folders]))
    else:
        with mirror(url or GITHUB) as source:
            ready, lacking = get_official(data, source)
    if not ready:
        raise ValueError(f"none of the files is in {', '.join(map(str, folders))}; leave out --from")

    for path in ready:
        print(path)
    if lacking:
        names = ", ".join(file.path for file in lacking[:8]) + (" ..." if len(lacking) > 8 else "")
        print(f"missing: {len(lacking)} files are not in the folder: {names}; without --from they are downloaded")


VERB = Verb(
    summary="Get the paper's seed tasks, prompts, evaluation data and published predictions.",
    example="selfinstruct data --from FOLDER",
    run=run,
    options={
        "--data": {"default": "data", "metavar": "FOLDER", "help": "where the files go"},
        "--mirror": {"metavar": "URL", "help": "takes the place of https://raw.githubusercontent.com"},
        "--from": {
            "dest": "folders",
            "metavar": "FOLDER",
            "action": "append",
            "help": "take the files from this folder (a data folder, or a checkout of either repository) and not from "
            "the network; may be given more than once",
        },
    },
    when_stopped=GOES_ON,
)
