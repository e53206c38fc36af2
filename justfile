# `npx --yes rust-just up` starts everything, `npx --yes rust-just test` tests
# everything; both install what is missing first. `just` alone lists the rest.

set script-interpreter := ["bash", "-euo", "pipefail"]
set shell := ["bash", "-euo", "pipefail", "-c"]

# Git metadata adds nothing, and fails a build in a clone owned by somebody else.
export GOFLAGS := "-buildvcs=false"

[private]
default:
    @just --justfile {{ quote(justfile()) }} --list --unsorted

# start every server and the whole fleet, on http://localhost:3000
up: servers web binary
    @exec bin/tiffin up

# Results are never taken from the cache: what the end-to-end tests start is no
# input that go test could see. One package at a time: each starts fleets and
# servers of its own, and what they promise about time needs a core to keep.
# The web app's tests come last: its pages are looked at in a browser, against
# a fleet that `tiffin up` starts for it and takes away again.
# run every test, against real servers on ports of their own
test *packages="./...": browser web binary
    go build -race ./...
    go run ./local/testservers -- go test -race -count=1 -p 1 -timeout 25m {{ packages }}
    {{ if packages == "./..." { "cd web && npm test --silent && npm run test:browser --silent" } else { "" } }}

# static checks: format, vet, linter, types, deployment files
lint: web servers
    test -z "$(gofmt -l $(git ls-files '*.go') | tee /dev/stderr)"
    go vet ./...
    go build -C tools/lint -o {{ quote(justfile_directory() / "bin/golangci-lint") }} github.com/golangci/golangci-lint/v2/cmd/golangci-lint
    bin/golangci-lint run ./...
    go test -C tools/deploy -count=1 .
    go test -C tools/workflows -count=1 .
    cd web && npm run lint --silent

# measure beside peers and ceilings: just bench bridge, or everything
bench *suites: servers web binary
    PATH="$PWD/bin:$PATH" go run ./bench {{ suites }}

# the whole fleet under fire, at most 15 minutes: just chaos fleet --seed 1 --for 2m, just chaos bridge
chaos *flags: servers binary
    @go build -o bin/chaos ./chaos
    PATH="$PWD/bin:$PATH" bin/chaos {{ flags }}

# known vulnerabilities in what is built on; asks databases on the network
audit: web
    go run golang.org/x/vuln/cmd/govulncheck@v1.9.0 ./...
    cd web && npm audit --omit=dev

# format all sources
fmt: web
    gofmt -w $(git ls-files '*.go')
    cd web && npm run format --silent

# build the nats command line, to look at a running fleet: bin/nats
nats:
    go build -C tools/nats -o {{ quote(justfile_directory() / "bin/nats") }} github.com/nats-io/natscli/nats

# remove everything built; the data in .tiffin stays
clean:
    rm -rf bin web/node_modules
    find web/dist -mindepth 1 ! -name .gitkeep -delete

[private]
servers:
    @tools/servers.sh

[private]
browser:
    @tools/servers.sh browser

# Installs and builds only what has changed since the last time.
[private]
[script]
web:
    cd web
    if [ ! node_modules/.package-lock.json -nt package-lock.json ]; then
        echo "Installing the web app's packages ..."
        npm ci --no-audit --no-fund --loglevel=error
    fi
    newer=(find . -newer dist/index.html -type f -not -path './node_modules/*' -not -path './dist/*' -not -path './tools/*/node_modules/*' -not -path './screenshots/*' -not -path './test/*' -print -quit)
    if [ ! -f dist/index.html ] || [ -n "$("${newer[@]}")" ]; then
        echo "Building the web app ..."
        log=$(mktemp)
        trap 'rm -f "$log"' EXIT
        npm run build --silent >"$log" 2>&1 || { cat "$log"; exit 1; }
    fi

[private]
binary:
    @[ -x bin/tiffin ] && [ -x bin/ferretdb ] || echo "Building Tiffin, a few minutes the first time ..."
    @go build -o bin/tiffin ./cmd/tiffin
    @go build -C tools/ferretdb -o {{ quote(justfile_directory() / "bin/ferretdb") }} .
