# Two commands do all the set-up: `make demo` and `make test`.

PYTHON ?= python3
VENV ?= .venv
# Extra options for installing torch, e.g. TORCH_OPTIONS="--index-url https://download.pytorch.org/whl/cpu"
TORCH_OPTIONS ?=
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.PHONY: install demo test check format peers clean
.DELETE_ON_ERROR:

install: $(INSTALLED)

demo: $(INSTALLED)
	$(BIN)/python -m workflows.demo

test: $(INSTALLED)
	$(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadscope --no-loadscope-reorder

check: $(INSTALLED)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

# Panoptica wants an older numpy and pandas than ours, so it is compared with in an environment of its own.
peers:
	$(PYTHON) -m venv $(VENV)-peers
	$(VENV)-peers/bin/python -m pip install --quiet --disable-pip-version-check panoptica==2.1.7 nibabel pytest
	$(VENV)-peers/bin/python -m pytest -c /dev/null --rootdir . tests/metrics/test_against_panoptica.py

format: $(INSTALLED)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# torch first, pinned: the build that pip or TORCH_OPTIONS finds, which nothing that follows replaces. What torch itself
# needs comes with the rest, from the ordinary index.
$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || \
	  { echo "islesnet needs Python 3.11 to 3.13; $(PYTHON) is $$($(PYTHON) --version 2>&1). Try make PYTHON=python3.11"; exit 1; }
	@echo "Installing into $(VENV) (a few minutes, once)"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps $(TORCH_OPTIONS) -c constraints.txt torch
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

clean:
	rm -rf $(VENV) $(VENV)-peers demo build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache
