# make help lists the targets. A fresh machine needs git, make and python3 (3.11 to 3.13) with venv.
PYTHON  ?= python3
PROFILE ?= demo
SEEDS   ?= 0
EXTRAS  ?= dev,fid
BIN     := .venv/bin
# waiting threads sleep: worker processes and torch share the cores
export OMP_NUM_THREADS ?= 2
export OMP_WAIT_POLICY ?= passive
# freed memory is kept for the next transform instead of given back and asked for again
export MALLOC_TRIM_THRESHOLD_ ?= 1073741824
export MALLOC_MMAP_THRESHOLD_ ?= 1073741824

TABLE_ARGS = --profile $(PROFILE) --seeds $(SEEDS) \
	$(if $(METHODS),--methods $(METHODS)) $(if $(STYLES),--styles $(STYLES)) \
	$(if $(TRAINING),--training $(TRAINING)) $(if $(TRAIN_STYLES),--train-styles $(TRAIN_STYLES)) \
	$(if $(METRICS),--metrics $(METRICS)) $(if $(REFERENCE),--reference) \
	$(if $(JOBS),--jobs $(JOBS)) $(if $(DATA),--data $(DATA)) $(if $(STRUCTURE),--structure $(STRUCTURE)) \
	$(if $(CLUSTER),--cluster $(CLUSTER)) \
	$(if $(WANDB),--wandb)

CONTROL_ARGS = --profile $(PROFILE) --seed $(SEEDS) \
	$(if $(METHODS),--methods $(METHODS)) $(if $(STYLES),--style $(STYLES)) \
	$(if $(JOBS),--jobs $(JOBS)) $(if $(DATA),--data $(DATA)) $(if $(STRUCTURE),--structure $(STRUCTURE))

.PHONY: help install table-fid table-ablation table-steps table-picking table-pose table-resolution table-volume gallery-control report test lint gallery bench clean

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16
	@printf '\nVariables: PROFILE=demo|real|paper  METHODS=a,b|all  STYLES=a,b|all  SEEDS=0,1  JOBS=n\n'
	@printf '           TRAINING=per_style|mixed  TRAIN_STYLES=a,b|all  DATA=folder  STRUCTURE=file  METRICS=a,b\n'
	@printf '           REFERENCE=1 (published figures beside ours)  PICKER=fast|topaz  POSES=matching|relion\n'
	@printf '           CLUSTER=local|slurm (a job for each column group, docs/sweeps.md)\n'
	@printf '           WANDB=1 (fits and cells to Weights & Biases, docs/tracking.md)\n'

install: .venv/installed ## build .venv with everything that is needed

.venv/installed: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[$(EXTRAS)]'
	touch $@

table-fid: install ## simulate, fit, translate, evaluate, print and write the FID table
	$(BIN)/cryoccd table fid $(TABLE_ARGS)

table-ablation: install ## the same for CryoCCD with one part left out or changed
	$(BIN)/cryoccd table ablation $(TABLE_ARGS)

table-steps: install ## the same for samplers and numbers of steps
	$(BIN)/cryoccd table steps $(TABLE_ARGS)

table-picking: install ## train pickers on each method's labels, find real particles
	$(BIN)/cryoccd table picking $(TABLE_ARGS) $(if $(PICKER),--picker $(PICKER))

table-pose: install ## train pose estimators on each method's labels, pose real particles
	$(BIN)/cryoccd table pose $(TABLE_ARGS)

table-resolution: install ## reconstruct what each method's picker finds
	$(BIN)/cryoccd table resolution $(TABLE_ARGS) $(if $(PICKER),--picker $(PICKER)) $(if $(POSES),--poses $(POSES))

table-volume: install ## fit generators of boxes of tomograms, sample them, judge the boxes
	$(BIN)/cryoccd table volume $(TABLE_ARGS)

gallery-control: install ## change one factor under one seed: what each method makes of it
	$(BIN)/cryoccd gallery control $(CONTROL_ARGS)

report: install ## all results as one page that opens offline
	$(BIN)/cryoccd report --results results --runs runs --output report.html

test: install ## the fast test suite
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 -m 'not slow'

lint: install ## ruff, mypy and the layer contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

gallery: install ## draw docs/gallery.md from configs/simulate/gallery
	$(BIN)/python docs/gallery_figures.py

bench: install ## measure throughput, and the metrics against faults; figures for benchmarks/
	$(BIN)/python benchmarks/simulate.py
	$(BIN)/python benchmarks/training.py steps
	$(BIN)/python benchmarks/training.py sampling
	$(BIN)/python benchmarks/faults.py --output benchmarks/faults
	$(BIN)/python benchmarks/report.py

clean: ## remove runs and results, keep .venv
	rm -rf runs results
