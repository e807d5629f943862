"""The teacher tells the world's truth where it knows one, and says nothing of its own elsewhere."""

import json
import threading
import urllib.error
import urllib.request
from random import Random

import pytest

from tiny_world.corpus import instruct
from tiny_world.kind import draw_example
from tiny_world.kinds import BY_NAME, NEAR
from tiny_world.review import review
from tiny_world.teacher import make_server, truth


@pytest.mark.parametrize(
    ("instruction", "input", "answer"),
    [
        ("What is the plural of mouse?", "", "mice"),
        ("How do you say this in Spanish?", "dog", "perro"),
        ("How do you say this in Spanish?", "Word: dog", "perro"),  # a field name is no part of the word
        ("How do you say this in Spanish?", "xyzzy", None),  # no input of that task
        ("Paint the moon.", "", None),  # no task of the world
        ("Write with capitals: max was born in march.", "", "Max was born in March."),  # the sentence keeps its end
        ("Which animal is it? It lives in the sea. It is a mammal.", "", "whale"),  # the last hint counts
    ],
)
def test_it_answers_what_the_world_knows(instruction, input, answer):
    assert truth(instruction, input) == answer


def test_its_answers_pass_the_review_for_most_kinds():
    known = []
    for kind in NEAR:
        example = draw_example(kind, Random(1), held_out=False)
        instruction, input = instruct(kind, example, Random(2))
        answer = truth(instruction, input)
        if answer is not None:
            known.append(kind.name)
            verdict = review(instruction, input, answer)[1]
            assert verdict.input_ok and verdict.output_ok, (kind.name, instruction, input, answer)
    assert len(known) > 0.8 * len(NEAR)


def test_it_answers_nothing_where_a_free_text_is_asked():
    kind = BY_NAME["animal_story"]
    assert truth(*instruct(kind, draw_example(kind, Random(1), held_out=False), Random(2))) is None


def test_a_label_that_no_rule_computes_is_found_by_the_judge():
    kind = BY_NAME["sentiment"]
    for seed in range(8):
        example = draw_example(kind, Random(seed), held_out=False)
        assert truth(*instruct(kind, example, Random(seed), inline=False)) == example.output


@pytest.fixture
def url():
    server = make_server({"Name a colour.": "red"})
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    server.shutdown()
    server.server_close()


def post(url: str, body: dict) -> dict:
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as response:
        return json.load(response)


def test_it_serves_chat_and_plain_completions_and_refuses_what_it_does_not_know(url):
    message = {"role": "user", "content": "Name a colour."}
    chat = post(f"{url}/chat/completions", {"model": "teacher", "messages": [message]})
    assert chat["choices"] == [{"message": {"role": "assistant", "content": "red"}, "finish_reason": "stop"}]
    plain = post(f"{url}/completions", {"model": "teacher", "prompt": "Name a colour."})
    assert plain["choices"] == [{"text": "red", "finish_reason": "stop"}]
    with pytest.raises(urllib.error.HTTPError) as refused:
        post(f"{url}/completions", {"model": "teacher", "prompt": "Name a bird."})
    assert refused.value.code == 400 and "rows of its run's dataset only" in refused.value.read().decode()


def test_relabelling_goes_through_the_one_door_to_it(url, tmp_path, monkeypatch):
    from selfinstruct_train.config import Config, ModelConfig, RelabelConfig, ServerConfig
    from selfinstruct_train.dataset.relabel import prepare_relabel, relabel
    from selfinstruct_train.lm import load_lm

    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    (tmp_path / "dataset").mkdir()
    row = {"instruction": "Name a colour.", "input": "", "output": "cow"}
    (tmp_path / "dataset/train.jsonl").write_text(json.dumps(row) + "\n")
    model = ModelConfig(path="teacher", backend="http", server=ServerConfig(base_urls=(url,)))
    config = Config(run_dir=str(tmp_path), relabel=RelabelConfig(model=model))
    result = relabel(prepare_relabel(config), load_lm(config.relabel.model))
    assert [row.output for row in result.rows] == ["red"]
