// Package target says where a store may keep its records: which names of files
// are good ones, and which a state folder uses itself (language definition,
// section 5). The checker looks at targets that are written out, and the stores
// at all of them.
package target

import (
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// What Reqon keeps in a state folder beside the files of stores. A new name goes
// into the lists below, too.
const (
	Runs       = "reqon.db"    // run records, sync positions and claims; SQLite puts files beside it
	DaemonLock = "daemon.lock" // held by the folder's daemon
	Locks      = "locks"       // folder of locks
	Cache      = "cache"       // folder of compiled missions
	Tokens     = "tokens"      // folder of what signing in has given
)

// folders are the names that no folder of a target can have, and files those
// that a database can't have.
var (
	folders = []string{Locks, Cache, Tokens}
	files   = []string{Runs, DaemonLock}
)

// extension of the file of a file store. A target may have it or not.
const extension = ".json"

// maxName is the longest part of a target, in bytes: file systems take 255 for
// a name, and a journal's is some longer than the store's.
const maxName = 230

// File reads the target of a file store: the name of a file under the state
// folder, with or without ".json", which may hold folders: "exports/orders". It
// never leaves the state folder, and can't be one of the other files in it. name
// is without its extension. The error says what is wrong with the target, which
// it does not show.
func File(target string) (name string, err error) {
	switch {
	case strings.TrimSpace(target) == "":
		return "", errors.New("the target is empty")
	case !utf8.ValidString(target):
		return "", errors.New("the target is not valid UTF-8")
	case strings.HasPrefix(target, "/"), len(target) > 1 && target[1] == ':':
		return "", errors.New("the target is an absolute path, which would leave the state folder")
	}
	for _, r := range target {
		if r == '\\' || r == ':' || unicode.IsControl(r) {
			return "", fmt.Errorf("the target holds the character %q", r)
		}
	}
	name = strings.TrimSuffix(target, extension)
	parts := strings.Split(name, "/")
	for _, p := range parts {
		switch {
		case p == "" && name != target:
			return "", fmt.Errorf("the target has no name before %s", extension)
		case p == "..":
			return "", errors.New("the target leaves the state folder by `..`")
		case p == "" || p == ".":
			return "", fmt.Errorf("the target is not in its shortest form, `%s`", path.Clean(target))
		case p[0] == '.':
			return "", fmt.Errorf("the part %q of the target begins with a dot", p)
		case len(p) > maxName:
			return "", fmt.Errorf("a part of the target is %d bytes long; the limit is %d", len(p), maxName)
		}
	}
	if len(parts) > 1 && contains(folders, parts[0]) || len(parts) == 1 && taken(name) {
		return "", fmt.Errorf("`%s` is a name that the state folder uses itself", parts[0])
	}
	if !filepath.IsLocal(filepath.FromSlash(name)) {
		return "", errors.New("the system does not take the target for a file name") // NUL, COM1 and the like on Windows
	}
	return name, nil
}

// Database checks the path of a SQLite database. The error says what is wrong
// with it, and does not show it.
func Database(target string) error {
	base := target[strings.LastIndexAny(target, `/\`)+1:]
	switch {
	case strings.TrimSpace(target) == "":
		return errors.New("the target is empty")
	case strings.IndexByte(target, 0) >= 0:
		return errors.New("the target holds the character NUL")
	case base == "" || base == "." || base == "..":
		return errors.New("the target names a folder, expected a file")
	case strings.HasPrefix(target, ":"):
		return errors.New("a database in memory would be gone with the run; use `memory`, or name a file")
	case taken(base):
		return fmt.Errorf("`%s` is a name under which Reqon keeps its runs", base)
	}
	return nil
}

// taken reports whether a file of that name is the state folder's own, or one
// that SQLite puts beside it.
func taken(name string) bool {
	return contains(files, name) || strings.HasPrefix(strings.ToLower(name), Runs+"-")
}

// contains compares as file systems do that take capitals for small letters.
func contains(list []string, name string) bool {
	return slices.ContainsFunc(list, func(s string) bool { return strings.EqualFold(s, name) })
}
