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
        what = f"{len(lacking)} files are not in {', '.join(map(str, folders))}: {names}"
        if not call.options["partial"]:
            raise ValueError(
                f"{what}; give the same command without --from to download them, name another folder with one more "
                "--from, or add --partial if you do not need them"
            )
        print(f"missing: {what}")


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
        "--partial": {"action": "store_true", "help": "succeed although the folders of --from lack some of the files"},
    },
    when_stopped=GOES_ON,
)
