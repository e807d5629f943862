"""The benchmark for GPUs runs whole on a CPU, at small size, and tells what is missing."""

import os
import subprocess
import sys

from tests.support.paths import ROOT


def bench(*arguments: str, **environment: str) -> str:
    command = [sys.executable, "-m", "benchmarks.gpu", "--small", "--device", "cpu", *arguments]
    variables = os.environ | {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": ""} | environment
    done = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_measurement_gives_a_row_of_figures():
    out = bench()
    rows = {
        cells[1]: cells[2:-1] for line in out.splitlines() if len(cells := [c.strip() for c in line.split("|")]) > 4
    }
    names = ["full, packed", "full, padded by length", "TRL's defaults, padded", "LoRA, packed"]
    assert [name for name in rows if name in names] == names
    for name in names:
        assert int(rows[name][0].replace(",", "")) > 0
        assert 0 < float(rows[name][1].rstrip("%")) <= float(rows[name][2].rstrip("%"))
    assert rows["full, packed"][5] == "documents"
    for stage in ("stage 2", "stage 3"):
        assert float(rows[stage][2]) > 0 < float(rows[stage][3])


def test_missing_libraries_are_named_and_the_rest_runs(tmp_path):
    (tmp_path / "sitecustomize.py").write_text(
        "import importlib.util as u\n"
        "real = u.find_spec\n"
        "u.find_spec = lambda name, *rest: None if name in ('trl', 'datasets') else real(name, *rest)\n"
    )
    out = bench(PYTHONPATH=str(tmp_path))
    assert "training is left out, for it needs trl, datasets: pip install trl datasets" in out
    assert "| stage 2 |" in out and "full, packed" not in out
