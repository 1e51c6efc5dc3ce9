// Package apis holds missions for real APIs, as one would write them for
// production: how each signs in, pages, throttles and tells what has changed.
// They are the recipes of docs/cookbook.md. The package mock plays the APIs.
package apis
