//go:build !linux

package pgtest

import (
	"os"
	"os/exec"
	"path/filepath"
)

// quit ends the server.
var quit = os.Interrupt

func (s *Server) own() error { return nil }

// command is a program of the server.
func (s *Server) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(s.bin, name), args...)
	cmd.Dir = s.dir
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	return cmd
}
