package file

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"reqon/runtime/store"
	"reqon/runtime/store/internal/table"
	"reqon/vm/value"
)

// plainJournal returns the files of a store with a snapshot and a journal on top.
func plainJournal(tb testing.TB) (snapshot, journal []byte) {
	path := tb.TempDir()
	d := openDir(tb, path)
	s := openFile(tb, d, "s", store.Options{})
	put(tb, s, store.Overwrite, "a", `{"n":1}`, "b", `{"text":"x\"y"}`)
	s.Sync(ctx)
	put(tb, s, store.MergeFields, "a", `{"m":2}`, "c", `{}`)
	s.Delete(ctx, "b")
	put(tb, s, store.Overwrite, "c", `{"n":3}`)
	kill(d)
	return []byte(read(tb, path, "s.json")), []byte(read(tb, path, ".s.journal"))
}

// FuzzJournal opens a store whose journal is anything at all.
func FuzzJournal(f *testing.F) {
	snapshot, journal := plainJournal(f)
	f.Add(journal, false)
	f.Add(journal[:len(journal)-3], true)
	f.Add(journal[:headerSize], true)
	f.Add([]byte{}, false)
	// Frames whose checksums are right, so that what is in them is looked at.
	for _, payload := range []string{"", "\x01\x01\x02a{}", "\x03\x01a", "\x04\x00", "\x02\x01a", "\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "\x09\x00", "\x01\x01\x05a{}"} {
		b := append(beginFrame(nil), payload...)
		for kind := byte(1); kind <= 5; kind++ {
			sealFrame(b, kind, headerSize, 1)
			f.Add(slices.Concat(journal[:headerSize], b, journal[headerSize:]), true)
		}
	}
	f.Fuzz(func(t *testing.T, journal []byte, mend bool) {
		if mend {
			mendFrames(journal)
		}
		path := quickDir(t)
		os.WriteFile(filepath.Join(path, "s.json"), snapshot, 0o600)
		os.WriteFile(filepath.Join(path, ".s.journal"), journal, 0o600)
		d, err := OpenDir(path, value.NewShapes(), DirOptions{})
		if err != nil {
			t.Fatal(err)
		}
		defer kill(d)
		s, err := d.File("s", store.Options{})
		if err != nil {
			t.Fatal(err)
		}
		n, err := s.Len(ctx)
		if err != nil {
			return
		}
		count := 0
		if err := store.Each(ctx, s, func(string, value.Value) error { count++; return nil }); err == nil && count != n {
			t.Errorf("Len %d, Each %d", n, count)
		}
		if err := s.Sync(ctx); err == nil && count == n {
			b, _ := os.ReadFile(filepath.Join(path, "s.json"))
			if mend && !json.Valid(b) {
				return // a mended frame may hold a record that is not JSON; its checksum vouches for it
			}
			if !json.Valid(b) {
				t.Errorf("the snapshot is not JSON:\n%s", b)
			}
		}
	})
}

// mendFrames makes the checksums of frames right.
func mendFrames(j []byte) {
	for off := headerSize; len(j)-off >= frameHeader; {
		n := int(uint32(j[off+8]) | uint32(j[off+9])<<8 | uint32(j[off+10])<<16)
		j[off+11] = 0
		if n > len(j)-off-frameHeader {
			return
		}
		kind := j[off+12]
		sealFrame(j[off:off+frameHeader+n], kind, 0, 1)
		off += frameHeader + n
	}
}

// FuzzSnapshot opens a store whose snapshot is anything at all: it is accepted
// if it is a JSON object of objects without keys that come twice.
func FuzzSnapshot(f *testing.F) {
	snapshot, _ := plainJournal(f)
	for _, s := range []string{
		string(snapshot), "{}\n", "", "{", "[]", `{"a":{}}`, `{"a":{"b":[1,2,{"c":"}"}]}}`, "\ufeff{}", `{"a":{},"a":{}}`, `{"a":1}`,
		`{"\u0061":{"x":"\ud83d\ude00"}}`, " { \"a\" :\t{ } , \"b\":{}}\r\n", `{"a":{"x":1,"x":2}}`, `{"a":{"\ud800":1}}`, "{\n  \"a\": {},\n  \"b\": {}\n}\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		ix := table.NewIndex(false)
		sr := snapshotReader{r: bytes.NewReader(content), size: int64(len(content))}
		err := sr.readAny(ix, value.NewDecoder(value.NewShapes()))
		want, ok := parse(content)
		if (err == nil) != ok {
			t.Fatalf("error %v; encoding/json accepts: %v", err, ok)
		}
		if err == nil {
			if sr.id.size != int64(len(content)) {
				t.Errorf("the identity is of %d bytes of %d", sr.id.size, len(content))
			}
			checkIndex(t, ix, content, want)
		}
		// The reader of our own files takes no more than that, and finds the same.
		ix = table.NewIndex(false)
		sr = snapshotReader{r: bytes.NewReader(content), size: int64(len(content))}
		if err := sr.readOwn(ix); err == nil && ok {
			checkIndex(t, ix, content, want)
		}
	})
}

// parse is the oracle: keys in order, by encoding/json.
func parse(content []byte) ([]string, bool) {
	content = bytes.TrimPrefix(content, []byte("\ufeff"))
	// What the decoder of values refuses beyond encoding/json is its own matter.
	v, err := value.ParseJSON(value.NewShapes(), string(content))
	if err != nil || !json.Valid(content) || v.Kind() != value.Object {
		return nil, false
	}
	var keys []string
	for i, slot := range v.Obj().Slots() {
		if slot.Kind() != value.Object {
			return nil, false
		}
		keys = append(keys, v.Obj().Shape().Key(i))
	}
	return keys, true
}

func checkIndex(t *testing.T, ix *table.Index, content []byte, keys []string) {
	t.Helper()
	if ix.Live != len(keys) || int(ix.N) != len(keys) {
		t.Fatalf("%d records, want %d", ix.Live, len(keys))
	}
	v, err := value.ParseJSON(value.NewShapes(), strings.TrimPrefix(string(content), "\ufeff"))
	if err != nil {
		t.Fatal(err)
	}
	for i, key := range keys {
		e := ix.At(uint32(i))
		if ix.Key(e) != key {
			t.Errorf("key %d is %q, want %q", i, ix.Key(e), key)
		}
		got, err := value.ParseJSON(value.NewShapes(), string(content[e.Offset():][:e.Size]))
		if err != nil || !value.Equal(got, v.Obj().Slots()[i]) {
			t.Errorf("record %d: %v", i, err)
		}
	}
}
