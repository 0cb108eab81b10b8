SHELL := /bin/bash

# Thin names for commands; the commands are in scripts/.

.PHONY: help run deploy static test bench bench-queue peers-faults chaos security fuzz lint openapi sqlx

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1	/p' Makefile

run: ## the whole system on this machine, in dev mode with demo data (YES=1: install what is missing without asking)
	@scripts/run.sh

deploy: ## build, migrate, restart, and see that the new build answers (README, "Releases")
	@scripts/deploy.sh

static: ## one file without libraries, for machines with nothing on them
	@scripts/static.sh

test: ## all tests, on a PostgreSQL of their own
	@scripts/test.sh

bench: ## figures of this machine, beside an Express server's (QUICK=1: short rounds, to see that it runs)
	@scripts/bench.sh

bench-queue: ## the queue beside other queues (QUICK=1: short; CHURN=3600: an hour of work before the last drains)
	@scripts/bench-queue.sh

peers-faults: ## the queue and those that a program in Rust would take instead, broken side by side
	@scripts/peers-faults.sh

chaos: ## faults, and the proof that nothing was lost (FAULT=F1,F8 N=rounds SEED=1; goes on where it ended)
	@scripts/chaos.sh

security: ## attacks at full size, some hours (PART=libraries,stories,fuzzer,sql,timing,slow)
	@scripts/security.sh

fuzz: ## random inputs for whatever reads what strangers say in chats (CASES=1000000)
	@scripts/fuzz.sh

lint: ## format and lints
	@scripts/lint.sh

openapi: ## adopt openapi.yaml from the code
	@. scripts/lib.sh; need_rust; cargo run -q -p runtime -- openapi > openapi.yaml.new && mv openapi.yaml.new openapi.yaml

sqlx: ## renew .sqlx, which queries are checked against without a database
	@. scripts/lib.sh; need_rust; need_postgres; cargo run -q -p test-cluster -- --migrated scripts/sqlx-prepare.sh
