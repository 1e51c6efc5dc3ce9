package bytecode

// Part is a kind of thing that a mission says.
type Part uint8

// The parts of which some are not available.
const (
	StepPart Part = iota
	FunctionPart
	AdapterPart
	SourcePart
)

// Unavailable is something that the language defines and this version does not
// carry out.
type Unavailable struct {
	Part   Part
	Name   string // as a mission writes it
	Advice string // what to do instead
}

// OpenAPI is the name under which the document of a source is in the list of
// what is not available: the word in front of it.
const OpenAPI = "from"

// unavailable is all of it but options, of which package option says it. The
// checker warns of what is here, and the run refuses it: both by this list, so
// that neither can say less than the other.
var unavailable = []Unavailable{
	{StepPart, "call", "write `get \"/path\"` and the like"},
	{StepPart, "wait", "ask for the result again with `get` and `retry` instead"},
	{StepPart, "pause", "give the mission a `schedule` instead"},
	{FunctionPart, "webhookUrl", "webhooks can't be received yet"},
	{AdapterPart, "nosql", "use postgres, sqlite or file"},
	{AdapterPart, "mongodb", "use postgres, sqlite or file"},
	{AdapterPart, "postgrest", "use postgres, sqlite or file"},
	{SourcePart, OpenAPI, "give the source a `base` instead"},
}

// NotAvailable returns the entry for the named thing of that part, or nil if it
// is available (or nothing that the language knows).
func NotAvailable(part Part, name string) *Unavailable {
	for i := range unavailable {
		if u := &unavailable[i]; u.Part == part && u.Name == name {
			return u
		}
	}
	return nil
}

// AllUnavailable returns the whole list.
func AllUnavailable() []Unavailable { return unavailable }
