"""The token stream on disk: documents of the little world, tokenised, each followed by the separator, as uint16.

Written before the training by several processes, a shard each with a seed of its own, so that the training only reads.
The shards depend on the seed, the tokenizer and the shard size, not on the number of processes. A finished shard is not
made again.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from tiny_world.corpus import GENERAL, PRACTICE, documents

if TYPE_CHECKING:
    import numpy as np

SHARD_TOKENS = 1_000_000
PRACTICE_FROM_SHARD = 13
# Room between the seeds of the shards of two runs; the tokenizer and the held-out text take numbers no shard reaches.
SEED_STRIDE = 100_000
TOKENIZER_SHARD, HELDOUT_SHARD = 99_998, 99_999


def shard_documents(seed: int, shard: int) -> Iterator[str]:
    """The endless documents of one shard of the run with this seed: the whole world first, then mostly practice."""
    is_practice = PRACTICE_FROM_SHARD <= shard < TOKENIZER_SHARD
    return documents(seed * SEED_STRIDE + shard, PRACTICE if is_practice else GENERAL)


def write_shard(tokenizer_file: str, path: str, seed: int, shard: int, num_tokens: int) -> None:
    """Write the first num_tokens tokens of a shard's documents to path (uint16, little-endian)."""
    import numpy as np
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(tokenizer_file)
    separator = tokenizer.token_to_id("<|endoftext|>")
    assert separator is not None, "the tokenizer was trained without its separator"
    texts = shard_documents(seed, shard)
    ids: list[int] = []
    while len(ids) < num_tokens:
        for encoding in tokenizer.encode_batch(list(itertools.islice(texts, 256)), add_special_tokens=False):
            ids += encoding.ids
            ids.append(separator)
    partial = Path(path + ".partial")
    np.asarray(ids[:num_tokens], dtype="<u2").tofile(partial)
    partial.replace(path)


def write_stream(tokenizer_file: Path, folder: Path, seed: int, num_tokens: int, heldout_tokens: int) -> None:
    """Make every missing shard of the stream, and the held-out text, in as many processes as there are cores."""
    folder.mkdir(parents=True, exist_ok=True)
    wanted = [(HELDOUT_SHARD, heldout_tokens)]
    wanted += [(shard, SHARD_TOKENS) for shard in range(-(-num_tokens // SHARD_TOKENS))]
    missing = [(shard, size) for shard, size in wanted if not shard_path(folder, shard).exists()]
    os.environ["TOKENIZERS_PARALLELISM"] = "false"  # the processes already fill the cores
    with ProcessPoolExecutor(max_workers=os.cpu_count()) as pool:
        jobs = [
            pool.submit(write_shard, str(tokenizer_file), str(shard_path(folder, shard)), seed, shard, size)
            for shard, size in missing
        ]
        for done, job in enumerate(jobs, start=1):
            job.result()
            print(f"tokenised {done} of {len(jobs)} shards", flush=True)


def shard_path(folder: Path, shard: int) -> Path:
    """The file of one shard."""
    return folder / f"{shard:05d}.bin"


def read_stream(folder: Path, start: int, count: int) -> np.ndarray:
    """Tokens start to start+count of the stream, across shards, as int64 (the last wraps around to the first)."""
    import numpy as np

    total = SHARD_TOKENS * sum(1 for path in folder.glob("*.bin") if int(path.stem) < TOKENIZER_SHARD)
    parts = []
    while count:
        shard, offset = divmod(start % total, SHARD_TOKENS)
        part = np.fromfile(shard_path(folder, shard), dtype="<u2", count=count, offset=2 * offset)
        part = part[: SHARD_TOKENS - offset]
        parts.append(part)
        start, count = start + len(part), count - len(part)
    return np.concatenate(parts).astype(np.int64)


def read_heldout(folder: Path) -> np.ndarray:
    """The held-out tokens, as int64."""
    import numpy as np

    return np.fromfile(shard_path(folder, HELDOUT_SHARD), dtype="<u2").astype(np.int64)


def pages(work: Path) -> Iterator[str]:
    """The text of every document that the training reads, from the shards in pretrain.py's work folder."""
    import numpy as np
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(work / "tokenizer" / "tokenizer.json"))
    separator = tokenizer.token_to_id("<|endoftext|>")
    for path in sorted((work / "tokens").glob("*.bin")):
        if int(path.stem) < TOKENIZER_SHARD:
            ids = np.fromfile(path, dtype="<u2")
            for document in np.split(ids, np.flatnonzero(ids == separator) + 1):
                if len(document):
                    yield tokenizer.decode(document.tolist(), skip_special_tokens=True)
