// Package redistest runs a real Redis server for tests, on a port and in a folder
// of its own. Where its program is not installed, tests that need it skip, by
// name.
package redistest

import (
	"context"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"reqon/runtime/store/storetest/process"
)

// Server is a running server.
type Server struct{ *process.Server }

var shared process.Shared

// Main runs a package's tests and then ends the server. A package that uses
// Start has it as its TestMain.
func Main(m *testing.M) { shared.Main(m) }

// Start returns the server of this test process, which it starts when it is
// first asked. What was stored outlives a kill of it.
func Start(t testing.TB) *Server {
	t.Helper()
	program, err := exec.LookPath("redis-server")
	if err != nil {
		t.Skip("Redis is not installed (redis-server)")
	}
	return &Server{shared.Get(t, func() (*process.Server, error) { return start(program) })}
}

func start(program string) (*process.Server, error) {
	s, err := process.New("redis", "redis", "nobody")
	if err != nil {
		return nil, err
	}
	s.Start = func() *exec.Cmd {
		return s.Command(program, "--port", fmt.Sprint(s.Port), "--bind", "127.0.0.1", "--dir", s.Dir, "--save", "", "--appendonly", "yes", "--appendfsync", "no", "--databases", "200")
	}
	s.Ready = func() error {
		c := client(s, 0)
		defer c.Close()
		return c.Ping(context.Background()).Err()
	}
	return s, s.Run()
}

func client(s *process.Server, database int) *redis.Client {
	return redis.NewClient(&redis.Options{Addr: fmt.Sprintf("127.0.0.1:%d", s.Port), DB: database, Protocol: 2, DisableIdentity: true, MaxRetries: -1})
}

// Database returns the address of a database that nobody else uses.
func (s *Server) Database() string {
	return fmt.Sprintf("redis://127.0.0.1:%d/%s", s.Port, strings.TrimPrefix(s.Name(), "d"))
}

// Client returns a client of an address that Database has given.
func (s *Server) Client(t testing.TB, address string) *redis.Client {
	t.Helper()
	n, err := strconv.Atoi(address[strings.LastIndexByte(address, '/')+1:])
	if err != nil {
		t.Fatal(err)
	}
	c := client(s.Server, n)
	t.Cleanup(func() { c.Close() })
	return c
}
