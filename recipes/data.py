"""Get the paper's own material into data/: python recipes/data.py [--mirror URL | --from FOLDER]

Official seed tasks and prompt templates, the 252 user-oriented tasks, the published predictions, and the 119 test tasks
of Natural Instructions. Stopped at any moment, the same command goes on where it was. Exit code 2 and one line for what
the user can mend.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from selfinstruct_train.cli import run_recipe


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("data"), help="where the files go (default: data)")
    parser.add_argument("--mirror", metavar="URL", help="takes the place of https://raw.githubusercontent.com")
    parser.add_argument(
        "--from",
        dest="folders",
        metavar="FOLDER",
        type=Path,
        action="append",
        help="take the files from this folder (a data folder, or a checkout of either repository) and not from the "
        "network; may be given more than once",
    )
    args = parser.parse_args()

    from selfinstruct_train.sources.fetch import GITHUB, Folders, mirror
    from selfinstruct_train.sources.official import get_official

    if args.folders and args.mirror:
        raise ValueError("--from and --mirror: give one of them; with --from nothing is downloaded")
    if args.folders:
        ready, lacking = get_official(args.data, Folders(args.folders))
    else:
        with mirror(args.mirror or GITHUB) as source:
            ready, lacking = get_official(args.data, source)
    if not ready:
        raise ValueError(f"none of the files is in {', '.join(map(str, args.folders))}; leave out --from")

    for path in ready:
        print(path)
    if lacking:
        names = ", ".join(file.path for file in lacking[:8]) + (" ..." if len(lacking) > 8 else "")
        print(f"lacking: {len(lacking)} files are not in the folder: {names}; without --from they are downloaded")


if __name__ == "__main__":
    sys.exit(run_recipe(main, "stopped; the same command goes on from here"))
