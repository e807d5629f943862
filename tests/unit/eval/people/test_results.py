import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from selfinstruct_eval.people.items import load_work
from selfinstruct_eval.people.ratings import Click, append_clicks, final_grades, folder_of
from selfinstruct_eval.people.results import write_results
from selfinstruct_eval.predict import fingerprint_answers, read_answers
from selfinstruct_eval.tasks import load_sets
from selfinstruct_train.config import AnnotateConfig


def rate(config, work, rater, grade_of):
    """Let a rater give every cell what `grade_of(cell)` says; None: nothing."""
    clicks = [
        Click(c.about.item, system, c.about.answer, c.about.field, grade_of(c), "1")
        for item in work.items
        for c in item.cells
        for system in (c.systems or (None,))
        if grade_of(c)
    ]
    append_clicks(folder_of(config.run_dir, work.set) / f"{rater}.jsonl", clicks)


@pytest.fixture
def config(configure, planned_answers):
    return configure(planned_answers)


@pytest.fixture
def rated(config, plan):
    work = load_work(config)
    for rater in ("ana", "ben"):
        rate(config, work, rater, lambda cell, rater=rater: plan[cell.text][rater])
    return work


def test_the_statistics_are_those_worked_out_by_hand(config, rated):
    path, lines = write_results(config, rated)
    people = json.loads(path.read_text())
    assert path.name == "people.json" and path.parent.name == "eval"
    # halves go to the worse: AB and BA make B, BC makes C, CD makes D, DB makes C
    base, seeds = people["systems"]["base"], people["systems"]["seeds"]
    assert [base[g] for g in "ABCD"] + [base["n"]] == [0, 2, 8, 10, 20]
    assert [seeds[g] for g in "ABCD"] + [seeds["n"]] == [10, 8, 2, 0, 20]
    assert base["acceptable"]["value"] == 10.0 and seeds["acceptable"]["value"] == 90.0
    assert 0 <= base["acceptable"]["low"] < 10 < base["acceptable"]["high"] < 40
    agreement = people["agreement"]
    assert agreement["kappa"] == pytest.approx(99 / 149)  # sums: test_agreement
    assert agreement["weighted_kappa"] == pytest.approx(57 / 67)
    assert agreement["acceptable_kappa"] == pytest.approx(79 / 99)
    assert agreement["spearman"] == pytest.approx(4252 / 4980)
    assert agreement["alpha"] == pytest.approx(0.855643, abs=1e-6)
    assert agreement["num_double"] == 40
    assert people["raters"] == ["ana", "ben"] and people["num_items"] == 20
    told = next(line for line in lines if line.startswith("agreement: "))
    assert re.match(r"agreement: kappa 0\.66 \[0\.\d\d, 0\.\d\d\] \(paper 0\.58\), quadratic", told)
    assert re.search(r"Spearman 0\.85 \[0\.\d\d, 0\.\d\d\] \(paper 0\.81\)$", told)
    for measure in ("kappa", "weighted_kappa", "acceptable_kappa", "alpha", "spearman"):
        low, high = agreement["intervals"][measure]
        assert low < agreement[measure] < high < 1.0001


def test_systems_are_compared_where_both_were_graded(config, rated):
    path, lines = write_results(config, rated)
    (pair,) = json.loads(path.read_text())["comparisons"]
    assert (pair["system"], pair["against"], pair["metric"], pair["value"]) == ("seeds", "base", "acceptable", 80.0)
    assert re.match(r"seeds over base: \+80\.0  \([+-]\d+\.\d to \+\d+\.\d\), " + pair["verdict"], lines[4])
    # cleo grades both answers of ten examples, and of the others one alone, which then tells nothing of the pair
    shutil.rmtree(folder_of(config.run_dir, rated.set))
    both = {item.id for item in rated.items[:10]}
    grade = {"seeds": "A", "base": "D"}
    whole = lambda c: grade[c.systems[0]] if c.about.item in both else None  # noqa: E731
    rate(config, rated, "cleo", lambda c: whole(c) or ("D" if c.systems == ("seeds",) else None))
    people = json.loads(write_results(config, rated)[0].read_text())
    assert [people["systems"][s]["n"] for s in ("base", "seeds")] == [10, 20]
    assert people["systems"]["seeds"]["acceptable"]["value"] == 50
    (pair,) = people["comparisons"]
    assert (pair["value"], pair["verdict"]) == (100, "better") and pair["p"] == pair["p_adjusted"] < 0.05


def test_the_largest_disagreements_come_first(config, rated):
    people = json.loads(write_results(config, rated)[0].read_text())
    assert [(d["system"], d["grades"]["ana"], d["grades"]["ben"]) for d in people["disagreements"]] == [
        ("base", "D", "B"),
        ("base", "D", "B"),
        ("seeds", "B", "C"),
        ("seeds", "B", "C"),
    ]


def test_a_decision_is_final_and_no_rating_of_its_own(config, rated, plan):
    before = json.loads(write_results(config, rated)[0].read_text())
    rate(config, rated, "adjudicated", lambda cell: "A" if set(plan[cell.text].values()) == {"B", "D"} else None)
    path, lines = write_results(config, rated)
    after = json.loads(path.read_text())
    assert [after["systems"]["base"][g] for g in "ABCD"] == [2, 2, 6, 10]
    assert after["agreement"] == before["agreement"] and after["raters"] == ["ana", "ben"]
    assert [d["decision"] for d in after["disagreements"]] == ["A", "A", None, None]
    assert "disagreements to adjudicate: 2 of 4" in lines
    sets = load_sets(config.eval)
    examples = sets[rated.set]
    answers = {s: texts for s, texts in read_answers(config, sets, rated.set).items() if s in rated.systems}
    final = final_grades(config.run_dir, rated.set, examples, answers)
    assert len(final) == 40 and sum(grade == "A" for grade in final.values()) == 12


def test_grades_of_an_older_models_answers_are_kept_and_counted_apart(config, rated):
    file = Path(config.run_dir) / "eval" / "seeds" / "user_oriented_predictions.jsonl"
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    rows[3]["prediction"] = "something new"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    path, lines = write_results(config, load_work(config))
    people = json.loads(path.read_text())
    assert people["systems"]["seeds"]["n"] == 19 and people["num_outdated"] == 2
    assert "2 choices are about texts that changed since or are left out now" in lines


def test_the_results_say_of_which_answers_the_grades_are(config, rated):
    sets = load_sets(config.eval)
    examples, answers = sets["user_oriented"], read_answers(config, sets, "user_oriented")
    kept = json.loads(write_results(config, rated)[0].read_text())["answers"]
    assert kept == {system: fingerprint_answers(examples, answers[system]) for system in ("base", "seeds")}
    assert kept["base"] != kept["seeds"]


def test_nobody_yet_is_no_error_and_writes_nothing(config):
    path, lines = write_results(config, load_work(config))
    assert path is None and lines == ["nobody has rated yet: user_oriented, 20 items"]
    assert not (Path(config.run_dir) / "eval" / "people.json").exists()


@pytest.fixture
def reviewed(config):
    """Four instances: ana says yes but to the output of the last two; ben looked at the first and says no thrice."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder = Path(config.run_dir) / "dataset"
    folder.mkdir()
    columns = {k: [f"{k}{i}" for i in range(4)] for k in ("id", "instruction", "input", "output")}
    pq.write_table(pa.table(columns | {"source": ["generated"] * 4}), folder / "train.parquet")
    config = replace(config, annotate=AnnotateConfig(job="data"))
    work = load_work(config)
    bad = {"id2", "id3"}
    rate(config, work, "ana", lambda c: "no" if c.id == "output_correct" and c.about.item in bad else "yes")
    rate(config, work, "ben", lambda c: "no" if c.about.item == "id0" else None)
    return config, work


def test_reviewed_data_are_written_in_the_form_the_report_reads(reviewed):
    config, work = reviewed
    path, lines = write_results(config, work)
    review = json.loads(path.read_text())
    assert path.name == "review.json"
    # of yes and no the worse: the first instance is no thrice
    assert review["n"] == 4
    assert review["percent"] == {"valid_task": 75.0, "input_appropriate": 75.0, "output_correct": 25.0, "all": 25.0}
    # Wilson, 3 of 4: (0.75 + 0.4802 -+ 1.96 * sqrt(0.046875 + 0.060025)) / 1.9604 = 0.3006, 0.9544
    assert review["interval"]["valid_task"] == [30.1, 95.4]
    assert review["reviewer"] == "people: ana, ben"
    assert "4 instances reviewed" in lines and "Valid task     75.0 %  (30.1 to 95.4), paper 92 %" in lines

    from selfinstruct_eval.report.run_facts import read_run_facts

    facts = read_run_facts(config.run_dir, 42)
    assert [r.percent["all"] for r in facts.reviews] == [25.0]


def test_another_reviewers_file_is_left_alone(reviewed):
    config, work = reviewed
    theirs = Path(config.run_dir) / "review.json"
    theirs.write_text('{"reviewer": "the little world\'s own truth", "n": 1, "percent": {}}')
    content = theirs.read_bytes()
    path, _ = write_results(config, work)
    assert path.name == "review-people.json"
    assert theirs.read_bytes() == content
    theirs.unlink()
    assert write_results(config, work)[0] == theirs
    assert write_results(config, work)[0] == theirs  # one's own file is written anew


def test_an_instance_begun_is_no_review(reviewed, tmp_path):
    config, work = reviewed
    shutil.rmtree(folder_of(config.run_dir, work.set))
    rate(config, work, "cleo", lambda c: "yes" if c.id == "valid_task" else None)
    assert write_results(config, work) == (None, ["nobody has answered all three questions of an instance yet"])
    assert not (Path(config.run_dir) / "review.json").exists()


def test_a_review_of_other_data_is_not_in_the_report(reviewed):
    from selfinstruct_eval.report.run_facts import read_run_facts

    config, work = reviewed
    path, _ = write_results(config, work)
    path.write_text(json.dumps(json.loads(path.read_text()) | {"dataset_sha256": "of another file"}))
    assert read_run_facts(config.run_dir, 42).reviews == ()
