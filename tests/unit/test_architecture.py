"""Who may import whom (docs/architecture.md), read off the syntax tree: layers, no circles, heavy libraries late."""

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tests.support.paths import ROOT

PACKAGES = {"selfinstruct_train": "selfinstruct_train", "selfinstruct_eval": "eval"}
LAYERS = [
    {"core"},
    {"config", "sources"},
    {"lm"},
    {"generate", "train", "eval"},
    {"dataset"},
    {"publish"},
    {"commands"},
    {"cli"},
    {"__main__"},
]
"""A room imports from the layers before its own, and from itself. sources needs config's neighbour core alone."""
HEAVY = {"torch", "transformers", "datasets", "trl", "peft", "accelerate", "matplotlib", "vllm", "evaluate"}
HEAVY |= {"sentence_transformers", "datasketch", "httpx", "HanTa", "pyarrow", "starlette", "uvicorn", "lm_eval"}
HEAVY |= {"scipy", "sklearn", "krippendorff", "jsonargparse", "gguf"}
OF_MODELS = {"torch", "transformers", "trl", "peft", "accelerate", "vllm", "sentence_transformers"}
NETWORK = {"httpx", "huggingface_hub", "requests", "urllib.request", "socket"}


def modules() -> dict[str, Path]:
    found = {}
    for package, folder in PACKAGES.items():
        for path in sorted((ROOT / folder).rglob("*.py")):
            parts = path.relative_to(ROOT / folder).with_suffix("").parts
            found[".".join((package, *(p for p in parts if p != "__init__")))] = path
    return found


MODULES = modules()


def imports(name: str, path: Path) -> list[tuple[str, bool]]:
    """(absolute module name, at top level and so run on import); type-checking imports count, but not as at top."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    top = {id(n) for n in tree.body}
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(a.name, id(node) in top) for a in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = package.split(".")
                parts = parts[: len(parts) - node.level + 1]
                base = ".".join([*parts, *([node.module] if node.module else [])])
            for alias in node.names:
                is_module = f"{base}.{alias.name}" in MODULES
                found.append((f"{base}.{alias.name}" if is_module else base, id(node) in top))
    return found


def room(name: str) -> str:
    """core, lm, generate ...; eval for all of selfinstruct_eval; "" for the package itself."""
    package, _, rest = name.partition(".")
    return "eval" if package == "selfinstruct_eval" else rest.partition(".")[0]


def test_each_room_imports_only_from_the_layers_before_it() -> None:
    assert len(MODULES) > 150
    layer = {name: number for number, names in enumerate(LAYERS) for name in names}
    assert {room(name) for name in MODULES} - {""} <= set(layer)
    wrong = [
        (name, target)
        for name, path in MODULES.items()
        for target, _ in imports(name, path)
        if target in MODULES and room(name) and room(target) and room(name) != room(target)
        if layer[room(target)] >= layer[room(name)]
    ]
    assert wrong == []


def test_no_modules_import_one_another_in_a_circle() -> None:
    graph = {name: {t for t, _ in imports(name, path) if t in MODULES and t != name} for name, path in MODULES.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_nothing_outside_the_packages_is_imported_by_them() -> None:
    outside = ("tests", "tiny_world", "benchmarks", "recipes", "eval")
    for name, path in MODULES.items():
        for target, _ in imports(name, path):
            assert target.split(".")[0] not in outside, (name, target)


def test_nothing_is_imported_by_its_path() -> None:
    folders = ("recipes", "tiny_world", "benchmarks", "tests")
    scripts = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    assert len(scripts) > 250
    words = ("sys." + "path", "run" + "py.", "spec_from_file" + "_location")
    for path in [*MODULES.values(), *scripts]:
        text = path.read_text(encoding="utf-8")
        assert [word for word in words if word in text] == [], path


def test_core_has_no_torch_and_no_network_and_heavy_libraries_load_late() -> None:
    for name, path in MODULES.items():
        if name.startswith("selfinstruct_eval.metric"):
            continue  # `evaluate` loads it by its path, and wants its classes at the top
        for target, at_top in imports(name, path):
            library = target.split(".")[0]
            assert not (room(name) in ("core", "config") and ({library, target} & (OF_MODELS | NETWORK))), (
                name,
                target,
            )
            assert not (room(name) == "generate" and library in OF_MODELS), (name, target)
            assert not (library in HEAVY and at_top), f"{name} imports {target} when it is itself imported"
