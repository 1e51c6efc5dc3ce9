package check

import "reqon/compiler/syntax"

// maxInherited bounds how many fields the schemas of a mission take over from
// others in all, counted each time that one is taken over. A chain of n schemas,
// each of which includes the next, means n²/2 of them.
const maxInherited = 1 << 20

// Flattener gives the fields of schemas with those that they include. Each schema
// is flattened once, so that what `...Base` costs is what it means, however often
// it is written and along how many ways. The tree of the mission is not changed.
type Flattener struct {
	// Schema finds a schema by its name; nil if there is none.
	Schema func(name string) *syntax.Schema

	flat      map[string][]*syntax.FieldType
	inherited int
}

// Exceeded reports whether the schemas take over more fields than a mission can
// have. What was flattened then lacks some.
func (f *Flattener) Exceeded() bool { return f.inherited > maxInherited }

// flattening is a list of fields while it is being made.
type flattening struct {
	name  string // of the schema; "" for an object type
	body  *syntax.ObjectType
	next  int // in body.Fields
	out   []*syntax.FieldType
	index map[string]int // in out, by name
}

// add adds a field; a later one of a name takes the place of the one before.
func (l *flattening) add(f *syntax.FieldType) {
	if i, ok := l.index[f.Name.Name]; ok {
		l.out[i] = f
		return
	}
	if l.index == nil {
		l.index = make(map[string]int, len(l.body.Fields))
	}
	l.index[f.Name.Name] = len(l.out)
	l.out = append(l.out, f)
}

// Fields gives the fields of a schema, none for an unknown one.
func (f *Flattener) Fields(name string) []*syntax.FieldType {
	if fields, ok := f.flat[name]; ok {
		return fields
	}
	s := f.Schema(name)
	if s == nil || s.Body == nil {
		return nil
	}
	return f.flatten(&flattening{name: name, body: s.Body})
}

// ObjectFields gives the fields of an object type that is no schema's.
func (f *Flattener) ObjectFields(t *syntax.ObjectType) []*syntax.FieldType {
	return f.flatten(&flattening{body: t})
}

// flatten makes a list with those that it needs. It keeps its own stack: a chain
// of schemas may be longer than any that calls should make. One that includes
// itself, which is reported elsewhere, is left out within itself.
func (f *Flattener) flatten(first *flattening) []*syntax.FieldType {
	if isFlat(first.body) {
		return first.body.Fields // of two of one name, which is reported, both
	}
	if f.flat == nil {
		f.flat = map[string][]*syntax.FieldType{}
	}
	open := map[string]bool{}
	stack := []*flattening{first}
	if first.name != "" {
		open[first.name] = true
	}
	for {
		top := stack[len(stack)-1]
		if top.next < len(top.body.Fields) {
			field := top.body.Fields[top.next]
			if field.Spread == nil {
				if field.Name != nil {
					top.add(field)
				}
				top.next++
				continue
			}
			base := field.Spread.Name
			if s := f.Schema(base); s != nil && s.Body != nil && !open[base] {
				if _, ok := f.flat[base]; !ok {
					open[base] = true
					stack = append(stack, &flattening{name: base, body: s.Body})
					continue // it is met again when it is flat
				}
				f.include(top, base)
			}
			top.next++
			continue
		}
		stack = stack[:len(stack)-1]
		if top.name != "" {
			delete(open, top.name)
			f.flat[top.name] = top.out
		}
		if len(stack) == 0 {
			return top.out
		}
	}
}

// isFlat reports whether a type includes no other.
func isFlat(t *syntax.ObjectType) bool {
	for _, f := range t.Fields {
		if f.Spread != nil || f.Name == nil {
			return false
		}
	}
	return true
}

// include adds the fields of a schema that is flat.
func (f *Flattener) include(l *flattening, base string) {
	for _, field := range f.flat[base] {
		if f.inherited++; f.Exceeded() {
			return
		}
		l.add(field)
	}
}
