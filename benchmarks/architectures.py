"""A shared prompt prefix on many architectures, against plain `generate`: python -m benchmarks.architectures

Exactness only: small random models in float32, greedy answers, at batch sizes 1 and 8. Every row must have the tokens
that `model.generate` gives for the row alone. The windows are 12 tokens long and the prompts about 30.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

NUM_ROWS, NEW_TOKENS = 24, 16


def main() -> int:
    from tests.support.architectures import USES, save_architecture

    print(f"{'':12} {'prefix':8} {'equal rows, batch 1':>20} {'batch 8':>8} of {NUM_ROWS}")
    wrong = 0
    for name in USES:
        with tempfile.TemporaryDirectory() as folder:
            save_architecture(name, Path(folder))
            use, equal = compare(Path(folder))
        wrong += sum(NUM_ROWS - number for number in equal)
        print(f"{name:12} {use:8} {equal[0]:20} {equal[1]:8}")
    return int(wrong > 0)


def compare(folder: Path) -> tuple[str, list[int]]:
    """Return what the model does with a prefix, and how many rows are equal at each batch size."""
    import torch
    import transformers

    from selfinstruct_train.core.records import Sampling
    from selfinstruct_train.lm.stopping import completion_text
    from tests.support.small_requests import open_lm, requests

    plain: Any = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    asked, sampling, equal, use = requests(NUM_ROWS), Sampling(NEW_TOKENS), [], ""
    for batch_size in (1, 8):
        lm: Any = open_lm(folder, batch_size)
        answers = lm.complete(asked, sampling)
        use = lm.decoder.network.prefix_use
        number = 0
        for request, answer in zip(asked, answers, strict=True):
            ids = torch.tensor([lm._tokenizer(request.prompt)["input_ids"]])
            whole = plain.generate(ids, do_sample=False, max_new_tokens=NEW_TOKENS, eos_token_id=0, pad_token_id=0)
            new = [token for token in whole[0, ids.shape[1] :].tolist() if token != 0]
            number += answer.text == completion_text(lm._tokenizer, ids[0].tolist(), new)
        equal.append(number)
    return use, equal


if __name__ == "__main__":
    raise SystemExit(main())
