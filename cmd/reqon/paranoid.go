package main

import "os"

// paranoid reports whether tasks are to be written down, dropped and read again
// at every step: REQON_PARANOID=1, which is for tests of Reqon itself and told to
// no user. Nothing that comes out is another one.
func paranoid() bool { return os.Getenv("REQON_PARANOID") == "1" }
