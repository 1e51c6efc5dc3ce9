// Package table holds what the stores share that keep records as JSON: in
// memory, or in files. An Index finds records by key and keeps their order, and
// a Change applies a batch to it. The bytes of records are elsewhere, in what is
// behind the Backing of a Change.
package table
