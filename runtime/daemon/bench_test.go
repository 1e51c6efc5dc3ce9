package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"reqon/runtime/telemetry"
)

// The figures to reach: 2,000 missions `every 1 hour` loaded in 5 s, from the
// cache in 2 s, in 150 MB, and under 1% of a core when idle; 300 missions
// `every 1 second` of whose runs 95% start within 200 ms.

// benchMission is a mission of the usual size.
func benchMission(name, schedule string) string {
	return fmt.Sprintf(`// Keeps the records of %[1]s in step.
mission %[1]s {
  schedule: %[2]s

  source API { base: env("API") }
  store records: file("%[1]s")

  schema Record { id: string, name: string, email: string?, total: number? }

  action Sync {
    get "/%[1]s" { since: lastSync }
    for record in response where .id != null {
      map record -> Row {
        id: .id
        name: trim(.name)
        email: lowercase(.email ?? "")
        size: match .total { t where t > 1000 => "large", t where t > 100 => "medium", _ => "small" }
        seen: now()
      }
      validate Row { assume length(.name) > 0 : "a record without a name" }
      store Row -> records { key: .id, upsert: true }
    }
  }

  run Sync
}
`, name, schedule)
}

// benchWorld is a world by the real clock.
func benchWorld(b *testing.B, n int, schedule string, mission func(name, schedule string) string) *world {
	w := newWorld(b)
	w.cfg.Clock = nil
	w.cfg.HealthAddr = ""
	w.cfg.Engine.Log = telemetry.New(telemetry.Options{Writer: io.Discard})
	for i := range n {
		name := fmt.Sprintf("Mission%04d", i)
		w.write(fmt.Sprintf("%02d/%s.reqon", i%20, name), mission(name, schedule))
	}
	return w
}

// residentMB is the memory of the process, in MB.
func residentMB(b *testing.B) float64 {
	b.Helper()
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		b.Skip("there is no /proc here")
	}
	var size, resident float64
	if _, err := fmt.Sscan(string(text), &size, &resident); err != nil {
		b.Fatal(err)
	}
	return resident * float64(os.Getpagesize()) / 1e6
}

// cpu is the processor time that the process has used.
func cpu(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// launch runs the daemon until stop is called, and tells how long it took to
// start.
func (w *world) launch(b *testing.B) (took time.Duration, stop func()) {
	b.Helper()
	signals, ended, started := make(chan os.Signal, 1), make(chan error, 1), make(chan struct{})
	cfg := w.cfg
	cfg.Signals = signals
	cfg.Started = func(string, string) { close(started) }
	began := time.Now()
	go func() { ended <- Run(context.Background(), cfg) }()
	select {
	case <-started:
	case err := <-ended:
		b.Fatal(err)
	}
	return time.Since(began), func() {
		signals <- syscall.SIGTERM
		if err := <-ended; err != nil {
			b.Error(err)
		}
	}
}

// BenchmarkLoad is the start with 2,000 missions, without and with the cache,
// and what the daemon then needs while nothing is due.
func BenchmarkLoad(b *testing.B) {
	w := benchWorld(b, 2000, "every 1 hour", benchMission)
	b.ResetTimer()
	for b.Loop() {
		if err := os.RemoveAll(w.cfg.Engine.StateDir); err != nil {
			b.Fatal(err)
		}
		cold, stop := w.launch(b)
		stop()
		cached, stop := w.launch(b)
		time.Sleep(3 * time.Second) // files that were just written are looked at more closely
		runtime.GC()
		before, began := cpu(b), time.Now()
		time.Sleep(3 * time.Second)
		b.ReportMetric(100*float64(cpu(b)-before)/float64(time.Since(began)), "idle-%")
		b.ReportMetric(residentMB(b), "MB")
		b.ReportMetric(cold.Seconds(), "cold-s")
		b.ReportMetric(cached.Seconds(), "cached-s")
		stop()
	}
	b.ReportMetric(0, "ns/op")
}

// BenchmarkStartDelay is by how much runs start late, of 300 missions that are
// due every second, all at once in the first one. The mission is that of the
// user guide. As many runs at once as there are missions is what one would allow
// who wants that; with the default, most wait their turn in the first second.
func BenchmarkStartDelay(b *testing.B) {
	for _, limit := range []int{300, DefaultMaxConcurrentRuns} {
		b.Run(fmt.Sprint("limit=", limit), func(b *testing.B) { benchStartDelay(b, limit) })
	}
}

func benchStartDelay(b *testing.B, limit int) {
	var mu sync.Mutex
	var delays, settled []time.Duration // settled are those after the first seconds
	var began time.Time
	w := benchWorld(b, 300, "every 1 second", func(name, schedule string) string { return syncMission(name, schedule) })
	w.cfg.MaxConcurrentRuns = limit
	w.cfg.Delayed = func(_ string, late time.Duration) {
		mu.Lock()
		defer mu.Unlock()
		delays = append(delays, late)
		if time.Since(began) > 4*time.Second {
			settled = append(settled, late)
		}
	}
	b.ResetTimer()
	for b.Loop() {
		began = time.Now()
		_, stop := w.launch(b)
		time.Sleep(10 * time.Second)
		stop()
	}
	mu.Lock()
	defer mu.Unlock()
	slices.Sort(delays)
	slices.Sort(settled)
	for _, p := range []int{50, 95, 99} {
		b.ReportMetric(float64(delays[len(delays)*p/100])/1e6, fmt.Sprintf("p%d-ms", p))
	}
	b.ReportMetric(float64(settled[len(settled)*95/100])/1e6, "settled-p95-ms")
	b.ReportMetric(float64(len(delays))/float64(10*b.N), "runs/s")
	b.ReportMetric(0, "ns/op")
	b.Log(histogram(delays))
}

// BenchmarkBurst is the first second of BenchmarkStartDelay alone: 300 new
// missions that are all due at once. Its figures are medians over the rounds: of
// the 95th percentile of these 300 delays, and of the greatest.
func BenchmarkBurst(b *testing.B) {
	for _, limit := range []int{300, DefaultMaxConcurrentRuns} {
		b.Run(fmt.Sprint("limit=", limit), func(b *testing.B) { benchBurst(b, limit) })
	}
}

func benchBurst(b *testing.B, limit int) {
	var p95, last []time.Duration
	for b.Loop() {
		b.StopTimer()
		w := benchWorld(b, 300, "every 1 second", func(name, schedule string) string { return syncMission(name, schedule) })
		w.cfg.MaxConcurrentRuns = limit
		var mu sync.Mutex
		var delays []time.Duration
		all := make(chan struct{})
		w.cfg.Delayed = func(_ string, late time.Duration) {
			mu.Lock()
			defer mu.Unlock()
			if delays = append(delays, late); len(delays) == 300 {
				close(all)
			}
		}
		b.StartTimer()
		_, stop := w.launch(b)
		<-all
		stop()
		mu.Lock()
		first := delays[:300]
		slices.Sort(first)
		p95, last = append(p95, first[284]), append(last, first[299])
		mu.Unlock()
	}
	slices.Sort(p95)
	slices.Sort(last)
	b.ReportMetric(float64(p95[len(p95)/2])/1e6, "p95-ms")
	b.ReportMetric(float64(last[len(last)/2])/1e6, "last-ms")
	b.ReportMetric(0, "ns/op")
}

// histogram draws sorted delays.
func histogram(delays []time.Duration) string {
	var text strings.Builder
	text.WriteString("runs by how late they started:\n")
	from := time.Duration(0)
	for _, to := range []time.Duration{1, 5, 20, 50, 100, 200, 500, 1 << 40} {
		to = min(to*time.Millisecond, 1<<62)
		i, _ := slices.BinarySearch(delays, from)
		j, _ := slices.BinarySearch(delays, to)
		n := j - i
		fmt.Fprintf(&text, "%8s and more %6d  %s\n", from, n, strings.Repeat("#", 60*n/max(1, len(delays))))
		from = to
	}
	return text.String()
}

// BenchmarkLook is one look at 2,000 files of which none has changed.
func BenchmarkLook(b *testing.B) {
	w := benchWorld(b, 2000, "every 1 hour", benchMission)
	if err := w.cfg.complete(); err != nil {
		b.Fatal(err)
	}
	d, err := open(context.Background(), &w.cfg)
	if err != nil {
		b.Fatal(err)
	}
	if d.loader.look(true) == nil {
		b.Fatal("nothing is loaded")
	}
	past := time.Now().Add(-time.Hour)
	for _, u := range d.loader.units { // as if it had been written long ago
		if err := errors.Join(os.Chtimes(u.Main, past, past), os.Chtimes(filepath.Dir(u.Main), past, past)); err != nil {
			b.Fatal(err)
		}
	}
	d.loader.look(false)
	b.ReportAllocs()
	for b.Loop() {
		if d.loader.look(false) != nil {
			b.Fatal("something has changed")
		}
	}
	if err := d.close(); err != nil {
		b.Error(err)
	}
}
