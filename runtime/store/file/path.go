package file

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"

	"reqon/vm/target"
)

// extension of a file store's snapshot.
const extension = ".json"

// cleanTarget returns a valid target without its extension.
func cleanTarget(text string) (string, error) {
	name, err := target.File(text)
	if err != nil {
		return "", fmt.Errorf("file store %q: %w; expected a name such as \"orders\" or \"exports/orders\"", text, err)
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
