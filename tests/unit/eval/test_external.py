import json
from pathlib import Path

import pytest

from selfinstruct_eval.examples import Example
from selfinstruct_eval.external import read_predictions
from selfinstruct_eval.tasks import load_tasks, load_user_oriented

EXAMPLES = [
    Example("a-0", "a", "c", "Name it.", "A cow.", ("cow",)),
    Example("a-1", "a", "c", "Name it.", "A hen.", ("hen",)),
    Example("b-0", "b", "c", "Sing.", "", ("la",)),
]
SETS = {"tasks": EXAMPLES, "user_oriented": [Example("u0", "u0", "Mail", "Greet.", "", ("Hi",))]}


def write(tmp_path: Path, *rows: object) -> str:
    path = tmp_path / "p.jsonl"
    path.write_text("".join((r if isinstance(r, str) else json.dumps(r)) + "\n" for r in rows))
    return str(path)


def test_rows_are_matched_by_id_in_any_order(tmp_path: Path):
    path = write(
        tmp_path,
        {"id": "b-0", "prediction": "la la"},
        {"example_id": "a-1", "response": "hen"},
        {"Instance": {"id": "a-0"}, "Prediction": "cow"},
    )
    assert read_predictions(path, SETS) == ("tasks", ["cow", "hen", "la la"])


def test_rows_without_an_id_are_matched_by_instruction_and_input(tmp_path: Path):
    path = write(
        tmp_path,
        {"instruction": "Sing.\n", "response": "la"},
        {"Definition": ["Name it."], "Instance": {"input": "A hen. "}, "Prediction": "hen"},
        {"instruction": "Name it.", "input": "A cow.", "completion": "cow"},
    )
    assert read_predictions(path, SETS) == ("tasks", ["cow", "hen", "la"])


def test_equal_questions_are_answered_in_order(tmp_path: Path):
    twins = [Example(f"t-{i}", "t", "c", "Say.", "x", (str(i),)) for i in range(2)]
    rows = [{"instruction": "Say.", "input": "x", "text": t} for t in ("first", "second")]
    assert read_predictions(write(tmp_path, *rows), {"tasks": twins}) == ("tasks", ["first", "second"])
    with pytest.raises(ValueError, match=r"p.jsonl:3: a second prediction for the example 'Say. / x'"):
        read_predictions(write(tmp_path, *rows, rows[0]), {"tasks": twins})


def test_the_file_tells_which_set_it_answers(tmp_path: Path):
    assert read_predictions(write(tmp_path, {"id": "u0", "prediction": "Hi"}), SETS) == ("user_oriented", ["Hi"])


def a(number: int, **changes: object) -> dict[str, object]:
    return {"id": EXAMPLES[number].id, "prediction": "x", **changes}


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "p.jsonl: the file is empty"),
        (["{"], "p.jsonl:1: not JSON"),
        ([a(0), {"id": "a-1"}], "p.jsonl:2: no prediction; it has id"),
        ([a(0, prediction=None)], '"prediction" is None, where text must be'),
        ([a(0, prediction="cut \ud83d")], '"prediction" holds half a surrogate pair, which is no text; mend the row'),
        ([{"prediction": "x"}], "p.jsonl:1: nothing says which example it answers"),
        ([a(0), a(1), a(0)], "p.jsonl:3: a second prediction for id 'a-0'"),
        ([a(0), a(1)], "2 predictions for the 3 examples of tasks; the first without one is 'b-0'"),
        ([a(0), a(1), a(2), {"id": "z-9", "prediction": "x"}], "p.jsonl:4: id 'z-9' is not in tasks"),
        (
            [{"id": "z-9", "prediction": "x"}],
            "none of its 1 predictions belong to tasks or user_oriented; name",
        ),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(tmp_path: Path, rows, message):
    with pytest.raises(ValueError, match=message) as error:
        read_predictions(write(tmp_path, *rows), SETS)
    assert "\n" not in str(error.value)


def test_the_published_predictions_fit_the_252_and_not_the_six_tasks(shared_data: Path):
    human = shared_data / "official" / "human_eval"
    path = str(human / "predictions" / "davinci_predictions.jsonl")
    tasks = load_tasks(str(shared_data / "natural_instructions"), "real_subset")
    user = load_user_oriented(str(human / "user_oriented_instructions.jsonl"))
    name, texts = read_predictions(path, {"tasks": tasks, "user_oriented": user})
    assert (name, len(texts)) == ("user_oriented", 252)
    with pytest.raises(ValueError, match="none of its 252 predictions belong to tasks"):
        read_predictions(path, {"tasks": tasks})
