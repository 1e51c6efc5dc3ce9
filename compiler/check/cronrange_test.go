package check

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestBackwardRanges: the proposal for each range that runs backwards is accepted
// itself, and names the times that the range means, by its step.
func TestBackwardRanges(t *testing.T) {
	for i, f := range cronFields {
		size := f.last() - f.min + 1
		for from := f.min; from <= f.max; from++ {
			for to := f.min; to < from; to++ {
				if f.max == 7 && to == 0 {
					continue // fri-sun runs forwards
				}
				for step := range size + 1 {
					text := fmt.Sprintf("%d-%d", from, to)
					if step > 0 {
						text += fmt.Sprintf("/%d", step)
					}
					_, err := f.parse(text)
					var bad *CronError
					if !errors.As(err, &bad) || !strings.Contains(bad.Message, "runs backwards") {
						t.Fatalf("%s of %s: %v", f.name, text, err)
					}
					proposal := strings.TrimSuffix(strings.TrimPrefix(bad.Suggestion, "write `"), "`")
					got, err := f.parse(proposal)
					if err != nil {
						t.Fatalf("%s: of %s, %s is not accepted: %v", f.name, text, proposal, err)
					}
					// What is meant: from there on, by steps, over the end, up to the last one.
					first := f.min + (from-f.min)%size
					length := (to - first + size) % size
					var want []int
					for at := 0; at <= length; at += max(step, 1) {
						want = append(want, f.min+(first-f.min+at)%size)
					}
					slices.Sort(got)
					slices.Sort(want)
					if !slices.Equal(got, want) {
						t.Fatalf("field %d: %s is proposed as %s: %v, want %v", i, text, proposal, got, want)
					}
				}
			}
		}
	}
	for text, want := range map[string]string{
		"* * * * 7-3": "0-3", "* * * * 5-1/2": "5,0", "* 22-4/2 * * *": "22,0-4/2", "* * * nov-feb/2 *": "11,1", "* 23-4/2 * * *": "23,1-4/2",
		"* * * * sat-tue": "6,0-2",
	} {
		err := ParseCron(text)
		var bad *CronError
		if !errors.As(err, &bad) || bad.Suggestion != "write `"+want+"`" {
			t.Errorf("%s: %v, want %s", text, bad, want)
		}
	}
}

// TestSunday: however a range is written that begins and ends on Sunday, it is that
// day.
func TestSunday(t *testing.T) {
	for _, text := range []string{"0", "7", "sun", "0-0", "7-7", "sun-sun", "7-0", "7-sun", "0-0/2", "sun-sun/3", "7-7/2", "0,7"} {
		c, err := NewCron("0 0 * * " + text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if days := c.weekdays & 0x7f; days != 1 {
			t.Errorf("%s: the days %b", text, days)
		}
	}
	for text, want := range map[string]uint64{"0-7": 0x7f, "fri-sun": 0x61, "0-6": 0x7f, "1-0": 0x7f, "5-0/2": 0x21, "0-1": 3} {
		c, err := NewCron("0 0 * * " + text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
		} else if days := c.weekdays & 0x7f; days != want {
			t.Errorf("%s: the days %b, want %b", text, days, want)
		}
	}
}
