# The work is done by the scripts in .ci/; this file only names them.
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
SAMPLES ?= ../shared/samples
PYTHON_BIN := .venv/bin

.PHONY: help setup run wheel test test-long test-samples lint clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## make .venv with Python and Node packages, build the web pages
	@.ci/setup

run: setup ## start Madoguchi with the demo company (MADOGUCHI_PORT, default 8080)
	@exec $(PYTHON_BIN)/madoguchi demo

wheel: setup ## build the wheel into dist/, its routing engine compiled
	@.ci/system
	@MADOGUCHI_COMPILED=1 $(PYTHON_BIN)/python -m build --wheel --outdir dist

test: setup ## everything that CI runs
	@.ci/system
	@SAMPLES="$(SAMPLES)" $(PYTHON_BIN)/python .ci/test

test-long: setup ## the tests that are too slow for `make test`
	@.ci/system
	@$(PYTHON_BIN)/python .ci/test long

test-samples: setup ## the tests over a folder of samples (SAMPLES=FOLDER)
	@SAMPLES="$(SAMPLES)" $(PYTHON_BIN)/python .ci/test samples

lint: setup ## style, types and import rules
	@$(PYTHON_BIN)/python .ci/test lint types imports

clean: ## remove what `make setup` and the tools made; the data in var/ stays
	@rm -rf .venv dist agent_ui/static agent_ui/web/node_modules agent_ui/web/.generated \
		.mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
