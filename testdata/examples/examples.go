// Package examples holds the example missions: what `reqon demo` runs, and what
// newcomers learn from. They sync from the shop of package sampleapi.
package examples

import "embed"

// What the missions must be given: the shop's address in the environment
// variable BaseEnv, and its token as the credential of Source.
const (
	BaseEnv = "DEMO_API"
	Source  = "Shop"
)

// FS holds the missions as they lie in this folder: a collection with one file
// or mission folder for each (language definition, section 1).
//
//go:embed *.reqon invoices
var FS embed.FS

// Example describes a mission.
type Example struct {
	Mission string   // its name
	Path    string   // in FS: its file, or its folder
	Shows   string   // what it is an example of
	Stores  []string // the targets of its file stores, the main one first
}

// All returns the missions in the order in which they are best read.
func All() []Example {
	return []Example{
		{"SyncCustomers", "customers.reqon", "the shortest useful sync: numbered pages, since, upsert", []string{"customers"}},
		{"SyncProducts", "products.reqon", "schemas, map, offset pages, unix times, a dead letter store", []string{"products", "rejected-products"}},
		{"SyncOrders", "orders.reqon", "cursor pages as a stream, validate, a transform with variants", []string{"orders", "rejected-orders"}},
		{"FetchInvoices", "invoices", "a mission folder: requests side by side, error arms, a parameter", []string{"invoices", "failed-invoices"}},
		{"LowStock", "low-stock.reqon", "Link pages, writing to an API once only, state of its own", []string{"low-stock", "stock"}},
		{"Cancellations", "cancellations.reqon", "a POST search that pages in its body, cron", []string{"cancellations"}},
		{"SalesReport", "sales-report.reqon", "NDJSON and CSV, actions side by side, aggregates", []string{"reports", "events"}},
	}
}
