package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"reqon/testdata/lang/run/script"
)

// TestMain makes this program the command reqon of the scripts, where it runs as
// a process of its own.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"reqon": main})
}

// TestScripts runs testdata/script; its README tells the commands.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("..", "..", "testdata", "script"),
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("TZ", "UTC")
			env.Setenv("LC_ALL", "C.UTF-8")
			env.Setenv("REQON_PARANOID", os.Getenv("REQON_PARANOID")) // of who runs the tests
			s := &server{}
			env.Values[serverKey{}] = s
			env.Defer(func() {
				if complaints := s.end(); complaints != "" {
					env.T().Fatal("the server: " + complaints)
				}
			})
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"exit":     exitCmd,
			"serve":    serveCmd,
			"requests": requestsCmd,
			"signal":   signalCmd,
			"waitfor":  waitforCmd,
			"mode":     modeCmd,
			"damage":   damageCmd,
		},
	})
}

// exitCmd runs a program that must end with an exit code: exit 3 reqon m.reqon.
func exitCmd(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exit CODE PROGRAM [ARGS…]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var e *exec.ExitError
		if !errors.As(err, &e) {
			ts.Fatalf("%v", err)
		}
		got = e.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// server is the scripted server of a script.
type server struct{ *script.Server }

type serverKey struct{}

func serverOf(ts *testscript.TestScript) *server { return ts.Value(serverKey{}).(*server) }

// serveCmd starts the server that a file scripts, and sets API to its address.
// What was asked against the script, or never asked for, fails the test; a
// second serve ends the first server.
func serveCmd(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: serve FILE")
	}
	s := serverOf(ts)
	if complaints := s.end(); complaints != "" {
		ts.Fatalf("the server: %s", complaints)
	}
	// The reader of servers reads programs; this is one around the server.
	program := "A server.\n-- main.reqon --\nmission M {}\n-- api --\n" + ts.ReadFile(args[0])
	file := filepath.Join(ts.MkAbs("."), args[0]+".program.txtar")
	ts.Check(os.WriteFile(file, []byte(program), 0o600))
	p, err := script.Parse(file)
	ts.Check(err)
	ts.Check(os.Remove(file))
	s.Server = p.Serve()
	ts.Setenv("API", s.URL)
}

// end closes the server, if there is one, and returns what it complains of.
func (s *server) end() string {
	if s.Server == nil {
		return ""
	}
	s.Close()
	complaints := strings.Join(s.Complaints(), "\n")
	s.Server = nil
	return complaints
}

// requestsCmd holds how many requests the server has seen: requests 2.
func requestsCmd(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: requests N")
	}
	if got := strconv.Itoa(serverOf(ts).Requests()); got != args[0] {
		ts.Fatalf("the server has seen %s requests, want %s", got, args[0])
	}
}

// signalCmd sends INT or TERM to the program that runs in the background.
func signalCmd(ts *testscript.TestScript, neg bool, args []string) {
	signals := map[string]os.Signal{"INT": os.Interrupt, "TERM": syscall.SIGTERM}
	if neg || len(args) != 1 || signals[args[0]] == nil {
		ts.Fatalf("usage: signal INT|TERM")
	}
	for _, c := range ts.BackgroundCmds() {
		ts.Check(c.Process.Signal(signals[args[0]]))
	}
}

// waitforCmd waits until the server has seen N requests: waitfor requests 1; or
// until a file has a text: waitfor log.txt 'Stopping'.
func waitforCmd(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: waitfor requests N, or waitfor FILE TEXT")
	}
	reached := func() bool {
		data, err := os.ReadFile(ts.MkAbs(args[0]))
		return err == nil && strings.Contains(string(data), args[1])
	}
	if args[0] == "requests" {
		n, err := strconv.Atoi(args[1])
		ts.Check(err)
		reached = func() bool { return serverOf(ts).Requests() >= n }
	}
	for deadline := time.Now().Add(20 * time.Second); !reached(); {
		if time.Now().After(deadline) {
			ts.Fatalf("waited 20 s for %s", strings.Join(args, " "))
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// modeCmd holds the permissions of files: mode 0600 a b.
func modeCmd(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: mode OCTAL FILE…")
	}
	for _, name := range args[1:] {
		info, err := os.Stat(ts.MkAbs(name))
		ts.Check(err)
		if got := fmt.Sprintf("%04o", info.Mode().Perm()); got != args[0] {
			ts.Fatalf("%s has mode %s, want %s", name, got, args[0])
		}
	}
}

// damageCmd changes one byte of a file, counted from its end if below zero:
// damage m.reqc 100.
func damageCmd(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: damage FILE OFFSET")
	}
	name := ts.MkAbs(args[0])
	data, err := os.ReadFile(name)
	ts.Check(err)
	at, err := strconv.Atoi(args[1])
	ts.Check(err)
	if at < 0 {
		at += len(data)
	}
	if at < 0 || at >= len(data) {
		ts.Fatalf("%s has %d bytes, none at %s", args[0], len(data), args[1])
	}
	data[at] ^= 0x55
	ts.Check(os.WriteFile(name, data, 0o600))
}
