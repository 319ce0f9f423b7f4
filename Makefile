# Two commands on a fresh machine: `make report` and `make test`. Both need Python >= 3.11 and make, nothing else.
# tests/LAYERS.md says what each layer of tests has.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: report test test-full nightly coverage lint clean

report: .venv/core
	$(BIN)/boundcheck audit jiang2024 --out reports/jiang2024

# What looks at the paper's proofs runs in one worker, which runs them once.
PYTEST := $(BIN)/pytest -n 2 --dist loadgroup

test: .venv/test
	$(PYTEST) -m "not full and not nightly" --hypothesis-profile=quick

test-full: .venv/test
	$(PYTEST) -m "not nightly"

nightly: .venv/test
	$(PYTEST) --hypothesis-profile=nightly
	$(BIN)/boundcheck soundness --jobs 2 --out runs/soundness

# Every line and branch of the kernel and the statistics; the tests left out take long and reach nothing more. Without
# the plugin, which imports boundcheck before anything is measured.
STATISTICS := $(foreach x,blame coverage exponent intervals schedule verdict,tests/measure/test_$(x).py)

coverage: .venv/test
	$(BIN)/pytest -p no:boundcheck -n 2 -m "not nightly" -k "not (true_theorem or the_unit or long_run)" tests/kernel $(STATISTICS) --cov --cov-report=term-missing

lint: .venv/test
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/lint-imports

clean:
	rm -rf .venv runs build dist

# The stamp files say what is installed; either is out of date when the dependencies change.
.venv/core: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --editable ".[pep]"
	touch $@

.venv/test: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --editable ".[test,pep,hf,pretrained]"
	touch $@
