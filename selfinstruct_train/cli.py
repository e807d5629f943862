"""The command line `selfinstruct VERB [CONFIG] [--section.key value ...]`: parser, logging, and how a command ends.

What the user can mend is one line on stderr and an exit code, never a traceback. 0: done; 2: an error in one line; 3: a
limit of the budget is reached; 130: stopped by Ctrl-C. The parser of the chosen verb alone is built, and none where a
mistake or the overview needs none.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .commands import GROUPS, NAMES, load_verb
from .commands.verb import Call, Verb
from .config import Config
from .config.find import config_names, find_config
from .config.load import add_settings, changed_settings, check_keys, new_parser, parse, to_config
from .core import progress
from .core.exit_codes import BUDGET_REACHED, ERROR, INTERRUPTED
from .core.nearest import nearest
from .core.records import BudgetReachedError

if TYPE_CHECKING:
    import jsonargparse

HELP = ("-h", "--help")
logger = logging.getLogger(__name__)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line, by default this process's, and return its exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    if not words or words[0] in HELP:
        return exit_code_of(lambda: _show(overview()))
    verb = words[0] if words[0] in NAMES else None
    when_stopped = load_verb(verb).when_stopped if verb else ""
    return exit_code_of(lambda: _run(words[0], words[1:]), when_stopped)


def exit_code_of(command: Callable[[], None], when_stopped: str = "stopped") -> int:
    """Run a command and return its exit code. Of several processes only the first speaks.

    Args:
        when_stopped: what Ctrl-C prints, e.g. "stopped; the same command goes on from here".
    """

    def say(line: str) -> None:
        if _is_first():
            print(line, file=sys.stderr)

    try:
        command()
    except BudgetReachedError as reached:
        say(f"stopped: {reached}")
        return BUDGET_REACHED
    except (ValueError, OSError) as error:
        say(f"error: {' '.join(str(error).split())}")
        return ERROR
    except KeyboardInterrupt:
        say(when_stopped)
        return INTERRUPTED
    return 0


def overview() -> str:
    """Return the help of the whole: the verbs in groups, a line each."""
    width = max(map(len, NAMES))
    lines = [
        "usage: selfinstruct VERB [CONFIG] [--section.key value ...]",
        "",
        "Self-Instruct (arXiv 2212.10560): generate instruction data with a model, train the model on it, evaluate it.",
        "CONFIG is a name (`selfinstruct configs` lists them) or a YAML file. Try: selfinstruct run tiny",
    ]
    for title, names in GROUPS.items():
        lines += ["", f"{title}:", *(f"  {name:<{width}}  {load_verb(name).summary}" for name in names)]
    lines += [
        "",
        "selfinstruct VERB --help shows the settings that a verb reads. A stopped command, given again, goes on.",
        "Exit codes: 0 done, 2 an error in one line, 3 a limit of the budget is reached, 130 stopped by Ctrl-C.",
    ]
    return "\n".join(lines)


def help_of(name: str, verb: Verb) -> str:
    """Return the help of a verb: one sentence, an example, its options and the settings it reads."""
    parser = _verb_parser(verb)
    if verb.sections:
        add_settings(parser, verb.sections)
    arguments = [
        settings.get("metavar", option.upper()) + ("..." if settings.get("nargs") == "+" else "")
        for option, settings in verb.options.items()
        if not option.startswith("-")
    ]
    usage = " ".join([name, *arguments, "[CONFIG] [--section.key value ...]" if verb.sections else "[options]"])
    head = f"usage: selfinstruct {usage}\n\n{verb.summary}\n\nexample: {verb.example}\n\n"
    return head + str(parser.format_help()).rstrip()


def set_up_logging(level: str) -> None:
    """Let the package speak on stderr from `level` on, libraries only in warnings; later processes only in errors.

    Progress lines are logged at every level.
    """
    progress.hide_bars_in_logs()
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    for package in ("selfinstruct_train", "selfinstruct_eval"):
        logging.getLogger(package).setLevel(level if _is_first() else logging.ERROR)
    logging.getLogger(progress.__name__).setLevel(logging.INFO if _is_first() else logging.ERROR)
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)  # peft loads it; it misses a kernel for CPUs nobody needs
    warnings.filterwarnings("ignore", category=FutureWarning)  # of the libraries, about one another


def _run(name: str, words: Sequence[str]) -> None:
    if name not in NAMES:
        near = nearest(name, NAMES)
        hint = f"did you mean {near!r}?" if near else "selfinstruct --help lists them"
        raise ValueError(f"{name!r} is no command; {hint}")
    verb = load_verb(name)
    if any(word in HELP for word in words):
        _show(help_of(name, verb))
        return
    call = read_call(name, verb, words)
    # Threads that spin while they wait make a busy machine ten times slower; read when torch is imported.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    set_up_logging(verb.log_level)
    if verb.sections and verb.logs_settings:
        logger.info("%s", changed_settings(call.config))
    with progress.command_shown(name):
        verb.run(call)


def read_call(name: str, verb: Verb, words: Sequence[str]) -> Call:
    """Read what follows the verb; an unknown key, a missing file or config is refused before a parser is built.

    Raises:
        ValueError: one line with the remedy.
        SystemExit: --print_config.
    """
    words, config_words = list(words), []
    has_settings = bool(verb.sections)
    if has_settings and words and not words[0].startswith("-"):
        words[:1] = ["--config", str(find_config(words[0]))]
    _need_arguments(name, verb, words)
    own = {_key(option, settings): option for option, settings in verb.options.items()}
    options = [option.removeprefix("--") for option in verb.options if option.startswith("--")]
    given = check_keys(words, options, settings=has_settings)
    if has_settings:
        config_words = _config_words(name, verb, words)
        _need_config(name, verb, words, given)
    root = new_parser(prog="selfinstruct")
    parser = _verb_parser(verb)
    if has_settings:
        add_settings(parser)
    root.add_subcommands(metavar="VERB").add_subcommand(name, parser)
    namespace = parse(root, [name, *words])[name]
    config = to_config(namespace) if has_settings else Config()
    return Call(config, tuple(config_words), {key: namespace[key] for key in own})


def _verb_parser(verb: Verb) -> jsonargparse.ArgumentParser:
    parser = new_parser(usage=argparse.SUPPRESS)
    for option, settings in verb.options.items():
        parser.add_argument(option, **settings)
    return parser


def _key(option: str, settings: Mapping[str, Any]) -> str:
    """Return the name under which argparse keeps an option."""
    name: str = settings.get("dest", option.lstrip("-").replace("-", "_"))
    return name


def _config_words(name: str, verb: Verb, words: Sequence[str]) -> list[str]:
    """Return `--config FILE` and then the overrides, without the verb's own options; a stray word is refused."""
    flags = {option for option, settings in verb.options.items() if settings.get("action") == "store_true"}
    config: list[str] = []
    kept, rest = [], list(words)
    while rest:
        word = rest.pop(0)
        if not word.startswith("--"):
            raise ValueError(f"{word!r} belongs to no option; a config comes first: selfinstruct {name} CONFIG")
        option, has_value, _ = word.partition("=")
        takes_next = not has_value and option not in flags and option != "--print_config"
        part = [word, *rest[:takes_next]]
        rest = rest[takes_next:]
        if option == "--config":
            config = ["--config", word.partition("=")[2] if has_value else part[-1]]
        elif option not in verb.options:
            kept += part
    return [*config, *kept]


def _need_arguments(name: str, verb: Verb, words: Sequence[str]) -> None:
    """Refuse a bare verb that has arguments of its own, with its example."""
    if not words and any(not option.startswith("-") for option in verb.options):
        raise ValueError(f"{name} needs arguments; example: {verb.example} (selfinstruct {name} --help lists them)")


def _need_config(name: str, verb: Verb, words: Sequence[str], given: Mapping[str, Any]) -> None:
    """Refuse to run without a config, or without a run directory of its own."""
    options = {word.partition("=")[0] for word in words if word.startswith("--")}
    if options & {f"--{option}" for option in verb.instead_of_config}:
        return
    if "--config" not in options:
        or_else = "".join(f", or give --{option}" for option in verb.instead_of_config)
        raise ValueError(
            f"{name} needs a config: selfinstruct {name} NAME (or a YAML file){or_else}; available configs: "
            f"{', '.join(config_names())}"
        )
    if "run_dir" not in given and "--run_dir" not in options:
        raise ValueError("the config sets no run_dir; add the line run_dir: runs/NAME to it, or give --run_dir")


def _show(text: str) -> None:
    try:
        print(text, flush=True)
    except BrokenPipeError:  # the reader has seen enough, as head does; nothing more may be written at the end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _is_first() -> bool:
    return os.environ.get("RANK", "0") == "0"
