package sampleapi

import (
	"bufio"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// Whatever is asked: no panic, no status of the 500s, and a JSON envelope for
// what is refused.
func FuzzRequests(f *testing.F) {
	for _, s := range [][2]string{
		{"GET / HTTP/1.1\r\nHost: x\r\n\r\n", ""},
		{"GET /customers?page=2&per_page=9&since=2026-01-20T09:00:00.000Z HTTP/1.1\r\nHost: x\r\n\r\n", ""},
		{"GET /customers/1%2f2 HTTP/1.1\r\nHost: x\r\n\r\n", ""},
		{"GET /orders?cursor=b3JkZXI6MTI&limit=1&status=paid&sort=updated_at HTTP/1.1\r\nHost: x\r\n\r\n", ""},
		{"GET /orders/13001/invoice HTTP/1.1\r\nHost: x\r\n\r\n", ""},
		{"GET //orders/../stock HTTP/1.1\r\nHost: x\r\n\r\n", ""},
		{"GET /stock?from=1599&per_page=2 HTTP/1.1\r\nHost: x\r\n\r\n", ""},
		{"GET /products?modified_after=1&offset=799 HTTP/1.1\r\nHost: x\r\n\r\n", ""},
		{"GET /events?since=2026-01-20 HTTP/1.1\r\nHost: x\r\n\r\n", ""},
		{"PUT /alerts HTTP/1.1\r\nHost: x\r\n\r\n", ""},
		{"POST /alerts HTTP/1.1\r\nHost: x\r\nIdempotency-Key: k\r\n\r\n", `{"subject":"a","text":"b"}`},
		{"POST /orders/search HTTP/1.1\r\nHost: x\r\n\r\n", `{"status":"paid","page":2,"size":10,"customer_id":3,"updated_since":"2025-01-01"}`},
	} {
		f.Add(s[0], s[1], int64(90))
	}
	f.Fuzz(func(t *testing.T, head, body string, seconds int64) {
		r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(head)))
		if err != nil {
			return
		}
		r.Body = http.NoBody
		if body != "" {
			r.Body = readCloser{strings.NewReader(body)}
		}
		now := opening.Add(time.Duration(seconds%10_000_000) * time.Second / 1000)
		a := New(Options{Start: opening, Now: func() time.Time { return now }})
		w := httptest.NewRecorder()
		a.ServeHTTP(w, r)
		switch {
		case w.Code >= 500:
			t.Errorf("%d %s", w.Code, w.Body)
		case w.Code >= 400:
			var envelope struct{ Error, Message string }
			if err := json.Unmarshal(w.Body.Bytes(), &envelope); err != nil || envelope.Error == "" || envelope.Message == "" {
				t.Errorf("%d %s", w.Code, w.Body)
			}
		}
		if w.Header().Get("Date") != now.Format(http.TimeFormat) {
			t.Errorf("Date is %q at %s", w.Header().Get("Date"), now)
		}
	})
}

type readCloser struct{ *strings.Reader }

func (readCloser) Close() error { return nil }
