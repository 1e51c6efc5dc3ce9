package check

import (
	"strings"

	"reqon/compiler/diag"
	"reqon/compiler/syntax"
)

// edge is a use of one declaration by another, where it stands.
type edge struct {
	to   string
	span syntax.Span
	verb string // how it is used: runs, jumps to, includes
}

// cycle is a circle of uses: the place of the use that closes it, and its text.
type cycle struct {
	span syntax.Span
	text string // `A` runs `B` runs `A`
}

// cycles returns the circles of a graph, each once, found by a walk in order.
func cycles(order []string, graph map[string][]edge) (found []cycle) {
	const (
		unseen = iota
		open
		done
	)
	state := map[string]int{}
	var nodes []string // the way to the node at hand
	var verbs []string // verbs[i] leads from nodes[i] on
	var visit func(node string)
	visit = func(node string) {
		state[node] = open
		nodes = append(nodes, node)
		for _, e := range graph[node] {
			switch state[e.to] {
			case unseen:
				verbs = append(verbs, e.verb)
				visit(e.to)
				verbs = verbs[:len(verbs)-1]
			case open:
				found = append(found, cycle{e.span, cycleText(nodes, append(verbs, e.verb), e.to)})
			}
		}
		nodes = nodes[:len(nodes)-1]
		state[node] = done
	}
	for _, n := range order {
		if state[n] == unseen {
			visit(n)
		}
	}
	return found
}

func cycleText(nodes, verbs []string, start string) string {
	first := 0
	for nodes[first] != start {
		first++
	}
	var b strings.Builder
	for i := first; i < len(nodes); i++ {
		b.WriteString("`" + nodes[i] + "` " + verbs[i] + " ")
	}
	b.WriteString("`" + start + "`")
	return b.String()
}

// findCycles reports actions that run each other without end (language
// definition, section 6).
func (c *checker) findCycles() {
	for _, cy := range cycles(c.actions.order, c.runs) {
		c.report(diag.CodeCycle, cy.span, "", "actions run each other in a circle: %s", cy.text)
	}
}
