package telemetry

import (
	"strings"
	"sync"
	"time"

	"github.com/VictoriaMetrics/metrics"
)

// family is a metric of one name: what a reader is told of it, and its values.
type family struct {
	name, kind, help string
	set              *metrics.Set
	byMission        bool               // the first label is the mission
	empty            func() bool        // there is no value
	remove           func(first string) // the values with this first label
}

// maxLabels is the greatest number of labels of a family.
const maxLabels = 3

// vec holds the values of a family by the values of its labels.
type vec[M any] struct {
	name   string
	labels []string
	set    *metrics.Set
	create func(name string) *M

	mu     sync.RWMutex
	values map[[maxLabels]string]*M
}

func newVec[M any](m *Metrics, name, kind, help string, create func(*metrics.Set, string) *M, labels []string) *vec[M] {
	set := metrics.NewSet()
	v := &vec[M]{
		name:   name,
		labels: labels,
		set:    set,
		create: func(name string) *M { return create(set, name) },
		values: map[[maxLabels]string]*M{},
	}
	m.families = append(m.families, family{
		name: name, kind: kind, help: help, set: set,
		byMission: len(labels) > 0 && labels[0] == "mission",
		remove:    v.remove,
		empty:     v.empty,
	})
	return v
}

func counters(m *Metrics, name, help string, labels ...string) *vec[metrics.Counter] {
	return newVec(m, name, "counter", help, (*metrics.Set).NewCounter, labels)
}

func floatCounters(m *Metrics, name, help string, labels ...string) *vec[metrics.FloatCounter] {
	return newVec(m, name, "counter", help, (*metrics.Set).NewFloatCounter, labels)
}

func gauges(m *Metrics, name, help string, labels ...string) *vec[metrics.Gauge] {
	return newVec(m, name, "gauge", help, func(s *metrics.Set, name string) *metrics.Gauge { return s.NewGauge(name, nil) }, labels)
}

func summaries(m *Metrics, window time.Duration, name, help string, labels ...string) *vec[metrics.Summary] {
	return newVec(m, name, "summary", help, func(s *metrics.Set, name string) *metrics.Summary {
		return s.NewSummaryExt(name, window, []float64{0.5, 0.9, 0.99})
	}, labels)
}

// get returns the value for these label values, in the order of the labels.
func (v *vec[M]) get(values ...string) *M {
	var key [maxLabels]string
	copy(key[:], values)
	v.mu.RLock()
	value := v.values[key]
	v.mu.RUnlock()
	if value != nil {
		return value
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if value := v.values[key]; value != nil {
		return value
	}
	value = v.create(v.series(key))
	v.values[key] = value
	return value
}

// remove removes the values with this first label.
func (v *vec[M]) remove(first string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for key := range v.values {
		if key[0] == first {
			v.set.UnregisterMetric(v.series(key))
			delete(v.values, key)
		}
	}
}

func (v *vec[M]) empty() bool {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return len(v.values) == 0
}

// series is the name with its labels, as the text format writes it.
func (v *vec[M]) series(key [maxLabels]string) string {
	if len(v.labels) == 0 {
		return v.name
	}
	var b strings.Builder
	b.WriteString(v.name)
	for i, label := range v.labels {
		sep := `",`
		if i == 0 {
			sep = "{"
		}
		b.WriteString(sep + label + `="`)
		b.WriteString(labelEscaper.Replace(strings.ToValidUTF8(key[i], "\uFFFD")))
	}
	b.WriteString(`"}`)
	return b.String()
}

// labelEscaper escapes a label's value as the text format asks.
var labelEscaper = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)
