# `make` lists the targets.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint types imports cover bench fuzz faults chaos lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(VENV)/.ready ## make .venv with tapeflow in it

$(VENV)/.ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("tapeflow needs Python 3.11 or newer, this is " + sys.version.split()[0]) if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $@

demo: setup ## run the whole flow on a simulated venue; ARGS="--seconds 60 --json"
	@$(BIN)/tapeflow demo $(ARGS)

test: setup ## run the tests; ARGS="-k candles"
	$(BIN)/python -m pytest -n 3 --dist worksteal $(ARGS)

cover: setup ## run the tests and print the coverage
	$(BIN)/python -m pytest -n 3 --dist worksteal --cov --cov-report=term $(ARGS)

lint: setup ## style
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: setup ## strict types
	$(BIN)/mypy

imports: setup ## which room may import which
	$(BIN)/lint-imports

fuzz: setup ## a million hostile frames through every dialect; ARGS="--cases 100000 --seed 7"
	$(BIN)/python -m tests.producers.dialects.fuzz $(ARGS)

faults: setup ## every fault on every venue, with a table at the end; ARGS="-k okx"
	FAULTS=all $(BIN)/python -m pytest tests/faults -n 2 --dist worksteal $(ARGS)

chaos: setup ## kill every process in turn, with larger numbers than the suite's short form
	CHAOS=long $(BIN)/python -m pytest -m chaos --timeout 3000 $(ARGS)

bench: setup $(VENV)-bench/.ready ## every claim about speed, one file each; half an hour, and nothing else should run meanwhile
	@for file in benchmarks/[a-z]*.py; do echo "== $$file"; $(BIN)/python $$file || exit 1; done

$(VENV)-bench/.ready: requirements-bench.lock
	$(PYTHON) -m venv $(VENV)-bench
	$(VENV)-bench/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-bench.lock
	@touch $@

lock: ## pin every dependency again, with hashes and without addresses
	$(PYTHON) -m venv $(VENV)-lock && $(VENV)-lock/bin/pip install --quiet uv
	$(VENV)-lock/bin/uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes \
		--no-header --no-emit-index-url --no-emit-find-links --no-annotate --upgrade --quiet -o requirements.lock
	$(VENV)-lock/bin/uv pip compile --group bench --universal --python-version 3.11 --generate-hashes \
		--no-header --no-emit-index-url --no-emit-find-links --no-annotate --upgrade --quiet -o requirements-bench.lock
	rm -rf $(VENV)-lock

clean: ## remove the environment and caches
	rm -rf $(VENV) $(VENV)-bench .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .coverage*
