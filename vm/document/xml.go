package document

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"

	"reqon/vm/value"
)

// maxXMLDepth is how deep elements nest at most: as deep as JSON.
const maxXMLDepth = value.MaxDepth

// element is one that is open.
type element struct {
	name   string // as it is written, with its prefix
	line   int
	fields []field // attributes, then children in order
	text   strings.Builder
	inner  bool // it has children
}

type field struct {
	name string
	v    value.Value
}

// ParseXML reads an XML document: the value is that of its root element. An
// element is an object of its children by their names (an array of those that
// share one), of its attributes as "@name" and of its text as "#text"; one of
// text alone is that text, an empty one null. White space between children is no
// text. Prefixes stay as they are written. Character references and the five
// entities of XML are read; a document type definition is refused, and with it
// all other entities.
//
// What the declaration says of the encoding is passed over: text is UTF-8.
func ParseXML(t *value.Shapes, text string) (value.Value, error) {
	d := xml.NewDecoder(strings.NewReader(strings.TrimPrefix(text, "\ufeff")))
	d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil }
	var open []*element
	var root value.Value
	done := false
	fail := func(format string, args ...any) error {
		line, column := d.InputPos()
		return fmt.Errorf("XML line %d, column %d: %s", line, column, fmt.Sprintf(format, args...))
	}
	for {
		token, err := d.RawToken()
		if err == io.EOF {
			break
		}
		if err != nil {
			var syntax *xml.SyntaxError
			if errors.As(err, &syntax) {
				return value.NullValue, fail("%s", syntax.Msg)
			}
			return value.NullValue, fail("%v", err)
		}
		switch token := token.(type) {
		case xml.Directive:
			return value.NullValue, fail("a document type definition, expected none: it is not read")
		case xml.StartElement:
			if done {
				return value.NullValue, fail("the element %.60q behind the end of the root, expected the end", rawName(token.Name))
			}
			if len(open) >= maxXMLDepth {
				return value.NullValue, fail("elements nest deeper than %d levels", maxXMLDepth)
			}
			line, _ := d.InputPos()
			e := &element{name: rawName(token.Name), line: line}
			if err := e.attributes(token.Attr); err != nil {
				return value.NullValue, fail("%v", err)
			}
			open = append(open, e)
		case xml.EndElement:
			if len(open) == 0 {
				return value.NullValue, fail("`</%.60s>` closes nothing", rawName(token.Name))
			}
			e := open[len(open)-1]
			if name := rawName(token.Name); name != e.name {
				return value.NullValue, fail("`</%.60s>`, expected `</%.60s>` for the element of line %d", name, e.name, e.line)
			}
			open = open[:len(open)-1]
			v := e.value(t)
			if len(open) == 0 {
				root, done = v, true
				break
			}
			parent := open[len(open)-1]
			parent.inner = true
			parent.fields = append(parent.fields, field{e.name, v})
		case xml.CharData:
			switch {
			case len(open) > 0:
				open[len(open)-1].text.Write(token)
			case !blank(string(token)):
				return value.NullValue, fail("text outside of the root element")
			}
		}
	}
	switch {
	case len(open) > 0:
		e := open[len(open)-1]
		return value.NullValue, fail("the end of the document, expected `</%.60s>` for the element of line %d", e.name, e.line)
	case !done:
		return value.NullValue, fail("no element, expected one")
	}
	return root, nil
}

// rawName is a name as it is written.
func rawName(n xml.Name) string {
	if n.Space == "" {
		return n.Local
	}
	return n.Space + ":" + n.Local
}

func blank(s string) bool { return strings.Trim(s, " \t\r\n") == "" }

func (e *element) attributes(list []xml.Attr) error {
	names := make([]string, 0, len(list))
	for _, a := range list {
		name := "@" + rawName(a.Name)
		names = append(names, name)
		e.fields = append(e.fields, field{name, value.FromString(a.Value)})
	}
	if name, twice := duplicate(names); twice {
		return fmt.Errorf("the attribute %.60q stands twice", name[1:])
	}
	return nil
}

// value makes the value of an element that is closed.
func (e *element) value(t *value.Shapes) value.Value {
	text := e.text.String()
	if e.inner && blank(text) {
		text = ""
	}
	if len(e.fields) == 0 {
		if text == "" {
			return value.NullValue
		}
		return value.FromString(text)
	}
	b := value.NewObjectBuilder(t, len(e.fields)+1)
	// Children that share a name are gathered first: the builder keeps the place
	// of the first.
	places := make(map[string]int, len(e.fields))
	var lists [][]value.Value
	for _, f := range e.fields {
		i, seen := places[f.name]
		switch {
		case !seen:
			places[f.name] = len(lists)
			lists = append(lists, []value.Value{f.v})
			b.Set(f.name, f.v)
		default:
			lists[i] = append(lists[i], f.v)
		}
	}
	for name, i := range places {
		if list := lists[i]; len(list) > 1 {
			b.Set(name, value.FromArray(list))
		}
	}
	if text != "" {
		b.Set("#text", value.FromString(text))
	}
	return b.Value()
}
