"""Lengths of Self-Instruct rows, for benchmarks on machines that have no data: 128 of 5,000 real rows.

Tokens of prompt and completion with EOS, by the built-in tokenizer in the paper's templates: every 39th of the
released rows in order of length. All have a mean of 91.8 tokens, 43.5 of them to learn, a median of 70, the longest
707; these 91.5, 36.7, 70 and 484.
"""

from __future__ import annotations

import json
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

PAIRS = (
    *((15, 4), (20, 3), (23, 2), (22, 5), (23, 6), (28, 2), (18, 14), (15, 18), (16, 18), (32, 2), (33, 2), (31, 5)),
    *((33, 4), (33, 5), (23, 16), (37, 2), (35, 5), (15, 26), (36, 5), (25, 17), (39, 3), (29, 14), (41, 2), (40, 4)),
    *((34, 11), (13, 33), (42, 4), (22, 25), (45, 2), (43, 5), (24, 25), (46, 3), (37, 13), (48, 2), (47, 4), (32, 20)),
    *((18, 35), (50, 3), (42, 12), (52, 2), (51, 4), (36, 20), (53, 3), (45, 12), (15, 43), (51, 7), (18, 41), (55, 4)),
    *((50, 10), (27, 34), (58, 3), (28, 34), (60, 2), (58, 5), (32, 32), (62, 2), (59, 6), (34, 32), (64, 2), (55, 12)),
    *((22, 46), (65, 3), (64, 5), (56, 14), (37, 34), (14, 58), (69, 3), (62, 11), (38, 36), (25, 50), (45, 31)),
    *((39, 38), (46, 32), (29, 50), (26, 54), (22, 59), (78, 3), (79, 3), (78, 5), (80, 4), (82, 3), (84, 2), (84, 3)),
    *((26, 63), (87, 3), (38, 54), (23, 71), (86, 9), (30, 67), (64, 34), (42, 58), (20, 82), (90, 13), (29, 76)),
    *((18, 89), (18, 91), (104, 6), (37, 75), (37, 77), (113, 3), (74, 44), (115, 5), (22, 101), (32, 93), (68, 59)),
    *((44, 86), (32, 101), (76, 60), (83, 56), (74, 68), (143, 3), (23, 128), (32, 123), (148, 11), (18, 147)),
    *((42, 128), (53, 122), (35, 147), (32, 156), (193, 4), (25, 184), (166, 57), (115, 120), (146, 111), (137, 145)),
    *((125, 187), (295, 76), (418, 66)),
)


def random_rows(number: int, vocabulary_size: int, seed: int = 0) -> tuple[Any, ...]:
    """Return rows of random tokens with lengths drawn from `PAIRS`."""
    from selfinstruct_train.train.data.encode import IGNORED, EncodedRow

    rng = random.Random(seed)
    rows = []
    for prompt, completion in rng.choices(PAIRS, k=number):
        ids = tuple(rng.randrange(3, vocabulary_size) for _ in range(prompt + completion))
        rows.append(EncodedRow(ids, (*[IGNORED] * prompt, *ids[prompt:])))
    return tuple(rows)


def random_plan(folder: str, train: Any, number: int, vocabulary_size: int) -> Any:
    """Return the plan of a training on `random_rows`, with the built-in model's tokenizer."""
    from selfinstruct_train.config import Config, ModelConfig
    from selfinstruct_train.train.plan import make_plan

    file = Path(folder) / "rows.jsonl"
    file.write_text(json.dumps({"instruction": "Wait.", "input": "", "output": "Yes."}) + "\n", encoding="utf-8")
    config = Config(run_dir=folder, model=ModelConfig(path="builtin:tiny"), train=replace(train, dataset=str(file)))
    plan = make_plan(config, "seeds+generated")
    return replace(plan, encoding=replace(plan.encoding, rows=random_rows(number, vocabulary_size)))
