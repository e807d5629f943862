# The whole loop by name. Every target first makes the environment it needs.
#   make generate train eval                       the built-in tiny model, no network, GPU or key
#   make generate train eval RUN=my_run            configs/my_run.yaml
#   make generate ARGS="--generate.num_instructions 50"   any setting, overridden

RUN ?= tiny
CONFIG ?= configs/$(RUN).yaml
ARGS ?=
ACCELERATE ?= one_process
FORMAT ?= messages
PROCESSES ?= 1
TOKENS ?= 22_000_000
REAL_MODELS ?= models
BENCH ?= novelty replay decoding sampling architectures kills packing scoring coverage
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# The environment that the product's commands need, and the same with the tools of `make test` and `make lint`.
READY := $(VENV)/.ready
READY_DEV := $(VENV)/.ready-dev
COMMAND := $(BIN)/selfinstruct
MODULE := -m selfinstruct_train
# Several processes share the requests. For several machines start torchrun on each, with its --nnodes and --rdzv options.
GENERATE = $(if $(filter 1,$(PROCESSES)),$(COMMAND),$(BIN)/torchrun --standalone --nproc_per_node $(PROCESSES) $(MODULE))
# One process needs no launcher: Ctrl-C and exit codes arrive, and on a CPU it has all cores (accelerate allows one).
ACCELERATED = $(BIN)/accelerate launch --quiet --config_file configs/accelerate/$(ACCELERATE).yaml \
	$(if $(filter 1,$(PROCESSES)),,--num_processes $(PROCESSES))
IS_ONE = $(filter one_process-1,$(ACCELERATE)-$(PROCESSES))
TRAIN = $(if $(IS_ONE),$(COMMAND),$(ACCELERATED) $(MODULE))
LAUNCH = $(if $(IS_ONE),,--launch "$(ACCELERATED)")
# A world that knows the truth about a run's data can review it; the tiny model's does.
REVIEW := $(if $(filter tiny,$(RUN)),-m tiny_world.review)

# A process for each core, and one thread in each.
PYTEST = OMP_NUM_THREADS=1 HF_HUB_OFFLINE=1 $(BIN)/python -m pytest -n auto --dist worksteal

# Compiled modules are kept, for each process would compile torch and transformers anew: eight seconds.
unexport PYTHONDONTWRITEBYTECODE
# Threads that wait must not spin: on a busy machine that costs more than it saves.
export OMP_WAIT_POLICY ?= PASSIVE

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help setup data probe forecast generate refilter relabel quality merge describe similarity export \
	doctor train verify eval judge annotate compare paper scale distill baselines convert publish test test-fast test-real bench bench-gpu test-servers lint pretrain-tiny

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## make the environment (.venv) from constraints.txt; re-made when it or pyproject.toml changes

$(READY): constraints.txt pyproject.toml .ci/environment.py
	$(PYTHON) .ci/environment.py --clear $(VENV) annotate
	@touch $@

$(READY_DEV): $(READY)
	$(PYTHON) .ci/environment.py $(VENV) dev
	@touch $@

data: $(READY) ## the paper's own material -> data/ (ARGS="--mirror URL" or ARGS="--from FOLDER")
	$(COMMAND) data $(ARGS)

probe: $(READY) ## which prompt form (plain, chat, numbered) suits the model, and what N instructions take
	$(COMMAND) probe $(CONFIG) $(ARGS)

forecast: $(READY) ## ask a few of the run's first requests and estimate requests, tokens, cost and time
	$(COMMAND) forecast $(CONFIG) $(ARGS)

refilter: $(READY) ## filter the answers of a run again at other thresholds, asking nothing -> <run_dir>/refiltered
	$(COMMAND) refilter $(CONFIG) $(ARGS)

generate: $(READY) ## seed tasks -> instructions -> instances -> <run_dir>/dataset (PROCESSES=8: as many GPUs)
	$(GENERATE) generate $(CONFIG) $(ARGS)
ifneq ($(REVIEW),)
	$(BIN)/python $(REVIEW) --config $(CONFIG) $(ARGS)
endif
	$(COMMAND) describe $(CONFIG) $(ARGS)

relabel: $(READY) ## write the dataset's outputs anew with relabel.model -> <run_dir>/relabelled
	$(COMMAND) relabel $(CONFIG) $(ARGS)

quality: $(READY) ## leave out rows that quality.model scores low -> <run_dir>/filtered
	$(COMMAND) quality $(CONFIG) $(ARGS)

describe: $(READY) ## table 1, figures, nearest seeds and dataset card of the run's dataset
	$(COMMAND) describe $(CONFIG) $(ARGS)

similarity: $(READY) ## the ten most similar and the mean of each accepted instruction -> <run_dir>/most_similar.jsonl
	$(COMMAND) similarity $(CONFIG) $(ARGS)

export: $(READY) ## the dataset for other tools (FORMAT=messages|openai_chat|alpaca|prompt_completion)
	$(COMMAND) export $(CONFIG) --export.format $(FORMAT) $(ARGS)

merge: $(READY) ## several runs' datasets in one, without repetitions (RUNS="runs/a runs/b" OUT=runs/both)
	$(COMMAND) merge --out $(or $(OUT),$(error OUT names no folder for the merged dataset; give OUT=runs/both)) $(RUNS) $(ARGS)

doctor: $(READY) ## what would spoil the training, found beforehand; memory and time expected (ACCELERATE, PROCESSES as in train)
	$(TRAIN) doctor $(CONFIG) $(ARGS)

train: $(READY) ## finetune the same model on the dataset, verify it -> <run_dir>/model (ACCELERATE=fsdp2 PROCESSES=8)
	$(TRAIN) train $(CONFIG) $(ARGS)

verify: $(READY) ## load the trained models from disk and prove them again (ARGS=--force)
	$(COMMAND) verify $(CONFIG) $(ARGS)

eval: $(READY) ## score base and tuned models, write <run_dir>/report.html
	$(COMMAND) eval $(CONFIG) $(ARGS)

judge: $(READY) ## a language model grades the answers of make eval, A to D and in pairs (ARGS="--judge.model.path ...")
	$(COMMAND) judge $(CONFIG) $(ARGS)

annotate: $(READY) ## a page on this machine where people rate the answers (ARGS="--annotate.job data": the generated data)
	$(COMMAND) annotate $(CONFIG) $(ARGS)

compare: $(READY) ## several runs on one page (RUNS="runs/a runs/b"; OUT, or runs/compared)
	$(COMMAND) compare --out $(or $(OUT),runs/compared) $(RUNS) $(ARGS)

paper: $(READY) ## every table and figure of the paper beside this run's, and what is missing
	$(COMMAND) paper $(CONFIG) $(ARGS)

scale: $(READY) ## the gain against the number of instructions, a model for each size -> <run_dir>/scale
	$(COMMAND) scale $(CONFIG) $(LAUNCH) $(ARGS)

distill: $(READY) ## the run's outputs against relabelled ones (make relabel first) -> <run_dir>/distill
	$(COMMAND) distill $(CONFIG) $(LAUNCH) $(ARGS)

baselines: $(READY) ## the run's data against seeds alone and other instruction sets -> <run_dir>/baselines
	$(COMMAND) baselines $(CONFIG) $(LAUNCH) $(ARGS)

convert: $(READY) ## Natural Instructions' training tasks, or P3 (T0), as instruction data (ARGS="superni SOURCE --out FOLDER")
	$(COMMAND) convert $(ARGS)

publish: $(READY) ## tell what would go to the Hub; ARGS="--publish.push true" uploads it
	$(COMMAND) publish $(CONFIG) $(ARGS)

test: $(READY_DEV) ## run all tests that a CPU can run (ARGS="-k resume": some of them)
	$(PYTEST) $(ARGS)

test-real: $(READY_DEV) ## run the contract suite and a short loop on two real models (REAL_MODELS=FOLDER with gemma-3-270m and smollm2-135m-instruct)
	REAL_MODELS="$(REAL_MODELS)" HF_HUB_OFFLINE=1 $(BIN)/python -m pytest tests/real $(ARGS)

test-fast: $(READY_DEV) ## run the tests of tests/unit
	$(PYTEST) tests/unit $(ARGS)

bench: $(READY) ## measure speed, each as a ratio in one run (BENCH=novelty|decoding|sampling|architectures|replay|kills|packing|scoring|coverage; 18 minutes for all)
	for name in $(BENCH); do $(BIN)/python -m benchmarks.$$name || exit; done

bench-gpu: $(READY) ## training and generation on this machine's GPU (ARGS="--small" proves it on a CPU)
	$(BIN)/python -m benchmarks.gpu $(ARGS)

test-servers: $(READY_DEV) ## run the backends' tests on llama.cpp's server, vLLM's server and vLLM (builds both, 20 min once)
	$(BIN)/python -m tests.servers.run $(ARGS)

lint: $(READY_DEV) ## check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

pretrain-tiny: $(READY) ## make the built-in tiny base model again from nothing (about an hour on two cores)
	$(BIN)/python -m tiny_world.pretrain --out runs/tiny_base --tokens $(TOKENS)
	$(BIN)/python -m tiny_world.assets --text runs/tiny_base/work
