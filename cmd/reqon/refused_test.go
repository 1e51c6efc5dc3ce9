package main

import (
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
)

// TestRefusedBeforeTheRun: what is wrong with a command line is told before
// anything is run, by the name under which it was given, with exit code 3.
func TestRefusedBeforeTheRun(t *testing.T) {
	s := newSite(t)
	if err := os.WriteFile(s.dir+"/m.reqon", []byte("mission M {\n  action A { log \"it runs\" }\n}\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	port := fmt.Sprint(l.Addr().(*net.TCPAddr).Port)
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"m.reqon", "--state-dir", ""}, "--state-dir is empty: expected the name of a folder"},
		{[]string{"history", "--state-dir="}, "--state-dir is empty: expected the name of a folder"},
		{[]string{"m.reqon", "--output", "/proc/out.json"}, "--output /proc/out.json: can't write there: "},
		{[]string{"m.reqon", "--timezone", "Asia/Tokyo"}, "--timezone goes with --validate-cron"},
		{[]string{"--validate-cron", "@daily", "--timezone", "Mars/North"}, "--timezone Mars/North: expected an IANA time zone"},
		{[]string{"daemon"}, "to run missions on schedule, write reqon PATH --daemon"},
		{[]string{"demo", "--port", port}, "--port: the port of 127.0.0.1:" + port + " is in use by another program"},
	} {
		out, stderr := s.reqon(exitConfig, c.args...)
		if !strings.Contains(stderr, c.want) || strings.Contains(out+stderr, "it runs") {
			t.Errorf("reqon %s:\n%s%s", strings.Join(c.args, " "), out, stderr)
		}
	}
	out, _ := s.reqon(0, "--validate-cron", "0 9 * * *", "--timezone", "Asia/Tokyo")
	if !strings.Contains(out, " 09:00:00 ") || !strings.Contains(out, "+09:00 JST") {
		t.Error(out)
	}
}
