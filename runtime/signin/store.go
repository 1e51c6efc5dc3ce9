// Package signin knows who is signed in: it keeps the access tokens of oauth2
// fresh, and lets a person sign in (operations, "Credentials").
//
//	store.go    what is kept in the state folder, a file for each account
//	oauth2.go   one account's token: when to renew it, and who does
//	renew.go    the request that renews it
//	person.go   a sign-in by a person, in a browser or at another device
//	login.go    one that a source makes by itself, with its `login` block
//
// A server may replace a refresh token with each use, and take the sign-in away
// from whoever sends the old one again. So a token is renewed by one task of one
// process at a time, under a lock in the state folder, and the new one is on
// disk before anybody uses it.
package signin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"reqon/runtime/state"
	"reqon/vm/target"
)

// Store keeps sign-ins in the state folder, readable by their owner only. It is
// safe for concurrent use, by any number of processes.
type Store struct{ dir string }

// NewStore returns the store of a state folder. Nothing is written before the
// first sign-in.
func NewStore(stateDir string) *Store { return &Store{filepath.Join(stateDir, target.Tokens)} }

// Record is a sign-in as it is kept.
type Record struct {
	Account string `json:"account"`          // names the file
	Name    string `json:"source"`           // of the source that signed in last, for people
	Who     string `json:"who,omitempty"`    // is signed in; likewise
	Server  string `json:"server,omitempty"` // likewise: the address of the token endpoint
	Entry   string `json:"entry,omitempty"`  // hash of the entry of the credentials

	AccessToken  string    `json:"accessToken,omitempty"`
	TokenType    string    `json:"tokenType,omitempty"`
	RefreshToken string    `json:"refreshToken,omitempty"`
	Scopes       []string  `json:"scopes,omitempty"`
	Obtained     time.Time `json:"obtained,omitzero"`
	Expires      time.Time `json:"expires,omitzero"` // of the access token; zero if it is not known
	ClientAuth   string    `json:"clientAuth,omitempty"`

	// Replaced says that the refresh token in the credentials must not be sent
	// again, as an answer has replaced it or its owner has signed out.
	Replaced bool `json:"replaced,omitempty"`
	// Refused says why the server does not take the refresh token any longer.
	Refused string `json:"refused,omitempty"`

	// Login is what requests carry after a `login`, and Keep what the next one
	// finds, as JSON.
	Login json.RawMessage `json:"login,omitempty"`
	Keep  json.RawMessage `json:"keep,omitempty"`
}

// SignedIn tells whether the record holds anything to send.
func (r *Record) SignedIn() bool {
	return r != nil && r.Refused == "" && (r.AccessToken != "" || r.RefreshToken != "" || len(r.Login) > 0 || len(r.Keep) > 0)
}

func (s *Store) path(account string) string { return filepath.Join(s.dir, account+".json") }

// maxRecord is how large a record may be, in bytes.
const maxRecord = 1 << 20

// Read returns the sign-in of an account, nil if there is none.
func (s *Store) Read(account string) (*Record, error) {
	f, err := state.OpenFile(s.path(account), os.O_RDONLY)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("the sign-in can't be read: %w", err)
	}
	defer f.Close() // it was only read
	data, err := io.ReadAll(io.LimitReader(f, maxRecord+1))
	if err != nil {
		return nil, fmt.Errorf("the sign-in can't be read: %w", err)
	}
	r, err := parseRecord(data)
	if err != nil {
		return nil, fmt.Errorf("the sign-in in %s is damaged (%w): remove the file, and sign in again with `reqon login`", s.path(account), err)
	}
	return r, nil
}

// parseRecord reads a record. Its errors show nothing of what is in it.
func parseRecord(data []byte) (*Record, error) {
	if len(data) > maxRecord {
		return nil, errors.New("it is too long")
	}
	r := &Record{}
	if err := json.Unmarshal(data, r); err != nil {
		return nil, errors.New("it is not valid JSON of the right form")
	}
	return r, nil
}

// Write replaces the sign-in of r's account, so that it is on disk when Write
// returns.
func (s *Store) Write(r *Record) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("the sign-in can't be kept in the state folder: %w", err)
		}
	}()
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	if err := state.MakeFolder(s.dir); err != nil {
		return err
	}
	f, err := os.CreateTemp(s.dir, ".new-*") // which is 0600
	if err != nil {
		return err
	}
	_, err = f.Write(append(data, '\n'))
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), s.path(r.Account))
	}
	if err != nil {
		_ = os.Remove(f.Name()) // the first error is the one to tell
		return err
	}
	return syncDir(s.dir)
}

// syncDir makes a rename last. Where folders can't be synced, as on Windows, it
// does nothing.
func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := f.Sync(); err != nil && !errors.Is(err, errors.ErrUnsupported) && !errors.Is(err, fs.ErrPermission) && !errors.Is(err, os.ErrInvalid) {
		return err
	}
	return nil
}

// List returns all sign-ins, sorted by source.
func (s *Store) List() ([]*Record, error) {
	entries, err := os.ReadDir(s.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var list []*Record
	var errs []error
	for _, e := range entries {
		account, ok := strings.CutSuffix(e.Name(), ".json")
		if !ok || strings.HasPrefix(account, ".") {
			continue
		}
		r, err := s.Read(account)
		if err != nil {
			errs = append(errs, err)
		} else if r != nil {
			list = append(list, r)
		}
	}
	slices.SortFunc(list, func(a, b *Record) int {
		if c := strings.Compare(a.Name, b.Name); c != 0 {
			return c
		}
		return strings.Compare(a.Account, b.Account)
	})
	return list, errors.Join(errs...)
}

// Forget removes everything that could be sent of an account. What is left says
// that the refresh token of the credentials is not to be used again.
func (s *Store) Forget(ctx context.Context, account string) error {
	unlock, err := s.Lock(ctx, account)
	if err != nil {
		return err
	}
	defer unlock()
	r, err := s.Read(account)
	if err != nil || r == nil {
		return err
	}
	return s.Write(&Record{Account: account, Name: r.Name, Who: r.Who, Server: r.Server, Entry: r.Entry, Replaced: true, Refused: "signed out"})
}

// lockPoll is how often a lock that is held elsewhere is tried.
const lockPoll = 20 * time.Millisecond

// Lock keeps all other processes, and other callers in this one, from changing
// the sign-in of an account, until unlock is called. The error is ctx's, or
// says why the lock can't be had at all.
func (s *Store) Lock(ctx context.Context, account string) (unlock func(), err error) {
	if err := state.MakeFolder(s.dir); err != nil {
		return nil, fmt.Errorf("the sign-in can't be locked: %w", err)
	}
	path := filepath.Join(s.dir, account+".lock")
	for {
		release, ok, err := state.TryLock(path)
		if err != nil {
			return nil, fmt.Errorf("the sign-in can't be locked: %w", err)
		}
		if ok {
			return func() { _ = release() }, nil // closing a file that was not written to
		}
		t := time.NewTimer(lockPoll)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return nil, context.Cause(ctx)
		}
	}
}
