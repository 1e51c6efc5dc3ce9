package main

import (
	"bytes"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// starts is how often a start is measured in each round: it is short.
const starts = 5

// start measures the time from beginning a process to the arrival of its first
// request. The state folder is there from a run before.
func (b *bench) start() error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	arrived := make(chan time.Time, 1)
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		select {
		case arrived <- time.Now():
		default: // what comes after the first does not count
		}
		w.Header().Set("Content-Type", "application/json")
		reply(w, []byte(`[{"id":1,"name":"first"}]`))
	})}
	go func() { _ = server.Serve(l) }() // ends with Close
	defer server.Close()
	base := "http://" + l.Addr().String()
	state, err := b.folder()
	if err != nil {
		return err
	}
	until := func(run func(string) (usage, error)) func(string) (usage, error) {
		return func(string) (usage, error) {
			began := time.Now()
			u, err := run(state)
			if err == nil {
				u.wall = (<-arrived).Sub(began)
			}
			return u, err
		}
	}
	sides := []func(string) (usage, error){until(b.run("start", base)), until(b.byHand("start", base))}
	if _, err := sides[0](""); err != nil { // makes the state folder
		return err
	}
	rounds := b.rounds
	b.rounds *= starts
	us, err := b.turns(sides, nil)
	b.rounds = rounds
	if err != nil {
		return err
	}
	heading("start to first request, one mission, existing state folder")
	show(us, "by hand")
	target("time", milliseconds(us[0].wall), 30, "ms")
	return nil
}

// longMission returns a mission of at least that many lines.
func longMission(lines int) ([]byte, error) {
	part, err := os.ReadFile(filepath.Join("data", "part.txt"))
	if err != nil {
		return nil, err
	}
	src := []byte("mission Long {\n  param region: string = \"eu\"\n  source API { auth: none, base: \"https://api.example.com\" }\n" +
		"  store orders: file(\"orders\")\n  store rejected: file(\"rejected\")\n")
	for i, n := 0, 6; n < lines; i, n = i+1, n+bytes.Count(part, []byte("\n")) {
		src = append(src, bytes.ReplaceAll(part, []byte("#"), []byte(strconv.Itoa(i)))...)
	}
	return append(src, "}\n"...), nil
}
