"""The desk and its server, over real requests to the application."""

import json
import re
import socket
import stat
import sys

import pytest
from starlette.testclient import TestClient

from selfinstruct_eval.people.desk import Desk
from selfinstruct_eval.people.items import load_work
from selfinstruct_eval.people.server import make_app, serve

TOKEN = "secret"
ANSWERS = {"base": ["no", "same", "<b>"], "seeds": ["yes", "same", "it"]}


@pytest.fixture
def config(configure):
    return configure(ANSWERS)


@pytest.fixture
def client(config):
    app = make_app(Desk(config, load_work(config)), TOKEN)
    return TestClient(app, base_url="http://127.0.0.1:8000", raise_server_exceptions=False)


def save(client, **choice):
    return client.post(f"/{TOKEN}/api/save", json={"rater": "ana", **choice})


@pytest.mark.parametrize(
    "path", ["/", "/wrong/", "/secret2/", "/api/welcome", "/annotate.js", "/wrong/annotate.js", "/sécret/"]
)
def test_without_the_token_everything_is_refused(client, path):
    answer = client.get(path)
    assert answer.status_code == 403
    assert TOKEN not in answer.text


def test_a_save_without_the_token_changes_nothing(client, tmp_path):
    assert client.post("/wrong/api/save", json={"rater": "ana"}).status_code == 403
    assert not list((tmp_path / "run").rglob("ana.jsonl"))


@pytest.mark.parametrize(("host", "status"), [("evil.example", 400), ("evil.example:8000", 400), ("localhost:9", 200)])
def test_a_foreign_host_is_refused(client, host, status):
    assert client.get(f"/{TOKEN}/", headers={"host": host}).status_code == status


def test_the_page_allows_no_script_but_its_own(client):
    answer = client.get(f"/{TOKEN}/")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "script-src 'self';" in policy and "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"
    assert re.findall(r"<script[^>]*>", answer.text) == ['<script src="annotate.js" defer>']
    assert not re.search(r"\son\w+=|style=|https?://", answer.text)
    assert "http" not in client.get(f"/{TOKEN}/annotate.css").text


def test_no_text_is_ever_made_html(client):
    script = client.get(f"/{TOKEN}/annotate.js").text
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function|DOMParser", script
    )


def test_the_systems_names_are_not_told(client):
    begun = client.get(f"/{TOKEN}/api/begin?rater=ana").json()
    assert begun["rater"] == "ana" and len(begun["items"]) == 3
    for item in begun["items"]:
        told = client.get(f"/{TOKEN}/api/item?rater=ana&item={item['id']}").text
        assert "base" not in told and "seeds" not in told


def test_a_grade_of_a_shared_answer_is_filed_under_both_systems(client, tmp_path):
    cell = client.get(f"/{TOKEN}/api/item?rater=ana&item=user_task_1").json()["cells"]
    assert len(cell) == 1
    assert save(client, item="user_task_1", cell=cell[0]["id"], value="B").json() == {"saved": True}
    lines = (tmp_path / "run" / "annotations" / "user_oriented" / "ana.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    assert [(r["item"], r["system"], r["field"], r["value"]) for r in rows] == [
        ("user_task_1", "base", "grade", "B"),
        ("user_task_1", "seeds", "grade", "B"),
    ]
    items = client.get(f"/{TOKEN}/api/begin?rater=ANA").json()
    assert items["rater"] == "ana"  # in other letters' case the same rater
    assert [i["id"] for i in items["items"] if i["done"]] == ["user_task_1"]


@pytest.mark.parametrize(
    "choice",
    [
        {"rater": "../ana", "item": "user_task_0", "cell": "comment", "value": "x"},
        {"rater": "", "item": "user_task_0", "cell": "comment", "value": "x"},
        {"item": "user_task_9", "cell": "comment", "value": "x"},
        {"item": "user_task_0", "cell": "other", "value": "A"},
        {"item": "user_task_0", "cell": "comment", "value": 5},
        {"item": "user_task_0", "cell": "comment", "value": "x" * 4001},
        {"item": 7, "cell": "comment", "value": "x"},
    ],
)
def test_a_choice_that_is_none_is_refused_and_not_saved(client, tmp_path, choice):
    answer = save(client, **choice)
    assert answer.status_code == 400
    assert "\n" not in answer.json()["error"]
    assert not list(tmp_path.rglob("ana.jsonl"))


@pytest.mark.parametrize(
    ("body", "status"), [(b"no json", 400), (b"[]", 400), (b"[" * 60_000, 400), (b"x" * 70_000, 413)]
)
def test_a_body_that_is_no_choice_is_refused(client, body, status):
    assert client.post(f"/{TOKEN}/api/save", content=body).status_code == status


def test_a_grade_that_is_none_is_refused(client):
    cell = client.get(f"/{TOKEN}/api/item?rater=ana&item=user_task_0").json()["cells"][0]["id"]
    assert save(client, item="user_task_0", cell=cell, value="E").json()["error"] == "'E' is none of A, B, C, D"


def test_a_full_disk_is_told_and_tried_again(client, monkeypatch):
    def full(path, clicks):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("selfinstruct_eval.people.desk.append_clicks", full)
    answer = save(client, item="user_task_0", cell="comment", value="x")
    assert answer.status_code == 503  # on which the page sends the choice again
    assert "No space left on device" in answer.json()["error"]


def test_raters_far_apart_wait_for_a_third_whose_decision_is_final(client):
    cells = client.get(f"/{TOKEN}/api/item?rater=ana&item=user_task_0").json()["cells"]
    grades = {"yes": ("A", "C"), "no": ("C", "D")}  # two levels apart; one level, and neither is acceptable
    for cell in cells:
        for rater, grade in zip(("ana", "ben"), grades[cell["text"]], strict=True):
            save(client, rater=rater, item="user_task_0", cell=cell["id"], value=grade)
    assert client.get(f"/{TOKEN}/api/welcome").json() == {
        "num_items": 3,
        "raters": [
            {"name": "ana", "num_items": 3, "num_done": 1},
            {"name": "ben", "num_items": 3, "num_done": 1},
        ],
        "adjudication": {"name": "adjudicated", "num_items": 1, "num_done": 0},
    }
    shown = client.get(f"/{TOKEN}/api/item?rater=adjudicated&item=user_task_0").json()["cells"]
    assert [(c["text"], c["others"]) for c in shown] == [("yes", ["A", "C"])]
    save(client, rater="adjudicated", item="user_task_0", cell=shown[0]["id"], value="B")
    assert client.get(f"/{TOKEN}/api/welcome").json()["adjudication"]["num_done"] == 1


def test_a_port_in_use_is_told_in_one_line(config):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ValueError, match=rf"annotate\.port {port} cannot be used \(Address already in use\)"):
            serve(Desk(config, load_work(config)), port, print)


def test_a_port_that_is_none_is_told_in_one_line(config):
    with pytest.raises(ValueError, match=r"annotate\.port 99999 cannot be used"):
        serve(Desk(config, load_work(config)), 99999, print)


def test_a_missing_library_is_told_with_its_remedy(config, monkeypatch):
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    with pytest.raises(ValueError, match=r"the page needs uvicorn: pip install -e '\.\[annotate\]' in the checkout$"):
        serve(Desk(config, load_work(config)), 0, print)


def test_a_folder_that_cannot_be_written_is_told_before_anyone_rates(config, tmp_path):
    (tmp_path / "run" / "annotations").write_text("a file in the way")
    with pytest.raises(ValueError, match="the raters' choices cannot be saved there"):
        Desk(config, load_work(config))


def test_the_writing_test_leaves_nothing_behind(config, tmp_path):
    Desk(config, load_work(config))
    folder = tmp_path / "run" / "annotations" / "user_oriented"
    assert list(folder.iterdir()) == []
    assert stat.S_ISDIR(folder.stat().st_mode)
