# make demo      create .venv, install, run the main job
# make test      the same set-up if needed, then lint, types and tests
# make test-slow the tests left out of `make test` (notebook, whole programs)
# make study-learning  train on ListOps and digits over seeds, written to rmaat_hw/training/results (a quarter of an hour)
# make study-lra  compare with rivals and ablations on published data, DATA=FOLDER (needs a GPU)
# make golden   the default estimate that the tests hold fast; a number that moves goes into the changelog
# make bench     speed figures, written to bench.json
# make clean     remove caches and builds (distclean: the .venv too)
#
# PYTHON=python3.12 chooses the interpreter; pip's own settings (PIP_...) hold, see README for the CPU build of torch.

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/installed

PIP_INSTALL := $(BIN)/python -m pip install --disable-pip-version-check --quiet -c constraints.txt

.PHONY: demo test lint types test-slow study-learning study-lra golden bench clean distclean

demo: $(STAMP)
	$(BIN)/rmaat-hw estimate

test: lint types
	$(BIN)/python -m pytest

lint: $(STAMP)-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)-test
	$(BIN)/mypy

test-slow: $(STAMP)-test
	$(BIN)/python -m pytest -m slow

study-learning: $(STAMP)
	$(BIN)/python -m rmaat_hw.training.study

study-lra: $(STAMP)
	$(BIN)/python -m rmaat_hw.training.lra_study $(if $(DATA),--data "$(DATA)")

golden: $(STAMP)-test
	$(BIN)/python tests/helpers/golden.py

bench: $(STAMP)-test
	$(BIN)/python -m benchmarks

clean:
	rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .benchmarks .hypothesis
	find . -path ./$(VENV) -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +

distclean: clean
	rm -rf $(VENV)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "rmaat-hw needs Python 3.11 or newer, and '$(PYTHON)' is not: name another, as in 'make demo PYTHON=python3.12'." >&2; \
	  exit 1; }
	@$(PYTHON) -m venv $(VENV) || { \
	  echo "'$(PYTHON) -m venv' failed: install the venv module of your Python (Debian, Ubuntu: apt install python3-venv)." >&2; \
	  rm -rf $(VENV); exit 1; }

$(STAMP): pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing rmaat-hw into $(VENV) (the first time takes minutes: torch is large) ..."
	$(PIP_INSTALL) -e .
	@touch $@

$(STAMP)-test: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing rmaat-hw and its test tools into $(VENV) (the first time takes minutes: torch is large) ..."
	$(PIP_INSTALL) -e '.[test]'
	@touch $@ $(STAMP)
