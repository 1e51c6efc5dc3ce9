// Package process runs the real server of a database for tests, on a port and in
// a folder of its own. What is particular to one server is in a package of its
// own beside this one.
package process

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// Server is a server that can be started, ended and killed.
type Server struct {
	Port int
	Dir  string
	// Account is whom its programs run as where this process is root: the first
	// of these users that there is.
	Account []string
	// Start gives the command of the server.
	Start func() *exec.Cmd
	// Ready reports whether the server answers.
	Ready func() error
	// Quit is how it ends without leaving anything in the system; nil is an
	// interrupt.
	Quit os.Signal

	mu   sync.Mutex
	cmd  *exec.Cmd
	done chan struct{}
	n    int
}

// New makes the folder of a server and finds it a port.
func New(name string, account ...string) (*Server, error) {
	base := ""
	if _, err := os.Stat("/dev/shm"); err == nil {
		base = "/dev/shm" // syncing costs nothing there
	}
	dir, err := os.MkdirTemp(base, "reqon-"+name+"-")
	if err != nil {
		return nil, err
	}
	s := &Server{Dir: dir, Account: account}
	if err := s.own(); err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s.Port = l.Addr().(*net.TCPAddr).Port
	return s, l.Close()
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
	log, err := os.OpenFile(filepath.Join(s.Dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := s.Start()
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
	for until := time.Now().Add(60 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		err := s.Ready()
		if err == nil {
			return nil
		}
		select {
		case <-done:
			text, _ := os.ReadFile(filepath.Join(s.Dir, "log"))
			return fmt.Errorf("%s ended at its start:\n%s", filepath.Base(cmd.Path), text[max(0, len(text)-2000):])
		default:
		}
		if time.Now().After(until) {
			cmd.Process.Kill()
			<-done
			return err
		}
	}
}

// Kill ends the server at once, as a crash would.
func (s *Server) Kill() { s.end(os.Kill) }

// Stop ends the server without leaving anything of it in the system.
func (s *Server) Stop() {
	how := s.Quit
	if how == nil {
		how = os.Interrupt
	}
	s.end(how)
}

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

// Name gives a name that no other call has given.
func (s *Server) Name() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.n++
	return fmt.Sprintf("d%d", s.n)
}

// Shared is the one server of a test process.
type Shared struct {
	mu     sync.Mutex
	server *Server
	err    error
}

// Get returns the server, which start starts when it is first asked for.
func (h *Shared) Get(t testing.TB, start func() (*Server, error)) *Server {
	t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.server == nil && h.err == nil {
		h.server, h.err = start()
	}
	if h.err != nil {
		t.Fatal(h.err)
	}
	return h.server
}

// Main runs a package's tests and then ends the server.
func (h *Shared) Main(m *testing.M) {
	code := m.Run()
	h.mu.Lock()
	if h.server != nil {
		h.server.Stop()
		os.RemoveAll(h.server.Dir)
	}
	h.mu.Unlock()
	os.Exit(code)
}
