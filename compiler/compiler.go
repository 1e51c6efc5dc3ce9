// Package compiler is the front door of the compiler: it finds missions by the
// rules of the language definition, section 1, parses and checks them, and
// generates their programs.
//
// Discover only looks at names, so that a daemon can look often; Compile compiles
// the contents that it is given for them; Load does both for a whole path.
package compiler

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"reqon/compiler/check"
	"reqon/compiler/codegen"
	"reqon/compiler/diag"
	"reqon/compiler/syntax"
	"reqon/vm/bytecode"
)

// Unit is what is compiled together: one file, or a mission folder.
type Unit struct {
	Main   string   // the file, or the folder's mission.reqon
	Others []string // the other source files of a mission folder, in order
}

// Files returns all files of the unit.
func (u Unit) Files() []string { return append([]string{u.Main}, u.Others...) }

// Mission is one compiled mission.
type Mission struct {
	Name    string
	File    string            // that declares it, or the artifact
	Span    syntax.Span       // of its name; no place in an artifact
	Program *bytecode.Program // nil if it has errors
}

// Where tells where a mission is declared.
func (m *Mission) Where() string {
	if !m.Span.IsValid() {
		return m.File
	}
	p := m.Span.Position()
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// Result is what came of compiling.
type Result struct {
	Missions    []*Mission
	Diagnostics []diag.Diagnostic
	Trees       []*syntax.SourceTree
	// Errors are those of artifacts and files that can't be read. They have no
	// place in a source.
	Errors []error

	read Read // of the unit that is compiled
}

// Failed reports whether anything keeps the missions from running.
func (r *Result) Failed() bool {
	errs, _ := diag.Count(r.Diagnostics)
	return errs > 0 || len(r.Errors) > 0
}

const (
	sourceExt   = ".reqon"
	aliasExt    = ".vague"
	artifactExt = ".reqc"
	missionBase = "mission"
)

// IsSource reports whether a file's name is that of a source.
func IsSource(name string) bool {
	ext := filepath.Ext(name)
	return ext == sourceExt || ext == aliasExt
}

// IsArtifact reports whether a file's name is that of a compiled mission.
func IsArtifact(name string) bool { return filepath.Ext(name) == artifactExt }

// isMissionFile reports whether a source makes the folder that it is in
// a mission folder.
func isMissionFile(name string) bool {
	return IsSource(name) && strings.TrimSuffix(filepath.Base(name), filepath.Ext(name)) == missionBase
}

// Compile compiles a unit out of the contents that read gives for its files; each
// is asked for once. What is wrong with it stands in the result.
func Compile(u Unit, read Read) *Result {
	r := &Result{read: read}
	if IsArtifact(u.Main) {
		r.artifact(u.Main)
		return r
	}
	main := r.parse(u.Main)
	if main == nil {
		return r
	}
	var loose []syntax.Decl
	if isMissionFile(u.Main) {
		loose = append(loose, main.Loose...)
		for _, name := range u.Others {
			if t := r.parse(name); t != nil {
				loose = append(loose, t.Loose...)
				r.strayMissions(t)
			}
		}
		r.oneMission(main)
	} else {
		r.strayDeclarations(main)
	}
	errs, _ := diag.Count(r.Diagnostics)
	for _, m := range main.Missions {
		r.mission(m, loose, errs == 0)
	}
	r.Diagnostics = diag.ApplyAllows(r.Diagnostics, r.Trees)
	diag.Sort(r.Diagnostics)
	return r
}

// parse reads and parses a file; nil if it can't be read.
func (r *Result) parse(name string) *syntax.SourceTree {
	src, err := r.read(name)
	if err != nil {
		r.Errors = append(r.Errors, err)
		return nil
	}
	tree, errs := syntax.Parse(syntax.NewFile(filepath.ToSlash(name), src))
	for _, e := range errs {
		r.Diagnostics = append(r.Diagnostics, diag.FromSyntax(e))
	}
	r.Trees = append(r.Trees, tree)
	return tree
}

// mission checks and generates one mission. What is wrong with another of the
// file does not keep it from being generated; what could not be parsed does,
// since it might be part of it: then the file is not sound.
func (r *Result) mission(m *syntax.Mission, loose []syntax.Decl, sound bool) {
	checker := check.Mission
	if !sound {
		// What may only follow from what could not be parsed is not reported.
		checker = check.Partial
	}
	ds := checker(m, loose)
	r.Diagnostics = append(r.Diagnostics, ds...)
	out := &Mission{Name: m.Name.Name, File: m.Name.File.Name, Span: m.Name.Span}
	r.Missions = append(r.Missions, out)
	if errs, _ := diag.Count(ds); errs > 0 || !sound {
		return
	}
	p, err := codegen.Generate(m, loose)
	var large *codegen.LimitError
	if errors.As(err, &large) {
		d := diag.New(diag.CodeTooLarge, large.Span, large.Msg)
		d.Suggestion = large.Suggestion
		r.Diagnostics = append(r.Diagnostics, d)
		return
	}
	if err != nil {
		r.Errors = append(r.Errors, fmt.Errorf("%s: %w", m.Name.File.Name, err))
		return
	}
	out.Program = p
}

// artifact reads a compiled mission.
func (r *Result) artifact(name string) {
	data, err := r.read(name)
	if err != nil {
		r.Errors = append(r.Errors, err)
		return
	}
	p, err := bytecode.Decode(data)
	if err != nil {
		r.Errors = append(r.Errors, &ArtifactError{Path: name, Err: err})
		return
	}
	r.Missions = append(r.Missions, &Mission{Name: p.Mission, File: filepath.ToSlash(name), Program: p})
}

// ArtifactError is that of a .reqc that can't be run.
type ArtifactError struct {
	Path string
	Err  error
}

// Error names the artifact and says what is wrong with it.
func (e *ArtifactError) Error() string { return e.Path + ": " + e.Err.Error() }

// Unwrap returns what is wrong.
func (e *ArtifactError) Unwrap() error { return e.Err }

// strayDeclarations reports loose declarations outside of a mission folder.
func (r *Result) strayDeclarations(t *syntax.SourceTree) {
	for _, d := range t.Loose {
		kind, name := declared(d)
		e := diag.New(diag.CodeLoose, name.Span, fmt.Sprintf("%s `%s` stands outside of a mission", kind, name.Name))
		e.Suggestion = "put it into a mission, or make this folder a mission folder with a mission.reqon"
		r.Diagnostics = append(r.Diagnostics, e)
	}
	if len(t.Missions) == 0 && len(t.Loose) == 0 && !r.Failed() {
		r.Diagnostics = append(r.Diagnostics, diag.New(diag.CodeNoMission, syntax.Span{File: t.File}, "the file holds no mission"))
	}
}

// strayMissions reports missions in the other files of a mission folder.
func (r *Result) strayMissions(t *syntax.SourceTree) {
	for _, m := range t.Missions {
		e := diag.New(diag.CodeStrayMission, m.Name.Span, fmt.Sprintf("mission `%s` stands in a mission folder beside its mission.reqon", m.Name.Name))
		e.Suggestion = "move it to a folder of its own, or out of this one"
		r.Diagnostics = append(r.Diagnostics, e)
	}
}

// oneMission sees to it that a mission folder has exactly one mission.
func (r *Result) oneMission(t *syntax.SourceTree) {
	if len(t.Missions) == 0 && !r.Failed() {
		r.Diagnostics = append(r.Diagnostics, diag.New(diag.CodeNoMission, syntax.Span{File: t.File}, "the mission.reqon of a mission folder must hold its mission"))
	}
	for _, m := range t.Missions[min(1, len(t.Missions)):] {
		e := diag.New(diag.CodeStrayMission, m.Name.Span, fmt.Sprintf("mission `%s` is the second of this mission folder", m.Name.Name))
		e.Notes = append(e.Notes, diag.Note{Span: t.Missions[0].Name.Span, Message: "the first is here"})
		r.Diagnostics = append(r.Diagnostics, e)
	}
}

func declared(d syntax.Decl) (kind string, name *syntax.Ident) {
	switch d := d.(type) {
	case *syntax.Action:
		return "action", d.Name
	case *syntax.Schema:
		return "schema", d.Name
	case *syntax.Transform:
		return "transform", d.Name
	}
	return "declaration", &syntax.Ident{Span: d.Place()}
}

// Load compiles everything at the paths. Two missions of one name are an error
// that names both places.
func Load(paths ...string) (*Result, error) {
	all := &Result{}
	seen := map[string]bool{} // several paths may lead to one unit
	for _, path := range paths {
		units, err := Discover(path)
		if err != nil {
			return nil, err
		}
		for _, u := range units {
			real, err := filepath.EvalSymlinks(u.Main)
			if err == nil {
				real, err = filepath.Abs(real)
			}
			if err == nil && seen[real] {
				continue
			}
			seen[real] = true
			all.add(Compile(u, ReadFile))
		}
	}
	return all, nil
}

// add joins the result of another unit.
func (r *Result) add(other *Result) {
	r.Diagnostics = append(r.Diagnostics, other.Diagnostics...)
	r.Trees = append(r.Trees, other.Trees...)
	r.Errors = append(r.Errors, other.Errors...)
	for _, m := range other.Missions {
		if first := r.find(m.Name); first != nil {
			r.twice(first, m)
		}
		r.Missions = append(r.Missions, m)
	}
}

func (r *Result) find(name string) *Mission {
	for _, m := range r.Missions {
		if m.Name == name {
			return m
		}
	}
	return nil
}

// twice reports two missions of one name.
func (r *Result) twice(first, second *Mission) {
	message := fmt.Sprintf("mission `%s` is declared twice: at %s and at %s", second.Name, first.Where(), second.Where())
	if !second.Span.IsValid() {
		r.Errors = append(r.Errors, errors.New(message))
		return
	}
	d := diag.New(diag.CodeDuplicate, second.Span, message)
	d.Suggestion = "give one of them another name"
	if first.Span.IsValid() {
		d.Notes = append(d.Notes, diag.Note{Span: first.Span, Message: "the first is here"})
	}
	r.Diagnostics = append(r.Diagnostics, d)
}
