// Package kaigofhir is the root of the module: a FHIR R4 interoperability
// server for Japan's long-term care. It holds no code; the floors of the house
// are fhir, profiles, mapping, server and conformance, and cmd, in that order
// from the ground up (ARCHITECTURE.md).
package kaigofhir
