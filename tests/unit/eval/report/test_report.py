import base64
import hashlib
import json
import re
from dataclasses import replace
from html import unescape
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from selfinstruct_eval.examples import Example, ExampleSet
from selfinstruct_eval.report.report import write_report
from selfinstruct_eval.report.templates import signed
from selfinstruct_eval.scores import Evaluation, evaluate_predictions
from selfinstruct_train.config import Config, EvalConfig
from selfinstruct_train.core.records import Sampling
from tests.support.paths import ROOT

ATTACK = "<script>alert(1)</script> | **bold**"


def evaluate(
    name: str = "tasks", systems: tuple[str, ...] = ("base", "base, cut", "seeds", "seeds+generated")
) -> Evaluation:
    examples, predictions = [], {system: [] for system in systems}
    for task in range(6):
        for i in range(3):
            distance = "" if name != "tasks" else "near" if task % 2 else "far"
            one = Example(f"{task}-{i}", f"task{task}", f"kind {task // 2}", "Name it.", ATTACK, ("red cow",), distance)
            examples.append(one)
            for rank, system in enumerate(systems):
                predictions[system].append("red cow" if i < rank else f"{ATTACK}\n\nand on")
    return evaluate_predictions(ExampleSet(name, "here", examples), predictions, seed=1, bootstrap_samples=50)


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(run_dir=str(tmp_path / "demo"), eval=EvalConfig(user_oriented="user.jsonl"))


def fill(run: Path) -> None:
    run.mkdir(parents=True)
    kept = {"num_requests": 9, "num_candidates": 10, "verdicts": {"kept": 4, "too_similar": 6}}
    (run / "funnel.json").write_text(json.dumps({"instructions": kept}))
    (run / "statistics.json").write_text(
        json.dumps(
            {"generated": {"num_instructions": 1234, "mean_output_words": 6.14}, "seed": {"num_instructions": 9}}
        )
    )
    (run / "review.json").write_text(
        json.dumps(
            {
                "n": 321,
                "reviewer": "the world",
                "percent": {"valid_task": 81.0, "all": 55.0},
                "interval": {"all": [50, 61]},
            }
        )
    )
    (run / "dataset").mkdir()
    rows = [
        {"instruction": "Sing a song.", "input": "", "output": ATTACK, "source": "generated"},
        {"instruction": "A seed.", "input": "", "output": "x", "source": "seed"},
    ]
    pq.write_table(pa.Table.from_pylist(rows), run / "dataset" / "train.parquet")
    (run / "model" / "seeds").mkdir(parents=True)
    log = [{"step": 1, "loss": 3.0}, {"step": 9, "loss": 1.5}, {"step": 9, "train_runtime": 1.0}]
    log += [
        {"step": 4, "eval_loss": 0.4567, "eval_rouge_l": 44.44},
        {"step": 9, "eval_loss": 0.9, "eval_rouge_l": 50.0},
    ]
    (run / "model" / "seeds" / "log_history.json").write_text(json.dumps(log))
    figures = {
        "questions": 47,
        "stop_rate": 0.979,
        "stop_rate_interval": [0.889, 0.996],
        "repetition_rate": 0.0,
        "mean_tokens": 12.3,
    }
    (run / "model" / "seeds" / "verification.json").write_text(json.dumps({"passed": True, "figures": figures}))
    (run / "model" / "seeds+generated").mkdir()
    broken = {"passed": False, "figures": {}}
    (run / "model" / "seeds+generated" / "verification.json").write_text(json.dumps(broken))


def test_the_page_shows_everything_the_run_left(config: Config):
    fill(Path(config.run_dir))
    paths = write_report(config, [evaluate(), evaluate("user_oriented")])
    html, markdown = paths[0].read_text(), paths[1].read_text()
    assert [path.name for path in paths] == ["report.html", "report.md", "report.json"]
    for text in (html, markdown):
        for shown in ("Tuned on seeds + generated", "Base, cut", "too similar", "1,234", "52,445", "kind 2", "task5"):
            assert shown.lower() in text.lower(), shown
        assert "321" in text and "81 %" in text and "92 %" in text and "54 %" in text
        assert "by the world" in text and "55 %" in text and "61" in text
        assert "the loss was least at step 4, 0.457, with ROUGE-L 44.4" in text
        assert "asked 47 questions, 98 % [89, 100] of its answers end by themselves" in text
        assert "verification passed" in text
        assert "seeds + generated: read back from disk; verification not passed" in text
        assert "6.1" in text and "18.9" in text
        assert "Sing a song." in text and "A seed." not in text
        assert "loss 3.00 to 1.50 in 9 steps" in text
        assert "User-oriented tasks" in text and "Near" in text and "Far" in text
    assert "<polyline" in html
    assert json.loads(paths[2].read_text())["rows"] == [{"instruction": "Sing a song.", "input": "", "output": ATTACK}]


def test_the_page_is_self_contained_and_escapes_what_models_wrote(config: Config):
    fill(Path(config.run_dir))
    html_path, markdown_path, _ = write_report(config, [evaluate()])
    html, markdown = html_path.read_text(), markdown_path.read_text()
    assert html.count("<script") == 2 and "<script>alert" not in html and "&lt;script&gt;" in html
    assert not any(loads in html for loads in ('="http', "='http", "<link", "url(", "@import"))
    assert "<script" not in markdown and "\\| \\*\\*bold" in markdown
    assert "prefers-color-scheme: dark" in html and 'name="viewport"' in html


def test_nothing_in_a_text_can_end_the_data_of_the_script_or_run(config: Config):
    evil = "</script><script>alert(1)</script>\u2028<!-- <script> & '"
    examples = [Example("a", f"task {evil}", evil, evil, evil, (evil,)), Example("b", "t", "c", "d", "", ("x",))]
    e = evaluate_predictions(ExampleSet("tasks", "here", examples), {"base": [evil, "x"]}, 1, 20)
    html = write_report(config, [e])[0].read_text()
    data = re.search(r'<script type="application/json" id="samples-data">(.*?)</script>', html, re.S)
    assert data and "<" not in data[1]
    shown = next(s for s in json.loads(data[1])["samples"] if s["input"])
    assert shown["instruction"] == shown["reference"] == shown["answers"][0][1] == evil
    assert html.count("<script") == 2 == html.count("</script>")


def test_only_the_page_s_own_script_may_run_and_nothing_is_loaded(config: Config):
    html = write_report(config, [evaluate()])[0].read_text()
    script = re.findall(r"<script>(.*?)</script>", html, re.S)
    digest = base64.b64encode(hashlib.sha256(script[0].encode()).digest()).decode()
    assert len(script) == 1
    assert f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'" in html


def test_the_data_hold_what_the_page_shows(config: Config):
    fill(Path(config.run_dir))
    data = json.loads(write_report(config, [evaluate(), evaluate("user_oriented")])[2].read_text())
    assert [one["set"] for one in data["sets"]] == ["tasks", "user_oriented"]
    first = data["sets"][0]
    assert first["kinds"] == {"base": "base", "base, cut": "base", "seeds": "trained", "seeds+generated": "trained"}
    assert first["categories"]["task5"] == "kind 2" and len(first["samples"]) == 18
    assert any(s["system"] == "seeds" and s["value"] > 0 for s in first["scores"])
    assert data["statistics"]["num_instructions"] == {"value": 1234, "paper": 52445}
    assert data["funnel"]["instructions"] == {"kept": 4, "too_similar": 6}
    assert data["reviews"][0]["reviewer"] == "the world" and data["losses"]["seeds"] == [[1, 3.0], [9, 1.5]]
    assert data["config"]["eval"]["user_oriented"] == "user.jsonl"
    assert (data["judge"], data["people"], data["costs"]) == (None, None, None)
    assert data["versions"].keys() >= {"rouge-score", "numpy", "scipy", "scikit-learn", "krippendorff"}


def test_people_s_review_stands_beside_another_one(config: Config):
    fill(Path(config.run_dir))
    review = {"n": 200, "reviewer": f"Ann {ATTACK}", "percent": {"valid_task": 91.0}}
    (Path(config.run_dir) / "review-people.json").write_text(json.dumps(review))
    html, markdown = (path.read_text() for path in write_report(config, [evaluate()])[:2])
    for text in (html, markdown):
        assert "by the world" in text and "Ann" in text and "91 %" in text and "81 %" in text
        assert "<script>alert" not in text


def test_what_is_absent_is_not_shown(config: Config):
    html_path, markdown_path, _ = write_report(config, [evaluate(systems=("base", "base, cut"))])
    for text in (html_path.read_text(), markdown_path.read_text()):
        for absent in ("Generated data", "Training", "Review", "52,445", "Gain", "Tuned on", "User-oriented tasks"):
            assert f">{absent}" not in text and f"# {absent}" not in text and f"| {absent}" not in text, absent


def test_the_coverage_told_is_that_of_the_table_in_the_docs(config: Config):
    page = (ROOT / "docs" / "evaluation.md").read_text()
    ends: dict[int, list[float]] = {}
    for tasks, *cells in re.findall(r"^\| (\d+) x \d+ \| ([\d.-]+) \| ([\d.-]+) \| ([\d.-]+) \|", page, re.MULTILINE):
        ends[int(tasks)] = [float(end) for cell in cells for end in cell.split("-")]
    assert list(ends) == [119, 56, 20, 10, 6]
    many = [end for tasks in (119, 56, 20) for end in ends[tasks]]
    told = [f"{min(some):.0f} to {max(some):.0f} times" for some in (many, ends[10], ends[6])]
    html = write_report(config, [evaluate()])[0].read_text()
    assert f"{told[0]} in 100 from twenty tasks on, {told[1]} of ten and {told[2]} of six" in html


def test_the_page_tells_how_its_scores_came_about(config: Config):
    usual = write_report(config, [evaluate()])[0].read_text()
    assert "at most 128 tokens, to tasks of the split default. Prompts in the training template (paper)." in usual
    assert "(F-measure, Porter stemmer)" in usual
    asked = Sampling(stop=("<end>", "\n\n"))
    other = {"split": "xlingual", "encoding": "tk_instruct", "max_prompt_tokens": 1024, "rouge_tokenizer": "gpt2"}
    html = write_report(replace(config, eval=EvalConfig(**other, sampling=asked)), [evaluate()])[0].read_text()
    method = unescape(re.sub("<code>|</code>", "", html))
    assert r"at most 128 tokens or up to '<end>', '\n\n', to tasks of the split xlingual. Prompts in Tk-Inst" in method
    assert "encoding, of at most 1,024 tokens." in method and "(F-measure, tokens of gpt2, no stemmer)" in method
    assert "Porter" not in method


def test_every_score_of_a_table_has_its_interval(config: Config):
    e = evaluate()
    html, markdown = (path.read_text() for path in write_report(config, [e])[:2])
    for kind, group, metric in (
        ("overall", "all", "rouge1"),
        ("category", "kind 2", "rougeL"),
        ("task", "task5", "rougeL"),
    ):
        s = e.find("seeds", metric, kind, group)  # right in two of three examples
        value, low, high = (f"{end:.1f}" for end in (s.value, s.low, s.high))
        assert re.search(rf"{value} <span class=\"range\">{low} to {high}</span>", html)
        assert re.search(rf"^\| (Tuned on seeds|{group}) \|.* {value} \[{low}, {high}\] \|", markdown, re.MULTILINE)
    for part in ("By category", "All 6 tasks"):
        table = html.split(part)[1].split("</table>")[0]
        cells = re.findall(r'<td class="n more".*?</td>', table, re.DOTALL)
        assert len(cells) in (9, 18) and all('<span class="range">' in cell for cell in cells)


def test_an_experiment_is_named_after_its_run(config: Config):
    html, markdown, _ = write_report(replace(config, run_dir=f"{config.run_dir}/scale"), [evaluate()])
    name = f"{Path(config.run_dir).name} / scale"
    assert f"<h1>{name}</h1>" in html.read_text() and f"# {name}: " in markdown.read_text()


def test_the_gain_is_split_into_stopping_and_ability(config: Config):
    # of 3 answers base has 0 right, cut 1, seeds 2, the last 3; a wrong answer scores 0
    html, markdown, _ = (path.read_text() for path in write_report(config, [evaluate()]))
    sentence = (
        "Of the +100.0 points over the base, +33.3 come from cutting the base's answers at their first blank line."
    )
    assert sentence in markdown
    assert "+33.3 by stopping after the answer" in html
    assert "+66.7 by answering better" in html
    assert '<span class="big">+100.0</span>' in html


@pytest.mark.parametrize(("cut", "tuned"), [(15, 9), (0, 9), (15, 0)], ids=["cut leads", "cut loses", "all lose"])
def test_what_cutting_alone_brings_is_told_whatever_it_is(config: Config, cut: int, tuned: int):
    def right(number: int) -> list[str]:
        return ["red cow"] * number + ["x"] * (18 - number)

    answers = {"base": right(3), "base, cut": right(cut), "seeds": right(tuned)}
    e = evaluate_predictions(ExampleSet("tasks", "", evaluate().examples), answers, 1, 50)
    html, markdown, _ = (path.read_text() for path in write_report(config, [e]))
    total, by_cut, rest = (signed(100 * n / 18) for n in (tuned - 3, cut - 3, tuned - cut))
    for text in (html.replace("&#39;", "'"), markdown):
        assert f"Of the {total} points over the base, {by_cut} come from cutting the base's answers" in text
        assert f"Over the base so cut the lead is {rest} (" in text
    assert 'class="split"' not in html


def test_a_gain_that_may_be_chance_is_not_shown_as_one(config: Config):
    cows = [Example(str(i), f"task{i}", "kind", "Name it.", "", ("red cow",)) for i in range(18)]
    better = evaluate_predictions(ExampleSet("tasks", "", cows), {"base": ["x"] * 18, "seeds": ["red cow"] * 18}, 1, 50)
    sure = write_report(config, [better])[0].read_text()
    assert '<div class="gain">' in sure and "more than chance" in sure
    tasks = ExampleSet("tasks", "", evaluate().examples)
    same = evaluate_predictions(tasks, {"base": ["x"] * 18, "seeds": ["x"] * 18}, 1, 50)
    html, markdown, _ = (path.read_text() for path in write_report(config, [same]))
    assert '<div class="gain unsure">' in html and "<b>cannot be told apart</b>" in html
    assert "Tuned on seeds and base cannot be told apart on the test tasks" in markdown


def test_the_same_run_gives_the_same_bytes(config: Config):
    fill(Path(config.run_dir))
    first = [p.read_bytes() for p in write_report(config, [evaluate()])]
    assert [p.read_bytes() for p in write_report(config, [evaluate()])] == first


def test_other_seeds_draw_other_examples(config: Config):
    many = [Example(str(i), f"t{i}", "kind", f"Number {i}.", "", ("x",)) for i in range(200)]
    e = evaluate_predictions(ExampleSet("tasks", "here", many), {"base": ["x"] * 200}, 1, 20)
    pages = [write_report(replace(config, seed=s), [e])[0].read_text() for s in (1, 2)]
    shown = [{i for i in range(200) if f">Number {i}.<" in page} for page in pages]
    assert len(shown[0]) == len(shown[1]) == 10 and shown[0] != shown[1]


def test_a_broken_file_of_the_run_is_named(config: Config):
    Path(config.run_dir).mkdir()
    (Path(config.run_dir) / "review.json").write_text("{")
    with pytest.raises(ValueError, match=r"review.json: not JSON"):
        write_report(config, [evaluate()])
    (Path(config.run_dir) / "review.json").write_text('{"valid_task": 92}')
    with pytest.raises(ValueError, match=r'review.json: a review holds "n" and "percent"'):
        write_report(config, [evaluate()])


def test_a_loss_that_is_no_number_is_null_and_told(config: Config):
    folder = Path(config.run_dir) / "model" / "seeds"
    folder.mkdir(parents=True)
    (folder / "log_history.json").write_text('[{"step": 1, "loss": 3.0}, {"step": 2, "loss": NaN}]')
    html, markdown, data = (path.read_text() for path in write_report(config, [evaluate()]))
    assert json.loads(data, parse_constant=pytest.fail)["losses"]["seeds"] == [[1, 3.0], [2, None]]
    assert all("in 1 steps, no finite number at 1 logged steps" in text for text in (html, markdown))


def test_no_name_can_end_a_line_of_the_markdown(config: Config):
    attack = f"[x](y) {ATTACK} \x85\u2028# head"
    named = replace(config, run_dir=f"{config.run_dir}/[x](y) {ATTACK.replace('/', '')}")
    named = replace(named, model=replace(named.model, path=attack))
    e = evaluate(systems=("base", "base, cut", f"other {attack}"))
    markdown = write_report(named, [replace(e, kinds=e.kinds | {f"other {attack}": "other"})])[1].read_text()
    assert "\\[x\\](y)" in markdown and not re.search(r"(?<!\\)\]\(|<(?!br>)[a-z/]|\x85|\u2028", markdown)
    tables = re.findall(r"(?:^\|.*\n)+", markdown, re.MULTILINE)
    assert len(tables) > 5
    for table in tables:
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}) == 1, table
