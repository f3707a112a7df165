# Targets for people who work on kaigofhir. `make check` is what CI does.
# Using it needs only Go; targets that need more say so.

STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2
EXAMPLES    = .cache/fhir-r4-examples
PACKAGE     = hl7.fhir.r4.examples@4.0.1

.PHONY: help check format vet staticcheck test race bench growth start-times examples generated outside-install mongo-test-server demo fuzz crash leak growth-http

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "%-14s %s\n", $$1, $$2}'

check: format vet staticcheck generated test race ## everything CI checks

format: ## fails where gofmt would change a file
	@files=$$(gofmt -l $$(git ls-files '*.go')); test -z "$$files" || { echo "not gofmt-ed:"; echo "$$files"; exit 1; }

vet: ## go vet
	go vet ./...

staticcheck: ## staticcheck, fetched by the go command
	go run $(STATICCHECK) ./...

test: ## the tests, as in the README
	go test ./...

race: ## the tests of everything concurrent, with the race detector
	go test -race -short ./server/... ./fhir/fhirpath ./fhir/search ./fhir/validate ./fhir/terminology

GENERATED = mapping/samples/files profiles/care/resources docs/forms fhir/r4 testdata/fhir-r4
generated: ## fails where a generated file is not what its generator writes
	go generate ./mapping/guide ./mapping/samples
	@if test -d $(EXAMPLES)/package; then go generate ./fhir/r4; else echo "fhir/r4 not checked: needs make examples"; fi
	@test -z "$$(git status --porcelain $(GENERATED))" || { git status --porcelain $(GENERATED); echo "run go generate and commit"; exit 1; }

bench: ## benchmarks of mapping, write, read and search; prints the numbers
	go test -run '^$$' -bench . -benchmem ./mapping/... ./fhir/... ./server/...

SIZES = 100000,1000000,5000000
growth: ## the engine's searches at growing numbers of resources (SIZES); prints rates and latencies
	go test -count=1 -timeout 60m -v -run '^TestGrowth$$' ./server/store/embedded -growth $(SIZES) -growth-asks 2000

START = 1000000
start-times: ## how long a store, and a server, of START resources takes to start after a clean stop and after kill -9; fails over 1 s and 10 s
	go test -count=1 -timeout 60m -v -run '^TestStart$$' ./server/store/embedded -start $(START)
	go test -count=1 -timeout 60m -v -run '^TestServeStart$$' ./cmd/kaigofhir -start-people $$(($(START) / 41))

PEOPLE = 24400,122000
growth-http: ## over HTTP: a server with 2440 people in turns with one that grows to PEOPLE, 40 observations each; prints ratios
	go build -o .cache/kaigofhir ./cmd/kaigofhir
	rm -rf .cache/growth .cache/growth-small
	.cache/kaigofhir serve --open --addr 127.0.0.1:18090 --data .cache/growth-small & small=$$!; \
	.cache/kaigofhir serve --open --addr 127.0.0.1:18091 --data .cache/growth & large=$$!; sleep 3; \
	.cache/kaigofhir bench http://127.0.0.1:18090/fhir --pid $$small --against http://127.0.0.1:18091/fhir --against-pid $$large \
	  --patients 2440 --grow $(PEOPLE) --connections 2 --duration 2s \
	  --only import,read,vread,search-patient-code-date,search-name,search-identifier,search-no-total,include,history >.cache/growth.json; \
	status=$$?; kill $$small $$large; wait $$small $$large; rm -rf .cache/growth .cache/growth-small; exit $$status

examples: $(EXAMPLES)/package/package.json ## fetch all R4 examples (needs npm: Debian package npm, or nodejs.org)

$(EXAMPLES)/package/package.json:
	@command -v npm >/dev/null || { echo "make examples needs npm (Debian: apt-get install npm)"; exit 1; }
	mkdir -p $(EXAMPLES)
	cd $(EXAMPLES) && npm pack --silent $(PACKAGE) && tar xzf *.tgz && rm -f *.tgz

outside-install: ## a FHIR client written by others, for the end-to-end test (needs npm)
	@command -v npm >/dev/null || { echo "make outside-install needs npm (Debian: apt-get install npm)"; exit 1; }
	cd conformance/outside && npm ci --silent --no-audit --no-fund

MONGO_TEST = .cache/mongo-test-server
mongo-test-server: ## a server that speaks MongoDB's protocol, for the tests of server/store/mongodb (needs Maven and a JDK 17)
	@command -v mvn >/dev/null || { echo "make mongo-test-server needs mvn (Debian: apt-get install maven)"; exit 1; }
	test -e $(MONGO_TEST)/complete || { \
	  mvn -q -B -f server/store/mongodb/testserver/pom.xml dependency:copy-dependencies -DoutputDirectory=$(CURDIR)/$(MONGO_TEST) && \
	  touch $(MONGO_TEST)/complete; }

demo: ## the main job in the terminal
	go run ./cmd/kaigofhir demo

FUZZTIME = 20s
fuzz: ## every native fuzz target for FUZZTIME each
	@for pkg in $$(grep -rlE '^func Fuzz' --include=*_test.go . | xargs -n1 dirname | sort -u); do \
	  for target in $$(grep -hoE '^func Fuzz[A-Za-z0-9_]+' $$pkg/*_test.go | sed 's/func //' | sort -u); do \
	    echo "$$pkg $$target"; go test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x $$pkg || exit 1; \
	  done; done

ROUNDS = 200
crash: ## kills, losses of power and broken disks under load, ROUNDS of each; half an hour
	KAIGOFHIR_TEST_CRASH_ROUNDS=$(ROUNDS) go test -count=1 -timeout 4h -v -run '^(TestKill|TestPowerLoss|TestPowerLossControl|TestFaultyDisk)$$' ./server/store/embedded
	KAIGOFHIR_TEST_CRASH_ROUNDS=$(ROUNDS) go test -count=1 -timeout 4h -v -run '^TestKillDuringLoad$$' ./cmd/kaigofhir

leak: ## 200,000 requests through every door, none may show what the matrix hides
	go test -count=1 -timeout 12h ./server/policy/leaktest -args -long
