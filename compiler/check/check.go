// Package check finds the mistakes of a mission that can be seen without
// running it: names that mean nothing, directives and options that can't work,
// kinds and schemas that don't fit, and code that is probably not meant.
//
// It walks the tree once. Names are resolved and kinds inferred on the way, so
// that what is known about a value (the schema of a loop's item, the fields of
// a map's result) is at hand where the value is used. What can't be seen is of
// any kind, and never complained about.
package check

import (
	"fmt"
	"slices"

	"reqon/compiler/diag"
	"reqon/compiler/syntax"
)

// Mission checks a mission. loose holds the top-level actions, schemas and
// transforms of the other files of its mission folder; they are checked as if
// they stood in the mission. The diagnostics are in order of place.
func Mission(m *syntax.Mission, loose []syntax.Decl) []diag.Diagnostic {
	return newChecker(m).check(m, loose)
}

// Partial checks a mission of which parts are missing from the tree, since they
// could not be parsed. It leaves out what may come of that alone: that a name
// is unknown, or that something is never used or never reached.
func Partial(m *syntax.Mission, loose []syntax.Decl) []diag.Diagnostic {
	c := newChecker(m)
	c.partial = true
	return c.check(m, loose)
}

func newChecker(m *syntax.Mission) *checker {
	c := &checker{
		mission:    m,
		sources:    newTable[*syntax.Source](),
		stores:     newTable[*syntax.Store](),
		schemas:    newTable[*syntax.Schema](),
		transforms: newTable[*syntax.Transform](),
		actions:    newTable[*syntax.Action](),
		schemaObj:  map[string]*objType{},
		autoStores: map[string]syntax.Span{},
		runs:       map[string][]edge{},
		results:    map[string]*typ{},
		positions:  map[string]syntax.Span{},
		syncs:      map[*syntax.FetchStep]bool{}, keyless: map[*syntax.StoreStep]bool{},
		root: newScope(nil),

		objectTypes: map[*syntax.ObjectType]*objType{},
	}
	c.flat.Schema = func(name string) *syntax.Schema {
		s, _ := c.schemas.get(name)
		return s
	}
	return c
}

func (c *checker) check(m *syntax.Mission, loose []syntax.Decl) []diag.Diagnostic {
	c.collect(m, loose)
	c.declareTargets()
	c.checkDeclarations()
	c.checkActions()
	c.checkPipeline()
	c.findCycles()
	if !c.partial {
		c.checkLosses()
	}
	c.checkUnused()
	if c.partial {
		c.ds = slices.DeleteFunc(c.ds, func(d diag.Diagnostic) bool { return slices.Contains(consequences, d.Code) })
	}
	diag.Sort(c.ds)
	c.more()
	return c.ds
}

// consequences are the codes of what a part that could not be parsed brings
// about elsewhere.
var consequences = []string{
	diag.CodeUnknownName, diag.CodeUnknownAction, diag.CodeUnknownTransform, diag.CodeUnknownSchema,
	diag.CodeUnknownSource, diag.CodeUnknownStore, diag.CodeStoreDeclared, diag.CodeStoreNearby, diag.CodeMisplaced,
	diag.CodeSchemaNearby, diag.CodeNoAction, diag.CodeNoSource, diag.CodeUnknownField, diag.CodeMissingField,
	diag.CodeExtraField, diag.CodeMissingDefault, diag.CodeUnusedVariable, diag.CodeUnusedParam, diag.CodeUnusedDecl,
	diag.CodeGetWithBody, diag.CodeUnmappedStored, diag.CodeCarriesOn, diag.CodeUnreachableStep, diag.CodeNoEffect,
	diag.CodePageSize, diag.CodeNotIncremental, diag.CodeOptionMissing, diag.CodeCycle, diag.CodeUnreachableArm,
	diag.CodeConstantKey, diag.CodeEnvelopeAsData, diag.CodeImplausibleTime, diag.CodeOperands,
	diag.CodeTypeBinds, diag.CodeNeverEqual,
}

// checker holds the state of one mission's check.
type checker struct {
	mission *syntax.Mission
	ds      []diag.Diagnostic

	root       *scope // the mission's params
	sources    *table[*syntax.Source]
	stores     *table[*syntax.Store]
	schemas    *table[*syntax.Schema]
	transforms *table[*syntax.Transform]
	actions    *table[*syntax.Action]

	schemaObj   map[string]*objType             // what is known of each schema's objects
	objectTypes map[*syntax.ObjectType]*objType // and of each object type written out
	flat        Flattener
	unfilled    []unfilled // see fillLater
	filling     bool
	bareSchemas map[string]string      // see schemaAlike
	autoStores  map[string]syntax.Span // stores declared by storing to them, and where first
	targets     []*syntax.Ident        // what is stored to, in order; may hold nil
	runs        map[string][]edge      // which action runs which others
	action      string                 // the action at hand; "" outside of them

	results   map[string]*typ            // what each transform builds
	positions map[string]syntax.Span     // the incremental requests so far
	syncs     map[*syntax.FetchStep]bool // the incremental requests
	keyless   map[*syntax.StoreStep]bool // store steps whose records are known to have no key

	at              place              // what expressions may use here
	exprs           int                // depth of the expression at hand
	flow            flow               // what the steps at hand may do
	failed          bool               // an error was reported in the expression at hand
	partial         bool               // parts of the tree could not be parsed
	merged          int                // see merges
	patternParts    int                // of the regular expressions so far
	compared        int                // names compared for suggestions so far
	inheritsTooMuch bool               // it was reported that schemas include too much
	reported        [diag.Info + 1]int // diagnostics so far, by severity
	reads           int                // how often response was read so far
}

// place is what the expressions of a place may use.
type place struct {
	scope    *scope
	item     *typ // the subject, where it is not response; nil if it is
	response *typ // nil: there is none
	lastSync bool
	secrets  bool // keys that are written out here are secrets that should not be
	noStores bool // what stands here is worked out before the stores are there
}

// report adds the diagnostic of that code. An expression reports its first
// error only, and nothing behind it: what follows is likely to come from it.
func (c *checker) report(code string, span syntax.Span, suggestion, format string, args ...any) *diag.Diagnostic {
	d := diag.New(code, span, fmt.Sprintf(format, args...))
	d.Suggestion = diag.Short(suggestion)
	if c.exprs > 0 {
		if c.failed {
			return &d
		}
		c.failed = d.Severity == diag.Error
	}
	if c.reported[d.Severity]++; c.reported[d.Severity] > maxReported {
		return &d // it is counted
	}
	c.ds = append(c.ds, d)
	return &c.ds[len(c.ds)-1]
}

// maxReported is how many diagnostics of each severity are told of one mission. A
// source that is wrong in a million places is wrong in one.
const maxReported = 1000

// more tells how many are not told.
func (c *checker) more() {
	for severity, n := range c.reported {
		if n > maxReported {
			last := c.ds[len(c.ds)-1]
			c.ds = append(c.ds, diag.Diagnostic{
				Code: syntax.CodeTooMany, Severity: diag.Severity(severity), Stage: diag.StageLint, Span: last.Span,
				Message: fmt.Sprintf("%d more %ss of mission `%s` are not shown", n-maxReported, diag.Severity(severity), c.mission.Name.Name),
			})
		}
	}
}

func note(d *diag.Diagnostic, span syntax.Span, format string, args ...any) {
	d.Notes = append(d.Notes, diag.Note{Span: span, Message: diag.Short(fmt.Sprintf(format, args...))})
}

// with runs f at another place and comes back to this one.
func (c *checker) with(p place, f func()) {
	saved := c.at
	c.at = p
	f()
	c.at = saved
}

// didYouMean returns the suggestion of a name, "" if there is none.
func didYouMean(name string) string {
	if name == "" {
		return ""
	}
	return "did you mean `" + name + "`?"
}
