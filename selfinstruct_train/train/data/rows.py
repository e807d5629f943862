"""Read training rows: from the run's dataset, or from any file or folder with the same three columns.

File formats are in `core.row_files`; validation rows are split off in `split`.
"""

from __future__ import annotations

from pathlib import Path

from ...config import Config
from ...core.names import SEEDS_AND_GENERATED
from ...core.records import Row
from ...core.row_files import COLUMNS, read_records


def read_training_rows(config: Config, mixture: str) -> list[Row]:
    """Read the rows of a mixture, in the order of the file.

    Raises:
        ValueError: there is no dataset, it cannot be read, or it has no row for this mixture.
    """
    own = config.train.dataset is None
    path = Path(config.run_dir) / "dataset" if config.train.dataset is None else Path(config.train.dataset).expanduser()
    if not path.exists():
        remedy = "run `selfinstruct generate` first, or set train.dataset" if own else "correct train.dataset"
        raise ValueError(f"{path}: no dataset there; {remedy}")
    rows = []
    for _, record in read_records(path, others=("source",)):
        texts = {column: record[column] for column in COLUMNS}
        rows.append(Row(id="", **texts, source="seed" if record.get("source") == "seed" else "generated"))
    if not rows:
        raise ValueError(f"{path}: the dataset is empty; training needs at least one row")
    if mixture == SEEDS_AND_GENERATED:
        return rows
    seeds = [row for row in rows if row.source == "seed"]
    if not seeds:
        raise ValueError(
            f'{path}: no row has source "seed", which mixture "seeds" needs; take it out of train.mixtures'
        )
    return seeds
