// Package examples holds the example missions: what `reqon demo` runs, and what
// newcomers learn from. They sync from the shop of package sampleapi; its
// address is in the environment variable DEMO_API, and its token is the
// credential of the source Shop.
package examples

import "embed"

// FS holds the missions as they lie in this folder: a collection with one file
// or mission folder for each (language definition, section 1).
//
//go:embed *.reqon invoices
var FS embed.FS
