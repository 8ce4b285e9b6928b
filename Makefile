# make demo       the whole method on the embedded data set, in five to seven minutes on two CPU cores
# make test       the tests
# make test-slow  the long ones: kills, many processes, small experiments
# make test-gpu   those that need a GPU
# make lint       style, the order of the rooms, types
# make docs       the documentation, in docs/_build/html
#
# Each sets up what it needs in $(VENV) first. PYTHON chooses the interpreter (3.10 or newer), PIP_ARGS goes to pip, e.g.
# where there is no GPU, builds of torch that are gigabytes smaller:
#   make demo PIP_ARGS="--extra-index-url https://download.pytorch.org/whl/cpu"
# The exact versions of requirements/constraints.txt are for Python 3.11; others get the newest that there are. TORCH
# names others, which then stay:
#   make demo TORCH="torch==2.13.0+cpu torchvision==0.28.0" PIP_ARGS="--extra-index-url https://download.pytorch.org/whl/cpu"
PYTHON ?= python3
VENV ?= .venv
PIP_ARGS ?=
TORCH ?=
PYTEST_ARGS ?=
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check $(PIP_ARGS)
ifeq ($(TORCH),)
PIP += $(shell $(PYTHON) -c 'import sys; print("-c requirements/constraints.txt" * (sys.version_info[:2] == (3, 11)))')
endif
READY := $(VENV)/.ready
DOCS_READY := $(VENV)/.docs-ready

.PHONY: demo test test-slow test-gpu lint docs clean

demo: $(READY)
	$(BIN)/python tools/demo.py

test: $(READY)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 -m "not slow" $(PYTEST_ARGS)

test-slow: $(READY)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 -m slow $(PYTEST_ARGS)

test-gpu: $(READY)
	MMAMR_TEST_GPU=1 $(BIN)/python -m pytest -m gpu $(PYTEST_ARGS)

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy

docs: $(DOCS_READY)
	$(BIN)/sphinx-build -W --keep-going -b html docs docs/_build/html

clean:
	rm -rf $(VENV) build dist *.egg-info mmamr/.mim docs/_build

# The dense CRF in C++ needs a compiler; without it mmamr's own in torch serves.
$(READY): setup.py $(wildcard requirements/*.txt)
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 10) else "mmamr needs Python 3.10 or newer, but $(PYTHON) is " + sys.version.split()[0] + ": make PYTHON=python3.11 ...")'
	$(PYTHON) -m venv $(VENV)
	$(PIP) "setuptools>=60,<81" wheel $(TORCH)
	$(PIP) -e ".[tests]" $(TORCH)
	-$(PIP) -r requirements/crf.txt
	@touch $(READY)

$(DOCS_READY): $(READY) requirements/docs.txt
	$(PIP) -r requirements/docs.txt
	@touch $(DOCS_READY)
