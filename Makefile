# Two targets do everything on a machine with Python 3.11 or newer and make:
#
#   make demo   own environment, then enrich, a minute of training, zero-shot evaluation beside bars and a transformer
#   make test   own environment, then lint, types, architecture, documentation, tests
#
# The environment is .venv; stamp files in it record what was installed, so a second `make` installs nothing. Every
# version is pinned by constraints.txt. pip keeps its own settings (mirrors, wheel folders, certificates).

PYTHON ?= python3
VENV ?= .venv
DEMO_INSTANCES ?= 600
DEMO_SAMPLES ?= 400
PYTEST_ARGS ?=

BIN := $(VENV)/bin
DEMO_RUN := runs/demo
PIP := $(BIN)/python -m pip install --quiet --constraint constraints.txt

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help install install-dev demo test lint format types arch docs serve-docs pytest test-slow clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r target text; do \
	  printf '%-20s %s\n' "$$target" "$$text"; done

install: $(VENV)/stamp-run ## the environment that runs the program
install-dev: $(VENV)/stamp-dev ## the environment that also checks and documents it

# Threads that wait actively take the cores from each other where something else runs, too (benchmarks/README.md).
demo: export OMP_WAIT_POLICY ?= passive
demo: install ## enrich noise, train for a minute, predict real bytes zero-shot
	$(BIN)/up demo enrich
	rm -rf $(DEMO_RUN)
	$(BIN)/up train --preset mixing-small --instances $(DEMO_INSTANCES) --out $(DEMO_RUN)
	$(BIN)/up eval $(DEMO_RUN) --beside builtin:tiny --samples $(DEMO_SAMPLES)

test: lint types arch docs pytest ## every check

lint: install-dev ## ruff: lint and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: install-dev ## rewrite the sources as ruff formats them
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: install-dev ## basedpyright
	$(BIN)/basedpyright --pythonpath $(BIN)/python

arch: install-dev ## import-linter: arrows point one way
	$(BIN)/lint-imports

docs: install-dev ## build the site into site/, strict and without a network
	$(BIN)/properdocs build --config-file mkdocs.yml --strict --quiet

serve-docs: install-dev ## serve the site and rebuild it on change
	$(BIN)/properdocs serve --config-file mkdocs.yml

pytest: install-dev ## the fast tests
	$(BIN)/python -m pytest -n auto --maxprocesses 8 $(PYTEST_ARGS)

test-slow: install-dev ## the tests that take minutes
	$(BIN)/python -m pytest -m slow -n auto --maxprocesses 8 $(PYTEST_ARGS)

clean: ## remove the environment, the built site, caches and the demo's run
	rm -rf $(VENV) site build dist $(DEMO_RUN) .cache .hypothesis .pytest_cache .ruff_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The build backend is pinned like the rest: installed first and used without build isolation.
$(VENV)/stamp-run: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "installing into $(VENV); the first time this fetches torch and takes a few minutes"
	$(PIP) hatchling editables
	$(PIP) --no-build-isolation --editable .
	@touch $@

$(VENV)/stamp-dev: $(VENV)/stamp-run
	$(PIP) --no-build-isolation --editable '.[dev,docs]'
	@touch $@

$(VENV)/bin/python:
	@command -v $(PYTHON) >/dev/null 2>&1 || \
	  { echo "$(PYTHON) was not found: install Python 3.11 or newer, or name it: make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "$$($(PYTHON) --version) is too old: install Python 3.11 or newer, or name it: make PYTHON=python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo "this Python lacks venv: install it (on Debian and Ubuntu the package python3-venv)" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
