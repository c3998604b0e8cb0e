# Everything is done through scripts/setup.sh, which first installs what is missing. ARGS go to the command.

RUN := scripts/setup.sh run
TEST := scripts/setup.sh test
KERNELS := scripts/setup.sh kernels
BENCH := scripts/setup.sh bench

.DEFAULT_GOAL := help
.PHONY: help run test test-kernels bench lint screenshots clean

help: ## these lines
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' Makefile | expand -t 24

run: ## start netlat-tui: make run ARGS="check", make run ARGS="trace port 443"
	@$(RUN) python -m netlat_tui $(ARGS)

test: lint ## lint, then unit, screen and live tests (live ones as root): make test ARGS="-k irq"
	$(TEST) scripts/tests.sh $(ARGS)

test-kernels: ## tests on Debian's kernels in emulated machines (as root): make test-kernels ARGS="6.1 6.12 -k udp"
	@$(KERNELS) python -m scripts.kernels $(ARGS)

bench: ## what tracing costs (as root): make bench ARGS="hooks", make bench ARGS="--wait 10 --docs"
	@$(BENCH) python -m benchmarks $(ARGS)

lint: ## ruff and strict mypy
	$(TEST) ruff check .
	$(TEST) ruff format --check .
	$(TEST) mypy

screenshots: ## take the pictures in screenshots/ again, of the bundled recording
	$(TEST) python -m scripts.screenshots

clean: ## remove the virtual environment and what tools left behind
	@scripts/setup.sh clean
	@rm -rf build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache *.egg-info snapshot_report.html
	@find netlat_tui tests scripts benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +
