package httpclient

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"reqon/runtime/signin"
	"reqon/runtime/telemetry"
	"reqon/vm/document"
	"reqon/vm/value"
)

const (
	benchRequests = 2000
	benchWorkers  = 32
	benchLatency  = 5 * time.Millisecond
)

// benchServer answers a small record after 5 ms.
func benchServer(b *testing.B) string {
	return serve(b, func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(benchLatency)
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"id":1,"name":"Ada","status":"active","price":19.90}`)
	}).URL
}

// spread calls fn for every request from as many workers as there are at once.
func spread(fn func() error) error {
	var wg sync.WaitGroup
	work := make(chan struct{})
	errs := make(chan error, benchWorkers)
	for range benchWorkers {
		wg.Go(func() {
			for range work {
				if err := fn(); err != nil {
					select {
					case errs <- err:
					default:
					}
				}
			}
		})
	}
	for range benchRequests {
		work <- struct{}{}
	}
	close(work)
	wg.Wait()
	close(errs)
	return <-errs
}

// BenchmarkRequests sends 2,000 requests, 32 at once, to a server that takes
// 5 ms, with bare net/http and with this client. Ideal is 313 ms.
func BenchmarkRequests(b *testing.B) {
	url := benchServer(b)
	b.Run("net/http", func(b *testing.B) {
		transport := http.DefaultTransport.(*http.Transport).Clone()
		transport.MaxIdleConnsPerHost = benchWorkers
		defer transport.CloseIdleConnections()
		client := &http.Client{Transport: transport}
		for b.Loop() {
			err := spread(func() error {
				resp, err := client.Get(url)
				if err != nil {
					return err
				}
				defer resp.Body.Close()
				var v map[string]any
				return json.NewDecoder(resp.Body).Decode(&v)
			})
			if err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("reqon", func(b *testing.B) {
		c := New(Config{})
		defer c.CloseIdle()
		s := newTestSource(b, url, "", nil)
		req := &Request{Method: "get", Path: "/"}
		for b.Loop() {
			err := spread(func() error {
				_, err := c.Do(context.Background(), s, req)
				return err
			})
			if err != nil {
				b.Fatal(err)
			}
		}
	})
}

// stub answers at once, without a network.
type stub struct{ body string }

func (s stub) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: 200, ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header:        http.Header{"Content-Type": {"application/json"}},
		ContentLength: int64(len(s.body)), Body: io.NopCloser(strings.NewReader(s.body)),
	}, nil
}

// BenchmarkOverhead is what a request costs beside the network.
func BenchmarkOverhead(b *testing.B) {
	c := New(Config{Transport: stub{`{"id":1,"name":"Ada","status":"active","price":19.90}`}})
	s, err := sourceOf(js(b, `{"base":"https://api.example.com/v1","params":{"tenant":"t1"}}`), bearer(b, "token-1"))
	if err != nil {
		b.Fatal(err)
	}
	req := &Request{Method: "get", Path: "/orders/17", Params: js(b, `{"limit":100,"status":"open"}`), PageParam: &Param{"page", value.FromInt(3)}}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Do(context.Background(), s, req); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCSV(b *testing.B) {
	var text strings.Builder
	text.WriteString("id,name,price,note\n")
	for i := range 1000 {
		fmt.Fprintf(&text, "%d,name %d,%d.90,\"a, \"\"quoted\"\" note\"\n", i, i, i)
	}
	shapes := value.NewShapes()
	b.SetBytes(int64(text.Len()))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := document.ParseCSV(shapes, text.String(), &document.CSV{}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkGates is what the limiter, the breaker, a sign-in and the counts cost
// for each request, beside the same without them. Together they may take 3 µs
// and 5 allocations.
func BenchmarkGates(b *testing.B) {
	body := `{"id":1}`
	run := func(b *testing.B, cfg Config, s *Source) {
		cfg.Transport = stub{body}
		c := New(cfg)
		req := &Request{Method: "get", Path: "/orders/17"}
		b.ReportAllocs()
		for b.Loop() {
			if _, err := c.Do(context.Background(), s, req); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.Run("without", func(b *testing.B) {
		run(b, Config{}, newTestSource(b, "https://api.example.com/v1", `{"rateLimit":{"adaptive":false}}`, nil))
	})
	b.Run("with", func(b *testing.B) {
		metrics := telemetry.NewMetrics()
		g := &Gates{Accounts: &signin.Accounts{Store: signin.NewStore(b.TempDir()), Clock: systemClock{}}}
		cred := credentialOf(b, `{"API":{"type":"oauth2","accessToken":"token-1"}}`)
		s := openSource(b, g, "API", "https://api.example.com/v1",
			`{"maxInFlight":10,"rateLimit":{"requestsPerSecond":1000000000,"requestsPerMinute":60000000000,"burst":1000000000},"circuitBreaker":{"failureRate":0.5}}`, cred)
		run(b, Config{OnRequest: func(e RequestEvent) { metrics.Request(e.Source, e.Method, e.Status, e.Duration.Seconds()) }}, s)
	})
}
