package target

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestFile(t *testing.T) {
	for target, name := range map[string]string{
		"orders": "orders", "orders.json": "orders", "exports/orders": "exports/orders", "a/b.json/c.json": "a/b.json/c",
		"orders.v2": "orders.v2", "Bestellungen für heute": "Bestellungen für heute", "a..b": "a..b", " x ": " x ",
		// Only the folders of these names are taken: the file is cache.json.
		"cache": "cache", "locks": "locks", "tokens.json": "tokens", "x/cache/y": "x/cache/y", "cached/x": "cached/x", "reqon": "reqon", "reqon.dbx": "reqon.dbx",
		"x/reqon.db": "x/reqon.db", strings.Repeat("a", 230): strings.Repeat("a", 230),
	} {
		if got, err := File(target); got != name || err != nil {
			t.Errorf("%q: %q, %v", target, got, err)
		}
	}
	for target, want := range map[string]string{
		"": "is empty", " ": "is empty", "/": "absolute path", "/etc/passwd": "absolute path", `C:\x`: "absolute path", "C:x": "absolute path", "x/a:b": `character ':'`,
		".": "shortest form, `.`", "a/": "shortest form, `a`", "a//b": "shortest form, `a/b`", "./a": "shortest form, `a`", "a/./b": "shortest form",
		"..": "leaves", "../x": "leaves", "a/../b": "leaves", "a/..": "leaves",
		".hidden": "begins with a dot", "a/.hidden/b": "begins with a dot", ".json": "no name before .json", "a/.json": "no name before .json",
		`..\x`: `character '\\'`, `a\b`: `character '\\'`, "a\x00b": `character '\x00'`, "a\nb": `character '\n'`, "a\xff": "not valid UTF-8",
		"reqon.db": "uses itself", "reqon.db-wal": "uses itself", "Reqon.DB.json": "uses itself", "daemon.lock": "uses itself",
		"cache/x": "uses itself", "Cache/x": "uses itself", "locks/write.turn": "uses itself", "TOKENS/API.json": "uses itself",
		strings.Repeat("a", 231): "231 bytes long",
	} {
		if _, err := File(target); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", target, err, want)
		}
	}
}

func TestDatabase(t *testing.T) {
	for _, target := range []string{"orders.db", "data/orders.db", "/var/lib/x.db", `C:\data\x.db`, "../x.db", "cache", "reqon.db.old", "my-reqon.db"} {
		if err := Database(target); err != nil {
			t.Errorf("%q: %v", target, err)
		}
	}
	for target, want := range map[string]string{
		"": "is empty", " ": "is empty", "a\x00b": "NUL", "x/": "names a folder", `x\`: "names a folder", ".": "names a folder", "a/..": "names a folder",
		":memory:": "gone with the run", "reqon.db": "keeps its runs", "x/Reqon.DB": "keeps its runs", "reqon.db-wal": "keeps its runs", `s\reqon.db-shm`: "keeps its runs", ".reqon-data/daemon.lock": "keeps its runs",
	} {
		if err := Database(target); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", target, err, want)
		}
	}
}

// FuzzFile checks that no target leaves the state folder, or is one of its own
// files.
func FuzzFile(f *testing.F) {
	for _, s := range []string{"orders", "a/b.json", "../x", "cache/x", "REQON.DB", "a//b", "locks/x/../y", `\\host\x`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, target string) {
		name, err := File(target)
		if err != nil {
			return
		}
		path := filepath.FromSlash(name + extension)
		first, _, inFolder := strings.Cut(name, "/")
		if !filepath.IsLocal(path) || filepath.Clean(path) != path || inFolder && contains(folders, first) || strings.EqualFold(path, Runs) {
			t.Errorf("%q gives %q", target, path)
		}
		if again, err := File(name + extension); err != nil || again != name {
			t.Errorf("%q gives %q, and that %q, %v", target, name, again, err)
		}
	})
}
