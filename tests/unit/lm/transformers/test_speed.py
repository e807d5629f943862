"""The warning of a 16-bit dtype in which the CPU is slow: when it comes, what it says, and that it costs little."""

import logging
import os
import platform
import subprocess
import sys

import pytest
import torch

from selfinstruct_train.config import ModelConfig, TrainConfig
from selfinstruct_train.lm import load_lm
from selfinstruct_train.lm.transformers import speed
from selfinstruct_train.train.network.model import load_network
from selfinstruct_train.train.verify import device
from tests.support.paths import ROOT

SLOW = "this CPU multiplies matrices 84 times slower in bfloat16 than in float32 (0.19 against 16 GFLOP/s)"


def forget() -> None:
    speed.warn_if_slow.cache_clear()
    speed._cpu_flops.cache_clear()


@pytest.fixture
def measured(monkeypatch):
    """measured(bfloat16=..., float32=...) replaces the measurement; in operations per second."""

    def replace(**flops: float) -> None:
        forget()
        monkeypatch.setattr(speed, "measured_flops", lambda _, dtype: flops[str(dtype).removeprefix("torch.")])

    yield replace
    forget()


def test_a_dtype_is_slow_if_float32_is_more_than_twice_as_fast(measured):
    measured(bfloat16=0.19e9, float32=16e9)
    assert speed.slowness("cpu", torch.bfloat16) == SLOW
    measured(bfloat16=8e9, float32=16e9)
    assert speed.slowness("cpu", torch.bfloat16) is None
    measured(bfloat16=434e9, float32=86e9)
    assert speed.slowness("cpu", torch.bfloat16) is None


def test_float32_and_gpus_are_not_measured(measured):
    measured()
    assert speed.slowness("cpu", torch.float32) is None
    assert speed.slowness("cuda", torch.bfloat16) is None


def test_loading_in_16_bits_warns_once_with_figures_and_remedy(measured, model_folder, caplog):
    measured(bfloat16=0.19e9, float32=16e9)
    for dtype in ("float32", "auto", "bfloat16", "bfloat16"):
        load_lm(ModelConfig(path=str(model_folder), device="cpu", dtype=dtype))
    warnings = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
    assert warnings == [f"{SLOW}; set model.dtype: float32"]


def test_training_in_bfloat16_on_a_cpu_warns(measured, base_folder, caplog):
    measured(bfloat16=0.19e9, float32=16e9)
    model = ModelConfig(path=str(base_folder), device="cpu")
    load_network(model, TrainConfig(precision="auto"), False, 0)
    assert "GFLOP/s" not in caplog.text
    load_network(model, TrainConfig(precision="bfloat16"), False, 0)
    assert f"{SLOW}; set train.precision: float32" in caplog.text


def test_verification_in_bfloat16_on_a_cpu_warns(measured, base_folder, caplog):
    measured(bfloat16=0.19e9, float32=16e9)
    model = ModelConfig(path=str(base_folder), device="cpu", dtype="bfloat16")
    device.choose_device(model, device.Batch(1, 8), device.dtypes_of_use(model))
    assert f"{SLOW}; set model.dtype: float32" in caplog.text


def test_a_slow_product_ends_the_measurement(monkeypatch):
    """At 0.19 GFLOP/s a product of 128 takes 22 ms; the larger ones would take up to 11 s each."""
    seconds = iter(range(10**6))
    monkeypatch.setattr(speed.time, "perf_counter", lambda: next(seconds) * 0.022)
    sizes = []
    ones = torch.ones
    monkeypatch.setattr(torch, "ones", lambda *size, **options: sizes.append(size[0]) or ones(*size, **options))
    assert speed.measured_flops("cpu", torch.float32) == pytest.approx(2 * 64**3 / 0.022)
    assert sizes == [64]


@pytest.mark.skipif(platform.machine() != "x86_64", reason="AVX2 is of x86")
def test_a_cpu_without_bfloat16_instructions_is_found_slow():
    """oneDNN told to use AVX2 alone is such a CPU."""
    code = "import torch; from selfinstruct_train.lm.transformers import speed; "
    code += "print(speed.slowness('cpu', torch.bfloat16))"
    environment = os.environ | {"ONEDNN_MAX_CPU_ISA": "AVX2", "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert "times slower in bfloat16 than in float32" in done.stdout, done.stderr
