"""The error that names a setting by its key, and the ranges that several sections share.

Each section checks itself when it is built, so a library user and the command line read the same message. A section
that stands in several places (a model and its server) names its usual place; `SettingError.at` names another one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import fields
from typing import Any, Literal, get_args, get_origin, get_type_hints

from ..core.names import RESERVED_SYSTEMS


class SettingError(ValueError):
    """A setting is out of range."""

    def __init__(self, section: str, message: Callable[[str], str]) -> None:
        """Make the line.

        Args:
            section: the section's usual place, e.g. "model.server".
            message: makes the line from the section's place.
        """
        super().__init__(message(section))
        self._message = message

    def at(self, section: str) -> SettingError:
        """Return the same error for another place, e.g. "relabel.model.server"."""
        return SettingError(section, self._message)


def check_choices(section: str, settings: Any) -> None:
    """Check that every setting with a fixed list of values holds one of them, in the command line's words."""
    hints = get_type_hints(type(settings))
    for setting in fields(settings):
        kind, value = hints[setting.name], getattr(settings, setting.name)
        values = (value,)
        if get_origin(kind) is tuple:
            kind, values = get_args(kind)[0], value
        if get_origin(kind) is Literal:
            for one in values:
                _check_choice(section, setting.name, get_args(kind), one)


def _check_choice(section: str, name: str, known: tuple[str, ...], value: object) -> None:
    if value not in known:
        choices = ", ".join(map(repr, known))
        raise SettingError(section, lambda at: f"{at}.{name}: expected one of {choices}, got {value}")


def check_range(section: str, settings: Any, names: Iterable[str], fits: Callable[[Any], bool], rule: str) -> None:
    """Check that each of the named settings is None or fits; `rule` is what the message says of it."""
    for name in names:
        _check_value(section, name, getattr(settings, name), fits, rule)


def _check_value(section: str, name: str, value: Any, fits: Callable[[Any], bool], rule: str) -> None:
    if value is not None and not fits(value):
        raise SettingError(section, lambda at: f"{at}.{name} is {value}; {rule}")


def check_at_least_one(section: str, settings: Any, *names: str) -> None:
    """Check that each of the named settings is None or 1 or more."""
    check_range(section, settings, names, lambda n: n >= 1, "it must be at least 1")


def check_limits(section: str, settings: Any, *names: str) -> None:
    """Check that each of the named limits is None, for no limit, or 1 or more."""
    check_range(section, settings, names, lambda n: n >= 1, "it must be at least 1, or null for no limit")


def check_similarity(section: str, settings: Any, name: str) -> None:
    """Check that the named threshold lies above 0 and is at most 1."""
    check_range(section, settings, [name], lambda x: 0 < x <= 1, "it must lie in (0, 1]")


def check_model_names(key: str, names: Iterable[str]) -> None:
    """Check that names of further models can stand in tables beside those of the run's own models."""
    for name in names:
        if name in RESERVED_SYSTEMS or not re.fullmatch(r"[\w+-][\w .+-]*", name):
            raise ValueError(f"{key}: {name!r} cannot be a name; use letters, digits, . + - and none of the run's own")
