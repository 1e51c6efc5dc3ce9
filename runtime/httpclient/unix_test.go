//go:build unix

package httpclient

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
)

// A request that finds no file left says what helps, and is tried again.
func TestTooManyOpenFiles(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "{}") })
	r := newRig(t, s.URL, "", nil)
	var before syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &before); err != nil {
		t.Fatal(err)
	}
	low := before
	low.Cur = 256
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &low); err != nil {
		t.Fatal(err)
	}
	var open []*os.File
	for {
		f, err := os.Open(os.DevNull)
		if err != nil {
			break
		}
		open = append(open, f)
	}
	f := r.fail(&Request{Method: "get", Path: "/a"})
	for _, f := range open {
		f.Close()
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &before); err != nil {
		t.Fatal(err)
	}
	if text := f.Error(); f.Kind != KindNetwork || f.Attempts != 3 || !strings.Contains(text, "GET "+s.URL+"/a: ") || !strings.Contains(text, "ulimit -n") {
		t.Errorf("%s after %d attempts: %s", f.Kind, f.Attempts, text)
	}
}
