"""The arms of an experiment: sets of instruction data on which models are trained and compared, all else equal.

scale      the run's data cut to growing numbers of instructions
distill    the run's rows with its own outputs, and the same rows with relabelled ones
baselines  the run's data, its seeds alone, and other sets of instruction data

An arm is a run directory of its own, <experiment>/arms/<name>, with a config.yaml: every command works on it. Here the
data is read, checked and written; `experiment.py` trains and evaluates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

from ..config import Config
from ..core.names import SEEDS, SEEDS_AND_GENERATED, Mixture
from ..core.records import Row
from ..core.row_files import read_records
from ..core.storage import write_text
from .rows import find_dataset, read_rows, write_rows
from .subsets import nested_subsets

Experiment = Literal["scale", "distill", "baselines"]
OWN, RELABELLED = "own outputs", "relabelled outputs"
SEEDS_ALONE, ALL_ROWS = "seeds alone", "seeds and generated"


@dataclass(frozen=True)
class Arm:
    """One set of data. `dataset` is a file or folder of rows, `mixture` what of it is trained on."""

    name: str
    config: Config
    """Of the arm's own run directory, with its dataset and its one mixture."""
    num_instructions: int
    num_instances: int

    @property
    def mixture(self) -> Mixture:
        """The one that is trained."""
        return self.config.train.mixtures[0]


def make_arms(experiment: Experiment, config: Config) -> list[Arm]:
    """Read and check the data of every arm, write what is made of it, and return the arms in the order of the tables.

    Raises:
        ValueError: data is missing or is not fit for the experiment; one line with the remedy.
    """
    makers = {"scale": _scale_arms, "distill": _distill_arms, "baselines": _baseline_arms}
    arms = makers[experiment](config, Path(config.run_dir) / experiment)
    taken = [arm.name for arm in arms if arm.name in config.eval.models]
    if taken:
        raise ValueError(f"eval.models: {taken[0]!r} is the name of an arm of this experiment; choose another")
    for arm in arms:
        write_config(arm.config)
    return arms


def write_config(config: Config) -> Path:
    """Write a configuration as <run_dir>/config.yaml, which `--config` reads; all settings stand in it."""
    import yaml

    head = "# Made by an experiment of the run; written anew by the same command.\n"
    text = yaml.safe_dump(asdict(config), sort_keys=False, allow_unicode=True, width=120)
    return write_text(Path(config.run_dir) / "config.yaml", head + text)


def _scale_arms(config: Config, folder: Path) -> list[Arm]:
    path = find_dataset(config, "train.dataset", config.train.dataset)
    subsets = nested_subsets(read_rows(path), config.experiment.sizes)
    return [
        _written(config, folder, f"{size} instruction{'' if size == 1 else 's'}", rows)
        for size, rows in subsets.items()
    ]


def _distill_arms(config: Config, folder: Path) -> list[Arm]:
    path, relabelled = find_dataset(config, "relabel.dataset", config.relabel.dataset), folder.parent / "relabelled"
    if not relabelled.exists():
        raise ValueError(f"{relabelled}: no relabelled dataset there; run `selfinstruct relabel` first")
    own = {row.id: row for row in read_rows(path)}
    rows = read_rows(relabelled)
    for row in rows:
        before = own.get(row.id)
        if before is None or (before.instruction, before.input) != (row.instruction, row.input):
            raise ValueError(
                f"{relabelled}: row {row.id!r} is none of {path}'s; it was relabelled from other data: run "
                "`selfinstruct relabel` on this one, or set relabel.dataset"
            )
    if not any(row.output != own[row.id].output for row in rows):
        raise ValueError(f"{relabelled}: every output is that of {path}; there is nothing to compare")
    # rows whose new answer was refused or cut have no counterpart: without them the outputs are all that differs
    kept = [own[row.id] for row in rows]
    return [_written(config, folder, OWN, kept), _written(config, folder, RELABELLED, rows)]


def _baseline_arms(config: Config, folder: Path) -> list[Arm]:
    path = find_dataset(config, "train.dataset", config.train.dataset)
    rows = read_rows(path)
    seeds = [row for row in rows if row.source == "seed"]
    if not seeds or len(seeds) == len(rows):
        raise ValueError(
            f"{path}: holds {len(seeds)} seed rows of {len(rows)}; the baselines need both, of either some"
        )
    arms = [
        _arm(config, folder, ALL_ROWS, path, _counts(rows)),
        _arm(config, folder, SEEDS_ALONE, path, _counts(seeds), mixture=SEEDS),
    ]
    for name, given in config.experiment.datasets.items():
        if name != name.strip() or name in (SEEDS_ALONE, ALL_ROWS):
            raise ValueError(f"experiment.datasets: {name!r} cannot be the name of an arm; choose another")
        other = Path(given).expanduser()
        if not other.exists():
            raise ValueError(
                f"{other}: no dataset there; mend experiment.datasets ({name!r}), or make it first "
                "(`selfinstruct convert`)"
            )
        instructions = [record["instruction"] for _, record in read_records(other)]
        if not instructions:
            raise ValueError(f"{other}: the dataset is empty; experiment.datasets ({name!r}) needs at least one row")
        arms.append(_arm(config, folder, name, other, (len(set(instructions)), len(instructions))))
    return arms


def _written(config: Config, folder: Path, name: str, rows: Sequence[Row]) -> Arm:
    data = write_rows(_arm_folder(folder, name) / "dataset", rows).parent
    return _arm(config, folder, name, data, _counts(rows))


def _arm(
    config: Config,
    folder: Path,
    name: str,
    dataset: Path,
    counts: tuple[int, int],
    mixture: Mixture = SEEDS_AND_GENERATED,
) -> Arm:
    """Make an arm of so many instructions and instances."""
    train = replace(config.train, dataset=str(dataset), mixtures=(mixture,))
    own = replace(config, run_dir=str(_arm_folder(folder, name)), train=train)
    return Arm(name, own, *counts)


def _arm_folder(folder: Path, name: str) -> Path:
    return folder / "arms" / name


def _counts(rows: Sequence[Row]) -> tuple[int, int]:
    """Return the numbers of instructions and of instances."""
    return len({row.instruction_id for row in rows}), len(rows)
