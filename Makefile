# Everything a developer runs. `make` alone explains itself.
# Needs Go, Node, make and bash; the rest is pinned under tools/ and lands in .tools/.

SHELL := bash
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules

TOOLS := .tools/bin

# Patterns of the product's packages: everything but infra, whose CDK bindings
# take minutes to compile. Only what exists is named, so a partial tree works too.
PRODUCT := $(patsubst %,./%/...,$(wildcard chaos cmd compat functions rehearsal shared)) $(if $(wildcard web/*.go),./web)
END_TO_END := $(filter ./chaos/... ./compat/... ./rehearsal/...,$(PRODUCT))
FUNCTIONS := $(patsubst functions/%/main.go,%,$(wildcard functions/*/main.go))
NODE := $(shell command -v node 2>/dev/null)
SDKS := $(and $(wildcard compat/node/package.json),$(NODE),compat/node/node_modules/.package-lock.json)
CONSOLE := $(and $(wildcard web/package.json),$(NODE),web)
STACK := $(and $(wildcard infra/*.go),$(NODE))

# Binaries carry no commit: the same input gives the same bytes, also where git refuses to answer.
export GOFLAGS := $(strip $(filter-out -buildvcs=%,$(GOFLAGS)) -buildvcs=false)

# The engine is installed unless the caller brings one, or another DynamoDB.
ifeq ($(EASEL_DYNOXIDE)$(AWS_ENDPOINT_URL_DYNAMODB),)
ENGINE := $(TOOLS)/dynoxide
export EASEL_DYNOXIDE := $(CURDIR)/$(TOOLS)/dynoxide
else ifeq ($(EASEL_DYNOXIDE),)
# Another DynamoDB and no engine: skip the tests of the engine itself.
export EASEL_SKIP_ENGINE := 1
endif

# The race detector needs a C compiler; Go sets CGO_ENABLED to 0 where it finds none.
RACE = $(if $(filter 1,$(shell go env CGO_ENABLED 2>/dev/null)),-race)

# Lambda binaries: lambda.norpc drops net/rpc, and with it 7 MB that the linker could not prove dead.
LAMBDA_BUILD := CGO_ENABLED=0 GOOS=linux GOARCH=arm64 go build -trimpath -buildvcs=false \
	-tags lambda.norpc -ldflags '-s -w -buildid='
# Largest binary accepted, in bytes. net/rpc or html/template, if they came back, would add 7 MB.
LAMBDA_MAX_BYTES ?= 14500000

# The CDK prints a banner on each Node that AWS no longer supports, unless it is told the major version
# of the very one that runs, such as 20; offline it must not look for news.
CDK_ENV = JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION=$(shell node -p 'process.versions.node.split(".")[0]') CDK_DISABLE_VERSION_CHECK=1

##@ Run

.PHONY: run
run: $(CONSOLE) $(ENGINE) ## Start everything on 127.0.0.1:8787, with simulated providers
	@go build -o bin/easel ./cmd/easel
	@bin/easel serve

.PHONY: web
web: ## Build the console into web/dist
ifneq ($(wildcard web/package.json),)
	@$(MAKE) --no-print-directory web/node_modules/.package-lock.json
	@cd web && npm run build
else
	@echo "web: no console in this tree"
endif

.PHONY: engine
engine: $(TOOLS)/dynoxide ## Install the embedded DynamoDB-compatible engine

##@ Check

.PHONY: test
test: $(CONSOLE) $(ENGINE) $(SDKS) ## Run every test, with the race detector (Go, stack, console)
	@$(if $(RACE),:,echo "test: no C compiler, so the race detector is off")
	go test $(RACE) -p 4 -parallel 6 -timeout 30m $(filter-out $(END_TO_END),$(PRODUCT))
	@# Whole gateways in many processes: the same code as above, whose races the
	@# detector has looked for, at the speed that its time limits are made for.
	go test -timeout 30m $(END_TO_END)
	@echo "test: all Go tests of the product passed"
	@$(MAKE) --no-print-directory test-infra test-web

.PHONY: test-fast
test-fast: $(ENGINE) ## Run the product's Go tests without the race detector
	go test -timeout 10m $(PRODUCT)

.PHONY: test-infra
test-infra: ## Run the stack's tests (they need Node)
ifneq ($(STACK),)
	$(CDK_ENV) CDK_VALIDATION=false go test -timeout 20m ./infra/...
else
	@echo "test-infra: skipped (no stack in this tree, or no Node)"
endif

.PHONY: test-web
test-web: ## Run the console's tests in a real browser
ifneq ($(CONSOLE),)
	@$(MAKE) --no-print-directory web/node_modules/.package-lock.json $(ENGINE)
	cd web && CHROME_PATH="$$(../tools/chromium.sh)" npm test
else
	@echo "test-web: skipped (no console in this tree, or no Node)"
endif

.PHONY: lint
lint: $(TOOLS)/golangci-lint $(TOOLS)/govulncheck ## Check style, the import law, formatting and known vulnerabilities
	$(TOOLS)/golangci-lint run $(PRODUCT)
ifneq ($(STACK),)
	$(TOOLS)/golangci-lint run ./infra/...
endif
ifneq ($(CONSOLE),)
	@$(MAKE) --no-print-directory web/node_modules/.package-lock.json
	cd web && npm run --if-present lint
endif
	@tools/vuln.sh $(TOOLS)/govulncheck $(PRODUCT)
	@for script in tools/*.sh .ci/run; do bash -n "$$script" || exit 1; done
	@if found=$$(find . -name node_modules -prune -o -path ./.tools -prune -o \
		-name package-lock.json -exec grep -l '"resolved": *"http' {} +) && [ -n "$$found" ]; then \
		echo "lint: lock files must not name a registry (see tools/engine/.npmrc):" $$found; exit 1; fi

.PHONY: fmt
fmt: $(TOOLS)/golangci-lint ## Format the Go code
	$(TOOLS)/golangci-lint fmt $(PRODUCT) $(if $(wildcard infra/*.go),./infra/...)

.PHONY: vuln
vuln: $(TOOLS)/govulncheck ## Look for known vulnerabilities (asks vuln.go.dev)
	EASEL_VULN=required tools/vuln.sh $(TOOLS)/govulncheck $(PRODUCT)

.PHONY: chaos
chaos: export EASEL_CHAOS_HISTORIES ?= 100000
chaos: $(ENGINE) ## Run the tests named TestChaos at full length (EASEL_CHAOS_HISTORIES=100000)
	go test -count=1 -timeout 120m -v -run '^TestChaos' $(PRODUCT)

.PHONY: mutants
mutants: ## Break copies of the engine in small ways, and see that the histories catch each (HISTORIES=5000)
	go run ./shared/lifecycle/mutants -histories $(or $(HISTORIES),5000)

.PHONY: fuzz
fuzz: ## Run each fuzzer for a while (FUZZTIME=10s); their seeds run with make test
	@grep -rlE --include='*_test.go' '^func Fuzz' $(wildcard chaos cmd compat functions rehearsal shared) | while read -r file; do \
		for name in $$(sed -nE 's/^func (Fuzz[A-Za-z0-9_]+)\(.*/\1/p' "$$file"); do \
			echo "fuzz: $$name in $$(dirname "$$file")"; \
			go test -run '^$$' -fuzz "^$$name\$$" -fuzztime $(or $(FUZZTIME),10s) -fuzzminimizetime 500x "./$$(dirname "$$file")" || exit 1; \
		done; done

.PHONY: bench
bench: $(ENGINE) ## Run the benchmarks
	go test -run '^$$' -bench . -benchmem $(PRODUCT)
	go run ./cmd/easel bench

.PHONY: bench-coldstart
bench-coldstart: build $(ENGINE) ## Report binary sizes, and time from process start to first answer
	go test -run '^$$' -bench ColdStart -benchtime 20x ./rehearsal

.PHONY: rehearsal
rehearsal: $(ENGINE) ## Run the built functions behind a local Lambda and API Gateway, and kill some
	go test -count=1 -timeout 10m -v ./rehearsal

.PHONY: cost
cost: $(ENGINE) ## Measure what requests cost, and write the table in docs/deploy.md
	go run ./rehearsal/cost -write docs/deploy.md

##@ Deploy

.PHONY: build
build: ## Build the Lambda binaries into dist/ and report their sizes
	@for fn in $(FUNCTIONS); do \
		$(LAMBDA_BUILD) -o "dist/$$fn/bootstrap" "./functions/$$fn" || exit 1; done
	@for fn in $(FUNCTIONS); do \
		bytes=$$(($$(wc -c <"dist/$$fn/bootstrap"))); packed=$$(($$(gzip -9 -c "dist/$$fn/bootstrap" | wc -c))); \
		printf '%-10s %9d bytes %9d compressed\n' "$$fn" "$$bytes" "$$packed"; \
		if [ "$$bytes" -gt $(LAMBDA_MAX_BYTES) ]; then \
			echo "build: $$fn is larger than LAMBDA_MAX_BYTES=$(LAMBDA_MAX_BYTES)"; exit 1; fi; done
	@$(if $(FUNCTIONS),:,echo "build: no functions in this tree")

.PHONY: synth
synth: $(CONSOLE) build ## Write the CloudFormation template into infra/cdk.out
ifneq ($(STACK),)
	@$(MAKE) --no-print-directory .tools/cdk/node_modules/.package-lock.json
	cd infra && $(CDK_ENV) ../.tools/cdk/node_modules/.bin/cdk synth --quiet --no-notices
else
	@echo "synth: skipped (no stack in this tree, or no Node)"
endif

##@ House

.PHONY: clean
clean: ## Remove what was built (rm -rf .tools as well removes the tools)
	rm -rf bin dist infra/cdk.out
	@if [ -d web ]; then git clean -fdXq web/dist; fi

.PHONY: help
help: ## Show this
	@awk 'BEGIN {FS = ":.*## "} \
		/^##@ / {printf "\n%s\n", substr($$0, 5)} \
		/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' Makefile

# Files that the targets above need. Each is made again when its pin changes.

$(TOOLS)/golangci-lint: tools/go.mod tools/go.sum
	@echo "building golangci-lint (a minute, once)"
	@go build -C tools -o "$(CURDIR)/$@" github.com/golangci/golangci-lint/v2/cmd/golangci-lint && touch "$@"

$(TOOLS)/govulncheck: tools/go.mod tools/go.sum
	@go build -C tools -o "$(CURDIR)/$@" golang.org/x/vuln/cmd/govulncheck && touch "$@"

$(TOOLS)/dynoxide: tools/install-engine.sh tools/engine/package-lock.json
	@tools/install-engine.sh "$@"

web/node_modules/.package-lock.json: web/package-lock.json
	@# Not "npm ci": it refuses a lock file that lacks optional packages of other
	@# platforms, which not every registry serves. The versions are the lock file's.
	cd web && npm install --no-save --no-audit --no-fund && touch node_modules/.package-lock.json

compat/node/node_modules/.package-lock.json: compat/node/package-lock.json
	cd compat/node && npm ci --silent && touch node_modules/.package-lock.json

.tools/cdk/node_modules/.package-lock.json: tools/cdk/package-lock.json
	@mkdir -p .tools/cdk && cp tools/cdk/package.json tools/cdk/package-lock.json tools/cdk/.npmrc .tools/cdk/
	@cd .tools/cdk && npm ci --silent && touch node_modules/.package-lock.json
