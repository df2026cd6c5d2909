# What people do with Polder while they build it. Everything here needs Go alone, but `race` and `.ci/run`.
FUZZTIME ?= 60s
BENCHTIME ?= 1s
PKG ?= ./...
export CGO_ENABLED = 0

.PHONY: help run test race bench fuzz soak mutants proof lint dist verify-dist clean

help: ## what there is
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

run: ## a whole community on this machine, with a story
	go run ./cmd/polder demo

test: ## every test
	go test ./...

race: ## every test under the race detector (needs a C compiler)
	CGO_ENABLED=1 go test -race -short ./...

bench: ## every speed that is claimed, each beside its floor
	go test -run '^$$' -bench . -benchtime $(BENCHTIME) -benchmem -timeout 2h $(PKG)

fuzz: ## a clean minute for each fuzz target; FUZZTIME=1h for a night
	@set -e; for pkg in $$(go list $(PKG)); do \
	  for target in $$(go test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
	    echo "== $$pkg $$target"; \
	    go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 5x $$pkg; \
	  done; \
	done

soak: ## the long rounds: kills, power losses, a million objects
	POLDER_SOAK=1 go test -count=1 -v -timeout 6h $(PKG)

mutants: ## put old bugs back; each must turn a test red
	go run ./internal/house/proof -mutants

proof: ## each promise with its tests and their results
	go run ./internal/house/proof

lint: ## format, vet, staticcheck
	@test -z "$$(gofmt -l .)" || { gofmt -l .; exit 1; }
	go vet ./...
	go tool -modfile=tools/go.mod staticcheck ./...

dist: ## static binaries, checksums and bills of materials in dist/
	go run ./internal/house/dist

verify-dist: ## build twice in two places and compare: the binaries must be the same
	go run ./internal/house/dist -verify

clean: ## what the other targets made
	rm -rf dist
