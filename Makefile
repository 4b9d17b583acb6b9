# Thin on purpose: each target calls one script.
.PHONY: setup demo test week lint bench chaos clean

setup: ## install packages where they changed, and build
	@scripts/setup.sh

demo: setup ## the whole of Weir on this machine, against the sandbox
	@./bin/weir demo

test: setup ## ARGS go to vitest: make test ARGS=tests/src/schema
	@npm test --silent -- $(ARGS)

week: setup ## a week of an operator against the sandbox, in some minutes
	@WEEK=1 npm test --silent -- tests/e2e/week.test.ts

lint: setup
	@npm run --silent lint

bench: setup
	@npm run --silent bench

clean: ## what was built and installed; data in .weir stay
	@rm -rf dist coverage node_modules

chaos: setup ## loads under faults, and what holds afterwards: make chaos ARGS="SEED=7 MODES=merge FAULTS=30", FULL=1 for every row
	@npm run --silent chaos -- $(ARGS)
