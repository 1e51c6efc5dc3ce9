package file

import (
	"errors"
	"io/fs"
	"os"
	"path"
)

// Missing reports, without reading the store, whether a target has no file, and
// if so, whether it has had one: what was stored leaves its lock file behind.
// name is the file's path for people. A file that can't be looked for is not
// missing; the first use of the store tells what is wrong with it.
func (d *Dir) Missing(target string) (name string, missing, removed bool) {
	clean, err := cleanTarget(target)
	if err != nil {
		return "", false, false
	}
	f := &file{dir: d, name: clean, base: path.Base(clean)} // for its names
	name = f.show(f.snapshotName())
	if _, err := os.Lstat(name); !errors.Is(err, fs.ErrNotExist) {
		return name, false, false
	}
	_, err = os.Lstat(f.show(f.lockName()))
	return name, true, err == nil
}
