package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"
)

const (
	pageSize  = 1000
	firstID   = 10_000_000 // so that every id has as many digits
	idDigits  = "########"
	slowDelay = 5 * time.Millisecond
)

// api serves pages of records. A page is written once with places for the ids,
// which are filled in for each request, so that serving costs next to nothing.
type api struct {
	records int
	page    []byte
	ids     [][]int // by record, where its ids stand in the page
	buffers sync.Pool
}

// newAPI makes the page from lines of records in which a # stands for the id.
func newAPI(records int, lines []byte) *api {
	a := &api{records: records, page: []byte{'['}, ids: make([][]int, pageSize)}
	each := bytes.Split(bytes.TrimSpace(lines), []byte("\n"))
	for i := range pageSize {
		if i > 0 {
			a.page = append(a.page, ',')
		}
		for j, part := range bytes.Split(each[i%len(each)], []byte("#")) {
			if j > 0 {
				a.ids[i] = append(a.ids[i], len(a.page))
				a.page = append(a.page, idDigits...)
			}
			a.page = append(a.page, part...)
		}
	}
	a.page = append(a.page, ']')
	a.buffers.New = func() any { b := make([]byte, len(a.page)); return &b }
	return a
}

// ServeHTTP answers /orders?page=N with a page, an empty one behind the last,
// /slow after 5 ms, and anything else with an empty array.
func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	switch r.URL.Path {
	case "/orders":
		a.orders(w, r)
	case "/slow":
		time.Sleep(slowDelay)
		reply(w, []byte(`{"ok":true}`))
	default:
		reply(w, []byte(`[]`))
	}
}

func (a *api) orders(w http.ResponseWriter, r *http.Request) {
	n, err := strconv.Atoi(r.URL.Query().Get("page"))
	if err != nil || n < 1 {
		http.Error(w, "no such page", http.StatusBadRequest)
		return
	}
	first := (n - 1) * pageSize
	if first >= a.records {
		reply(w, []byte(`[]`))
		return
	}
	buffer := a.buffers.Get().(*[]byte)
	defer a.buffers.Put(buffer)
	doc := *buffer
	copy(doc, a.page)
	for i, places := range a.ids {
		id := firstID + first + i
		for _, at := range places {
			for k, rest := len(idDigits)-1, id; k >= 0; k, rest = k-1, rest/10 {
				doc[at+k] = byte('0' + rest%10)
			}
		}
	}
	reply(w, doc)
}

func reply(w http.ResponseWriter, doc []byte) {
	w.Header().Set("Content-Length", strconv.Itoa(len(doc)))
	_, _ = w.Write(doc) // a client that has gone is its own affair
}

// serve is the process of the API. It prints its address and ends when its
// standard input does, so that it cannot outlive who started it.
func serve(records int, lines []byte) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	fmt.Printf("http://%s\n", l.Addr())
	return http.Serve(l, newAPI(records, lines))
}
