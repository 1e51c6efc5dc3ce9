package main

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
)

// TestServe holds that the API serves each record once, as JSON that both sides
// can work with.
func TestServe(t *testing.T) {
	lines, err := os.ReadFile("../data/records.ndjson")
	if err != nil {
		t.Fatal(err)
	}
	const pages = 3
	server := httptest.NewServer(newAPI(pages*pageSize, lines))
	defer server.Close()
	seen := map[int64]bool{}
	for page := 1; page <= pages+1; page++ {
		var orders []order
		if err := getJSON(fmt.Sprintf("%s/orders?page=%d", server.URL, page), &orders); err != nil {
			t.Fatal(err)
		}
		want := pageSize
		if page > pages {
			want = 0
		}
		if len(orders) != want {
			t.Fatalf("page %d has %d records, expected %d", page, len(orders), want)
		}
		for i := range orders {
			if _, err := convert(&orders[i]); err != nil {
				t.Fatal(err)
			}
			if orders[i].Number != fmt.Sprintf("SO-%d", orders[i].ID) {
				t.Fatalf("record %d has the number %s", orders[i].ID, orders[i].Number)
			}
			seen[orders[i].ID] = true
		}
	}
	if len(seen) != pages*pageSize || !seen[firstID] || !seen[firstID+pages*pageSize-1] {
		t.Errorf("%d different records, expected %d from %d on", len(seen), pages*pageSize, firstID)
	}
}

// TestByHand holds that the two ways of writing the file store the same.
func TestByHand(t *testing.T) {
	lines, err := os.ReadFile("../data/records.ndjson")
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(newAPI(2*pageSize, lines))
	defer server.Close()
	a, b := t.TempDir(), t.TempDir()
	if err := syncByHand(server.URL, a, true); err != nil {
		t.Fatal(err)
	}
	if err := syncByHand(server.URL, b, false); err != nil {
		t.Fatal(err)
	}
	if err := sameRecords(a, b); err != nil {
		t.Error(err)
	}
	data, err := os.ReadFile(filepath.Join(b, "orders.json"))
	if err != nil {
		t.Fatal(err)
	}
	var records map[string]json.RawMessage
	if err := json.Unmarshal(data, &records); err != nil || len(records) != 2*pageSize {
		t.Errorf("%d records (%v), expected %d", len(records), err, 2*pageSize)
	}
}
