package engine_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"reqon/compiler"
	"reqon/runtime/engine"
	"reqon/vm/bytecode"
)

// The bench fetches so many pages of so many records.
const (
	benchPages   = 10
	benchRecords = 1000
)

// benchServer serves pages that were made before, so that the server costs
// little beside the client.
func benchServer(tb testing.TB) *httptest.Server {
	data, err := os.ReadFile("../../testdata/bench/data/records.ndjson")
	if err != nil {
		tb.Fatal(err)
	}
	lines := bytes.Split(bytes.TrimSpace(data), []byte("\n"))
	pages := make([][]byte, benchPages+2)
	for p := range pages {
		doc := []byte("[")
		for i := range benchRecords {
			if p < 1 || p > benchPages {
				break
			}
			if i > 0 {
				doc = append(doc, ',')
			}
			id := strconv.Itoa(1_000_000 + p*benchRecords + i)
			doc = append(doc, bytes.ReplaceAll(lines[i%len(lines)], []byte("#"), []byte(id))...)
		}
		pages[p] = append(doc, ']')
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		page, _ := strconv.Atoi(r.URL.Query().Get("page"))
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(pages[min(max(page, 0), benchPages+1)]) // a client that has gone is its own affair
	}))
	tb.Cleanup(server.Close)
	return server
}

// benchMission fetches every page and does body with each.
func benchMission(tb testing.TB, api, body string) *bytecode.Program {
	src := fmt.Sprintf(`mission Bench {
  source API { auth: none, base: %q }
  store kept: memory
  store orders: file("orders")
  action Sync {
    get "/orders" { paginate: page(page, 1000) }
    %s
  }
}
`, api, body)
	name := filepath.Join(tb.TempDir(), "bench.reqon")
	if err := os.WriteFile(name, []byte(src), 0o600); err != nil {
		tb.Fatal(err)
	}
	r, err := compiler.Load(name)
	if err != nil || r.Failed() {
		tb.Fatal(err, r)
	}
	return r.Missions[0].Program
}

// BenchmarkRun takes pages through fetch, map, validate and store, adding one
// step at a time, so that their difference is what the step costs.
func BenchmarkRun(b *testing.B) {
	const (
		mapStep = `map order -> Row {
        id: .id
        name: concat(.first, " ", .last)
        email: lowercase(.email)
        tier: match .plan { "gold" => 3, "silver" => 2, _ => 1 }
        total: .price * .quantity
        city: .address.city
      }
`
		validate = `validate Row { assume .total > 0, assume .email contains "@", assume length(.city) > 0 }
`
	)
	server := benchServer(b)
	for _, c := range []struct{ name, body string }{
		{"fetch", `for order in response { let x = 1 }`},
		{"map", `for order in response { ` + mapStep + ` }`},
		{"validate", `for order in response { ` + mapStep + validate + ` }`},
		{"store memory", `for order in response { ` + mapStep + validate + ` store Row -> kept { key: .id } }`},
		{"store file", `for order in response { ` + mapStep + validate + ` store Row -> orders { key: .id } }`},
		{"store pages", `store response -> orders { key: .id }`},
	} {
		b.Run(c.name, func(b *testing.B) {
			prog := benchMission(b, server.URL, c.body)
			b.ReportAllocs()
			var spent time.Duration
			for b.Loop() {
				spent += runOnce(b, b.TempDir(), prog)
			}
			b.ReportMetric(float64(spent.Nanoseconds())/float64(b.N)/(benchPages*benchRecords), "ns/record")
		})
	}
}

// runOnce runs the program in the state folder, from an engine's start to its
// end, and returns how long the run took with the engine's close.
func runOnce(tb testing.TB, dir string, prog *bytecode.Program) time.Duration {
	e, err := engine.New(engine.Config{StateDir: dir})
	if err != nil {
		tb.Fatal(err)
	}
	m, err := e.Load(prog)
	if err != nil {
		tb.Fatal(err)
	}
	started := time.Now()
	if report := m.Run(context.Background(), engine.RunOptions{}); report.Err != nil {
		tb.Fatal(report.Err)
	}
	if err := e.Close(); err != nil {
		tb.Fatal(err)
	}
	return time.Since(started)
}

// BenchmarkStart is what stands between an existing state folder and the first
// request, once the process runs and the mission is compiled.
func BenchmarkStart(b *testing.B) {
	prog := benchMission(b, "http://127.0.0.1:1", `store response -> orders`)
	dir := b.TempDir()
	b.ReportAllocs()
	for b.Loop() {
		e, err := engine.New(engine.Config{StateDir: dir})
		if err != nil {
			b.Fatal(err)
		}
		m, err := e.Load(prog)
		if err == nil {
			err = m.Ready(nil)
		}
		if err != nil {
			b.Fatal(err)
		}
		if err := e.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
