"""Names that files of a run hold stand in core/names.py alone."""

import ast
from pathlib import Path

import pytest

from selfinstruct_train.config import EvalConfig
from selfinstruct_train.core import names

ROOT = Path(__file__).parents[3]


def test_metrics_sets_mixtures_and_the_cut_base_are_named_once():
    once = {names.ROUGE_L, names.ROUGE_1, names.USER_ORIENTED, names.SEEDS_AND_GENERATED, names.BASE_CUT}
    paths = [path for folder in ("selfinstruct_train", "eval") for path in (ROOT / folder).rglob("*.py")]
    assert len(paths) > 150
    for path in paths:
        constants = {node.value for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Constant)}
        assert path == Path(names.__file__) or not constants & once, path


def test_stored_names_stay_as_runs_of_before_hold_them():
    assert names.STAGES == ("instructions", "classification", "instances")
    assert names.MIXTURES == ("seeds", "seeds+generated")
    assert names.METRICS == ("rougeL", "rouge1", "exact_match")
    assert (names.BASE, names.BASE_CUT, names.KEPT) == ("base", "base, cut", "kept")
    assert list(names.SET_TITLES) == ["tasks", "user_oriented"]


@pytest.mark.parametrize("name", ["base", "base, cut", "seeds", "seeds+generated"])
def test_a_runs_own_name_is_refused_for_a_further_model(name):
    with pytest.raises(ValueError, match=r"eval.models: .* cannot be a name"):
        EvalConfig(models={name: "somewhere"})
