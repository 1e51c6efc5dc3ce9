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
	// The way to the node at hand. It keeps its own stack: it may be longer than
	// any that calls should make.
	var nodes []string
	var next []int            // of the edges of each
	place := map[string]int{} // of each in nodes
	enter := func(node string) {
		state[node], place[node] = open, len(nodes)
		nodes, next = append(nodes, node), append(next, 0)
	}
	for _, n := range order {
		if state[n] != unseen {
			continue
		}
		enter(n)
		for len(nodes) > 0 {
			last := len(nodes) - 1
			edges := graph[nodes[last]]
			if next[last] == len(edges) {
				state[nodes[last]] = done
				nodes, next = nodes[:last], next[:last]
				continue
			}
			e := edges[next[last]]
			next[last]++
			switch state[e.to] {
			case unseen:
				enter(e.to)
			case open:
				found = append(found, cycle{e.span, cycleText(nodes[place[e.to]:], next[place[e.to]:], graph)})
			}
		}
	}
	return found
}

// maxOfCycle is how many of a circle are named at each of its ends.
const maxOfCycle = 5

// cycleText tells a circle, of which the last node leads to the first again. next
// counts the edges of each node up to the one that leads on.
func cycleText(nodes []string, next []int, graph map[string][]edge) string {
	var b strings.Builder
	for i := 0; i < len(nodes); i++ {
		if i == maxOfCycle && len(nodes)-i > maxOfCycle {
			i = len(nodes) - maxOfCycle
			b.WriteString("… ")
		}
		b.WriteString("`" + nodes[i] + "` " + graph[nodes[i]][next[i]-1].verb + " ")
	}
	b.WriteString("`" + nodes[0] + "`")
	return b.String()
}

// findCycles reports actions that run each other without end (language
// definition, section 6).
func (c *checker) findCycles() {
	for _, cy := range cycles(c.actions.order, c.runs) {
		c.report(diag.CodeCycle, cy.span, "", "actions run each other in a circle: %s", cy.text)
	}
}
