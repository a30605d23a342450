# Both commands work on a bare machine with Python 3.11+ and pip: what is missing is installed into .venv first.
PYTHON ?= python3
BIN := .venv/bin
BASE := .venv/.installed-base
STAMP := .venv/.installed
WORKERS ?= 2

SEED ?=
COUNT ?= 20000

.PHONY: demo test lint check fuzz clean

demo: $(BASE)  ## reconstruct the bundled examples and say where the meshes and the picture are
	$(BIN)/maquette demo --out demo --overwrite

test: lint  ## all that CI runs: lint, then the whole suite, in WORKERS processes
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile

lint: $(STAMP)  ## style, types, and the floors of the house
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/mypy

check: test

fuzz: $(STAMP)  ## COUNT damaged files of every kind that is read, by SEED (drawn and printed if not given)
	PYTHONPATH=tests/fuzz:tests/helpers:src $(BIN)/python -m strange --count $(COUNT) $(if $(SEED),--seed $(SEED))

$(BASE): pyproject.toml setup.py constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "maquette needs Python 3.11 or newer; set PYTHON=python3.x"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "installing into .venv; the first time this takes a few minutes"
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable .
	@touch $@

$(STAMP): $(BASE)
	@echo "installing what learns and what tests"
	$(BIN)/python -m pip install --quiet --constraint constraints.txt torch==2.13.0
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@

clean:
	rm -rf .venv build demo out .mypy_cache .pytest_cache .ruff_cache .import_linter_cache src/*.egg-info
