// Package daemon keeps missions on their schedules: it loads them, watches their
// files, starts each run when it is due, and tells how things stand over HTTP
// (operations, "The daemon").
//
// # Who does what
//
// Run is the life of a daemon, from top to bottom: open, load, serve, drain,
// close. One goroutine, the loop, owns the table of jobs and decides everything;
// it never waits for a disk or a network. Around it, each waited for at the end:
//
//   - the loader looks at the mission files, compiles what has changed and links
//     it, one look at a time;
//   - each run claims its due time and runs the mission;
//   - the HTTP servers read the table under its lock;
//   - gocron keeps one timer for each job.
//
// # Why gocron keeps time and does not say when
//
// When a mission is due is worked out here, and gocron is given one-time jobs.
// Its own jobs count from the moment the process started, and know nothing of
// due times that were claimed by another process or before a restart. Its cron
// fields (robfig/cron) take `*/2` in a day field for `*`, so that the other day
// field must match as well, where POSIX has either; they leave out what falls
// into the hour that daylight saving skips, run twice what falls into the hour
// that comes twice, and give up after five years. Its queue for runs over
// a limit has no order. The times of a cron expression come from the parser that
// also checks it, so that there is one meaning of cron in the program.
//
// # Time
//
// Due times are compared by the wall clock. Timers go by time that passes, which
// is not the same over a suspend or when somebody sets the clock; so at every
// check interval the loop also looks at all jobs.
package daemon
