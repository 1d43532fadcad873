# Everything starts from python3 (3.11 or newer) and make; the virtual environment is made in .venv.

PYTHON ?= python3
BIN := .venv/bin
SOURCES := $(shell find crm_sdk crm_cli server_stub -name '*.py') pyproject.toml README.md

# No script and no `python -m` finds the packages in the folder it is run from: what is installed is what is tested.
export PYTHONSAFEPATH := 1

.DEFAULT_GOAL := help
.PHONY: help demo check test types docs bench soak clean

help:  ## show what there is to make
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 14

demo: .venv/demo  ## list, create and find leads offline, and run the documents' own example
	@PATH="$(CURDIR)/$(BIN):$$PATH" CRM_DATA_DIR="$(CURDIR)/.venv/demo-data" sh examples/demo.sh

check: .venv/tools  ## formatting and lint
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

test: .venv/tested .venv/tools .venv/phoenix/installed  ## every test, against the built wheel
	$(BIN)/pytest -n 2 -m "not slow"

types: .venv/tested .venv/tools  ## mypy and pyright, both strict, and the completeness of the public types
	$(BIN)/mypy
	PATH="$(CURDIR)/$(BIN):$$PATH" pyright
	PATH="$(CURDIR)/$(BIN):$$PATH" pyright --verifytypes crm_sdk --ignoreexternal

docs: $(BIN)/pip  ## write the lists of public names and the reference pages from the modules
	$(BIN)/python docs/exports.py
	$(MAKE) --no-print-directory .venv/tested .venv/tools
	$(BIN)/python docs/generate.py

bench: .venv/tested .venv/tools  ## measure ourselves against the bare libraries, side by side
	$(BIN)/python benchmarks/run.py

soak: .venv/tested .venv/tools  ## the long tests
	$(BIN)/pytest -n 2 -m slow

clean:  ## remove what was made
	rm -rf .venv build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis

$(BIN)/pip:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "crm-sdk needs Python 3.11 or newer, this is " + sys.version.split()[0])'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'

# The demo needs no tools: it installs what a user would.
.venv/demo: $(BIN)/pip $(SOURCES)
	$(BIN)/pip install --quiet '.[stub]'
	@touch $@

.venv/tools: $(BIN)/pip pyproject.toml
	$(BIN)/pip install --quiet --group test --group check
	@touch $@

# The JavaScript clients of Phoenix Channels. Where Node is missing, the tests that need them are skipped.
.venv/phoenix/installed: $(BIN)/pip tests/support/phoenix/package-lock.json
	mkdir -p .venv/phoenix
	cp tests/support/phoenix/package.json tests/support/phoenix/package-lock.json .venv/phoenix
	if command -v npm >/dev/null; then cd .venv/phoenix && npm ci --silent --no-audit --no-fund; fi
	@touch $@

# Tests run against the wheel, so that what is missing in it is missed.
.venv/tested: $(BIN)/pip $(SOURCES)
	rm -rf dist
	$(BIN)/pip wheel --quiet --no-deps --wheel-dir dist .
	$(BIN)/pip install --quiet --force-reinstall --no-deps dist/*.whl
	$(BIN)/pip install --quiet "$$(echo dist/*.whl)[server]"
	@touch $@
