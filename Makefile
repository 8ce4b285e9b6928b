# make demo       the whole method on the embedded data set, in five minutes on two CPU cores
# make test       the tests
# make test-slow  the long ones: kills, many processes, small experiments
# make lint       style
#
# Each sets up what it needs in $(VENV) first. PYTHON chooses the interpreter (3.11 or newer), PIP_ARGS goes to pip, e.g.
#   make demo PIP_ARGS="--index-url https://…"
PYTHON ?= python3
VENV ?= .venv
PIP_ARGS ?=
PYTEST_ARGS ?=
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo test test-slow lint clean

demo: $(READY)
	$(BIN)/python tools/demo.py

test: $(READY)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 -m "not slow" $(PYTEST_ARGS)

test-slow: $(READY)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 -m slow $(PYTEST_ARGS)

lint: $(READY)
	$(BIN)/ruff check .

clean:
	rm -rf $(VENV) build dist *.egg-info mmamr/.mim

# The dense CRF in C++ needs a compiler; without it mmamr's own in torch serves.
$(READY): setup.py $(wildcard requirements/*.txt)
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "mmamr needs Python 3.11 or newer, but $(PYTHON) is " + sys.version.split()[0] + ": make PYTHON=python3.11 ...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(PIP_ARGS) -c requirements/constraints.txt "setuptools>=60,<81" wheel
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(PIP_ARGS) -c requirements/constraints.txt -e ".[tests]"
	-$(BIN)/python -m pip install --quiet --disable-pip-version-check $(PIP_ARGS) -c requirements/constraints.txt -r requirements/crf.txt
	@touch $(READY)
