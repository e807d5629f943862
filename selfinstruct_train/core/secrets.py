"""What counts as a secret: one rule for what train/saving/manifest.py records and what publish/contents.py lets out.

A text holds a secret by value (the value of an environment variable that is named like one, or that a section of the
config names as its key), or by its form (a Hub token, an API key, ...). A setting or an argument holds one by its name.
Nothing here knows whether a key is valid.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

REMOVED = "<removed>"
_NAME = re.compile(
    r"(^|[_.-])(api_?keys?|keys?|tokens?|secrets?|password|passwd|credentials?|authorization|auth|pat)$", re.IGNORECASE
)
_FORMS = {
    "a Hub token": re.compile(r"\bhf_[A-Za-z0-9]{20,}", re.ASCII),
    "an API key": re.compile(r"(?<![A-Za-z0-9_-])sk-[A-Za-z0-9_-]{20,}", re.ASCII),
    "a GitHub token": re.compile(r"\bgh[pousr]_[A-Za-z0-9]{30,}", re.ASCII),
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
}
_SHORTEST = 6
"""A shorter value of such a variable ("none", "true") is a word like others."""


def is_secret_name(name: str) -> bool:
    """Return whether a variable, setting or argument of this name holds a secret: HF_TOKEN, api_key, hub.token."""
    return bool(_NAME.search(name))


def secret_values(environment: Mapping[str, str], settings: Any = None) -> dict[str, str]:
    """Return the values of the environment that are secrets, by variable, the longest first.

    Args:
        settings: a config as nested dicts; each variable that one of its sections names as `api_key_env` counts,
            whatever its name.
    """
    named = set(_key_variables(settings))
    found = {name: value.strip() for name, value in environment.items() if is_secret_name(name) or name in named}
    found = {name: value for name, value in found.items() if len(value) >= _SHORTEST}
    return dict(sorted(found.items(), key=lambda item: (-len(item[1]), item[0])))


def find_secret(text: str, values: Mapping[str, str]) -> str | None:
    """Return what secret a text holds, in words that do not repeat it; None: it holds none."""
    for kind, form in _FORMS.items():
        if form.search(text):
            return kind
    return next((f"the value of {name}" for name in sorted(values) if values[name] in text), None)


def scrub(value: Any, values: Mapping[str, str]) -> Any:
    """Return JSON data without secrets: in texts, a value becomes <its variable> and a known form <its kind>."""
    if isinstance(value, dict):
        return {str(key): scrub(item, values) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [scrub(item, values) for item in value]
    if isinstance(value, str):
        for name, secret in values.items():
            value = value.replace(secret, f"<{name}>")
        for kind, form in _FORMS.items():
            value = form.sub(f"<{kind}>", value)
    return value


def without_secret_fields(value: Any) -> Any:
    """Return JSON data in which each text under a name that tells of a secret is `REMOVED`."""
    if isinstance(value, dict):
        return {
            key: REMOVED if is_secret_name(key) and isinstance(item, str) else without_secret_fields(item)
            for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [without_secret_fields(item) for item in value]
    return value


def without_secret_arguments(arguments: Sequence[str]) -> list[str]:
    """Return a command line in which arguments named like a secret lose their values, unless these are numbers."""
    kept, hides_next = [], False
    for argument in arguments:
        name, sign, value = argument.partition("=")
        is_secret = name.startswith("-") and is_secret_name(name.lstrip("-"))
        is_number = (value if sign else argument).isdecimal()  # max_new_tokens is no secret
        if hides_next and not is_number:
            kept.append(REMOVED)
        else:
            kept.append(f"{name}={REMOVED}" if is_secret and sign and not is_number else argument)
        hides_next = is_secret and not sign
    return kept


def _key_variables(settings: Any) -> Iterable[str]:
    if isinstance(settings, Mapping):
        for key, value in settings.items():
            if key == "api_key_env" and isinstance(value, str):
                yield value
            else:
                yield from _key_variables(value)
    elif isinstance(settings, list | tuple):
        for value in settings:
            yield from _key_variables(value)
