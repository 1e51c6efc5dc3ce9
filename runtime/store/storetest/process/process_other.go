//go:build !linux

package process

import (
	"os"
	"os/exec"
)

// Quit ends the server.
var Quit = os.Interrupt

func (s *Server) own() error { return nil }

// Command is a program of the server.
func (s *Server) Command(path string, args ...string) *exec.Cmd {
	cmd := exec.Command(path, args...)
	cmd.Dir = s.Dir
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	return cmd
}
