// Package stix reads, checks and writes STIX 2.1: objects with the bytes they came in, identifiers, timestamps,
// TLP and PAP markings, bundles as a stream, and the canonical form of RFC 8785.
package stix
