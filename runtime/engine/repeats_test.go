package engine

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"reqon/runtime/httpclient"
	"reqon/vm"
)

// TestRepeats: of an API that is down, the log has a line each ten seconds for
// each source and action, and nothing that was repeated is left out.
func TestRepeats(t *testing.T) {
	var p repeats
	now := time.Date(2026, 1, 20, 9, 0, 0, 0, time.UTC)
	failure := &httpclient.Failure{Err: errors.New("refused")}
	lines, told := 0, 0
	count := func(due []repeatLine) {
		for _, l := range due {
			lines++
			told += l.count
			if sum := l.reasons["503"] + l.reasons["network"]; sum != l.count || l.longest > 4*time.Second {
				t.Errorf("%+v", l)
			}
		}
	}
	const seconds, perSecond = 60, 100
	for i := range seconds * perSecond {
		reason := "503"
		if i%3 == 0 {
			reason = "network"
		}
		for action := range 2 {
			first, due := p.add(repeated{"API", action}, vm.At{Action: action}, &httpclient.RetryEvent{
				Source: "API", Reason: reason, Wait: time.Duration(i%4+1) * time.Second, Failure: failure,
			}, now)
			if first {
				lines++
				told++
			}
			count(due)
		}
		now = now.Add(time.Second / perSecond)
	}
	count(p.rest())
	if told != 2*seconds*perSecond {
		t.Errorf("%d of %d told", told, 2*seconds*perSecond)
	}
	if most := 2 * (seconds/10 + 1); lines > most {
		t.Errorf("%d lines, expected %d at most", lines, most)
	}
	if due := p.rest(); len(due) > 0 {
		t.Errorf("told twice: %+v", due)
	}
}

// TestRepeatsAreTold: what was gathered is told ten seconds later also when
// nothing is repeated any more, but requests go on.
func TestRepeatsAreTold(t *testing.T) {
	var p repeats
	now := time.Date(2026, 1, 20, 9, 0, 0, 0, time.UTC)
	if due := p.since(now); due != nil {
		t.Errorf("%+v", due)
	}
	for i := range 3 {
		e := &httpclient.RetryEvent{Source: "API", Reason: "timeout", Wait: time.Second, Failure: &httpclient.Failure{Err: fmt.Errorf("try %d", i)}}
		if first, _ := p.add(repeated{"API", 0}, vm.At{}, e, now); first != (i == 0) {
			t.Errorf("%d: first %t", i, first)
		}
	}
	if due := p.since(now.Add(repeatWindow - 1)); due != nil {
		t.Errorf("too early: %+v", due)
	}
	if due := p.since(now.Add(repeatWindow)); len(due) != 1 || due[0].count != 2 {
		t.Errorf("%+v", due)
	}
	if due := p.since(now.Add(2 * repeatWindow)); due != nil {
		t.Errorf("told twice: %+v", due)
	}
}
