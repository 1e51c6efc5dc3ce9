package redis_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"reqon/runtime/store"
	"reqon/runtime/store/redis"
	"reqon/runtime/store/storetest"
	"reqon/runtime/store/storetest/redistest"
	"reqon/vm/value"
)

var ctx = context.Background()

func TestMain(m *testing.M) { redistest.Main(m) }

// newAdapter returns an adapter of its own, as another process has it.
func newAdapter(t testing.TB) store.Adapter {
	t.Helper()
	a, err := redis.New(store.Env{Shapes: value.NewShapes()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	return a
}

func open(t testing.TB, a store.Adapter, d *store.Declaration) store.Store {
	t.Helper()
	s, err := a.Open(ctx, d)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestSuite(t *testing.T) {
	address := redistest.Start(t).Database()
	adapters := []store.Adapter{newAdapter(t), newAdapter(t), newAdapter(t)}
	n := 0
	storetest.Run(t, storetest.Subject{Exact: true, Open: func(t testing.TB, name string, o store.Options) store.Store {
		n++
		return open(t, adapters[n%len(adapters)], &store.Declaration{Name: name, Run: "r", Target: address, Options: o})
	}})
}

// put stores a JSON object under a key.
func put(t testing.TB, s store.Store, conflict store.Conflict, key, json string) {
	t.Helper()
	v, err := value.ParseJSON(value.NewShapes(), json)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Put(ctx, store.Batch{Conflict: conflict, Records: []store.Record{{Key: key, Value: v}}}); err != nil {
		t.Fatal(err)
	}
}

// TestKeysOfTables: no two tables share a key, and none takes its own for a
// record.
func TestKeysOfTables(t *testing.T) {
	server := redistest.Start(t)
	address := server.Database()
	a := newAdapter(t)
	tables := []string{"a", "a:b", "a%3Ab", "a%order", "a%", "a:", ""}
	for i, table := range tables {
		name := table
		if name == "" {
			name = "named"
		}
		s := open(t, a, &store.Declaration{Name: name, Target: address, Options: store.Options{Table: table}})
		if _, begins := s.(store.Beginner).Begins(); !begins {
			t.Errorf("the table %q has records of another one", table)
		}
		for _, key := range []string{"", "b:c", "order", "%order", ":"} {
			put(t, s, store.Overwrite, key, fmt.Sprintf(`{"n":%d}`, i))
		}
	}
	for i, table := range tables {
		name := table
		if name == "" {
			name = "named"
		}
		s := open(t, a, &store.Declaration{Name: name, Target: address, Options: store.Options{Table: table}})
		if n, err := s.Len(ctx); n != 5 || err != nil {
			t.Errorf("%q has %d, %v", table, n, err)
		}
		if err := store.Each(ctx, s, func(key string, v value.Value) error {
			if value.Field(v, "n").Int() != int64(i) {
				t.Errorf("%q of the table %q is another table's", key, table)
			}
			return nil
		}); err != nil {
			t.Error(err)
		}
	}
	c := server.Client(t, address)
	if got := c.Get(ctx, "a:b:c").Val(); got != `{"n":0}` {
		t.Errorf("a:b:c holds %q", got)
	}
	if got := c.Get(ctx, "a%3Ab:b:c").Val(); got != `{"n":1}` {
		t.Errorf("a%%3Ab:b:c holds %q", got)
	}
	if got := c.ZRange(ctx, "a%order", 0, -1).Val(); !slices.Equal(got, []string{"", "b:c", "order", "%order", ":"}) {
		t.Errorf("the order: %q", got)
	}
}

func TestRefused(t *testing.T) {
	server := redistest.Start(t)
	address := server.Database()
	c := server.Client(t, address)
	if err := c.Do(ctx, "ACL", "SETUSER", "small", "on", ">p@ss/w:rd", "~orders*", "+@all").Err(); err != nil {
		t.Fatal(err)
	}
	a := newAdapter(t)
	withUser := func(user string) string { return strings.Replace(address, "redis://", "redis://"+user+"@", 1) }
	put(t, open(t, a, &store.Declaration{Name: "orders", Target: withUser("small:p%40ss%2Fw%3Ard")}), store.Overwrite, "k", `{}`)
	c.Set(ctx, "taken%order", "x", 0)
	for target, want := range map[string]string{
		withUser("small:wr0ngsecret"): "check user and password",
		"mysql://127.0.0.1/x":         "it has the form redis://",
		"redis://":                    "it has the form redis://",
		"redis://u:s3cr%ZZ@h/0":       "it has the form redis://",
		address + "x":                 "invalid",
		address + "?pool=3":           "behind a question mark",
		strings.Replace(address, fmt.Sprintf("/%s", address[strings.LastIndexByte(address, '/')+1:]), "/100000", 1): "out of range",
	} {
		_, err := a.Open(ctx, &store.Declaration{Name: "orders", Target: target})
		var config *store.ConfigError
		if !errors.As(err, &config) || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "s3cr") || strings.Contains(err.Error(), "wr0ng") {
			t.Errorf("%s: %v; want %q", target, err, want)
		}
	}
	for name, want := range map[string]string{"others": "give the user the right", "taken": "give the store another `table`"} {
		target := address
		if name == "others" {
			target = withUser("small:p%40ss%2Fw%3Ard")
		}
		if _, err := a.Open(ctx, &store.Declaration{Name: name, Target: target}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want %q", name, err, want)
		}
	}
	if _, err := a.Open(ctx, &store.Declaration{Name: "o", Target: address, Options: store.Options{Mode: store.History}}); err == nil || !strings.Contains(err.Error(), "no `mode: history`") {
		t.Errorf("history: %v", err)
	}
	_, err := a.Open(ctx, &store.Declaration{Name: "o", Target: "redis://me:s3cr@127.0.0.1:1/0", Options: store.Options{Retry: store.Retry{MaxAttempts: 2, Initial: time.Millisecond}}})
	var away *store.Unavailable
	if !errors.As(err, &away) || !strings.Contains(err.Error(), "Redis at redis://127.0.0.1:1/0 can't be reached") || strings.Contains(err.Error(), "s3cr") {
		t.Errorf("a server that is not there: %v", err)
	}
}

// TestServerThatForgets: one that drops keys is refused, and one without a file is
// told of.
func TestServerThatForgets(t *testing.T) {
	server := redistest.Start(t)
	address := server.Database()
	c := server.Client(t, address)
	set := func(pairs ...string) {
		t.Helper()
		for i := 0; i < len(pairs); i += 2 {
			if err := c.ConfigSet(ctx, pairs[i], pairs[i+1]).Err(); err != nil {
				t.Fatal(err)
			}
		}
	}
	defer func() {
		set("maxmemory", "0", "maxmemory-policy", "noeviction", "appendonly", "yes")
		// The process that writes the file holds the server's connections open, for
		// tests that kill it.
		for strings.Contains(c.Info(ctx, "persistence").Val(), "aof_rewrite_in_progress:1") || strings.Contains(c.Info(ctx, "persistence").Val(), "aof_rewrite_scheduled:1") {
			time.Sleep(10 * time.Millisecond)
		}
	}()
	set("maxmemory", "1gb", "maxmemory-policy", "allkeys-lru")
	var config *store.ConfigError
	if _, err := newAdapter(t).Open(ctx, &store.Declaration{Name: "o", Target: address}); !errors.As(err, &config) || !strings.Contains(err.Error(), "allkeys-lru") {
		t.Errorf("a server that drops keys: %v", err)
	}
	set("maxmemory-policy", "noeviction", "appendonly", "no")
	var told []string
	a, err := redis.New(store.Env{Shapes: value.NewShapes(), Notice: func(m string) { told = append(told, m) }})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	open(t, a, &store.Declaration{Name: "o", Target: address})
	open(t, a, &store.Declaration{Name: "p", Target: address})
	if len(told) != 1 || !strings.Contains(told[0], "appendonly yes") {
		t.Errorf("told: %q", told)
	}
	// The memory is full: the batch fails, and says why.
	s := open(t, a, &store.Declaration{Name: "o", Target: address, Options: store.Options{Retry: store.Retry{MaxAttempts: 1}}})
	set("maxmemory", "1")
	v, _ := value.ParseJSON(nil, `{}`)
	if _, err := s.Put(ctx, store.Batch{Records: []store.Record{{Key: "k", Value: v}}}); err == nil || !strings.Contains(err.Error(), "memory is full") {
		t.Errorf("a full memory: %v", err)
	}
	set("maxmemory", "0")
	if n, err := s.Len(ctx); n != 0 || err != nil {
		t.Errorf("%d records, %v", n, err)
	}
}

// TestServerGoesAway kills the server under a store, and starts it again.
func TestServerGoesAway(t *testing.T) {
	server := redistest.Start(t)
	address := server.Database()
	d := &store.Declaration{Name: "orders", Target: address, Options: store.Options{Retry: store.Retry{MaxAttempts: 200, Initial: 10 * time.Millisecond, Max: 50 * time.Millisecond}}}
	stop := make(chan struct{})
	var wg sync.WaitGroup
	stored := make([]int, 4)
	a := newAdapter(t)
	for task := range stored {
		s := open(t, a, d)
		wg.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				put(t, s, store.MergeFields, "shared", fmt.Sprintf(`{"t%d":%d}`, task, i))
				put(t, s, store.Overwrite, fmt.Sprintf("t%d-%d", task, i), `{}`)
				stored[task] = i + 1
			}
		})
	}
	for range 2 {
		time.Sleep(100 * time.Millisecond) // work goes on
		server.Kill()
		if err := server.Run(); err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(50 * time.Millisecond)
	close(stop)
	wg.Wait()
	s := open(t, newAdapter(t), d)
	total := 1
	v, _, err := s.Get(ctx, "shared")
	if err != nil {
		t.Fatal(err)
	}
	for task, n := range stored {
		total += n
		if got := value.Field(v, fmt.Sprint("t", task)); !got.IsInt() || got.Int() != int64(n-1) {
			t.Errorf("what task %d wrote last is lost: %s, want %d", task, value.Describe(got), n-1)
		}
	}
	if n, err := s.Len(ctx); n != total || err != nil {
		t.Errorf("there are %d records, %v; want %d", n, err, total)
	}
}
