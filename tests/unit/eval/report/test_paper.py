"""Every table and figure of the paper: its numbers as they stand there, ours beside them, and what is missing."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from statistics import fmean

import pytest

from selfinstruct_eval.report.paper import as_text, command_words, paper_items, write_paper
from selfinstruct_eval.report.paper_data import nearest
from selfinstruct_train.config import Config, EvalConfig, ExperimentConfig, GenerateConfig
from selfinstruct_train.core import paper_numbers
from selfinstruct_train.core.records import Row, Sampling
from selfinstruct_train.core.rouge import rouge_words
from selfinstruct_train.core.storage import sha256_of
from selfinstruct_train.dataset.rows import write_rows
from tests.support.cli import run_cli

# in the order of the paper's text; sections without a number of their own stand where their appendix stands
PLACES = [
    "Figure 1", "Figure 2", "Table 1", "Figure 3", "Figure 4", "Figure 5", "Table 2", "Table 3", "Figure 6", "Figure 7",
    "Figure 8 (A.1)", "Table 4", "Appendix A.2, A.3", "Tables 5 to 8", "Figure 9", "Appendix B.2", "Table 9",
    "Tables 10, 11",
]  # fmt: skip


def config(run_dir: Path, **evaluation) -> Config:
    settings = EvalConfig(tasks="builtin:tiny", **{"user_oriented": "builtin:tiny", **evaluation})
    generate = GenerateConfig(seed_tasks="builtin:tiny", templates="builtin:tiny")
    return replace(Config(), run_dir=str(run_dir), generate=generate, eval=settings)


def put(root: Path, name: str, value) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value), encoding="utf-8")


def score(system: str, value: float, metric: str = "rougeL", kind: str = "overall", against: str | None = None) -> dict:
    ends = {"low": value - 1, "high": value + 1.5, "n": 100, "group": "all", "num_tasks": 4}
    return {"system": system, "against": against, "kind": kind, "metric": metric, "value": value, **ends}


def scores(*rows: dict, num_tasks: int = 4, source: str = "builtin:tiny", **more) -> list[dict]:
    sizes = {"num_examples": 25 * num_tasks, "num_tasks": num_tasks}
    return [{"set": "tasks", "source": source, **sizes, **more, "scores": list(rows)}]


def official(**more) -> list[dict]:
    asked = {"prompt": {"num_positive_examples": 0}, "rouge_tokenizer": None, "split": "default"}
    sizes = {"num_tasks": 119, "num_examples": 11_900}
    return scores(score("base", 1.0), **{"source": "data/natural-instructions", **asked, **sizes, **more})


def share(value: float) -> dict:
    return {"value": value, "low": value - 10, "high": value + 10, "n": 20}


@pytest.fixture
def full(tmp_path: Path) -> Path:
    """A run of which everything is there, by hand."""
    root = tmp_path / "full"
    rows = [
        Row("s-0", "Say hi.", "", "hi", False, "seed", "s", "", "", (), ""),
        Row("a-0", "Name a big animal.", "in the sea", "whale", False, "generated", "a", "", "", (), "stop"),
        Row("a-1", "Name a big animal.", "", "elephant", False, "generated", "a", "", "", (), "stop"),
        Row("b-0", "Write one", "", "one two three", False, "generated", "b", "", "", (), "stop"),
    ]
    write_rows(root / "dataset", rows)
    (root / "dataset/README.md").write_text("card")
    (root / "report.html").write_text("report")
    (root / "candidates").mkdir()
    put(root, "funnel.json", {"instructions": {"num_requests": 3, "verdicts": {"kept": 2, "too_similar": 6}}})
    counts = {"num_instructions": 2, "num_classification_instructions": 0, "num_other_instructions": 2}
    means = {"mean_instruction_words": 3.0, "mean_nonempty_input_words": 3.0, "mean_output_words": 1.67}
    instances = {"num_instances": 3, "num_instances_with_empty_input": 2}
    put(root, "statistics.json", {"generated": counts | instances | means})
    put(root, "verb_noun.json", {"num_instructions": 8, "num_with_pair": 3, "num_drawn": 2, "verbs": []})
    (root / "nearest_seed.jsonl").write_text('{"rouge_l": 0.2}\n{"rouge_l": 0.5}\n')
    percent = {"valid_task": 90.0, "input_appropriate": 80.0, "output_correct": 70.0, "all": 60.0}
    put(root, "review.json", {"n": 50, "reviewer": "the world", "percent": percent, "interval": {"all": [50.0, 70.0]}})
    put(root, "review-people.json", {"n": 20, "reviewer": "people", "percent": percent})
    own = [score("base", 1.0), score("base, cut", 2.0), score("seeds", 43.0), score("seeds+generated", 47.0)]
    others = [score("base", 9.0, "rouge1"), score("base", 9.0, kind="task"), score("seeds", 42.0, against="base")]
    put(root, "eval/scores.json", scores(*others, *own))
    arms = [score("base", 1.0), score("superni", 30.0), score("t0", 20.0), score("superni+generated", 50.0)]
    put(root, "baselines/eval/scores.json", scores(*arms, score("seeds alone", 43.0)))
    distilled = scores(score("own outputs", 47.0), score("relabelled outputs", 48.0))
    put(root, "distill/eval/scores.json", distilled)
    points = [
        {"instructions": n, "instances": n, "name": f"{n} instructions", "value": v, "low": v - 1, "high": v + 1.5}
        for n, v in ((40, 40.0), (80, 44.0), (160, 45.0))
    ]
    plateau = {"num_instructions": 80, "words": "From 80 on."}
    put(
        root, "scale/curve.json", {"metric": "rougeL", "sets": [{"set": "tasks", "points": points, "plateau": plateau}]}
    )
    grades = {"A": 10, "B": 5, "C": 3, "D": 2}
    agreement = {
        "kappa": 0.5,
        "weighted_kappa": 0.6,
        "acceptable_kappa": None,
        "alpha": 0.4,
        "spearman": 0.7,
        "num_double": 9,
        "intervals": {"kappa": [0.312, 0.64], "spearman": None},
    }
    rated = {"seeds+generated": {**grades, "n": 20, "acceptable": share(75.0)}}
    people = {"set": "user_oriented", "raters": ["a", "b"], "num_items": 20, "systems": rated, "agreement": agreement}
    put(root, "eval/people.json", people)
    judged = {"seeds": {**grades, "unreadable": 0, "acceptable": share(75.0)}}
    judge = {"lm": "a judge@1", "set": "user_oriented", "num_examples": 52, "rating": judged}
    put(root, "eval/judge.json", judge)
    return root


def lines(items, place: str) -> dict[str, tuple[str, str]]:
    item = next(item for item in items if item.place == place)
    return {line.what: (line.paper, line.ours) for line in item.lines}


def test_an_empty_run_has_every_table_and_figure_and_the_command_for_each(tmp_path):
    items = paper_items(config(tmp_path / "none"), "mine")
    assert [item.place for item in items] == PLACES
    missing = {item.place: item.missing for item in items}
    assert missing["Table 1"] == ("selfinstruct generate mine",)
    assert missing["Figure 3"] == ("selfinstruct describe mine",)
    assert missing["Table 2"] == ("selfinstruct annotate mine --annotate.job data",)
    assert missing["Table 3"][0] == "selfinstruct eval mine"
    assert missing["Figure 6"] == ("selfinstruct annotate mine", "selfinstruct judge mine")
    assert missing["Figure 7"][0] == "selfinstruct scale mine"
    assert missing["Figure 7"][2] == "selfinstruct distill mine"
    assert not any(ours for what, (_, ours) in lines(items, "Table 1").items())
    text = as_text(items, width=100)
    assert all(f"{place}  " in text for place in PLACES)


def test_the_papers_numbers_stand_as_in_the_paper(tmp_path):
    items = paper_items(config(tmp_path / "none"))

    def theirs(place: str) -> list[str]:
        return [line[0] for line in lines(items, place).values()]

    assert theirs("Table 1") == ["52,445", "11,584", "40,861", "82,439", "35,878", "15.9", "12.7", "18.9"]
    assert theirs("Table 2") == ["92", "79", "58", "54"]
    assert theirs("Table 3") == ["25.7", "6.8", "33.1", "37.9", "39.9", "40.8", "46.0", "49.5", "51.6"]
    assert theirs("Appendix B.2") == ["0.58", "0.75", "0.81"]
    assert theirs("Figure 3")[0] == "26,559 of 52,445 (50.6%)"
    assert theirs("Figure 8 (A.1)")[:2] == ["0.21", "0.34"]
    assert lines(items, "Figure 6")["GPT3-SelfInst"][0] == "A 112, B 49, C 66, D 25; 63.9% acceptable"
    assert theirs("Appendix A.2, A.3")[-2:] == ["about 600 USD", "338 USD"]
    assert "temperature 0.7, top-p 0.5, presence penalty 2, at most 1024 tokens" in theirs("Table 4")[0]


def test_a_frequency_penalty_which_the_paper_does_not_have_is_shown(tmp_path):
    there = config(tmp_path, sampling=Sampling(frequency_penalty=0.5))
    theirs, ours = lines(paper_items(there), "Table 4")["Evaluating models"]
    assert "frequency" not in theirs
    assert ours == "temperature 0, top-p 1, presence penalty 0, frequency penalty 0.5, at most 128 tokens, stop none"


def test_each_system_of_figure_6_has_252_grades():
    assert {name: sum(counts) for name, counts in paper_numbers.PEOPLE.items()} == dict.fromkeys(
        paper_numbers.PEOPLE, 252
    )
    # figure 7's largest size is figure 6's system: 112 of 252 rated A
    assert round(100 * paper_numbers.PEOPLE["GPT3-SelfInst"][0] / 252, 1) == paper_numbers.SIZE_ALL


def test_a_full_run_stands_beside_the_paper(full):
    items = paper_items(config(full))
    assert [item.place for item in items if item.missing] == ["Appendix A.2, A.3"]  # it has no journal
    assert lines(items, "Figure 2")["Candidates that became instructions"] == ("", "2 of 8")
    assert lines(items, "Table 1")["Mean words of an output"] == ("18.9", "1.7")
    assert lines(items, "Figure 3")["With a root verb and its object"][1] == "3 of 8 (37.5%)"
    assert (
        lines(items, "Figure 4")["ROUGE-L to the nearest seed"][1]
        == "mean 0.35, median 0.35, largest 0.50; 50% below 0.3"
    )
    assert lines(items, "Figure 5") == {
        "Instructions, words": ("a picture", "median 3, 95 % at most 4, longest 4"),
        "Non-empty inputs, words": ("a picture", "median 3, 95 % at most 3, longest 3"),
        "Outputs, words": ("a picture", "median 1, 95 % at most 3, longest 3"),
    }
    assert lines(items, "Table 2")["All three, percent"] == ("54", "60.0 [50.0, 70.0] / 60.0")


def test_a_review_of_data_that_were_made_again_since_is_left_out(full):
    review = json.loads((full / "review.json").read_text())
    put(full, "review.json", review | {"dataset_sha256": "0" * 64})
    items = paper_items(config(full))
    assert lines(items, "Table 2")["All three, percent"] == ("54", "60.0")
    put(full, "review.json", review | {"dataset_sha256": sha256_of(full / "dataset/train.parquet")})
    assert lines(paper_items(config(full)), "Table 2")["All three, percent"] == ("54", "60.0 [50.0, 70.0] / 60.0")


def test_table_3_has_the_runs_own_systems_and_its_baselines(full):
    items = paper_items(config(full))
    assert lines(items, "Table 3") == {
        "T5-LM (11B)": ("25.7", "an encoder-decoder, not run here"),
        "GPT3 (175B)": ("6.8", "1.0 [0.0, 2.5] (base)"),
        "T0 (11B)": ("33.1", "an encoder-decoder, not run here"),
        "GPT3+T0 (175B)": ("37.9", "20.0 [19.0, 21.5] (baseline t0)"),
        "GPT3-SelfInst (175B)": ("39.9", "47.0 [46.0, 48.5] (seeds+generated)"),
        "InstructGPT-001 (175B)": ("40.8", "served no more"),
        "Tk-Instruct (11B)": ("46.0", "an encoder-decoder, not run here"),
        "GPT3+SuperNI (175B)": ("49.5", "30.0 [29.0, 31.5] (baseline superni)"),
        "GPT3-SelfInst+SuperNI (175B)": ("51.6", "50.0 [49.0, 51.5] (baseline superni+generated)"),
        "ours: base, cut": ("", "2.0 [1.0, 3.5]"),
        "ours: seeds": ("", "43.0 [42.0, 44.5]"),
        "baseline seeds alone": ("", "43.0 [42.0, 44.5]"),
    }


def test_the_commands_for_the_baselines_name_the_folders_of_the_runs_settings(tmp_path):
    def commands(**datasets: str) -> tuple[str, ...]:
        there = replace(config(tmp_path), experiment=ExperimentConfig(datasets=datasets))
        return next(item.missing for item in paper_items(there) if item.place == "Table 3")[1:]

    _, superni, both, train = commands(superni="mine/ni", other="o")
    assert superni == "selfinstruct convert superni builtin:tiny --out mine/ni"
    assert both == f"selfinstruct merge {tmp_path} superni=mine/ni --out data/superni+generated"
    folders = "t0: data/t0, superni: mine/ni, superni+generated: data/superni+generated/dataset, other: o"
    assert train == f"selfinstruct baselines CONFIG --experiment.datasets '{{{folders}}}'"
    assert commands(**{"t0": "a", "superni": "b", "superni+generated": "c/dataset"})[2:] == (
        f"selfinstruct merge {tmp_path} superni=b --out c",
        "selfinstruct baselines CONFIG",
    )


def test_scores_on_other_tasks_are_marked_and_on_the_119_are_not(full):
    def note() -> str:
        return next(item.note for item in paper_items(config(full)) if item.place == "Table 3")

    assert "OTHER TASKS AND OTHER INSTANCES THAN THE PAPER'S" in note()
    assert "4 tasks of builtin:tiny, n = 100" in note()
    put(full, "eval/scores.json", official())
    assert "THAN THE PAPER'S" not in note()


PROMPT = {"num_positive_examples": 0}


@pytest.mark.parametrize(
    ("scored", "said"),
    [
        ({"split": "xlingual"}, "OTHER TASKS THAN"),
        ({"num_examples": 1_190}, "OTHER INSTANCES THAN"),
        ({"prompt": {**PROMPT, "encoding": "tk_instruct"}}, "OTHER PROMPTS THAN"),
        ({"prompt": {"num_positive_examples": 2}, "num_examples": 9}, "OTHER INSTANCES AND OTHER PROMPTS THAN"),
        ({"rouge_tokenizer": "gpt2"}, "OTHER WORDS OF ROUGE THAN"),
    ],
)
def test_scores_of_another_evaluation_are_marked_by_what_was_scored_and_not_as_it_is_set_now(full, scored, said):
    def note(**setting) -> str:
        return next(item.note for item in paper_items(config(full, **setting)) if item.place == "Table 3")

    put(full, "eval/scores.json", official(**scored))
    assert f"intervals. {said} THE PAPER'S" in note()
    put(full, "eval/scores.json", official())
    now = {"split": "xlingual", "max_instances_per_task": 10, "encoding": "tk_instruct", "rouge_tokenizer": "gpt2"}
    assert "THAN THE PAPER'S" not in note(**now)


def test_ratings_and_curve_stand_beside_theirs(full):
    items = paper_items(config(full))
    ratings = lines(items, "Figure 6")
    assert ratings["GPT3-SelfInst"][1] == "people: A 10, B 5, C 3, D 2; 75.0% [65.0, 85.0] acceptable"
    assert ratings["ours: seeds"] == ("", "judge: A 10, B 5, C 3, D 2; 75.0% [65.0, 85.0] acceptable")
    assert lines(items, "Appendix B.2")["Cohen's kappa, A to D"] == ("0.58", "0.50 [0.31, 0.64]")
    assert lines(items, "Appendix B.2")["Spearman's rho"] == ("0.81", "0.70")
    assert lines(items, "Appendix B.2")["Cohen's kappa, acceptable (A, B) or not"] == ("0.75", "")
    assert lines(items, "Figure 7") == {
        "Seeds alone": ("31.0% rated A (175)", "40.0 [39.0, 41.5] (40)"),
        "All data": ("44.4% rated A (52,445)", "45.0 [44.0, 46.5] (160)"),
        "ours: 80 instructions": ("", "44.0 [43.0, 45.5] (80)"),
        "Almost flat from": ("16K", "80"),
        "Outputs by a better model": ("54.4% rated A", "48.0 [47.0, 49.5]"),
        "The same data with its own outputs": ("44.4% rated A", "47.0 [46.0, 48.5]"),
    }


def test_grades_of_answers_that_were_given_anew_since_are_marked(full):
    def note(scored: str) -> str:
        systems = {"seeds": {"answers": scored}, "base": {"answers": "b"}}
        now = [{**one, "systems": systems} for one in scores(score("seeds", 1.0))]
        put(full, "eval/scores.json", now)
        return next(item.note for item in paper_items(config(full)) if item.place == "Figure 6")

    judge = json.loads((full / "eval/judge.json").read_text())
    put(full, "eval/judge.json", {**judge, "set": "tasks", "answers": {"seeds": "old", "base": "b"}})
    assert "OF OTHER ANSWERS than those scored now: seeds." in note(scored="new")
    assert "OTHER ANSWERS" not in note(scored="old")


def test_graded_answers_of_a_published_system_stand_in_its_own_row(full):
    grades = {"A": 1, "B": 0, "C": 0, "D": 1}
    rating = dict.fromkeys(("base", "seeds+generated", "GPT3-SelfInst", "InstructGPT-001"), grades)
    put(full, "eval/judge.json", {"lm": "j", "set": "user_oriented", "num_examples": 2, "rating": rating})
    (full / "eval/people.json").unlink()
    items = paper_items(config(full))
    ours = {what: ours for what, (_, ours) in lines(items, "Figure 6").items() if ours}
    names = ["GPT3", "GPT3-SelfInst", "InstructGPT-001", "ours: seeds+generated"]
    assert ours == dict.fromkeys(names, "judge: A 1, B 0, C 0, D 1")
    assert "In the row of GPT3: base." in next(item.note for item in items if item.place == "Figure 6")


def test_seeds_are_compared_as_the_paper_did():
    # "name a cat" and "name a dog today": 2 of 3 and 4 words in common, so 2 * 2 / 7
    assert nearest(["Name a cat."], ["Sing!", "Name a dog today."]) == [pytest.approx(4 / 7)]
    assert nearest(["Name a cat."], []) == [0.0]


def test_the_papers_similarity_of_the_seeds_to_the_252_is_found_again(shared_data):
    def instructions(name: str) -> list[str]:
        text = (shared_data / "official" / name).read_text(encoding="utf-8")
        return [json.loads(line)["instruction"] for line in text.splitlines()]

    seeds, tasks = instructions("seed_tasks.jsonl"), instructions("human_eval/user_oriented_instructions.jsonl")
    values = nearest(seeds, tasks)
    assert (len(seeds), len(tasks), round(fmean(values), 2)) == (175, 252, 0.34)
    same = [seed for seed in seeds if rouge_words(seed) in [rouge_words(task) for task in tasks]]
    assert same == ["Answer the following question."]


def test_worked_examples_of_a_prompt_do_not_count_as_instructions(tmp_path):
    plain, shown = (
        lines(paper_items(config(tmp_path, num_positive_examples=number)), "Figure 8 (A.1)") for number in (0, 2)
    )
    assert plain == shown


def test_official_seeds_and_tasks_of_a_run_give_the_papers_row(shared_data, tmp_path):
    official = shared_data / "official"
    there = config(tmp_path, user_oriented=str(official / "human_eval/user_oriented_instructions.jsonl"))
    there = replace(there, generate=GenerateConfig(seed_tasks=str(official / "seed_tasks.jsonl")))
    found = lines(paper_items(there), "Figure 8 (A.1)")
    assert found["User-oriented tasks: mean ROUGE-L of a seed to the nearest"] == ("0.34", "0.34")
    assert found["User-oriented tasks: identical instructions"][1] == "1 ('Answer the following question.')"


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("eval/scores.json", "{", "eval/scores.json: not JSON"),
        ("eval/people.json", '{"systems": 3}', "eval/people.json or .*eval/judge.json: not what this project writes"),
        ("scale/curve.json", "[]", "scale/curve.json or .*distill/eval/scores.json: not what this project writes"),
        ("dataset/train.parquet", "x", "dataset/train.parquet: cannot be read as parquet"),
        ("nearest_seed.jsonl", "{}", "nearest_seed.jsonl: not what this project writes"),
        ("nearest_seed.jsonl", '{"rouge_l": "x"}', "nearest_seed.jsonl: not what this project writes"),
        ("review-people.json", '{"n": 3}', 'review-people.json: a review holds "n" and "percent"'),
        ("review.json", '{"n": 3, "percent": {}}', "review.json or .*review-people.json: not what this project writes"),
    ],
)
def test_a_broken_file_is_one_line(full, name, content, said):
    (full / name).write_text(content)
    with pytest.raises(ValueError, match=said) as raised:
        paper_items(config(full))
    assert "\n" not in str(raised.value)


def test_text_html_markdown_and_json_have_every_line_and_escape_it(full, tmp_path):
    put(full, "eval/scores.json", scores(score("base", 1.0), score("<script>alert(1)</script>|x", 2.0)))
    items = paper_items(config(full))
    markdown, html, data = (path.read_text(encoding="utf-8") for path in write_paper(config(full), items))
    assert "<script" not in html.split("</style>")[1]
    assert "&lt;script&gt;alert(1)&lt;/script&gt;|x" in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;\\|x" in markdown
    assert [item["place"] for item in json.loads(data)["items"]] == PLACES
    assert html.count("<tr><td>") == markdown.count("\n| ") - len(PLACES) == sum(len(item.lines) for item in items)
    assert "http" not in html.replace("http-equiv", "")


def test_a_command_carries_the_runs_settings():
    assert command_words("configs/gpu.yaml", []) == "gpu"
    assert command_words("my/gpu.yaml", ["--seed", "7"]) == "my/gpu.yaml --seed 7"
    assert command_words("configs/gpu.yaml", ["--eval.models", "{a: b}"]) == "gpu --eval.models '{a: b}'"
    items = paper_items(config(Path("nowhere")), "gpu --seed 7")
    assert next(i for i in items if i.place == "Table 2").missing == (
        "selfinstruct annotate gpu --seed 7 --annotate.job data",
    )


def test_the_command_prints_every_place_and_the_files(full, tmp_path):
    run = tmp_path / "copy"
    shutil.copytree(full, run)
    command = ["paper", "tiny", "--run_dir", run]
    done = run_cli(*command)
    assert done.returncode == 0, done.stderr
    assert [line.partition("  ")[0] for line in done.stdout.splitlines() if line.partition("  ")[0] in PLACES] == PLACES
    assert done.stdout.splitlines()[-3:] == [str(run / f"paper.{suffix}") for suffix in ("md", "html", "json")]
    (run / "eval/scores.json").write_text("{")
    refused = run_cli(*command)
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
