"""What a dataset's licence is made of."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from selfinstruct_train.config import CardConfig, Config, GenerateConfig, ModelConfig
from selfinstruct_train.dataset.license import folder_license, front_matter_license, inherited_license, model_name
from tests.support.paths import SHARED


def config(model: str = "builtin:tiny", seeds: str = "builtin:english", **model_settings: str) -> Config:
    model_config = ModelConfig(path=model, **model_settings)  # type: ignore[arg-type]
    return replace(Config(), model=model_config, generate=GenerateConfig(seed_tasks=seeds))


def model_folder(path: Path, card: str | None) -> str:
    path.mkdir()
    if card is not None:
        (path / "README.md").write_text(card)
    return str(path)


def test_what_the_package_carries_is_apache() -> None:
    found = inherited_license(config())
    assert found.id == "apache-2.0"
    assert found.reason == "The model that wrote the data and the seed tasks are both under apache-2.0."


def test_a_model_folders_own_card_tells_its_licence(tmp_path: Path) -> None:
    mit = model_folder(tmp_path / "m", "---\nlicense: mit\n---\n# M\n")
    assert inherited_license(config(mit)).id == "other"
    assert inherited_license(config(mit)).reason == (
        "The model that wrote the data is under mit, the seed tasks are under apache-2.0."
    )
    apache = model_folder(tmp_path / "a", "---\nlicense: Apache-2.0\n---\n")
    assert inherited_license(config(apache)).id == "apache-2.0"


def test_what_is_unknown_is_other_with_the_reason_and_without_a_path(tmp_path: Path) -> None:
    bare = model_folder(tmp_path / "bare", None)
    found = inherited_license(config(bare))
    assert found.id == "other"
    assert found.reason.startswith("The licence of the model (bare) could not be read here")
    assert found.reason.endswith("The seed tasks: apache-2.0.")
    assert str(tmp_path) not in found.reason
    seeds = tmp_path / "mine.jsonl"
    seeds.write_text("{}\n")
    found = inherited_license(config(seeds=str(seeds)))
    assert found.reason.startswith("The licence of the seed tasks could not be read here")
    assert found.reason.endswith("The model (builtin:tiny): apache-2.0.")
    assert inherited_license(config("some-api-model", backend="http")).id == "other"
    assert inherited_license(config("nobody/nothing-of-this-name")).id == "other"


def test_card_license_overrides(tmp_path: Path) -> None:
    chosen = replace(config(model_folder(tmp_path / "m", None)), card=CardConfig(license="cc-by-4.0"))
    assert inherited_license(chosen).id == "cc-by-4.0"


def test_the_released_seed_tasks_are_known_by_their_checksum() -> None:
    official = SHARED / "official/seed_tasks.jsonl"
    if not official.exists():
        pytest.skip("../shared/data is absent: real material is not part of the repository")
    assert inherited_license(config(seeds=str(official))).id == "apache-2.0"


def test_front_matter_is_read_and_nothing_else() -> None:
    assert front_matter_license("---\nlanguage: en\nlicense: llama3.1\n---\ntext") == "llama3.1"
    assert front_matter_license("# M\nlicense: mit\n") is None
    assert front_matter_license("---\nlicense: other\n---\n") is None
    assert front_matter_license("---\nlicense: other\nlicense_name: qwen-research\n---\n") == "other: qwen-research"
    assert front_matter_license("---\nlicense: mit\nlicense_name: mine\n---\n") == "mit"
    assert front_matter_license("---\nlicense: [mit, gpl]\n---\n") is None
    assert front_matter_license("---\n: [\n---\n") is None


def test_of_a_folder_only_the_last_part_is_shown() -> None:
    assert model_name("/home/someone/models/my-model/") == "my-model"
    assert model_name("~/my-model") == "my-model"
    assert model_name("a/b/c") == "c"
    assert model_name(r"C:\models\m") == "m"
    assert model_name("org/model") == "org/model"
    assert model_name("builtin:tiny") == "builtin:tiny"


def test_a_gguf_file_tells_its_licence_where_no_card_does(tmp_path: Path) -> None:
    import gguf

    file = tmp_path / "model.gguf"
    writer = gguf.GGUFWriter(file, "llama")
    writer.add_license("Gemma")
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()
    assert [folder_license(str(path)) for path in (file, tmp_path)] == ["gemma", "gemma"]
    (tmp_path / "README.md").write_text("---\nlicense: mit\n---\n")
    assert folder_license(str(file)) == "mit"
    assert model_name("models/model.gguf") == model_name(str(file)) == "model.gguf"
