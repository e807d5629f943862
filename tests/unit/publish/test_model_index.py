"""A run's scores in the Hub's model-index form: valid for its client, officially named only where they are official."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from selfinstruct_train.publish.model_index import eval_results, write_model_indexes
from selfinstruct_train.sources.natural_instructions.splits import OFFICIAL_NUMBERS
from tests.support.paths import SHARED

USER_ORIENTED = SHARED / "official/human_eval/user_oriented_instructions.jsonl"


def row(system: str, value: float, metric: str = "rougeL", kind: str = "overall", group: str = "all") -> dict[str, Any]:
    score = {"metric": metric, "value": value, "low": value - 2, "high": value + 2.5, "n": 20, "group": group}
    return {"system": system, "against": None, "kind": kind, "num_tasks": 4, **score}


def scored(name: str = "tasks", num_tasks: int = 4, **groups: list[str]) -> dict[str, Any]:
    """A set of scores.json for the systems base, seeds and a published one; groups: kind=names."""
    rows = [row(s, 10.0 * i + 0.123, m) for i, s in enumerate(("base", "base, cut", "seeds", "GPT3"), 1)
            for m in ("rougeL", "rouge1", "exact_match")]  # fmt: skip
    rows += [row("seeds", 5.0, kind=kind, group=group) for kind, names in groups.items() for group in names]
    systems = {"base": "base", "base, cut": "base", "seeds": "trained", "GPT3": "published"}
    facts = {"set": name, "source": "data/natural-instructions", "num_examples": num_tasks, "num_tasks": num_tasks}
    marks = {s: {"kind": kind, "answers": f"{s} says"} for s, kind in systems.items()}
    return {**facts, "scores": rows, "systems": marks}


def interval(value: float) -> dict[str, float]:
    return {"value": value, "low": value - 5, "high": value + 5, "n": 252}


JUDGE = {
    "lm": "transformers:org/judge@abc",
    "set": "user_oriented",
    "answers": {"seeds": "seeds says", "base": "base says"},
    "prompt_sha256": {"rating": "1" * 64, "pairwise": "2" * 64},
    "rating": {"seeds": {"A": 1, "acceptable": interval(61.5)}},
    "pairwise": {"against": "base", "systems": {"seeds": {"win_rate": interval(70), "length_controlled": None}}},
}
PEOPLE = {
    "set": "user_oriented",
    "answers": {"seeds": "seeds says"},
    "raters": ["ann", "bob"],
    "systems": {"seeds": {"A": 1, "acceptable": interval(50)}},
}


def written(run: Path, sets: list[dict[str, Any]], **files: Any) -> list[Path]:
    (run / "eval").mkdir(parents=True)
    for name, value in {"scores": sets, **files}.items():
        (run / "eval" / f"{name}.json").write_text(json.dumps(value), encoding="utf-8")
    return write_model_indexes(str(run))


def test_each_model_that_was_asked_gets_the_head_of_a_card_that_the_hub_s_client_reads(tmp_path: Path):
    from huggingface_hub import ModelCard
    from huggingface_hub.repocard_data import model_index_to_eval_results

    files = written(tmp_path / "run", [scored()])
    assert [f.relative_to(tmp_path / "run" / "eval").as_posix() for f in files] == [
        "base/model_index.yaml",
        "seeds/model_index.yaml",
    ]
    text = files[1].read_text(encoding="utf-8")
    name, results = model_index_to_eval_results(yaml.safe_load(text)["model-index"])
    assert name == "run, seeds"
    assert results == ModelCard(f"---\n{text}---\nA model.\n").data.eval_results
    assert [(r.metric_type, r.metric_name, r.metric_value) for r in results] == [
        ("rouge", "ROUGE-L", 30.12),
        ("rouge", "ROUGE-1", 30.12),
        ("exact_match", "Exact match", 30.12),
    ]
    assert results[0].metric_args == {"interval_95": [28.12, 32.62], "n": 20}
    assert (results[0].dataset_type, results[0].dataset_name) == (
        "self-instruct-tasks",
        "Test tasks (natural-instructions)",
    )


@pytest.mark.parametrize("split", ["default", "xlingual"])
def test_the_official_split_is_known_by_its_tasks(split: str):
    names = [f"task{number}_renamed" for number in sorted(OFFICIAL_NUMBERS[split])]
    official = eval_results([scored(num_tasks=len(names), task=names)], "seeds")[0]
    assert (official.dataset_type, official.dataset_config, official.dataset_split) == (
        *("super-natural-instructions", split),
        "test",
    )
    own = eval_results([scored(num_tasks=len(names), task=[*names[:-1], "task7_other"])], "seeds")[0]
    assert (own.dataset_type, own.dataset_config) == ("self-instruct-tasks", None)


def test_how_a_set_was_asked_and_scored_stands_beside_its_name_where_it_is_not_the_default():
    sizes = {"num_examples": 4, "num_tasks": 4}
    usual = {"prompt": {"num_positive_examples": 0}, "rouge_tokenizer": None, "split": "default"}
    prompt = {"num_positive_examples": 2, "encoding": "tk_instruct", "explanations": True}
    other = {"prompt": prompt, "rouge_tokenizer": "/home/me/models/gpt2", "split": "xlingual"}
    for settings, told in (({}, {}), (usual, {}), (other, {**prompt, "rouge_tokenizer": "gpt2", "split": "xlingual"})):
        assert [r.dataset_args for r in eval_results([scored() | settings], "seeds")] == [sizes | told] * 3


def test_the_252_are_known_by_their_applications():
    if not USER_ORIENTED.is_file():
        pytest.skip("needs the real data in ../shared/data")
    lines = USER_ORIENTED.read_text(encoding="utf-8").splitlines()
    applications = [json.loads(line)["motivation_app"] for line in lines]
    official = eval_results([scored("user_oriented", 252, category=applications)], "seeds")[0]
    assert (official.dataset_type, official.dataset_config) == ("yizhongw/self_instruct", "human_eval")
    for own in (scored("user_oriented", 251, category=applications), scored("user_oriented", 252, category=["Mail"])):
        assert eval_results([own], "seeds")[0].dataset_type == "self-instruct-user-oriented"


def test_what_a_judge_and_people_found_stands_there_with_who_they_were(tmp_path: Path):
    from huggingface_hub.repocard_data import model_index_to_eval_results

    sets = [scored(), scored("user_oriented")]
    base, seeds = written(tmp_path / "run", sets, judge=JUDGE, people=PEOPLE)
    _, results = model_index_to_eval_results(yaml.safe_load(seeds.read_text(encoding="utf-8"))["model-index"])
    judged, won, rated = results[6:]
    assert {r.dataset_type for r in results[6:]} == {"self-instruct-user-oriented"}
    assert (judged.metric_type, judged.metric_value) == ("acceptable_by_judge", 61.5)
    assert judged.metric_name == "Acceptable answers (A or B of A to D), judged by transformers:org/judge@abc"
    assert judged.metric_args["prompt_sha256"] == JUDGE["prompt_sha256"]
    assert (won.metric_type, won.metric_value, won.metric_args["against"]) == ("win_rate", 70, "base")
    assert (rated.metric_type, rated.metric_args) == (
        "acceptable_by_people",
        {"interval_95": [45, 55], "n": 252, "raters": 2},
    )
    assert "acceptable" not in base.read_text(encoding="utf-8")


def test_a_judge_out_of_a_folder_is_named_without_the_folder():
    judge = JUDGE | {"lm": "/home/me/models/judge@1a2b transformers bfloat16"}
    judged = eval_results([scored("user_oriented")], "seeds", judge)[3]
    assert judged.metric_args["judge"] == "judge@1a2b transformers bfloat16"
    assert "home" not in judged.metric_name


def test_judgements_of_other_answers_than_the_scored_are_left_out():
    now = scored("user_oriented")
    assert len(eval_results([now], "seeds", JUDGE, PEOPLE)) == 6
    for then in ({"seeds": "said once", "base": "base says"}, {}):
        assert len(eval_results([now], "seeds", JUDGE | {"answers": then}, PEOPLE | {"answers": then})) == 3
    met = {"answers": {"seeds": "seeds says", "base": "said once"}}  # the pairs are of an older base, the grades not
    assert [r.metric_type for r in eval_results([now], "seeds", JUDGE | met)][3:] == ["acceptable_by_judge"]
    assert len(eval_results([scored()], "seeds", JUDGE, PEOPLE)) == 3  # another set is judged than was scored


def test_scores_that_are_missing_or_broken_are_one_clear_line(tmp_path: Path):
    with pytest.raises(ValueError, match=r"scores.json: no such file; `selfinstruct eval` writes it$"):
        write_model_indexes(str(tmp_path / "none"))
    told = r"eval: scores.json, judge.json or people.json is not as its command writes it \(.*\); give it again$"
    with pytest.raises(ValueError, match=told):
        written(tmp_path / "run", [{"set": "tasks"}])
    with pytest.raises(ValueError, match=told):
        written(tmp_path / "judged", [scored("user_oriented")], judge=JUDGE | {"rating": []})
