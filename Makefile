# Two commands on a fresh machine: `make report` and `make test`. Both need Python >= 3.11 and make, nothing else.
# tests/LAYERS.md says what each layer of tests has.
PYTHON ?= python3
BIN := .venv/bin
# What is imported is compiled once and kept.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: report reference test test-full nightly lowest coverage soundness bench docs rocq lint clean

report: .venv/core
	$(BIN)/boundcheck audit jiang2024

# The report that papers cite, whole: minutes instead of one.
reference: .venv/core
	$(BIN)/boundcheck audit jiang2024 --full

# What looks at the paper's proofs runs in one worker, which runs them once. A worker has a core, and one thread there.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/pytest -n 2 --dist loadgroup

test: .venv/test
	$(PYTEST) -m "not full and not nightly" --hypothesis-profile=quick

# With FULL="full and not nightly" only what `make test` leaves out.
FULL ?= not nightly
test-full: .venv/full
	$(PYTEST) -m "$(FULL)"

nightly: .venv/full lowest
	$(PYTEST) --hypothesis-profile=nightly
	$(BIN)/python -m soundness --jobs 2 --out runs/soundness
	if command -v coqc > /dev/null; then $(MAKE) rocq; fi

# A few commands and tests at the lowest versions that pyproject.toml allows, in an environment of their own.
lowest:
	$(PYTHON) .ci/lowest

# Every line and branch of the kernel and the statistics; the tests left out take long and reach nothing more. Without
# the plugin, which imports boundcheck before anything is measured.
STATISTICS := tests/experiment/test_statistics.py tests/experiment/test_verdict.py tests/experiment/test_outcome.py tests/experiment/test_coverage.py

coverage: .venv/test
	$(PYTEST) -p no:boundcheck -m "not nightly" -k "not (true_theorem or the_unit or long_run)" tests/kernel $(STATISTICS) --cov --cov-report=term-missing

# The checker checked: every mutant, an hour of two cores. Wrong verdicts are listed, and there must be none.
soundness: .venv/full
	$(BIN)/python -m soundness --jobs 2

# Speed against peers and limits, a quarter of an hour of two cores that do nothing else.
bench: .venv/bench
	$(BIN)/python -m benchmarks --out reports/benchmarks

# The site, for build/docs/index.html. What is read off the code is read anew each time.
docs: .venv/docs
	$(BIN)/sphinx-build -E -W -q docs build/docs

# A second checker: Rocq (Debian's coq, libcoq-mathcomp-analysis and libcoq-mathcomp-algebra-tactics) reads every proof.
# With ROCQ=--changed what it has not read as it is now, and a spot check of the rest.
rocq: .venv/core
	$(BIN)/python -m boundcheck.proof.export jiang2024 meft --out build/rocq $(ROCQ)

lint: .venv/full
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/lint-imports

clean:
	rm -rf .venv runs build dist

# The stamp files say what is installed; each is out of date when the dependencies change.
.venv/core: EXTRAS :=
.venv/test: EXTRAS := [test]
.venv/full: EXTRAS := [test,browser,lint,docs,hf,pretrained,fast,cluster]
.venv/docs: EXTRAS := [docs,hf]
.venv/bench: EXTRAS := [bench,hf,pretrained,cluster]
.venv/core .venv/test .venv/full .venv/docs .venv/bench: pyproject.toml | .venv/bin/pip
	@$(HINT)
	$(BIN)/pip install --quiet --no-compile --editable ".$(EXTRAS)"
	$(COMPILE)
	touch $@

.venv/bin/pip:
	$(PYTHON) -m venv .venv

# pip compiles every file on one core, two thirds of the time that it takes. Here what is imported is compiled, on all
# cores, without large parts that are not; templates for other Pythons do not compile, and need not.
UNUSED := tests?|testing|examples|benchmarks|pip|setuptools|_inductor|distributed|onnx|lexers|physics|networkx|sklearn
COMPILE = $(BIN)/python -m compileall -q -j 0 -x '/($(UNUSED))/' .venv/lib/python3*/site-packages || true
# pip's own settings reach it: docs/how_to/install.md says how to have the CPU build of torch, where the default is one for CUDA.
HINT = if [ "$$(uname)" = Linux ] && ! command -v nvidia-smi > /dev/null && ! $(BIN)/python -c 'import torch' 2> /dev/null \
	&& [ -z "$$PIP_EXTRA_INDEX_URL$$PIP_INDEX_URL$$PIP_FIND_LINKS" ]; then echo "No NVIDIA GPU was found, and torch's \
default build for Linux brings CUDA, gigabytes of it. docs/how_to/install.md says how to have the CPU build."; fi
