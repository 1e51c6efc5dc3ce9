// Package mysqltest runs a real MariaDB server for tests, on a port and in a
// folder of its own. Where its programs are not installed, tests that need it
// skip, by name.
package mysqltest

import (
	"context"
	"database/sql"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"

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
	install, server := program("mariadb-install-db"), program("mariadbd")
	if install == "" || server == "" {
		t.Skip("MariaDB is not installed (mariadb-install-db and mariadbd)")
	}
	return &Server{shared.Get(t, func() (*process.Server, error) { return start(install, server) })}
}

// program finds a program of the server, "" if there is none.
func program(name string) string {
	for _, path := range []string{name, filepath.Join("/usr/sbin", name), filepath.Join("/usr/bin", name)} {
		if p, err := exec.LookPath(path); err == nil {
			return p
		}
	}
	return ""
}

func start(install, server string) (*process.Server, error) {
	s, err := process.New("mysql", "mysql", "nobody")
	if err != nil {
		return nil, err
	}
	data := filepath.Join(s.Dir, "data")
	init := s.Command(install, "--no-defaults", "--datadir="+data, "--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve", "--innodb-log-file-size=8M")
	if out, err := init.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("mariadb-install-db: %w\n%s", err, out)
	}
	s.Start = func() *exec.Cmd {
		return s.Command(server, "--no-defaults", "--datadir="+data, "--socket="+filepath.Join(s.Dir, "s"), "--pid-file="+filepath.Join(s.Dir, "pid"),
			fmt.Sprintf("--port=%d", s.Port), "--bind-address=127.0.0.1", "--skip-log-bin", "--innodb-log-file-size=8M", "--innodb-buffer-pool-size=64M",
			"--innodb-flush-log-at-trx-commit=0", "--skip-name-resolve")
	}
	s.Quit = process.Quit
	s.Ready = func() error {
		db, err := open(s, "mysql")
		if err != nil {
			return err
		}
		defer db.Close()
		return db.Ping()
	}
	return s, s.Run()
}

func open(s *process.Server, database string) (*sql.DB, error) {
	c := mysql.NewConfig()
	c.User, c.Net, c.Addr, c.DBName, c.Logger = "root", "tcp", fmt.Sprintf("127.0.0.1:%d", s.Port), database, &mysql.NopLogger{}
	connector, err := mysql.NewConnector(c)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(connector), nil
}

// Database makes an empty database and returns its name and address.
func (s *Server) Database(t testing.TB) (name, address string) {
	t.Helper()
	name = s.Name()
	s.Exec(t, "mysql", "CREATE DATABASE "+name)
	return name, fmt.Sprintf("mysql://root@127.0.0.1:%d/%s", s.Port, name)
}

// Exec runs statements in a database.
func (s *Server) Exec(t testing.TB, database string, statements ...string) {
	t.Helper()
	db, err := open(s.Server, database)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, statement := range statements {
		if _, err := db.ExecContext(context.Background(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

// Query returns the rows of a query, each as its columns' texts with a | between
// them.
func (s *Server) Query(t testing.TB, database, query string) (lines []string) {
	t.Helper()
	db, err := open(s.Server, database)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.Query(query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		cells, dest := make([]sql.NullString, len(columns)), make([]any, len(columns))
		for i := range cells {
			dest[i] = &cells[i]
		}
		if err := rows.Scan(dest...); err != nil {
			t.Fatal(err)
		}
		line := ""
		for i, c := range cells {
			if i > 0 {
				line += "|"
			}
			if !c.Valid {
				line += "NULL"
			}
			line += c.String
		}
		lines = append(lines, line)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return lines
}

// Begin begins a transaction in the database of an address.
func (s *Server) Begin(t testing.TB, address string) *sql.Tx {
	t.Helper()
	db, err := open(s.Server, address[strings.LastIndexByte(address, '/')+1:])
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	return tx
}
