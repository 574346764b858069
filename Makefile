# Everything starts here: each target sets up what it needs from a bare clone. `make help` lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help demo serve test test-matrix guards differential overblocking model noninterference check format bench bundle build setup clean
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)
INSTALLED := node_modules/.package-lock.json

help: ## what can be made
	@echo "Regate: a policy decision engine on OPA, enforced on the database wire"
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1|\2/' | column -t -s '|'

demo: $(INSTALLED) ## a real PostgreSQL, the gate before it, and a session with all four actions (CI=true: ends by itself)
	@node src/demo/main.ts

serve: $(INSTALLED) ## the same without the session
	@node src/cli/main.ts serve --demo

test: $(INSTALLED) ## all tests, against a real PostgreSQL (only some: make test ONLY=policy)
	@node tools/test.ts $(ONLY)

test-matrix: $(INSTALLED) ## the server tests on PostgreSQL 14 to 18 (fetched into .cache/)
	@node tools/matrix.ts $(ONLY)

differential: $(INSTALLED) ## generated statements, facts against the server's own analysis (make differential SECONDS=600 SEED=7)
	@node tools/differential.ts --seconds $(or $(SECONDS),60) $(if $(SEED),--seed $(SEED))

overblocking: $(INSTALLED) ## what of ordinary SQL is refused to a user without rights, and why: docs/overblocking.md
	@node tools/overblocking.ts

model: $(INSTALLED) ## every short sequence of a session's steps, and longer ones at random, against the server (make model DEPTH=3 SECONDS=600)
	@node tools/model.ts $(or $(DEPTH),2) $(or $(SECONDS),120) $(SEED)

noninterference: $(INSTALLED) ## generated statements on two servers that differ in protected cells: a client must see the same (make noninterference STATEMENTS=5000 SEED=7)
	@node tools/noninterference.ts --statements $(or $(STATEMENTS),200000) $(if $(SEED),--seed $(SEED))

check: $(INSTALLED) ## types, lint, format, Rego, import rules, generated files
	@node tools/check.ts

format: $(INSTALLED) ## format the TypeScript and the Rego
	@biome format --write src test bench tools
	@node tools/opa.ts fmt --write rego

guards: $(INSTALLED) ## switch off each guard in turn, and see that a test notices
	@node tools/guards.ts $(ONLY)

bench: $(INSTALLED) ## latency, throughput and CPU against direct, a plain relay and pgbouncer
	@node tools/setup.ts bench
	@node bench/run.ts

bundle: $(INSTALLED) ## build bundles/default.tar.gz from rego/ (needs Go or opa)
	@node tools/bundle.ts

build: $(INSTALLED) ## the JavaScript that npm pack ships, in dist/
	@node tools/build.ts

setup: $(INSTALLED) ## install what the end-to-end tests need (Debian packages, drivers)
	@node tools/setup.ts

clean: ## delete what was built, fetched and installed, and the demo's data
	rm -rf dist .cache node_modules .regate

$(INSTALLED): package.json package-lock.json
	@command -v npm >/dev/null || { echo "Node and npm are needed (Node 20 is enough to begin: npm brings Node 24 itself). Install them from your system's packages, then run make again." >&2; exit 1; }
	@echo "setting up: npm ci (Node 24, PostgreSQL and the libraries; about 200 MB, one to two minutes the first time)"
	@npm ci --loglevel=error || { echo "npm ci failed: is the npm registry reachable (npm ping)? What npm said is above; then run make again." >&2; exit 1; }
	@node -e 'process.exit(+process.versions.node.split(".")[0] < 24 ? 1 : 0)' || { echo "npm did not bring Node 24 (its install script was not allowed?). Run: npm rebuild node, or install Node 24." >&2; exit 1; }
	@touch $@
