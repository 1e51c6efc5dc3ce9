package engine

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"reqon/compiler"
	"reqon/runtime/state"
)

// TestProgressIsRecorded: the record of a run that goes on has its counts, so
// that they are there if the process is killed.
func TestProgressIsRecorded(t *testing.T) {
	hold := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.URL.Path == "/slow" {
			<-hold
		}
		_, _ = w.Write([]byte(`[{"id":1},{"id":2},{"id":0}]`))
	}))
	defer server.Close()
	file := filepath.Join(t.TempDir(), "m.reqon")
	source := `mission M {
  source API { base: "` + server.URL + `" }
  store out: file("out")
  action A {
    get "/fast"
    for x in response onError skip { store { id: 1 / x.id } -> out }
    get "/slow"
  }
}`
	if err := os.WriteFile(file, []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := compiler.Load(file)
	if err != nil || r.Failed() {
		t.Fatalf("%v %v", err, r)
	}
	e, err := New(Config{StateDir: t.TempDir(), ProgressEvery: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}()
	m, err := e.Load(r.Missions[0].Program)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan *Report)
	go func() { done <- m.Run(context.Background(), RunOptions{}) }()
	deadline := time.Now().Add(20 * time.Second)
	for {
		so, ok, err := e.DB().LastRun("M")
		if err != nil {
			t.Fatal(err)
		}
		if ok && so.Status == state.StatusRunning && len(so.Actions) == 1 && so.Actions[0].Requests == 2 && so.Actions[0].Records == 2 &&
			so.Stores[0].Inserted == 2 && so.Stores[0].Failed == 1 && so.Counts.Skipped == 1 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%+v", so)
		}
		time.Sleep(time.Millisecond) // lets the run go on; nothing is timed by it
	}
	close(hold)
	if rep := <-done; rep.Err != nil || rep.Status != state.StatusSuccess {
		t.Errorf("%+v", rep)
	}
	if so, _, _ := e.DB().LastRun("M"); so.Status != state.StatusSuccess || so.End.IsZero() || so.Counts.Skipped != 1 {
		t.Errorf("%+v", so)
	}
}
