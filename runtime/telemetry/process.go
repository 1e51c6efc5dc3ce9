package telemetry

import (
	"bytes"
	"strings"

	"github.com/VictoriaMetrics/metrics"
)

// processFamilies are the metrics of Go and the process that are shown, under
// the names that Prometheus' own client gives them. The library has more, but
// gives no HELP for any, and some that `promtool check metrics` refuses.
var processFamilies = []struct{ name, kind, help string }{
	{"go_gc_duration_seconds", "summary", "Duration of the garbage collector's pauses"},
	{"go_goroutines", "gauge", "Goroutines that exist"},
	{"go_info", "gauge", "Version of Go"},
	{"go_memstats_alloc_bytes", "gauge", "Heap bytes in use"},
	{"go_memstats_alloc_bytes_total", "counter", "Heap bytes ever allocated"},
	{"go_memstats_frees_total", "counter", "Heap objects ever freed"},
	{"go_memstats_heap_idle_bytes", "gauge", "Heap bytes waiting to be used"},
	{"go_memstats_heap_inuse_bytes", "gauge", "Heap bytes in spans in use"},
	{"go_memstats_heap_objects", "gauge", "Heap objects in use"},
	{"go_memstats_heap_released_bytes", "gauge", "Heap bytes given back to the system"},
	{"go_memstats_heap_sys_bytes", "gauge", "Heap bytes got from the system"},
	{"go_memstats_last_gc_time_seconds", "gauge", "End of the last garbage collection in unix time"},
	{"go_memstats_mallocs_total", "counter", "Heap objects ever allocated"},
	{"go_memstats_next_gc_bytes", "gauge", "Heap bytes at which the next garbage collection starts"},
	{"go_memstats_stack_inuse_bytes", "gauge", "Stack bytes in use"},
	{"go_memstats_sys_bytes", "gauge", "Bytes got from the system"},
	{"go_threads", "gauge", "System threads created"},
	{"process_cpu_seconds_total", "counter", "User and system CPU time"},
	{"process_max_fds", "gauge", "File descriptors that may be open"},
	{"process_open_fds", "gauge", "File descriptors that are open"},
	{"process_resident_memory_bytes", "gauge", "Resident memory"},
	{"process_start_time_seconds", "gauge", "Start of the process in unix time"},
	{"process_virtual_memory_bytes", "gauge", "Virtual memory"},
}

// writeProcess writes processFamilies, as far as this system has them.
func writeProcess(b *bytes.Buffer) {
	var all bytes.Buffer
	metrics.WriteProcessMetrics(&all)
	metrics.WriteFDMetrics(&all)
	samples := map[string][]string{} // by family
	for line := range strings.Lines(all.String()) {
		if line == "" || line[0] == '#' {
			continue
		}
		name := line[:strings.IndexAny(line+" ", "{ ")]
		if base := strings.TrimSuffix(strings.TrimSuffix(name, "_sum"), "_count"); base == "go_gc_duration_seconds" {
			name = base
		}
		samples[name] = append(samples[name], line)
	}
	for _, f := range processFamilies {
		if lines := samples[f.name]; lines != nil {
			writeHead(b, f.name, f.kind, f.help)
			for _, line := range lines {
				b.WriteString(line)
			}
		}
	}
}
