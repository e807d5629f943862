"""What counts as a secret, in a text, in settings and in a command line."""

from dataclasses import asdict, replace

import pytest

from selfinstruct_train.config import Config
from selfinstruct_train.core.secrets import (
    REMOVED,
    find_secret,
    is_secret_name,
    scrub,
    secret_values,
    without_secret_arguments,
    without_secret_fields,
)

FORMS = {
    "hf_" + "aB3" * 11: "a Hub token",
    "sk-" + "proj-abc123" * 3: "an API key",
    "ghp_" + "a1" * 18: "a GitHub token",
    "-----BEGIN RSA PRIVATE KEY-----": "a private key",
}


@pytest.mark.parametrize("section", ["model", "relabel", "quality", "judge"])
def test_the_key_that_any_section_names_is_a_secret_whatever_its_name(section):
    config = Config()
    model = config.model if section == "model" else getattr(config, section).model
    named = replace(model, server=replace(model.server, api_key_env="MY_PROVIDER"))
    config = replace(
        config, **{section: named if section == "model" else replace(getattr(config, section), model=named)}
    )
    environment = {"MY_PROVIDER": "the-key-of-mine", "HOME": "/home/me"}
    assert secret_values(environment) == {}
    values = secret_values(environment, asdict(config))
    assert values == {"MY_PROVIDER": "the-key-of-mine"}
    assert scrub({"told": ["asked with the-key-of-mine"]}, values) == {"told": ["asked with <MY_PROVIDER>"]}
    assert find_secret("asked with the-key-of-mine", values) == "the value of MY_PROVIDER"


def test_variables_are_secrets_by_name_and_the_longest_value_comes_first():
    environment = {"HF_TOKEN": "token-1", "MAIL_PASSWORD": " token-12 ", "X_API_KEY": "", "USE_TOKEN": "true"}
    values = secret_values(environment)
    assert list(values.items()) == [("MAIL_PASSWORD", "token-12"), ("HF_TOKEN", "token-1")]
    assert scrub("token-12, token-1", values) == "<MAIL_PASSWORD>, <HF_TOKEN>"
    for name in ("HF_TOKEN", "OPENAI_API_KEY", "AWS_SECRET", "DB_PASSWORD", "hub.token", "api-key", "Authorization"):
        assert is_secret_name(name), name
    for name in ("max_new_tokens_limit", "tokenizer", "HOME", "monkey", "keyboard", "PATH"):
        assert not is_secret_name(name), name


@pytest.mark.parametrize(("text", "kind"), FORMS.items())
@pytest.mark.parametrize("before", ["key: ", "\u732b", "(", ""])
def test_known_forms_are_secrets_wherever_they_stand(text, kind, before):
    assert find_secret(f"{before}{text}.", {}) == kind
    assert scrub([f"{before}{text}."], {}) == [f"{before}<{kind}>."]


def test_harmless_words_are_no_secrets():
    text = "task-oriented-instruction-following-data, hf_hub_download, true, risk-averse"
    assert find_secret(text, {}) is None
    assert scrub(text, {}) == text


def test_settings_and_arguments_named_like_secrets_lose_their_texts():
    settings = {"api_key": "told", "user": "me", "n": 1, "deep": [{"token": "told", "max_new_tokens": 16}]}
    assert without_secret_fields(settings) == {
        "api_key": REMOVED,
        "user": "me",
        "n": 1,
        "deep": [{"token": REMOVED, "max_new_tokens": 16}],
    }
    arguments = [
        "--note",
        "x",
        "--api-key",
        "told",
        "--hub.token=told",
        "--n.max_new_tokens",
        "16",
        "--tokens=3",
        "end",
    ]
    assert without_secret_arguments(arguments) == [
        *("--note", "x", "--api-key", REMOVED, f"--hub.token={REMOVED}"),
        *("--n.max_new_tokens", "16", "--tokens=3", "end"),
    ]
