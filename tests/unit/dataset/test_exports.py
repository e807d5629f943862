"""Exports, written out; and read again by the libraries that they are for."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from selfinstruct_train.config import Config, ExportConfig
from selfinstruct_train.core.records import Row
from selfinstruct_train.dataset.exports import Export, alpaca, export, messages_parquet, openai_chat, prompt_completion

AWKWARD = 'Größe "1"\u2028\\n 你好\tend'


def row(id: str, instruction: str, input: str, output: str) -> Row:
    return Row(id, instruction, input, output, False, "generated", id, "", "", (), "stop")


ROWS = [
    row("a", "Add the numbers.", "Numbers: 2, 3", "5"),
    row("b", "Say hello.", "", "Hello!\nHow are you?"),
    row("c", AWKWARD, "", AWKWARD),
]


def test_the_released_format_is_literal() -> None:
    lines = prompt_completion(ROWS, seed=2).decode().split("\n")
    assert lines == [  # formats 3 of 7 with an input, 3 and 2 of 6 without
        '{"prompt": "Task: Add the numbers.\\nInput: 2, 3\\nOutput:", "completion": " 5<|endoftext|>"}',
        '{"prompt": "Say hello.\\n\\nOutput:", "completion": " Hello!\\nHow are you?<|endoftext|>"}',
        '{"prompt": "Größe \\"1\\"\\u2028\\\\n 你好\\tend\\nOutput:", '
        '"completion": " Größe \\"1\\"\\u2028\\\\n 你好\\tend<|endoftext|>"}',
        "",
    ]


def test_the_chat_of_openai_is_literal() -> None:
    assert openai_chat(ROWS[:2], seed=0).decode() == (
        '{"messages": [{"role": "user", "content": "Add the numbers.\\n\\nNumbers: 2, 3"}, '
        '{"role": "assistant", "content": "5"}]}\n'
        '{"messages": [{"role": "user", "content": "Say hello."}, '
        '{"role": "assistant", "content": "Hello!\\nHow are you?"}]}\n'
    )


def test_alpaca_is_a_list_of_three_fields() -> None:
    assert alpaca(ROWS[:1], seed=0).decode() == (
        '[\n{\n  "instruction": "Add the numbers.",\n  "input": "Numbers: 2, 3",\n  "output": "5"\n}\n]\n'
    )
    assert json.loads(alpaca(ROWS, seed=0))[2] == {"instruction": AWKWARD, "input": "", "output": AWKWARD}


def test_a_row_is_one_line_whatever_a_reader_takes_for_a_line_end() -> None:
    for text in (prompt_completion(ROWS, seed=1).decode(), openai_chat(ROWS, seed=1).decode()):
        assert len(text.splitlines()) == len(ROWS)


def test_datasets_reads_every_format_back(tmp_path: Path) -> None:
    from datasets import load_dataset

    for name, kind, content in [
        ("a.jsonl", "json", prompt_completion(ROWS, 1)),
        ("b.jsonl", "json", openai_chat(ROWS, 1)),
        ("c.json", "json", alpaca(ROWS, 1)),
        ("d.parquet", "parquet", messages_parquet(ROWS, 1)),
    ]:
        (tmp_path / name).write_bytes(content)
        data = load_dataset(kind, data_files=str(tmp_path / name), split="train", cache_dir=str(tmp_path / "cache"))
        assert len(data) == 3
        if "messages" in data.column_names:
            assert [m["content"] for m in data[2]["messages"]] == [AWKWARD.strip(), AWKWARD]
        elif "output" in data.column_names:
            assert data[2]["output"] == AWKWARD


def test_trl_takes_messages_and_prompt_completion_for_what_they_are() -> None:
    from trl import is_conversational

    assert is_conversational(json.loads(openai_chat(ROWS, 1).splitlines()[0]))
    assert not is_conversational(json.loads(prompt_completion(ROWS, 1).splitlines()[0]))


def test_openais_own_types_take_a_message() -> None:
    from openai.types.chat import ChatCompletionAssistantMessageParam, ChatCompletionUserMessageParam
    from pydantic import TypeAdapter

    for line in openai_chat(ROWS, 1).splitlines():
        user, assistant = json.loads(line)["messages"]
        for kind, message in ((ChatCompletionUserMessageParam, user), (ChatCompletionAssistantMessageParam, assistant)):
            assert TypeAdapter(kind).validate_python(message) == message


def _config(run_dir: Path, **settings: str) -> Config:
    return replace(Config(), run_dir=str(run_dir), export=ExportConfig(**settings))  # type: ignore[arg-type]


def _write(run_dir: Path, rows: list[dict[str, str]]) -> None:
    (run_dir / "dataset").mkdir(parents=True)
    (run_dir / "dataset/train.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))


def test_rows_are_chosen_by_source_and_those_without_text_counted(tmp_path: Path) -> None:
    _write(
        tmp_path,
        [
            {"instruction": "s", "input": "", "output": "1", "source": "seed"},
            {"instruction": "g", "input": "", "output": "2", "source": "generated"},
            {"instruction": "h", "input": "", "output": " ", "source": "generated"},
        ],
    )
    result = export(_config(tmp_path, format="alpaca", source="generated"))
    assert result == Export(tmp_path / "export/alpaca.json", num_rows=1, num_left_out=1)
    assert [r["instruction"] for r in json.loads(result.path.read_text())] == ["g"]
    assert export(_config(tmp_path, format="alpaca")).num_rows == 2


def test_what_cannot_be_exported_is_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(
        ValueError, match=r"no dataset there; run `selfinstruct generate` first, or set export\.dataset"
    ):
        export(_config(tmp_path))
    _write(tmp_path, [{"instruction": "g", "input": "", "output": "2"}])
    with pytest.raises(ValueError, match="1 rows for openai_chat; OpenAI takes at least 10, so generate more"):
        export(_config(tmp_path, format="openai_chat"))
    with pytest.raises(ValueError, match="no row has source 'seed'; set export.source to all"):
        export(_config(tmp_path, source="seed"))
