package file

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"unicode"
	"unicode/utf8"
)

// extension of a file store's snapshot.
const extension = ".json"

// maxName is the longest part of a target, in bytes: file systems take 255 for
// a name, and a journal's is some longer than the store's.
const maxName = 230

// CheckTarget says what is wrong with the target of a file store, if anything.
// A target is the name of a file under the state folder, with or without
// ".json", and may hold folders: "exports/orders". It never leaves the state
// folder, and can't be one of the other files in it.
func CheckTarget(target string) error {
	_, err := cleanTarget(target)
	return err
}

// cleanTarget returns a valid target without its extension.
func cleanTarget(target string) (string, error) {
	wrong := func(format string, args ...any) (string, error) {
		return "", fmt.Errorf("file store target %q: %s; expected a name such as \"orders\" or \"exports/orders\"", target, fmt.Sprintf(format, args...))
	}
	if target == "" {
		return wrong("it is empty")
	}
	if !utf8.ValidString(target) {
		return wrong("it is not valid UTF-8")
	}
	if strings.HasPrefix(target, "/") {
		return wrong("an absolute path would leave the state folder")
	}
	for _, r := range target {
		if r == '\\' || r == ':' || unicode.IsControl(r) {
			return wrong("the character %q is not allowed", r)
		}
	}
	name := strings.TrimSuffix(target, extension)
	parts := strings.Split(name, "/")
	for _, p := range parts {
		switch {
		case p == "" && name != target:
			return wrong("there is no name before %s", extension)
		case p == "":
			return wrong("it has an empty part")
		case p == "..":
			return wrong("`..` would leave the state folder")
		case p[0] == '.':
			return wrong("the part %q begins with a dot", p)
		case len(p) > maxName:
			return wrong("a part is %d bytes long; the limit is %d", len(p), maxName)
		}
	}
	if strings.EqualFold(parts[0], "cache") && len(parts) > 1 {
		return wrong("the folder %q of the state folder is taken", parts[0])
	}
	if len(parts) == 1 && strings.HasPrefix(strings.ToLower(name), "reqon.db") {
		return wrong("the name is taken by the run records")
	}
	if !filepath.IsLocal(filepath.FromSlash(name)) {
		return wrong("the system does not take it for a file name") // NUL, COM1 and the like on Windows
	}
	return name, nil
}

// openFolder opens the folder of a target under root, and makes it if asked to.
// No part of the way may be a link. Without make, a folder that is not there is
// an error of fs.ErrNotExist.
func openFolder(root *os.Root, folder string, make bool) (*os.Root, error) {
	at, err := root.OpenRoot(".")
	if err != nil || folder == "." {
		return at, err
	}
	for part := range strings.SplitSeq(folder, "/") {
		next, err := openPart(at, part, make)
		at.Close()
		if err != nil {
			return nil, err
		}
		at = next
	}
	return at, nil
}

func openPart(at *os.Root, part string, make bool) (*os.Root, error) {
	if make {
		err := at.Mkdir(part, 0o700)
		if err == nil {
			err = syncFolder(at)
		}
		if err != nil && !os.IsExist(err) {
			return nil, err
		}
	}
	info, err := at.Lstat(part)
	if err != nil {
		return nil, err
	}
	if info.Mode()&fs.ModeSymlink != 0 {
		return nil, fmt.Errorf("%s is a link, which a store does not follow; make it a folder", path.Join(at.Name(), part))
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("%s is a file, expected a folder", path.Join(at.Name(), part))
	}
	return at.OpenRoot(part)
}

// openRegular opens a file of a folder. It refuses links and whatever else is
// no file.
func openRegular(folder *os.Root, name string, flag int) (*os.File, error) {
	info, err := folder.Lstat(name)
	if err == nil && !info.Mode().IsRegular() {
		kind := "not a file"
		if info.Mode()&fs.ModeSymlink != 0 {
			kind = "a link, which a store does not follow"
		}
		return nil, fmt.Errorf("%s is %s; put a file in its place, or move it away", path.Join(folder.Name(), name), kind)
	}
	if err != nil && !(os.IsNotExist(err) && flag&os.O_CREATE != 0) {
		return nil, err
	}
	return folder.OpenFile(name, flag, 0o600)
}
