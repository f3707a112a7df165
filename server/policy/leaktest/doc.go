// Package leaktest looks for leaks through every door of the server: random
// worlds of people, organisations, registrations, consents and records, random
// requests by random callers over the whole HTTP stack, and an oracle that
// knows nothing of the server's policy to compare each answer with. The short
// run is part of the normal tests; go test -run Leak -long makes 200,000
// requests.
package leaktest
