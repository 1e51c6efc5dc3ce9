package compiler

import (
	"time"

	"reqon/compiler/check"
)

// Cron is a cron expression that was read.
type Cron = check.Cron

// CronError says what is wrong with a cron expression, and what may be meant.
type CronError = check.CronError

// ParseCron reads a cron expression (language definition, section 5). The error
// is a *CronError.
func ParseCron(text string) (*Cron, error) { return check.NewCron(text) }

// ParseAt reads the time of a schedule `at "…"`; loc is the zone where the text
// names none.
func ParseAt(text string, loc *time.Location) (time.Time, error) { return check.ParseAt(text, loc) }
