// Package pgtest runs a real PostgreSQL server for tests, on a port and in a
// folder of its own. Where its programs are not installed, tests that need it
// skip, by name.
package pgtest

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Server is a running server.
type Server struct {
	Port int
	dir  string
	bin  string

	mu   sync.Mutex
	cmd  *exec.Cmd
	done chan struct{}
	n    int
}

var shared struct {
	sync.Mutex
	server *Server
	err    error
}

// Main runs a package's tests and then ends the server. A package that uses
// Start has it as its TestMain.
func Main(m *testing.M) {
	code := m.Run()
	shared.Lock()
	if s := shared.server; s != nil {
		s.Stop()
		os.RemoveAll(s.dir)
	}
	shared.Unlock()
	os.Exit(code)
}

// Start returns the server of this test process, which it starts when it is
// first asked.
func Start(t testing.TB) *Server {
	t.Helper()
	bin := programs()
	if bin == "" {
		t.Skip("PostgreSQL is not installed (initdb and postgres)")
	}
	shared.Lock()
	defer shared.Unlock()
	if shared.server == nil && shared.err == nil {
		shared.server, shared.err = start(bin)
	}
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.server
}

// programs returns the folder of the server's programs, "" if there is none.
func programs() string {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if len(found) > 0 {
		sort.Strings(found)
		return filepath.Dir(found[len(found)-1])
	}
	if p, err := exec.LookPath("postgres"); err == nil {
		if _, err := exec.LookPath("initdb"); err == nil {
			return filepath.Dir(p)
		}
	}
	return ""
}

func start(bin string) (*Server, error) {
	base := ""
	if _, err := os.Stat("/dev/shm"); err == nil {
		base = "/dev/shm" // syncing costs nothing there
	}
	dir, err := os.MkdirTemp(base, "reqon-pg-")
	if err != nil {
		return nil, err
	}
	s := &Server{dir: dir, bin: bin}
	if err := s.own(); err != nil {
		return nil, err
	}
	init := s.command("initdb", "-D", filepath.Join(dir, "data"), "-U", "reqon", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C")
	if out, err := init.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w\n%s", err, out)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s.Port = l.Addr().(*net.TCPAddr).Port
	l.Close()
	return s, s.Run()
}

// Run starts the server, again after Kill, and waits until it answers.
func (s *Server) Run() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	// After a kill its processes need a moment to see that they are alone.
	for attempt := 1; ; attempt++ {
		err := s.run()
		if err == nil || attempt == 40 {
			return err
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func (s *Server) run() error {
	log, err := os.OpenFile(filepath.Join(s.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	// kill -9 of the server loses nothing that was written, so that syncing may
	// be left out.
	cmd := s.command("postgres", "-D", filepath.Join(s.dir, "data"), "-p", fmt.Sprint(s.Port), "-c", "listen_addresses=127.0.0.1",
		"-c", "unix_socket_directories=", "-c", "fsync=off", "-c", "dynamic_shared_memory_type=mmap", "-c", "max_connections=100", "-c", "restart_after_crash=off")
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return err
	}
	s.cmd, s.done = cmd, make(chan struct{})
	done := s.done
	go func() {
		cmd.Wait()
		close(done)
	}()
	for until := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		c, err := pgx.Connect(context.Background(), s.address("postgres"))
		if err == nil {
			return c.Close(context.Background())
		}
		select {
		case <-done:
			text, _ := os.ReadFile(filepath.Join(s.dir, "log"))
			return fmt.Errorf("PostgreSQL ended at its start:\n%s", text[max(0, len(text)-2000):])
		default:
		}
		if time.Now().After(until) {
			return err
		}
	}
}

// Kill ends the server at once, as a crash would.
func (s *Server) Kill() { s.end(os.Kill) }

// Stop ends the server without leaving anything of it in the system.
func (s *Server) Stop() { s.end(quit) }

func (s *Server) end(how os.Signal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd == nil {
		return
	}
	s.cmd.Process.Signal(how)
	select {
	case <-s.done:
	case <-time.After(10 * time.Second):
		s.cmd.Process.Kill()
		<-s.done
	}
	s.cmd = nil
}

func (s *Server) address(db string) string {
	return fmt.Sprintf("postgres://reqon@127.0.0.1:%d/%s", s.Port, db)
}

// Database makes an empty database and returns its address.
func (s *Server) Database(t testing.TB) string {
	t.Helper()
	s.mu.Lock()
	s.n++
	name := fmt.Sprintf("d%d", s.n)
	s.mu.Unlock()
	s.Exec(t, s.address("postgres"), "CREATE DATABASE "+name)
	return s.address(name)
}

// Exec runs statements in a database.
func (s *Server) Exec(t testing.TB, address string, statements ...string) {
	t.Helper()
	ctx := context.Background()
	c, err := pgx.Connect(ctx, address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(ctx)
	for _, statement := range statements {
		if _, err := c.Exec(ctx, statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

// Query returns the rows of a query, each as its columns' texts with a | between
// them.
func (s *Server) Query(t testing.TB, address, query string) (lines []string) {
	t.Helper()
	ctx := context.Background()
	c, err := pgx.Connect(ctx, address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(ctx)
	results, err := c.PgConn().Exec(ctx, query).ReadAll()
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	for _, row := range results[len(results)-1].Rows {
		line := ""
		for i, cell := range row {
			if i > 0 {
				line += "|"
			}
			if cell == nil {
				line += "NULL"
			}
			line += string(cell)
		}
		lines = append(lines, line)
	}
	return lines
}
