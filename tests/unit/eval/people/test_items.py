from dataclasses import replace

import pytest

from selfinstruct_eval.examples import Example
from selfinstruct_eval.people.items import answer_items, load_work, shown_order
from selfinstruct_train.config import EvalConfig

EXAMPLES = [Example(f"e{i}", f"t{i}", "", "Say.", "", ("r",)) for i in range(30)]
SYSTEMS = {name: [f"{name} {i}" for i in range(30)] for name in ("one", "two", "three")}


def test_systems_that_answered_alike_share_a_cell():
    item = answer_items(EXAMPLES[:1], {"one": [" yes "], "two": ["no"], "three": ["yes"]})[0]
    assert [(c.text, c.systems) for c in item.cells] == [("yes", ("one", "three")), ("no", ("two",))]


def test_what_a_browser_is_told_of_a_cell_does_not_depend_on_the_system():
    first = answer_items(EXAMPLES[:1], {"one": ["yes"]})[0].cells[0]
    second = answer_items(EXAMPLES[:1], {"two": ["yes"]})[0].cells[0]
    assert first.id == second.id


def test_the_order_differs_by_rater_and_example_and_stays():
    items = answer_items(EXAMPLES, SYSTEMS)
    orders = {rater: [[c.systems[0] for c in shown_order(i, rater, 42)] for i in items] for rater in ("ana", "ben")}
    assert orders["ana"] == [[c.systems[0] for c in shown_order(i, "ana", 42)] for i in items]
    assert orders["ana"] != orders["ben"]
    assert len({tuple(order) for order in orders["ana"]}) == 6  # all 3! orders occur in 30 examples
    firsts = [order[0] for order in orders["ana"]]
    assert all(5 <= firsts.count(name) <= 15 for name in SYSTEMS)  # 10 expected, within two standard deviations


def test_more_examples_are_added_to_the_ones_already_rated(configure):
    answers = {"base": [str(i) for i in range(12)], "seeds": [f"s{i}" for i in range(12)]}
    few = load_work(configure(answers, max_examples=5)).items
    more = load_work(configure(answers, max_examples=9)).items
    assert few == more[:5]
    assert len(more) == 9
    assert [i.id for i in load_work(configure(answers)).items] != [f"user_task_{i}" for i in range(12)]


def test_the_cut_base_is_rated_only_where_it_is_asked_for(configure):
    answers = {"base": ["a\n\nb", "c"], "seeds": ["d", "e"]}
    assert load_work(configure(answers)).systems == ("base", "seeds")
    assert load_work(configure(answers, systems=("base, cut",))).systems == ("base, cut",)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"systems": ("gpt",)}, "'gpt' has no answers in this run; known: 'base', 'base, cut', 'seeds'"),
        ({"set": "tasks"}, r"base/predictions\.jsonl: no such file; run `selfinstruct eval`"),
        ({"job": "data"}, r"dataset/train\.parquet: no such file; run `selfinstruct generate`"),
    ],
)
def test_what_cannot_be_rated_is_told_in_one_line(configure, settings, message):
    with pytest.raises(ValueError, match=message) as refusal:
        load_work(configure({"base": ["a"], "seeds": ["b"]}, **settings))
    assert "\n" not in str(refusal.value)


def test_a_run_without_user_oriented_tasks_is_told_of_the_other_set(configure):
    config = replace(configure({"base": ["a"], "seeds": ["b"]}), eval=EvalConfig())
    with pytest.raises(ValueError, match=r"eval\.user_oriented names no file; .*--annotate\.set tasks"):
        load_work(config)


def write_dataset(run_dir, rows):
    import pyarrow as pa
    import pyarrow.parquet as pq

    (run_dir / "dataset").mkdir(parents=True, exist_ok=True)
    columns = {k: [r[k] for r in rows] for k in ("id", "instruction", "input", "output", "source")}
    pq.write_table(pa.table(columns), run_dir / "dataset" / "train.parquet")


def rows(number, source="generated"):
    return [
        {
            "id": f"{source}{i}-{j}",
            "instruction": f"Task {source} {i}.",
            "input": str(j),
            "output": "o",
            "source": source,
        }
        for i in range(number)
        for j in range(3)
    ]


def test_reviewed_instances_are_generated_and_each_of_another_instruction(configure, tmp_path):
    config = configure({"base": ["a"], "seeds": ["b"]}, job="data", num_reviewed=20)
    write_dataset(tmp_path / "run", [*rows(5, "seed"), *rows(50)])
    work = load_work(config)
    assert len({i.instruction for i in work.items}) == len(work.items) == 20
    assert all(i.id.startswith("generated") for i in work.items)
    assert {i.input for i in work.items} == {"0", "1", "2"}  # not the first of each
    assert [c.about.field for c in work.items[0].cells] == ["valid_task", "input_appropriate", "output_correct"]
    assert work == load_work(config)


def test_a_dataset_of_seeds_alone_has_nothing_to_review(configure, tmp_path):
    config = configure({"base": ["a"], "seeds": ["b"]}, job="data")
    write_dataset(tmp_path / "run", rows(2, "seed"))
    with pytest.raises(ValueError, match="holds no generated row"):
        load_work(config)
