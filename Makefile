# Two commands matter: `make lab` opens the course, `make test` shows that it works here.
# Both prepare .venv first; `make` alone lists the rest.

VENV   ?= .venv
JOBS   ?= 2
BIN    := $(VENV)/bin
PY     := $(BIN)/python
PYTEST := $(PY) -m pytest
TORCH_BACKEND ?=

# A machine behind a company's proxy has its certificates in the system's store, which uv reads only when told to.
export UV_SYSTEM_CERTS := true

# One stamp a backend: asking for another build of torch after the first install must not look "already done".
STAMP := $(VENV)/.installed$(if $(TORCH_BACKEND),-$(TORCH_BACKEND))
TORCH := $(if $(TORCH_BACKEND),--torch-backend $(TORCH_BACKEND) --reinstall-package torch --reinstall-package torchvision)

.DEFAULT_GOAL := help
.PHONY: help install lab app test test-all lessons soak check format bench constraints clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

install: $(STAMP) ## prepare .venv (the other commands do it by themselves)

lab: $(STAMP) ## open the lessons in JupyterLab
	@$(BIN)/coursekit lab

app: $(STAMP) ## serve the lessons as web pages (Voila)
	@$(BIN)/coursekit app

test: $(STAMP) ## the newcomer's tests: a few minutes, no browser needed
	$(PYTEST) -n $(JOBS) --dist loadgroup --junitxml=artifacts/test.xml $(PYTEST_ARGS)

test-all: check ## everything: check, all tests with browsers and servers, every lesson unsolved and solved
	$(PYTEST) -n $(JOBS) --dist loadgroup -m "not soak" --junitxml=artifacts/test-all.xml $(PYTEST_ARGS)
	@$(MAKE) --no-print-directory lessons

# nbval compares the outputs that a lesson stores, so a lesson cannot quietly begin to show something else.
# The record of these runs is thrown away: the learner's own is not touched.
lessons: $(STAMP) ## run every lesson and compare the outputs it stores
	@rm -rf artifacts/home
	COURSEKIT_FAST=1 COURSEKIT_HOME=$(CURDIR)/artifacts/home $(PYTEST) -n $(JOBS) --dist loadfile --nbval-lax --nbval-current-env --nbval-cell-timeout 120 \
		--junitxml=artifacts/lessons.xml lessons

soak: $(STAMP) ## the long ones: kills, mutations, load
	$(PYTEST) -m soak --timeout 0 $(PYTEST_ARGS)

check: $(STAMP) ## format, lint, types, imports, spelling
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/codespell

format: $(STAMP) ## write the format and the safe lint fixes
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(STAMP) ## every benchmark, one after the other
	@for script in benchmarks/*.py; do echo "== $$script"; $(PY) $$script || [ $$? -eq 2 ] || exit 1; done # 2: cannot run here

constraints: $(STAMP) ## pin the newest versions again
	$(BIN)/uv pip compile pyproject.toml --universal --extra dev --upgrade --quiet \
		--no-header --no-annotate --no-emit-index-url --output-file constraints.txt

clean: ## remove .venv and every cache (your notebooks stay)
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis artifacts build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Compiled once here, in half a minute: where Python may not write beside what it reads (a read-only place, the
# grader's sandbox, PYTHONDONTWRITEBYTECODE), each kernel would else spend seconds on it at each start.
# The order-only venv: its folder changes at every install, and must not make the stamp look old.
$(STAMP): pyproject.toml constraints.txt | $(PY)
	@test -x $(BIN)/uv || $(PY) -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip install --compile-bytecode --python $(PY) $(TORCH) -e '.[dev]' -c constraints.txt
	@$(PY) -m compileall -q coursekit
	@touch $@

$(PY):
	@python=$$(for each in $(or $(PYTHON),python3 python3.14 python3.13 python3.12 python3.11); do \
		if $$each -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then echo $$each; break; fi; done); \
	if [ -z "$$python" ]; then \
		echo "The course needs Python 3.11 or newer. Found: $$(python3 --version 2>&1)."; \
		echo "Install one, or name it: make lab PYTHON=/path/to/python3.12"; exit 1; fi; \
	if ! $$python -c 'import venv, ensurepip' 2>/dev/null; then \
		echo "$$python cannot make a virtual environment: its venv module is missing."; \
		echo "On Debian or Ubuntu: apt install python3-venv    Then run the same command again."; exit 1; fi; \
	$$python -m venv $(VENV)
