// Package pgtest runs a real PostgreSQL server for tests, on a port and in a
// folder of its own. Where its programs are not installed, tests that need it
// skip, by name.
package pgtest

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"sort"
	"testing"

	"github.com/jackc/pgx/v5"

	"reqon/runtime/store/storetest/process"
)

// Server is a running server.
type Server struct{ *process.Server }

var shared process.Shared

// Main runs a package's tests and then ends the server. A package that uses
// Start has it as its TestMain.
func Main(m *testing.M) { shared.Main(m) }

// Start returns the server of this test process, which it starts when it is
// first asked.
func Start(t testing.TB) *Server {
	t.Helper()
	bin := programs()
	if bin == "" {
		t.Skip("PostgreSQL is not installed (initdb and postgres)")
	}
	return &Server{shared.Get(t, func() (*process.Server, error) { return start(bin) })}
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

func start(bin string) (*process.Server, error) {
	s, err := process.New("pg", "postgres", "nobody")
	if err != nil {
		return nil, err
	}
	data := filepath.Join(s.Dir, "data")
	init := s.Command(filepath.Join(bin, "initdb"), "-D", data, "-U", "reqon", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C")
	if out, err := init.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w\n%s", err, out)
	}
	s.Quit = process.Quit
	s.Start = func() *exec.Cmd {
		// kill -9 of the server loses nothing that was written, so that syncing
		// may be left out.
		return s.Command(filepath.Join(bin, "postgres"), "-D", data, "-p", fmt.Sprint(s.Port), "-c", "listen_addresses=127.0.0.1",
			"-c", "unix_socket_directories=", "-c", "fsync=off", "-c", "dynamic_shared_memory_type=mmap", "-c", "max_connections=100", "-c", "restart_after_crash=off")
	}
	s.Ready = func() error {
		c, err := pgx.Connect(context.Background(), address(s, "postgres"))
		if err != nil {
			return err
		}
		return c.Close(context.Background())
	}
	return s, s.Run()
}

func address(s *process.Server, db string) string {
	return fmt.Sprintf("postgres://reqon@127.0.0.1:%d/%s", s.Port, db)
}

// Database makes an empty database and returns its address.
func (s *Server) Database(t testing.TB) string {
	t.Helper()
	name := s.Name()
	s.Exec(t, address(s.Server, "postgres"), "CREATE DATABASE "+name)
	return address(s.Server, name)
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
