# What a fresh clone needs: Python 3.11 and make. Everything lands in .venv; nothing is installed system-wide
# except by `make test-system`, which asks for root.

PYTHON ?= $(shell command -v python3.11 || command -v python3 || echo python3.11)
# A machine without a GPU saves 3 GB: make install TORCH_INDEX=https://download.pytorch.org/whl/cpu
TORCH_INDEX ?=

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
TORCH := $(shell grep -i '^torch==' requirements.txt)

.DEFAULT_GOAL := help
.PHONY: help install demo test test-system check lint types imports pytest model docs readme wheel pins clean

help: ## This list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-13s %s\n", $$1, $$2}'

install: $(VENV)/.installed ## Make .venv with everything, pinned; without a GPU 3 GB smaller: docs/quickstart.md

$(VENV)/.created:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || \
		{ echo "The pins are for Python 3.11, and $(PYTHON) is not that: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@touch $@

# torch goes first and by itself, so that no other package chooses its version.
$(VENV)/.installed: $(VENV)/.created requirements.txt requirements-train.txt pyproject.toml setup.py
	$(PIP) install $(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX)) $(TORCH)
	$(PIP) install -r requirements-train.txt
	$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed requirements-dev.txt
	$(PIP) install -r requirements-dev.txt
	@touch $@

demo: install ## One simulated patient, two visits, a node, an archive: the whole journey in a minute
	$(BIN)/aasnode demo

test: test-system $(VENV)/.installed-dev check pytest ## Everything: types, style, floors, tests with a real archive

test-system: ## System packages of the tests (Orthanc, DCMTK, validators, Node.js); installs them when root
	@scripts/test_system.sh

check: lint types imports ## Style, types and floors only

lint: $(VENV)/.installed-dev ## ruff
	$(BIN)/ruff check .

types: $(VENV)/.installed-dev ## mypy --strict
	$(BIN)/mypy --strict aasnode

imports: $(VENV)/.installed-dev ## import-linter: imports go down only
	$(BIN)/lint-imports

# Two processes, for much of a journey is waiting; the tests of one file share what is dear, and stay together.
pytest: $(VENV)/.installed-dev ## The tests alone
	OMP_NUM_THREADS=1 $(BIN)/pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder --durations 12

# Its weights are others than the shipped ones, and so it has a version of its own.
model: install ## Make a model by the shipped recipe: runs/made/aas-cpu, version 0.9.0+made.here (hours; resumes)
	$(BIN)/aasnode train --out runs/made/aas-cpu --work runs/made --seed 1 --version 0.9.0+made.here

docs: $(VENV)/.installed-dev ## Write the generated pages: configuration and conformance
	$(BIN)/python scripts/write_docs.py

readme: $(VENV)/.installed-dev ## Put the real output of demo and analyse, and a real overlay, into README.md
	$(BIN)/python scripts/write_readme.py

wheel: $(VENV)/.installed-dev ## dist/aasnode-*.whl, the model inside
	$(PIP) wheel --no-deps --no-build-isolation --wheel-dir dist .

pins: $(VENV)/.installed-dev ## Write requirements*.txt afresh from what .venv holds
	$(BIN)/python scripts/write_pins.py

clean: ## Remove what is built; .venv stays
	rm -rf build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
