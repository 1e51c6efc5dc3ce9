package main

import (
	"io"
	"os"

	"github.com/mattn/go-isatty"
)

// isTerminal reports whether w is a terminal that understands escape sequences.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && isatty.IsTerminal(f.Fd()) && os.Getenv("TERM") != "dumb"
}

// isColored reports whether w is a terminal for colours, see no-color.org.
func isColored(w io.Writer) bool { return isTerminal(w) && os.Getenv("NO_COLOR") == "" }

// usualWidth is the width of a terminal that does not tell its own.
const usualWidth = 80

// terminalWidth is the width of a terminal in columns.
func terminalWidth(w io.Writer) int {
	if f, ok := w.(*os.File); ok {
		if n := columns(f); n > 0 {
			return n
		}
	}
	return usualWidth
}
