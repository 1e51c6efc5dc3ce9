package state

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestMain lets a test start this program again as another process: with
// STATE_HELPER set, it does what that names, on the folder STATE_DIR.
func TestMain(m *testing.M) {
	switch os.Getenv("STATE_HELPER") {
	case "":
		os.Exit(m.Run())
	case "claims":
		helper(helperClaims)
	case "begin":
		helper(helperBegin)
	case "daemon":
		helper(helperDaemon)
	case "open":
		helper(func(*DB) error { return nil })
	case "runs":
		helper(helperRuns)
	}
}

func helper(do func(*DB) error) {
	db, err := Open(os.Getenv("STATE_DIR"))
	if err == nil {
		err = errors.Join(do(db), db.Close())
	}
	if err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// helperClaims waits for a line, then claims 200 due times and prints those it got.
func helperClaims(db *DB) error {
	fmt.Println("ready")
	if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
		return err
	}
	for i := range 200 {
		ok, err := db.Claim("M", t0.Add(time.Duration(i)*time.Minute), ClaimAny)
		if err != nil {
			return err
		}
		if ok {
			fmt.Println(i)
		}
	}
	return nil
}

// helperBegin begins two runs, prints their ids, and hangs until it is killed.
func helperBegin(db *DB) error {
	for i := range 2 {
		r := Run{Mission: "Killed", Trigger: TriggerAdhoc, Start: t0.Add(time.Duration(i) * time.Second)}
		if err := db.BeginRun(&r); err != nil {
			return err
		}
		r.Actions = []ActionCount{{Name: "A", Requests: int64(i + 1)}}
		if err := db.SaveProgress(&r); err != nil {
			return err
		}
		fmt.Println(r.ID)
	}
	fmt.Println("ready")
	_, err := io.ReadAll(os.Stdin)
	return err
}

// helperDaemon is the daemon of the folder until it is killed.
func helperDaemon(db *DB) error {
	if _, err := db.LockDaemon(); err != nil {
		return err
	}
	fmt.Println("ready")
	_, err := io.ReadAll(os.Stdin)
	return err
}

// helperRuns begins and finishes 50 runs.
func helperRuns(db *DB) error {
	mission := "P" + strconv.Itoa(os.Getpid())
	for i := range 50 {
		r := Run{Mission: mission, Trigger: TriggerAdhoc, Start: t0.Add(time.Duration(i) * time.Second)}
		if err := db.BeginRun(&r); err != nil {
			return err
		}
		r.Status, r.End = StatusSuccess, r.Start.Add(time.Millisecond)
		if err := db.FinishRun(&r, jsonPositions(map[string]string{"k": strconv.Itoa(i)})); err != nil {
			return err
		}
	}
	return nil
}

// process is a helper process.
type process struct {
	t     *testing.T
	cmd   *exec.Cmd
	stdin io.WriteCloser
	out   *bufio.Scanner
}

func startHelper(t *testing.T, what, dir string) *process {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "STATE_HELPER="+what, "STATE_DIR="+dir)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	return &process{t, cmd, stdin, bufio.NewScanner(stdout)}
}

// untilReady returns the lines before "ready".
func (p *process) untilReady() (lines []string) {
	p.t.Helper()
	for p.out.Scan() {
		if p.out.Text() == "ready" {
			return lines
		}
		lines = append(lines, p.out.Text())
	}
	p.t.Fatalf("the helper ended early: %s", strings.Join(lines, "\n"))
	return nil
}

// rest returns the lines to the end, and fails the test unless it exited with 0.
func (p *process) rest() (lines []string) {
	p.t.Helper()
	for p.out.Scan() {
		lines = append(lines, p.out.Text())
	}
	if err := p.cmd.Wait(); err != nil {
		p.t.Fatalf("helper: %v: %s", err, strings.Join(lines, "\n"))
	}
	return lines
}

// kill ends the process as kill -9 does.
func (p *process) kill() {
	p.t.Helper()
	if err := p.cmd.Process.Kill(); err != nil {
		p.t.Fatal(err)
	}
	p.cmd.Wait() // reports the kill
}

var t0 = time.Date(2026, 1, 20, 9, 0, 0, 0, time.UTC)

func openDir(t testing.TB, dir string) *DB {
	t.Helper()
	db, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func openNew(t testing.TB) *DB {
	t.Helper()
	return openDir(t, t.TempDir())
}

func begin(t testing.TB, db *DB, mission string, start time.Time) *Run {
	t.Helper()
	r := &Run{Mission: mission, Trigger: TriggerSchedule, Due: start.Truncate(time.Minute), Start: start}
	if err := db.BeginRun(r); err != nil {
		t.Fatal(err)
	}
	return r
}

func finish(t testing.TB, db *DB, r *Run, status Status, positions map[string]string) {
	t.Helper()
	r.Status, r.End = status, r.Start.Add(2100*time.Millisecond)
	if err := db.FinishRun(r, jsonPositions(positions)); err != nil {
		t.Fatal(err)
	}
}

// jsonPositions are positions to save, JSON texts by key.
func jsonPositions(values map[string]string) *Positions {
	p := &Positions{}
	for key, value := range values {
		p.Save = append(p.Save, Position{Key: key, Value: value})
	}
	return p
}

func positionValue(db *DB, mission, key string) (string, bool, error) {
	p, ok, err := db.Position(mission, key)
	return p.Value, ok, err
}
