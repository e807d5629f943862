import json
import multiprocessing
from pathlib import Path

import pytest

from selfinstruct_eval.examples import Example
from selfinstruct_eval.people.ratings import (
    Click,
    Field,
    agreed,
    answer_fingerprint,
    append_clicks,
    check_rater,
    final_grades,
    folder_of,
    last_values,
    raters,
    read_clicks,
)

EXAMPLE = Example("e1", "t1", "", "Add.", "1 + 1", ("2",))


def click(value: str | None, item: str = "e1", system: str = "base", answer: str = "h", time: str = "1") -> Click:
    return Click(item, system, answer, "grade", value, time)


@pytest.mark.parametrize("name", ["ana", "A.b_c-9", "x" * 40])
def test_a_name_of_letters_digits_and_three_signs_is_accepted(name):
    assert check_rater(name) == name


@pytest.mark.parametrize(
    "name", ["", "../ana", ".ana", "a b", "a/b", "ana\n", "x" * 41, "änne", "adjudicated", "Adjudicated"]
)
def test_any_other_name_is_refused_in_one_line(name):
    with pytest.raises(ValueError, match="name") as refusal:
        check_rater(name)
    assert "\n" not in str(refusal.value)


def test_the_last_click_counts_and_null_takes_it_back(tmp_path):
    path = tmp_path / "ana.jsonl"
    append_clicks(path, [click("A"), click("C"), click("B", item="e2")])
    append_clicks(path, [click(None, item="e2")])
    assert last_values(read_clicks(path)) == {Field("e1", "h", "grade"): "C"}
    assert len(path.read_text().splitlines()) == 4  # nothing is ever rewritten


def test_a_torn_last_line_is_left_out_and_cut_by_the_next_click(tmp_path):
    path = tmp_path / "ana.jsonl"
    append_clicks(path, [click("A")])
    with path.open("a") as file:
        file.write('{"item": "e2", "sys')
    assert len(read_clicks(path)) == 1
    append_clicks(path, [click("D", item="e3")])
    assert [(c.item, c.value) for c in read_clicks(path)] == [("e1", "A"), ("e3", "D")]


@pytest.mark.parametrize(
    "line", ["no json", "[1]", '{"item": "e1"}', json.dumps({**click("A").__dict__, "value": "E"})]
)
def test_a_broken_line_is_named(tmp_path, line):
    path = tmp_path / "ana.jsonl"
    append_clicks(path, [click("A")])
    with path.open("a") as file:
        file.write(line + "\n")
    with pytest.raises(ValueError, match=r"ana\.jsonl:2: not a rater's click"):
        read_clicks(path)


def _write(path: Path, item: str) -> None:
    for _ in range(50):
        append_clicks(path, [click("A", item=item), click("B", item=item + "x" * 300)])


def test_two_writers_of_one_file_tear_no_line(tmp_path):
    path = tmp_path / "ana.jsonl"
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_write, args=(path, item)) for item in ("one", "two")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    items = [c.item for c in read_clicks(path)]
    assert len(items) == 200
    assert all(items[i + 1] == items[i] + "x" * 300 for i in range(0, 200, 2))  # lines of one click stay together


@pytest.mark.parametrize(
    ("choices", "expected"),
    [("A", "A"), ("AB", "B"), ("AC", "B"), ("AD", "C"), ("AAB", "A"), ("ABB", "B"), ("DDA", "C")],
)
def test_raters_mean_is_rounded_to_the_nearest_level_and_halves_to_the_worse(choices, expected):
    assert agreed(dict(enumerate(choices))) == expected


def test_an_adjudicated_grade_is_final():
    assert agreed({"ana": "D", "ben": "D", "adjudicated": "A"}) == "A"


def test_final_grades_count_only_the_very_answers_they_were_given(tmp_path):
    folder = folder_of(tmp_path, "tasks")
    old, new = answer_fingerprint(EXAMPLE, "3"), answer_fingerprint(EXAMPLE, "2")
    append_clicks(folder / "ana.jsonl", [click("D", answer=old, time="1"), click("A", answer=new, time="2")])
    append_clicks(folder / "ben.jsonl", [click("D", answer=old, time="1"), click("B", system="seeds", answer=new)])
    assert final_grades(tmp_path, "tasks", [EXAMPLE], {"base": ["3"]}) == {("e1", "base"): "D"}
    # the same text of another system has the same grade
    assert final_grades(tmp_path, "tasks", [EXAMPLE], {"base": [" 2\n"]}) == {("e1", "base"): "B"}
    assert final_grades(tmp_path, "tasks", [EXAMPLE], {"base": ["4"]}) == {}
    assert final_grades(tmp_path, "tasks", [EXAMPLE], {"base": ["2"], "seeds": ["2"]}) == {
        ("e1", "base"): "B",
        ("e1", "seeds"): "B",
    }


def test_nobody_has_rated_where_there_is_no_folder(tmp_path):
    assert raters(tmp_path, "tasks") == []
    assert final_grades(tmp_path, "tasks", [EXAMPLE], {"base": ["2"]}) == {}


def test_the_adjudication_is_no_rater(tmp_path):
    for name in ("ben", "adjudicated", "ana"):
        append_clicks(folder_of(tmp_path, "tasks") / f"{name}.jsonl", [click("A")])
    assert raters(tmp_path, "tasks") == ["ana", "ben"]
