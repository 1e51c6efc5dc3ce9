package process

import (
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"syscall"
)

// account is whom the server runs as: some refuse root.
func (s *Server) account() *syscall.Credential {
	if os.Getuid() != 0 {
		return nil
	}
	for _, name := range s.Account {
		if u, err := user.Lookup(name); err == nil {
			uid, _ := strconv.Atoi(u.Uid)
			gid, _ := strconv.Atoi(u.Gid)
			return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		}
	}
	return nil
}

// Quit is the signal by which PostgreSQL ends at once, without a checkpoint.
const Quit = syscall.SIGQUIT

// own gives the folder to that account.
func (s *Server) own() error {
	if c := s.account(); c != nil {
		return os.Chown(s.Dir, int(c.Uid), int(c.Gid))
	}
	return nil
}

// Command is a program of the server, which ends with this process.
func (s *Server) Command(path string, args ...string) *exec.Cmd {
	cmd := exec.Command(path, args...)
	cmd.Dir = s.Dir
	cmd.Env = append(os.Environ(), "HOME="+s.Dir, "LC_ALL=C")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.account(), Pdeathsig: syscall.SIGKILL}
	return cmd
}
