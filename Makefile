# make run    start (as root: live; else the bundled recording).   make run ARGS="report --duration 5 port 443"
# make test   everything that can be tested on this machine.

.PHONY: help run test lint clean
.DEFAULT_GOAL := help

SETUP := scripts/setup.sh

help:
	@sed -n 's/^# \(make .*\)/\1/p' Makefile

run:
	@python=$$($(SETUP) run) && exec $$python -m netlat_tui $(ARGS)

test:
	@python=$$($(SETUP) test) && \
	$$python -m ruff check . && \
	$$python -m ruff format --check . && \
	$$python -m mypy && \
	$$python -m pytest $(ARGS)

lint:
	@python=$$($(SETUP) test) && $$python -m ruff check . && $$python -m ruff format --check . && $$python -m mypy

clean:
	rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
