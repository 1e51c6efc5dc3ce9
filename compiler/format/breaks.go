package format

// pair is an opening bracket and its closing one.
type pair struct {
	open, close int // words
	items       []int
	braces      bool
	broken      bool // its items have lines of their own
	all         bool // in ( ) and [ ]: each of them, also where its author had two on a line
}

// pairUp pairs up the brackets and lists what is in them. Items in braces are
// known from the tree; commas part the others.
func (s *sheet) pairUp() {
	var open []int
	for i := range s.words {
		w := &s.words[i]
		closing := w.text == "}" || w.text == ")" || w.text == "]"
		if n := len(open); n > 0 && !closing {
			p := &s.pairs[open[n-1]]
			if !p.braces && (w.comma || p.open == i-1) {
				w.item = true
			}
			if w.item {
				p.items = append(p.items, i)
			}
		}
		switch {
		case closing:
			n := len(open) - 1
			s.pairs[open[n]].close, w.bracket = i, open[n]
			open = open[:n]
		case w.text == "{" || w.text == "(" || w.text == "[":
			w.bracket = len(s.pairs)
			open = append(open, w.bracket)
			s.pairs = append(s.pairs, pair{open: i, braces: w.text == "{"})
		}
	}
}

// linesBefore reports whether there is a line break before the word, in
// a comment or out of it.
func (w *word) linesBefore() bool {
	if w.lines > 0 {
		return true
	}
	for i := range w.notes {
		if n := &w.notes[i]; n.lines > 0 || n.broken() {
			return true
		}
	}
	return false
}

// linesOutside reports whether there is one out of comments.
func (w *word) linesOutside() bool {
	if w.lines > 0 {
		return true
	}
	for i := range w.notes {
		if w.notes[i].lines > 0 {
			return true
		}
	}
	return false
}

// keepBreaks decides on line breaks by those of the source.
func (s *sheet) keepBreaks() {
	for i := range s.words {
		w := &s.words[i]
		join := w.roles&roleJoin != 0 || w.text == "{" && !w.item
		w.brk = w.linesOutside() && !(join && len(w.notes) == 0)
	}
	for i := range s.pairs {
		p := &s.pairs[i]
		if len(p.items) == 0 && len(s.words[p.close].notes) == 0 {
			s.words[p.close].brk = false
			continue
		}
		p.broken = s.words[p.open].roles&roleMission != 0 && len(p.items) > 0 || s.words[p.close].linesBefore()
		for _, k := range p.items {
			p.broken = p.broken || s.words[k].linesBefore()
		}
		s.words[p.close].brk = p.broken
	}
}

// spread breaks the lists that are to be broken, those in braces around any
// line break, and of the blocks of an `if` all or none.
func (s *sheet) spread() {
	for again := true; again; {
		s.spreadOut()
		again = false
		for changed := true; changed; again = again || changed {
			changed = false
			for _, b := range s.branches {
				x, y := &s.pairs[s.words[b[0]].bracket], &s.pairs[s.words[b[1]].bracket]
				if x.broken != y.broken {
					x.broken, y.broken, changed = true, true, true
				}
			}
		}
	}
}

func (s *sheet) spreadOut() {
	var open []int
	var lines []bool // by open bracket: whether a line break is in it
	for i := range s.words {
		w := &s.words[i]
		inside := w.brk || w.linesBefore() && len(w.notes) > 0 || w.kind == kindText && hasLine(w.text)
		if n := len(open); inside && n > 0 {
			lines[n-1] = true
		}
		if w.bracket < 0 {
			continue
		}
		p := &s.pairs[w.bracket]
		if p.open == i {
			open, lines = append(open, w.bracket), append(lines, false)
			continue
		}
		n := len(open) - 1
		if lines[n] && p.braces {
			p.broken = true
		}
		if p.broken {
			s.breakItems(p)
			lines[n] = true
		}
		if n > 0 && lines[n] {
			lines[n-1] = true
		}
		open, lines = open[:n], lines[:n]
	}
}

func hasLine(s string) bool {
	for i := range len(s) {
		if s[i] == '\n' {
			return true
		}
	}
	return false
}

// breakItems puts line breaks between the items of a pair.
func (s *sheet) breakItems(p *pair) {
	for n, k := range p.items {
		w := &s.words[k]
		if p.braces || (p.all || n == 0) && !stepLike(w) {
			w.brk = true
		}
	}
	s.words[p.close].brk = len(p.items) > 0 || len(s.words[p.close].notes) > 0
}

// stepLike reports whether the word starts a step or declaration where it
// starts a line. In ( ) and [ ], where names may stand that are such words, no
// line is made to start with one.
func stepLike(w *word) bool {
	switch w.text {
	case "get", "post", "put", "patch", "delete", "call", "let", "for", "map", "apply", "validate", "store", "clear", "checkpoint", "reset",
		"match", "if", "run", "log", "wait", "pause", "continue", "skip", "abort", "retry", "queue", "jump",
		"mission", "schedule", "param", "source", "schema", "transform", "action":
		return true
	}
	return false
}

// holdArms mends what the language reads by lines: within an arm of a match
// a line that could go on with its value starts the next arm if an arrow stands
// on it. Where joining lines has put an arrow there, it gets a line of its own.
func (s *sheet) holdArms() {
	var open []int
	for i := range s.words {
		w := &s.words[i]
		if w.bracket >= 0 && s.pairs[w.bracket].open == i {
			open = append(open, w.bracket)
			continue
		}
		if w.bracket >= 0 {
			open = open[:len(open)-1]
			continue
		}
		if w.item || len(open) == 0 || !s.startsLine(i) || !s.mayGoOn(i) {
			continue
		}
		if p := &s.pairs[open[len(open)-1]]; len(p.items) == 0 || s.words[p.items[0]].roles&roleArm == 0 {
			continue
		}
		if arrow := s.arrowOnLine(i); arrow > 0 {
			s.words[arrow].brk = true
		}
	}
}

// startsLine reports whether the word is the first of its line, as the language
// counts: a comment of several lines ends one, too.
func (s *sheet) startsLine(i int) bool {
	w := &s.words[i]
	return w.brk || len(w.notes) > 0 && w.linesBefore()
}

// mayGoOn reports whether a line that starts with the word may go on with the
// value of the arm before it, if no arrow stands on it.
func (s *sheet) mayGoOn(i int) bool {
	switch s.words[i].text {
	case "-", ".":
		return true
	case "contains", "startsWith", "endsWith", "matches":
		return s.words[i+1].text == "("
	}
	return false
}

// arrowOnLine returns the arrow that stands outside of brackets on the line
// that the word starts, or 0.
func (s *sheet) arrowOnLine(start int) int {
	depth := 0
	for i := start; i < len(s.words)-1; i++ {
		w := &s.words[i]
		if i > start && s.startsLine(i) || i > start && depth == 0 && w.item {
			return 0
		}
		switch w.text {
		case "->", "=>":
			if depth == 0 {
				return i
			}
		case "{", "(", "[":
			depth++
		case "}", ")", "]":
			if depth--; depth < 0 {
				return 0
			}
		}
	}
	return 0
}

// needsComma reports whether the item in braces that the word starts, on a line
// of its own, would go on with the one before if no comma stood between.
func (s *sheet) needsComma(i int, mission bool) bool {
	w, before, after := &s.words[i], s.words[i-1].text, s.words[i+1].text
	if w.roles&roleArm == 0 {
		if w.text == "then" || w.text == "if" {
			return mission && after == ":" // an option behind the mission's run
		}
		return before == "webhook" && w.kind == kindText // `resumeOn: webhook "/path"` is a call
	}
	switch w.text {
	case "contains", "startsWith", "endsWith", "matches":
		return after != "(" || s.arrowOnLine(i) == 0
	case "-", ".":
		return s.arrowOnLine(i) == 0
	case "not":
		switch after {
		case "in", "contains", "startsWith", "endsWith", "matches":
			return true
		}
		return false
	case "where", "as", "elif", "elsif", "elseif", "elsfi":
		return true
	}
	return false
}

// breakLong breaks one list of each line that is too long, and reports whether
// there was any: the longest of the outermost in braces, or if there is none,
// of those in a call's or array's brackets. Those in braces that are too long
// for any line, which would have their turn in the end, are broken at once.
func (s *sheet) breakLong() bool {
	type choice struct {
		pair *pair
		end  int // where the last of the outermost of its kind ends
	}
	found := false
	best, done := map[int]choice{}, map[int]bool{} // by line
	for i := range s.pairs {
		p := &s.pairs[i]
		line := s.words[p.open].line
		if p.broken || s.widths[line] <= s.width || s.fixed[line] || !s.breakable(p) {
			continue
		}
		if p.braces && s.length(p) > s.width {
			p.broken, found, done[line] = true, true, true
			continue
		}
		c, ok := best[line]
		switch {
		case !ok || p.braces && !c.pair.braces:
			best[line] = choice{p, p.close}
		case c.pair.braces && !p.braces || p.open < c.end:
		case s.length(p) > s.length(c.pair):
			best[line] = choice{p, p.close}
		default:
			best[line] = choice{c.pair, p.close}
		}
	}
	for line, c := range best {
		if !done[line] {
			c.pair.broken, c.pair.all, found = true, true, true
		}
	}
	return found
}

func (s *sheet) breakable(p *pair) bool {
	if p.braces {
		return len(p.items) > 0
	}
	return len(p.items) > 1 && s.words[p.open].roles&roleCall != 0
}

// length returns how many columns there are from an opening bracket up to its
// closing one, or if that is on another line, up to the end of the line.
func (s *sheet) length(p *pair) int {
	open, end := &s.words[p.open], &s.words[p.close]
	if open.line != end.line {
		return s.widths[open.line] - open.col
	}
	return end.col - open.col
}
