# Commands of the project. `just` alone lists them; `just ci` is what has to pass.

set shell := ["bash", "-euo", "pipefail", "-c"]

export CGO_ENABLED := "0"

# Packages that run several tasks at once, or several processes on one file.
concurrent := "./vm/... ./runtime/..."

[private]
default:
    @just --list --unsorted

# Build the binary, ./reqon.
build version="dev":
    go build -trimpath -ldflags "-s -w -X main.version={{ version }}" -o reqon ./cmd/reqon

# All tests.
test *args:
    go test {{ args }} ./...

# Tests of what runs at the same time, under the race detector.
race:
    CGO_ENABLED=1 go test -race -short {{ concurrent }}

# 300 kills and 100 restarts at random moments, against a server that keeps account.
torture seed="":
    REQON_TORTURE=long REQON_TORTURE_SEED={{ seed }} go test -count 1 -timeout 60m -run '^TestTorture$' -v ./cmd/reqon

# Benchmarks beside the code: all, or those of a pattern.
bench pattern="." time="0.3s":
    go test -run '^$' -bench '{{ pattern }}' -benchmem -benchtime {{ time }} ./...

# The same work in other engines and libraries, side by side (testdata/bench, a module of its own).
bench-peers *args:
    cd testdata/bench && go run . {{ args }}

# Whole processes beside programs written by hand: syncs, many requests, compile, start.
bench-e2e *args:
    cd testdata/bench && go run ./e2e {{ args }}

# Run every fuzz target, each for the time given.
fuzz time="30s":
    #!/usr/bin/env bash
    set -euo pipefail
    for package in $(go list ./...); do
      for target in $(go test -list '^Fuzz' "$package" | grep '^Fuzz' || true); do
        echo "== $package $target"
        go test -run '^$' -fuzz "^$target\$" -fuzztime {{ time }} "$package"
      done
    done

# Layout, vet and static analysis.
lint:
    test -z "$(gofmt -l . | tee /dev/stderr)"
    go vet ./...
    go tool staticcheck ./...

# A sample API, and missions that sync from it.
demo *args:
    go run ./cmd/reqon demo {{ args }}

# Everything that has to pass, from a clean clone.
ci:
    bash .ci/run
