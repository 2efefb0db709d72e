# Every target makes what it needs: no environment to activate, nothing installed outside this folder.
# A second run installs nothing; a change of pyproject.toml or a requirements file installs again.

VENV := .venv
DEMO_VENV := .venv-demo
LOWEST_VENV := .venv-lowest
NEXT_VENV := .venv-next
SBOM_VENV := .venv-sbom
SBOM = .build/sbom/tap_usertesting-$(VERSION).cdx.json
DEMO_REQUIREMENTS := tests/demo/requirements.txt
BIN := $(VENV)/bin
# Test processes side by side: one more than there are cores, as some tests wait for others' processes. JOBS=0 runs
# everything in one, as a debugger needs it.
JOBS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)
SEEDS ?= 200
# The tests of single rooms, without a process of the tap's.
ROOMS := tests/api tests/values tests/changes tests/ledger/test_state.py tests/sync
COVERED := $(ROOMS) tests/doctor tests/report tests/settings tests/fan_out tests/parallel tests/sandbox
VERSION = $(shell sed -n 's/^__version__ = "\(.*\)"$$/\1/p' tap_usertesting/__init__.py)
PASTED := tests/e2e/pages/test_pasted.py::test_every_step_works_when_pasted
WORKFLOWS := $(wildcard .github/workflows/*.yml)

# PYTHON=... chooses another interpreter. The first that runs and is new enough is taken: a name on the PATH proves
# nothing (pyenv keeps one for every version it knows of).
NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 10))
PYTHON ?= $(shell for name in python3 python3.14 python3.13 python3.12 python3.11 python3.10 python; do \
	$$name -c '$(NEW_ENOUGH)' >/dev/null 2>&1 && { echo $$name; exit; }; done)
PYTHON_IS_NEW_ENOUGH = [ -n "$(PYTHON)" ] && $(PYTHON) -c '$(NEW_ENOUGH)' 2>/dev/null || { \
	echo "tap-usertesting needs Python 3.10 or newer: make PYTHON=/path/to/python3$(if $(PYTHON), ($(PYTHON) is not))" >&2; exit 1; }
PIP_FLAGS := --quiet --disable-pip-version-check

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
# A benchmark must run alone, whatever -j says.
.NOTPARALLEL:
.PHONY: help test lint types workflows unit coverage lowest next-sdk audit docs e2e pipeline chaos bench bench-peers format demo dist sbom clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

test: lint types workflows unit ## Everything that must hold before a commit
	@echo "make test: all checks passed"

lint: $(VENV)/.dev ## Style: ruff check and ruff format
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(VENV)/.dev ## Types: mypy --strict
	$(BIN)/mypy

workflows: $(VENV)/.dev ## GitHub workflows and meltano.yml against their schemas, and zizmor, all offline
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows $(WORKFLOWS)
	$(BIN)/check-jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.meltano meltano.yml
	$(BIN)/zizmor --offline --no-progress --quiet .github

unit: $(VENV)/.dev ## All tests but those of real programs around the tap
	$(BIN)/pytest -m "not e2e" -n $(JOBS) --dist worksteal

# Measuring doubles the time of a test, so the slowest suites are left out.
coverage: $(VENV)/.dev ## Branch coverage of the package by the quicker tests, which has a lower bound
	$(BIN)/pytest -m "not e2e" -n $(JOBS) --dist worksteal --cov --cov-report=term $(COVERED)

# Unlike `unit`, without the suites that try histories and faults by the hundred: an API that is missing shows at once.
lowest: $(LOWEST_VENV)/.lowest ## Tests with the lowest version of everything that pyproject.toml admits
	$(LOWEST_VENV)/bin/pytest -m "not e2e" -n $(JOBS) $(ROOMS) tests/guarantees tests/test_core.py

# No file is left behind by which a second run would know the environment: each asks for the newest.
next-sdk: $(VENV)/.dev ## Unit and core tests with the newest pre-release of the Singer SDK
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(NEXT_VENV)
	$(BIN)/uv pip install --quiet --python $(NEXT_VENV)/bin/python --editable ".[sandbox]" --group test
	$(BIN)/uv pip install --quiet --python $(NEXT_VENV)/bin/python --prerelease allow --upgrade "singer-sdk[msgspec]"
	$(NEXT_VENV)/bin/python -c 'from importlib.metadata import version; print("singer-sdk", version("singer-sdk"))'
	$(NEXT_VENV)/bin/pytest -m "not e2e" -n $(JOBS) $(ROOMS) tests/test_core.py tests/architecture/test_sdk.py

audit: $(VENV)/.dev ## Known weaknesses of what the tap depends on (asks PyPI)
	$(BIN)/python -m pip install $(PIP_FLAGS) --group audit
	$(BIN)/python -m pip_audit --progress-spinner off .

docs: $(VENV)/.docs ## The documentation as a site in site/, built strictly by MkDocs and by Zensical
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict --site-dir site
	$(BIN)/zensical build --clean --strict

e2e: $(VENV)/.dev ## Real programs around the tap: Meltano, targets, dbt, orchestrators (installs them beside)
	$(BIN)/pytest -m e2e -n 2 --dist loadfile

pipeline: $(VENV)/.dev ## Of e2e the part that the pipeline runs: Meltano into PostgreSQL, README and its next page as pasted
	$(BIN)/pytest -m e2e tests/e2e/meltano/test_postgres.py tests/e2e/meltano/test_interruptions.py \
		"$(PASTED)[README.md]" "$(PASTED)[docs/get-started.md]"

chaos: $(VENV)/.dev ## Faults, kills and events by seed, random schedules, random histories of the ledger, the long suite (SEEDS=200)
	$(BIN)/python -m tests.ledger --histories 100000
	$(BIN)/python -m tests.chaos.accounts --seeds $(SEEDS)
	$(BIN)/python -m tests.chaos --seeds $(SEEDS)

bench: $(VENV)/.dev ## Scale, long histories, shared quota, streams side by side, freshness: each figure beside its bound
	$(BIN)/python -m tests.benchmarks.scale
	$(BIN)/python -m tests.benchmarks.events
	$(BIN)/python -m tests.benchmarks.shared
	$(BIN)/python -m tests.benchmarks.side_by_side
	$(BIN)/python -m tests.benchmarks.freshness

bench-peers: $(VENV)/.dev ## Side by side with what a user would pick instead (installs them beside)
	$(BIN)/python -m tests.benchmarks.peers

format: $(VENV)/.dev ## Format the code and mend what ruff can mend
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

demo: $(DEMO_VENV)/.demo ## Three syncs of the sandbox into a PostgreSQL of its own, no credentials needed
	@$(DEMO_VENV)/bin/python -m tests.demo.run

# Twice, so that whoever builds a release again can compare it: the same tree makes the same bytes.
dist: $(VENV)/.release ## Build sdist and wheel into dist/, twice and to the same bytes, and check them
	rm -rf dist .build/again
	$(BIN)/python -m build
	$(BIN)/python -m build --outdir .build/again
	diff -r dist .build/again
	$(BIN)/twine check --strict dist/*

# Of a fresh environment that has the wheel and what it brings along, without pip. By name and not by path: the SBOM
# would name this machine's folders. It is no distribution, so it does not stand in dist/, all of which goes to PyPI.
sbom: dist ## Build, and list what the wheel brings along, as CycloneDX, in .build/sbom/
	rm -rf .build/sbom && mkdir -p .build/sbom
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(SBOM_VENV)
	$(BIN)/uv pip install --quiet --python $(SBOM_VENV)/bin/python --find-links dist --no-cache "tap-usertesting==$(VERSION)"
	sed 's/^dynamic = .*/version = "$(VERSION)"/' pyproject.toml > .build/pyproject.toml
	$(BIN)/cyclonedx-py environment --pyproject .build/pyproject.toml --output-reproducible \
		--output-file $(SBOM) $(SBOM_VENV)/bin/python
	$(BIN)/python -m tests.published.sbom $(SBOM)

clean: ## Remove everything that make wrote
	rm -rf $(VENV) $(DEMO_VENV) $(LOWEST_VENV) $(NEXT_VENV) $(SBOM_VENV) .venvs .build dist site .cache .coverage .coverage.* .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Order-only prerequisites below: an environment that is there stays, whatever happens to the Python it came from.
$(VENV)/bin/python $(DEMO_VENV)/bin/python:
	@$(PYTHON_IS_NEW_ENOUGH)
	@$(PYTHON) -m venv $(@D:/bin=) || { \
		rm -rf $(@D:/bin=); echo "$(PYTHON) cannot make an environment: install its venv module (Debian: python3-venv)" >&2; exit 1; }

$(VENV)/.dev: pyproject.toml tap_usertesting/__init__.py | $(VENV)/bin/python
	$(BIN)/python -m pip install $(PIP_FLAGS) --upgrade "pip>=25.1"
	$(BIN)/python -m pip install $(PIP_FLAGS) --editable ".[sandbox]" --group dev
	@touch $@

# uv and not pip, which always takes the newest. A Python that has no wheels of so old versions builds them.
$(LOWEST_VENV)/.lowest: pyproject.toml $(VENV)/.dev
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(LOWEST_VENV)
	$(BIN)/uv pip install --quiet --python $(LOWEST_VENV)/bin/python --resolution lowest-direct \
		--editable ".[sandbox]" --group test
	@touch $@

$(VENV)/.release: $(VENV)/.dev
	$(BIN)/python -m pip install $(PIP_FLAGS) --group release
	@touch $@

$(VENV)/.docs: $(VENV)/.dev
	$(BIN)/python -m pip install $(PIP_FLAGS) --group docs
	@touch $@

# The environment is made from within, not as a prerequisite: making it takes seconds, and the line comes first.
$(DEMO_VENV)/.demo: pyproject.toml tap_usertesting/__init__.py $(DEMO_REQUIREMENTS)
	@[ -e $(DEMO_VENV)/bin/python ] || { $(PYTHON_IS_NEW_ENOUGH); }
	@echo "Installing the tap, target-postgres, a PostgreSQL server and a charting library into $(DEMO_VENV) (about a minute)"
	@$(MAKE) --silent $(DEMO_VENV)/bin/python
	@$(DEMO_VENV)/bin/python -m pip install $(PIP_FLAGS) --editable ".[sandbox]" --requirement $(DEMO_REQUIREMENTS)
	@touch $@
