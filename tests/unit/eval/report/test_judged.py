import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from selfinstruct_eval.examples import Example, ExampleSet
from selfinstruct_eval.predict import fingerprint_answers
from selfinstruct_eval.report.judged import read_judge, read_people
from selfinstruct_eval.report.report import write_report
from selfinstruct_eval.scores import evaluate_predictions
from selfinstruct_train.config import Config

ATTACK = "</script><script>alert(1)</script>"
FIGURE = {"value": 62.5, "low": 30.0, "high": 86.0, "n": 8}
PAIR: dict[str, Any] = {
    **{"system": "seeds", "against": "base", "metric": "acceptable", "value": 25.0, "low": -5.5, "high": 50.0},
    **{"p": 0.06, "p_adjusted": 0.12, "minimum_detectable": 31.4, "verdict": "cannot be told apart"},
}
JUDGE: dict[str, Any] = {
    "lm": "referee@v1",
    "set": "user_oriented",
    "prompt_sha256": {"rating": "ab" * 32, "pairwise": "cd" * 32},
    "prompts": {"rating": f"Grade it. {ATTACK}", "pairwise": "Which one?"},
    "num_examples": 8,
    "answers": {},
    "rating": {
        "base": {"A": 0, "B": 1, "C": 1, "D": 6, "unreadable": 0, "acceptable": {**FIGURE, "value": 12.5}},
        "seeds": {"A": 3, "B": 2, "C": 2, "D": 1, "unreadable": 2, "acceptable": FIGURE},
    },
    "pairwise": {
        "against": "base",
        "systems": {
            "seeds": {
                **{"wins": 4, "losses": 1, "ties": 3, "flips": 2, "unreadable": 0},
                "win_rate": {**FIGURE, "value": 68.75},
                "length_controlled": None,
                "length_note": "of equal length",
                "verdict": "worse",
            }
        },
    },
    "bias": {
        "first": {**FIGURE, "value": 81.3},
        "longer": {**FIGURE, "value": 50.0},
        "warnings": ["It prefers the first."],
    },
    "comparisons": [PAIR],
    "calibration": {
        "intervals": {"kappa": [0.2, 0.625]},
        "note": "few of them",
        "n": 40,
        "kappa": 0.41,
        "spearman": 0.66,
        "accuracy": None,
        "by_grade": {},
    },
}
PEOPLE: dict[str, Any] = {
    "set": "user_oriented",
    "raters": ["ann", f"bob {ATTACK}"],
    "num_items": 16,
    "answers": {},
    "systems": {"seeds": {"A": 4, "B": 4, "C": 0, "D": 0, "n": 8, "acceptable": {**FIGURE, "value": 100.0}}},
    "comparisons": [{**PAIR, "value": 37.5, "verdict": "better", "p_adjusted": 0.01}],
    "agreement": {
        "intervals": {"kappa": None, "spearman": [0.5, 0.91]},
        "kappa": 0.52,
        "weighted_kappa": 0.6,
        "alpha": None,
        "spearman": 0.77,
        "num_double": 12,
        "pairs": [],
    },
    "disagreements": [
        {"item": "1", "system": "seeds", "instruction": f"Do {ATTACK}", "grades": {"ann": "A", f"bob {ATTACK}": "D"}}
    ],
    "comments": [{"item": "1", "rater": "ann", "text": f"Odd {ATTACK}"}],
}
EXAMPLES = [Example(str(i), str(i), "app", "Do it.", "", ("x",)) for i in range(8)]
ANSWERS = {"base": ["y"] * 8, "seeds": ["x"] * 8}
NOW = {system: fingerprint_answers(EXAMPLES, texts) for system, texts in ANSWERS.items()}


@pytest.fixture
def config(tmp_path: Path) -> Config:
    (tmp_path / "eval").mkdir()
    return replace(Config(), run_dir=str(tmp_path))


def write(config: Config, **files: Any) -> None:
    for name, content in files.items():
        (Path(config.run_dir) / "eval" / f"{name}.json").write_text(json.dumps(content))


def report(config: Config) -> list[str]:
    evaluation = evaluate_predictions(ExampleSet("user_oriented", "here", EXAMPLES), ANSWERS, 1, 20)
    return [path.read_text() for path in write_report(config, [evaluation])]


def test_the_judge_s_grades_pairs_and_bias_are_shown(config: Config):
    write(config, judge=JUDGE)
    html, markdown, data = report(config)
    for text in (html, markdown):
        for shown in ("referee@v1", "62.5 %", "68.8 %", "81.3 %", "It prefers the first."):
            assert shown in text, shown
    assert "verdicts on pairs are for the answer shown first" in html
    assert 'aria-label="A 38 %, B 25 %, C 25 %, D 12 %"' in html  # of the 8 that could be read
    assert "and 2 unreadable" in html and "4 · 3 · 1" in html
    assert "| Cohen's kappa, A to D | 0.41 [0.20, 0.62] | 0.58 |" in markdown
    assert "| Spearman's rho | 0.66 | 0.81 |" in markdown and "Few of them." in markdown
    assert '<b>0.41</b> <span class="range">0.20 to 0.62</span>' in html and "Few of them." in html
    pair = "Tuned on seeds over Base | +25.0 [-5.5, 50.0] | cannot be told apart | 0.12 | 31.4 |"
    assert "| paired difference | acceptable, points |" in markdown and pair in markdown
    assert "The pair of models" in html and '<b>+25.0</b> <span class="range">−5.5 to +50.0</span>' in html  # noqa: RUF001
    assert "- prompt for rating, sha256 abababababababab: Grade it. &lt;/script&gt;" in markdown
    assert "Grade it. &lt;/script&gt;" in html and "<script>alert" not in html
    assert "| Tuned on seeds | 3 (38 %) | 2 (25 %) | 2 (25 %) | 1 (12 %) | 62.5 % [30.0, 86.0] |" in markdown
    assert "| Tuned on seeds | 4 | 3 | 1 | 2 | 68.8 % [30.0, 86.0] | worse | of equal length |" in markdown
    assert json.loads(data)["judge"]["grades"][0]["levels"][3] == ["D", 6, 75.0]


def test_how_often_judge_and_people_agree_has_its_interval_on_both_pages(config: Config):
    known = JUDGE["calibration"] | {"accuracy": 85.0, "intervals": {"accuracy": [70.1, 92.9]}}
    write(config, judge=JUDGE | {"calibration": known})
    html, markdown, _ = report(config)
    assert "In 85.0 % (70.1 to 92.9) judge and people agree" in html
    assert "In 85.0 % [70.1, 92.9] judge and people agree" in markdown


def test_people_s_grades_and_agreement_are_shown_beside_the_paper_s(config: Config):
    write(config, people=PEOPLE)
    html, markdown, data = report(config)
    assert "graded answers to 16 of the user-oriented tasks" in html  # 16 examples, not answers
    assert "2 raters" in html and 'aria-label="A 50 %, B 50 %, C 0 %, D 0 %"' in html
    assert "| Cohen's kappa, A to D | 0.52 | 0.58 |" in markdown
    assert "| Cohen's kappa, weighted | 0.60 |  |" in markdown
    assert "| Spearman's rho | 0.77 [0.50, 0.91] | 0.81 |" in markdown
    assert "| +37.5 [-5.5, 50.0] | better | 0.010 |" in markdown and "<b>+37.5</b>" in html
    assert "- Do &lt;/script&gt;" in markdown and "ann A, bob &lt;" in markdown and "ann on 1: Odd" in markdown
    assert "alpha" not in markdown
    assert (
        "Do &lt;/script&gt;" in html
        and "Odd &lt;/script&gt;" in html
        and "<script>alert" not in html
        and "<script>" not in markdown
    )
    assert json.loads(data)["people"]["num_double"] == 12


def test_where_nobody_graded_one_line_says_how(config: Config):
    html, markdown, data = report(config)
    for text in (html, markdown):
        assert "selfinstruct judge" in text and "selfinstruct annotate" in text and "kappa" not in text.lower()
    assert json.loads(data)["judge"] is None


@pytest.mark.parametrize("name", ["judge", "people"])
def test_a_file_of_another_shape_is_refused_in_one_line(config: Config, name: str):
    write(config, **{name: {"set": "tasks"}})
    with pytest.raises(ValueError, match=rf"{name}\.json: not as `selfinstruct (judge|annotate)` writes it"):
        (read_judge if name == "judge" else read_people)(config.run_dir, {})


@pytest.mark.parametrize(
    "graded",
    [
        {"set": "user_oriented", "answers": {"base": NOW["base"], "seeds": "of another time"}},
        {"set": "tasks", "answers": {"seeds": NOW["seeds"]}},
        {"set": "user_oriented", "answers": {"base": NOW["base"], "gone": "since removed"}},
    ],
    ids=["older answers", "a set that the report has not", "a system that is no more"],
)
def test_grades_of_other_answers_than_the_scored_ones_are_called_so(config: Config, graded: dict[str, Any]):
    other = [name for name, mark in graded["answers"].items() if graded["set"] == "tasks" or mark != NOW.get(name)]
    assert other
    write(config, judge=JUDGE | graded, people=PEOPLE | graded)
    html, markdown, data = report(config)
    named = ", ".join({"seeds": "Tuned on seeds"}.get(name, name) for name in other)
    assert html.count(f"These grades are of other answers than those scored above: {named}.") == 2
    assert markdown.count(f"graded other answers than those scored above of {named}") == 2
    assert [json.loads(data)[who]["outdated"] for who in ("judge", "people")] == [other, other]


def test_grades_of_the_scored_answers_get_no_warning(config: Config):
    write(config, judge=JUDGE | {"answers": NOW}, people=PEOPLE | {"answers": NOW})
    assert not any("other answers" in text for text in report(config))
