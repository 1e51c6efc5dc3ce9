package compiler

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Discover finds the units at path, in the order of their names. It opens no
// file. Names that begin with a dot are passed over. The error is that path
// can't be read, or is a file of another kind.
func Discover(path string) ([]Unit, error) {
	units, _, err := new(Finder).Discover(path)
	return units, err
}

// Finder finds units again and again. It remembers what folders hold, and reads
// only those again whose times have changed. It is for one task at a time.
type Finder struct {
	path  string
	units []Unit              // what the last Discover found
	known map[string]*listing // and where, by the folders' paths; nil if it found a file, or failed
	next  map[string]*listing // of the one under way
}

// listing is what a folder holds that matters.
type listing struct {
	folder      fs.FileInfo
	files, dirs []string
	links       map[string]bool // those of dirs that are symbolic links
	lasting     bool            // it holds for as long as the folder's time stays
}

// settled is how old a folder's time must be for a change of what it holds to
// show in it, by the coarsest clock of a file system in use: 2 s, on FAT.
const settled = 2 * time.Second

// Discover is [Discover]. It also tells whether the units may be others than those
// of the call before.
func (f *Finder) Discover(path string) (units []Unit, changed bool, err error) {
	if f.path == path && f.unchanged() {
		return f.units, false, nil
	}
	f.next = map[string]*listing{}
	units, err = f.find(path)
	f.path, f.units, f.known, f.next = path, units, f.next, nil
	if err != nil {
		f.known = nil
	}
	return units, true, err
}

// unchanged reports whether all folders hold what they did.
func (f *Finder) unchanged() bool {
	for dir, l := range f.known {
		folder, err := os.Stat(dir)
		if err != nil || !l.holds(folder) {
			return false
		}
	}
	return len(f.known) > 0
}

// holds reports whether the listing is that of the folder as it is now.
func (l *listing) holds(now fs.FileInfo) bool {
	return l.lasting && os.SameFile(l.folder, now) && l.folder.ModTime().Equal(now.ModTime())
}

func (f *Finder) find(path string) ([]Unit, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	dir := path
	if !info.IsDir() {
		if err := isFile(path, info); err != nil {
			return nil, err
		}
		if !IsSource(path) && !IsArtifact(path) {
			return nil, fmt.Errorf("%s is no mission: expected a folder or a file ending in %s, %s or %s", path, sourceExt, aliasExt, artifactExt)
		}
		if !isMissionFile(path) {
			return []Unit{{Main: path}}, nil
		}
		dir = filepath.Dir(path)
	}
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return nil, err
	}
	return f.collect(dir, real, map[string]bool{})
}

// collect finds the units of a folder. open holds the folders around it by
// their real paths, so that a link back ends.
func (f *Finder) collect(dir, real string, open map[string]bool) ([]Unit, error) {
	if open[real] {
		return nil, nil
	}
	open[real] = true
	defer delete(open, real)

	l, err := f.list(dir)
	if err != nil {
		return nil, err
	}
	for _, name := range []string{missionBase + sourceExt, missionBase + aliasExt, missionBase + artifactExt} {
		if !slices.Contains(l.files, name) {
			continue
		}
		u := Unit{Main: filepath.Join(dir, name)}
		if IsSource(name) {
			if u.Others, err = f.sourcesBelow(dir, real, l, open, u.Main); err != nil {
				return nil, err
			}
		}
		return []Unit{u}, nil
	}
	var units []Unit
	for _, name := range l.files {
		units = append(units, Unit{Main: filepath.Join(dir, name)})
	}
	for _, name := range l.dirs {
		sub := filepath.Join(dir, name)
		subReal, err := l.real(dir, real, name)
		if err != nil {
			return nil, err
		}
		below, err := f.collect(sub, subReal, open)
		if err != nil {
			return nil, err
		}
		units = append(units, below...)
	}
	return units, nil
}

// real returns the real path of a folder in dir.
func (l *listing) real(dir, dirReal, name string) (string, error) {
	if l.links[name] {
		return filepath.EvalSymlinks(filepath.Join(dir, name))
	}
	return filepath.Join(dirReal, name), nil
}

// list lists the mission files and the folders of a folder by name. An artifact
// that stands beside a source of the same base name is passed over.
func (f *Finder) list(dir string) (*listing, error) {
	folder, err := os.Stat(dir)
	if err != nil {
		return nil, err
	}
	l := f.known[dir]
	if l == nil || !l.holds(folder) {
		if l, err = readDir(dir, folder); err != nil {
			return nil, err
		}
	}
	f.next[dir] = l
	return l, nil
}

func readDir(dir string, folder fs.FileInfo) (*listing, error) {
	// What a link leads to may change without the folder's time.
	l := &listing{folder: folder, lasting: time.Since(folder.ModTime()) >= settled}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	sources := map[string]bool{}
	for _, e := range entries {
		name := e.Name()
		if strings.HasPrefix(name, ".") {
			continue
		}
		mode := e.Type()
		link := mode&fs.ModeSymlink != 0
		if link {
			l.lasting = false
			info, err := os.Stat(filepath.Join(dir, name))
			switch {
			case err == nil:
				mode = info.Mode().Type()
			case IsSource(name) || IsArtifact(name):
				mode = 0 // a file that can't be read, which is told of it alone
			default:
				continue
			}
		}
		switch {
		case mode.IsDir():
			l.dirs = append(l.dirs, name)
			if link {
				if l.links == nil {
					l.links = map[string]bool{}
				}
				l.links[name] = true
			}
		case IsSource(name) || IsArtifact(name):
			// What is no regular file, such as a pipe, is told when it is read.
			l.files = append(l.files, name)
			if IsSource(name) {
				sources[strings.TrimSuffix(name, filepath.Ext(name))] = true
			}
		}
	}
	l.files = slices.DeleteFunc(l.files, func(name string) bool {
		return IsArtifact(name) && sources[strings.TrimSuffix(name, artifactExt)]
	})
	return l, nil
}

// sourcesBelow lists the other sources of a mission folder, at any depth.
func (f *Finder) sourcesBelow(dir, real string, l *listing, open map[string]bool, main string) ([]string, error) {
	var list []string
	for _, name := range l.files {
		if path := filepath.Join(dir, name); IsSource(name) && path != main {
			list = append(list, path)
		}
	}
	for _, name := range l.dirs {
		sub := filepath.Join(dir, name)
		subReal, err := l.real(dir, real, name)
		if err != nil {
			return nil, err
		}
		if open[subReal] {
			continue
		}
		open[subReal] = true
		below, err := f.list(sub)
		var sources []string
		if err == nil {
			sources, err = f.sourcesBelow(sub, subReal, below, open, main)
		}
		delete(open, subReal)
		if err != nil {
			return nil, err
		}
		list = append(list, sources...)
	}
	return list, nil
}
