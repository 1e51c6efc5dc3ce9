package daemon

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"reqon/runtime/state"
	"reqon/vm/bytecode"
)

// cache keeps compiled programs under the state folder, so that a mission that
// has not changed spares the compiler at the next start. An entry is named by
// what it was made from: the files of a unit by name and content, and the
// compiler. It is a help only: what can't be read is compiled anew.
type cache struct {
	dir      string
	compiler string
	readOnly bool
}

const (
	cacheMagic = "RQCACHE1"
	// cacheSuffix is no suffix of mission files, which a state folder may stand
	// beside.
	cacheSuffix = ".cached"
	// oldCacheSuffix is what it was before, when it was one.
	oldCacheSuffix = ".reqc"
	// cacheAge is for how long an entry is kept that nobody uses.
	cacheAge = 30 * 24 * time.Hour
	// maxCacheEntry is more than any unit compiles to, in bytes.
	maxCacheEntry = 64 << 20
)

// entry is what the cache keeps of a unit that compiles.
type entry struct {
	warnings []string
	programs []*bytecode.Program
}

// unitHash names the content of files.
func (c *cache) unitHash(names []string, contents map[string][]byte) string {
	h := sha256.New()
	fmt.Fprintf(h, "%s\x00%d\x00%s", cacheMagic, len(c.compiler), c.compiler)
	for _, name := range names {
		fmt.Fprintf(h, "%d\x00%s%d\x00", len(name), name, len(contents[name]))
		h.Write(contents[name])
	}
	return hex.EncodeToString(h.Sum(nil))
}

func (c *cache) path(hash string) string { return filepath.Join(c.dir, hash+cacheSuffix) }

// get returns the entry of a hash; nil if there is none that can be used.
func (c *cache) get(hash string) *entry {
	f, err := state.OpenFile(c.path(hash), os.O_RDONLY)
	if err != nil {
		return nil
	}
	defer f.Close() // it was only read
	info, err := f.Stat()
	if err != nil || info.Size() > maxCacheEntry {
		return nil
	}
	data, err := io.ReadAll(io.LimitReader(f, maxCacheEntry))
	if err != nil {
		return nil
	}
	if now := time.Now(); !c.readOnly && now.Sub(info.ModTime()) > cacheAge/30 {
		_ = os.Chtimes(c.path(hash), now, now) // says that it is in use; next time will do
	}
	return decodeEntry(data)
}

// put writes an entry, whole or not at all.
func (c *cache) put(hash string, e *entry) error {
	if c.readOnly {
		return nil
	}
	if err := state.MakeFolder(c.dir); err != nil {
		return err
	}
	f, err := os.CreateTemp(c.dir, "new-*.tmp") // mode 0600
	if err != nil {
		return err
	}
	_, err = f.Write(encodeEntry(e))
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), c.path(hash))
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// sweep removes what has not been used for a long time.
func (c *cache) sweep(now time.Time) {
	if c.readOnly {
		return
	}
	entries, err := os.ReadDir(c.dir)
	if err != nil {
		return // there is none yet
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || !info.Mode().IsRegular() {
			continue
		}
		age, name := now.Sub(info.ModTime()), e.Name()
		if strings.HasSuffix(name, cacheSuffix) && age > cacheAge || strings.HasSuffix(name, oldCacheSuffix) ||
			strings.HasSuffix(name, ".tmp") && age > time.Hour {
			if err := os.Remove(filepath.Join(c.dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return // the folder can't be written
			}
		}
	}
}

// encodeEntry writes an entry: magic, SHA-256 of the rest, then the warnings and
// the programs, each a count and then a length and its bytes.
func encodeEntry(e *entry) []byte {
	var body []byte
	body = binary.AppendUvarint(body, uint64(len(e.warnings)))
	for _, w := range e.warnings {
		body = binary.AppendUvarint(body, uint64(len(w)))
		body = append(body, w...)
	}
	body = binary.AppendUvarint(body, uint64(len(e.programs)))
	for _, p := range e.programs {
		data := bytecode.Encode(p)
		body = binary.AppendUvarint(body, uint64(len(data)))
		body = append(body, data...)
	}
	sum := sha256.Sum256(body)
	return append(append([]byte(cacheMagic), sum[:]...), body...)
}

// decodeEntry reads an entry; nil if it is damaged.
func decodeEntry(data []byte) *entry {
	head := len(cacheMagic) + sha256.Size
	if len(data) < head || string(data[:len(cacheMagic)]) != cacheMagic {
		return nil
	}
	body := data[head:]
	if sum := sha256.Sum256(body); !bytes.Equal(sum[:], data[len(cacheMagic):head]) {
		return nil
	}
	e := &entry{}
	texts, body, ok := takeParts(body)
	if !ok {
		return nil
	}
	for _, t := range texts {
		e.warnings = append(e.warnings, string(t))
	}
	programs, body, ok := takeParts(body)
	if !ok || len(body) > 0 {
		return nil
	}
	for _, data := range programs {
		p, err := bytecode.Decode(data)
		if err != nil {
			return nil
		}
		e.programs = append(e.programs, p)
	}
	return e
}

// takeParts reads a count and so many parts.
func takeParts(b []byte) (parts [][]byte, rest []byte, ok bool) {
	count, n := binary.Uvarint(b)
	if n <= 0 || count > uint64(len(b)) {
		return nil, nil, false
	}
	b = b[n:]
	for range count {
		size, n := binary.Uvarint(b)
		if n <= 0 || size > uint64(len(b)-n) {
			return nil, nil, false
		}
		parts = append(parts, b[n:n+int(size)])
		b = b[n+int(size):]
	}
	return parts, b, true
}
