# Courier. `make demo` shows it at work; `make test` is all that CI runs.

GO        ?= go
BIN       := bin/dispatch
CACHE     := $(CURDIR)/.cache
NODE_PATH := $(CACHE)/node/node_modules/node/bin
LINT      := $(CACHE)/golangci-lint
MDRP_DIR  ?= ../shared/mdrp/instances
VERSION   := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
export CGO_ENABLED = 1
export PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD = 1
export PATH := $(NODE_PATH):$(PATH)

.PHONY: help demo cluster env build test lint check ui ui-check e2e e2e-short deps chaos upgrade planted bench bench-compare bench-map bench-memory bench-text quality fuzz clean

help: ## this list
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

demo: build ## a courier company at work, in one process: open the links it prints
	$(BIN) demo

cluster: deps build ## many nodes as processes, behind a balancer; DEMO=1 lets simulated people loose on them
	$(GO) build -o bin/cluster ./internal/testenv/cluster
	@exec bin/cluster --dispatch $(BIN) $(if $(DEMO),--demo)

env: ## secrets for docker-compose.yml, in .env; one that is there stays
	@scripts/env

build: ## the binary, bin/dispatch
	$(GO) build -trimpath -ldflags "-s -w -X main.version=$(VERSION)" -o $(BIN) ./cmd/dispatch

test: deps lint check ui-check e2e-short ## everything that must pass

check: ## Go tests with the race detector
	$(GO) vet ./...
	$(GO) test -race -timeout 20m ./...

lint: $(LINT) ## golangci-lint, with the rules of import
	$(LINT) run ./...

$(LINT): tools/go.mod tools/go.sum
	cd tools && $(GO) build -o $@ github.com/golangci/golangci-lint/v2/cmd/golangci-lint

ui: deps ## build the three pages from web/ui/src into web/ui/dist
	cd web/ui && npm ci --no-audit --no-fund && npm run check && npm test && npm run build

ui-check: ui ## the committed pages are what the sources give
	@test -z "$$(git status --porcelain -- web/ui/dist)" || \
		{ git status --short -- web/ui/dist; echo 'web/ui/dist is not what web/ui/src gives: run make ui and commit it'; exit 1; }

e2e-short: deps ui build ## the main path of each page in Chromium against the real server
	cd web/ui && npm run e2e:short

e2e: deps ui build ## the pages in Chromium against the real server: alone, then two nodes on the engines
	cd web/ui && npm run e2e
	$(GO) build -o bin/cluster ./internal/testenv/cluster
	bin/cluster --dispatch $(BIN) --run 'cd web/ui && npm run e2e:engines'

deps: ## install what the tests need and is missing
	@scripts/deps

chaos: ## a cluster under every fault, a quarter of an hour with the machine to itself; FAULTS='kill -9,Redis' for some, COURIERS=, ORDERS=, SEED=
	CHAOS=full REPORT=$(CURDIR)/.cache/chaos.md $(GO) test ./cmd/dispatch -run TestAClusterUnderFaults -count 1 -timeout 2h -v

upgrade: deps ## both nodes of a cluster behind the balancer restarted three times under load: no request fails; two minutes
	UPGRADE=full $(GO) test ./cmd/dispatch -run TestAnUpgrade -count 1 -timeout 20m -v

planted: deps ## known bugs, each built into the server: the checker must see them; a quarter of an hour
	COURIER_PLANTED=1 $(GO) test ./internal/planted -run TestTheCheckerSees -count 1 -timeout 1h -v

bench: deps build ## what the service costs beside bare loops, embedded and on engines: the table of docs/benchmarks.md, in ten minutes; SHORT=1 for a try
	$(GO) build -o bin/bench ./internal/bench/suite
	@rm -f .cache/bench.json
	bin/bench --dispatch $(BIN) $(if $(SHORT),--short,--write docs/benchmarks.md)

bench-compare: ## two commits by benchstat: REV=…; COUNT=, PACKAGES=, SCENARIOS=, BENCH=
	@scripts/bench-compare '$(REV)'

bench-map: deps ui build ## the dispatcher's map with 5,000 couriers: frames a second, main thread; COURIERS=, ORDERS=, SECONDS=, SCALE=
	cd web/ui && NODE_OPTIONS=--experimental-websocket npx playwright test --project=bench map.spec.ts

bench-memory: deps ui build ## the dispatcher's page through an hour of a simulated city: what it holds; COURIERS=, MINUTES=, RATE=
	cd web/ui && NODE_OPTIONS=--experimental-websocket npx playwright test --project=bench memory.spec.ts

bench-text: deps ui build ## the customer's page on a slow phone: when its text is there, and what that waited for; ROUNDS=
	cd web/ui && NODE_OPTIONS=--experimental-websocket npx playwright test --project=bench text.spec.ts

quality: build ## replay the meal delivery days in MDRP_DIR beside their baseline
	@scripts/quality $(BIN) '$(MDRP_DIR)'

fuzz: ## each fuzz target for a minute
	@scripts/fuzz 60s

clean:
	rm -rf bin .cache web/ui/node_modules
