# The commands of convgen. `make demo` and `make test` need Python 3.11+ and nothing else.

PYTHON ?= python3
PORT ?= 8000
TEST_WORKERS ?= 4
BIN := .venv/bin
MANAGE := $(BIN)/python manage.py
PIP := $(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes

.DEFAULT_GOAL := help
.PHONY: help demo test run stop bench faults fuzz lighthouse shots lint lock docs

help:  ## List the commands
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/'

demo: .venv/runtime database  ## Generate the whole starter plan and export it
	@$(MANAGE) generate_batch --workspace starter --concurrency 10 --inline --continue
	@$(MANAGE) export_conversations --workspace starter --status all --include-simulated

test: .venv/dev  ## Run the whole suite on real PostgreSQL, in TEST_WORKERS (4) processes
	@$(BIN)/python -m pytest -n $(TEST_WORKERS) --cov --cov-report=term

run: .venv/runtime database  ## Serve it all on PORT (8000): web, worker, and simulated Claude when there is no key
	@$(MANAGE) serve --port $(PORT)

stop: .venv/runtime  ## End whatever this checkout started, its PostgreSQL included
	@$(MANAGE) stop

bench: .venv/dev  ## Print the benchmarks' figures
	@$(BIN)/python -m pytest tests/benchmarks -o python_files='bench_*.py' -q -s

faults: .venv/dev  ## Kill workers, and PostgreSQL, at FAULT_MOMENTS (20) moments that nobody chose
	@FAULT_MOMENTS=$${FAULT_MOMENTS:-20} $(BIN)/python -m pytest tests/faults/test_killed.py -q --no-cov

fuzz: .venv/dev  ## Send the API whatever its schema allows, and what it does not, for FUZZ_SECONDS (600)
	@FUZZ_SECONDS=$${FUZZ_SECONDS:-600} $(BIN)/python -m pytest tests/fuzz -o python_files='fuzz_*.py' -q -s --no-cov

lighthouse: .venv/dev tests/lighthouse/node_modules  ## Lighthouse's scores of the pages, medians of LIGHTHOUSE_RUNS (3); needs Chromium and Node
	@$(BIN)/python -m pytest tests/lighthouse -o python_files='lighthouse_*.py' -q -s --no-cov

shots: .venv/dev  ## Take pictures of every page in light and dark, wide and narrow, into var/shots
	@$(BIN)/python -m pytest tests/shots -o python_files='shots_*.py' -q --no-cov

lint: .venv/dev  ## Ruff, mypy, the import direction, missing migrations
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(MANAGE) makemigrations --check --dry-run

docs: .venv/runtime  ## Write what the documentation tells of database and API from the code
	@$(MANAGE) migrate --verbosity 0
	@$(MANAGE) describe_database
	@$(MANAGE) describe_api

lock: .venv/dev  ## Renew the locks from pyproject.toml
	@$(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-emit-index-url \
		--custom-compile-command 'make lock' --upgrade --quiet -o requirements.lock
	@$(BIN)/uv pip compile pyproject.toml --extra dev -c requirements.lock --universal --python-version 3.11 \
		--generate-hashes --no-strip-extras --no-emit-index-url --custom-compile-command 'make lock' --upgrade --quiet -o requirements-dev.lock

tests/lighthouse/node_modules: tests/lighthouse/package-lock.json
	@echo 'Installing Lighthouse …'
	@npm --prefix tests/lighthouse ci --ignore-scripts --no-audit --no-fund --silent
	@touch $@

.PHONY: database
database: .venv/runtime
	@$(MANAGE) migrate --verbosity 0
	@$(MANAGE) load_starter

.venv/bin/python:
	@$(PYTHON) -m venv .venv

.venv/runtime: requirements.lock | .venv/bin/python
	@echo 'Installing the requirements …'
	@$(PIP) -r requirements.lock
	@touch $@

.venv/dev: requirements-dev.lock .venv/runtime
	@echo 'Installing what development needs …'
	@$(PIP) -r requirements-dev.lock
	@touch $@
