"""Read a run's YAML and the command line into a Config.

Precedence: defaults < the YAML of `--config` < dotted overrides on the command line. Whatever is wrong with a setting
is one ValueError line: key, value, remedy. Ranges are checked by the sections themselves.
"""

from __future__ import annotations

import argparse
import dataclasses
import re
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast, get_args, get_origin, get_type_hints

from ..core.nearest import nearest
from ..core.records import Sampling
from . import RENAMED, Config, SettingError

if TYPE_CHECKING:
    import jsonargparse


def load_config(argv: Sequence[str]) -> Config:
    """Read `--config FILE` and dotted overrides (`--generate.num_instructions 50`) into a Config.

    Raises:
        ValueError: unknown key (with the nearest known one), wrong type, a value out of range, an unreadable file.
        SystemExit: `--help` and `--print_config`, as usual for a command line.
    """
    check_keys(argv)
    parser = new_parser(description="Settings of one run.")
    add_settings(parser)
    return to_config(parse(parser, argv))


def new_parser(**options: Any) -> jsonargparse.ArgumentParser:
    """Return a parser that raises and does not exit; `options` are argparse's."""
    import jsonargparse

    jsonargparse.set_parsing_settings(docstring_parse_attribute_docstrings=True)
    return jsonargparse.ArgumentParser(exit_on_error=False, **options)


def add_settings(parser: jsonargparse.ArgumentParser, names: Sequence[str] | None = None) -> None:
    """Add `--config` and the settings of a run.

    Args:
        names: sections ("train") and single settings ("eval.tasks") to add; None: all.
    """
    parser.add_argument("--config", action="config", help="the YAML of the run, e.g. configs/tiny.yaml")
    _add_section(parser, Config, None, names)
    for action in parser._actions:  # a section can be given whole, which its help need not say at every turn
        if action.help == "Path to a configuration file.":
            action.help = argparse.SUPPRESS


def _add_section(
    parser: jsonargparse.ArgumentParser, section: type, prefix: str | None, names: Sequence[str] | None
) -> None:
    fields = {f.name for f in dataclasses.fields(section)}
    wanted = fields if names is None else {name for name in names if "." not in name}
    parser.add_class_arguments(section, prefix, skip=fields - wanted)
    hints = get_type_hints(section)
    for inner in dict.fromkeys(name.partition(".")[0] for name in names or () if "." in name):
        if inner in wanted:
            continue
        parts = [name.partition(".")[2] for name in names or () if name.startswith(f"{inner}.")]
        _add_section(parser, hints[inner], f"{prefix}.{inner}" if prefix else inner, parts)


def parse(parser: jsonargparse.ArgumentParser, words: Sequence[str]) -> jsonargparse.Namespace:
    """Parse words; what is wrong with them is one line.

    Raises:
        ValueError: a value of the wrong type, a word that nothing takes.
    """
    import jsonargparse

    try:
        return parser.parse_args(list(words))
    except (jsonargparse.ArgumentError, TypeError, ValueError) as error:
        raise ValueError(_plain(error)) from error


def to_config(values: jsonargparse.Namespace) -> Config:
    """Build the Config of what a parser with all settings has parsed.

    Raises:
        ValueError: a value out of range.
    """
    config: Config = _build(Config, values, "")
    return config


def check_keys(words: Sequence[str], others: Collection[str] = (), settings: bool = True) -> dict[str, Any]:
    """Refuse an unknown key of the command line or of its config files before a parser is built.

    Args:
        others: options beside the settings, as "force".
        settings: whether the settings of a run are known too.

    Returns:
        What the config files hold, the later over the earlier.

    Raises:
        ValueError: naming the key and the nearest known one, or the file that cannot be read.
    """
    known = _known_keys(Config) if settings else {}
    options = [*known, *others, *(("config", "help", "print_config") if settings else ("help",))]
    for word in words:
        if word.startswith("--"):
            key = word[2:].split("=", 1)[0]
            if key not in options:
                raise ValueError(_unknown_key(key, "the command line", options))
    return _read_config_files(words, known) if settings else {}


def _build(kind: Any, values: Any, place: str) -> Any:
    """Build the section that stands at `place` from what the parser read; its errors name that place."""
    if get_origin(kind) is dict and dataclasses.is_dataclass(get_args(kind)[1]):
        return {name: _build(get_args(kind)[1], value, place) for name, value in values.items()}
    if not dataclasses.is_dataclass(kind):
        return values
    hints = get_type_hints(kind)
    inside = f"{place}." if place else ""
    settings = {
        f.name: _build(hints[f.name], getattr(values, f.name), f"{inside}{f.name}") for f in dataclasses.fields(kind)
    }
    try:
        return cast(type, kind)(**settings)
    except SettingError as error:
        raise error.at(place) from error
    except ValueError as error:
        if kind is Sampling:  # of core: it knows no settings, so no place
            raise ValueError(f"{place}: {error}") from error
        raise


def changed_settings(config: Config) -> str:
    """Tell the settings that are not the defaults, one a line, for a log: "generate.max_requests: 5"."""
    return "\n".join(f"{key}: {value}" for key, value in _changes(config, Config()))


def _changes(value: Any, default: Any, prefix: str = "") -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for f in dataclasses.fields(default):
        now, before, key = getattr(value, f.name), getattr(default, f.name), f"{prefix}{f.name}"
        if dataclasses.is_dataclass(before) and dataclasses.is_dataclass(now):
            found += _changes(now, before, f"{key}.")
        elif now != before:
            found.append((key, now))
    return found


def _known_keys(cls: type, prefix: str = "") -> dict[str, type | None]:
    """Dotted names of all settings; the value is the dataclass of a section, None for a leaf."""
    keys: dict[str, type | None] = {}
    hints = get_type_hints(cls)
    for f in dataclasses.fields(cls):
        kind = hints[f.name]
        section = kind if dataclasses.is_dataclass(kind) else None
        keys[prefix + f.name] = section if isinstance(section, type) else None
        if isinstance(section, type):
            keys |= _known_keys(section, f"{prefix}{f.name}.")
    return keys


def _unknown_key(key: str, where: str, known: Collection[str]) -> str:
    if key in RENAMED:
        return f"{where}: {key} was renamed to {RENAMED[key]}"
    near = nearest(key, known)
    if near is None:  # the right leaf in the wrong section
        near = next((k for k in known if k.split(".")[-1] == key.split(".")[-1]), None)
    return f"{where}: unknown key {key!r}; " + (f"did you mean {near!r}?" if near else "see --help for the known keys")


def _read_config_files(words: Sequence[str], known: dict[str, type | None]) -> dict[str, Any]:
    """Report an unknown key of the YAML with its file and nearest known key, before the parser's longer message."""
    import yaml

    values = [a.split("=", 1)[1] for a in words if a.startswith("--config=")]
    values += [words[i + 1] for i, a in enumerate(words[:-1]) if a == "--config"]
    read: dict[str, Any] = {}
    for path in values:
        try:
            data = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
        except UnicodeDecodeError as error:
            raise ValueError(f"{path}: not UTF-8 text (byte {error.start}); save it as UTF-8") from error
        except OSError as error:
            raise ValueError(f"{path}: cannot read this config: {error.strerror}") from error
        except yaml.YAMLError as error:
            raise ValueError(f"{path}: not valid YAML: {' '.join(str(error).split())}") from error
        if not isinstance(data, dict):
            raise ValueError(f"{path}: a config is a mapping of settings, this holds {type(data).__name__}")
        _check_keys(data, path, known, "")
        read |= data
    return read


def _check_keys(data: dict[str, object], path: str, known: dict[str, type | None], prefix: str) -> None:
    for key, value in data.items():
        name = f"{prefix}{key}"
        if name not in known:
            raise ValueError(_unknown_key(name, path, known))
        if known[name] is not None:
            if not isinstance(value, dict):
                raise ValueError(f"{path}: {name} is a section with settings of its own, not {value!r}")
            _check_keys(value, path, known, f"{name}.")


def _plain(error: BaseException) -> str:
    """The parser's message in one line, without its type names."""
    text = " ".join(line.strip(" -") for line in str(error).splitlines() if line.strip())
    text = re.sub(r"Problem with given class_path '[\w.]+': ", "", text)
    text = re.sub(r'^Parser key "([\w.]+)":', r"\1:", text)
    if "arguments are required" in text:  # each with the name of its command before it
        text = re.sub(r"\b\w+\.(?=\w)", "", text)
    text = re.sub(r"Expected a <class '(\w+)'>\. Got value: (.*)", r"expected a value of type \1, got \2", text)
    text = re.sub(
        r"Does not validate .*? Subtypes: \[<class '(\w+)'>, <class 'NoneType'>\].*Given value: (.*)",
        r"expected a value of type \1 or null, got \2",
        text,
    )
    return re.sub(r"Expected a typing\.Literal\[(.*?)\]\. Got value: (.*)", r"expected one of \1, got \2", text)
