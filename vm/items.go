package vm

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"reqon/vm/value"
)

// This file finds things in the pages of a fetch: their items, the next cursor,
// the fields that paths lead to.

// findItems finds the items of the current page: the page itself if it is an
// array, else a field of it (language definition, section 6.1, "The merged
// response"). A page without a body is empty.
func (p *pageState) findItems() error {
	p.items = nil
	switch p.body.Kind() {
	case value.Null:
		return nil
	case value.Array:
		p.items = p.body.Elems()
		return nil
	case value.Object:
	default:
		return fmt.Errorf("a page must be an array or an object, found %s", value.Describe(p.body))
	}
	if p.path == "" {
		path, err := p.itemsPath()
		if err != nil {
			return err
		}
		if p.path = path; path == "" {
			return p.emptyPage()
		}
	}
	v, _ := lookUp(p.body, p.path)
	switch v.Kind() {
	case value.Array:
		p.items, p.model = v.Elems(), p.body
	case value.Null:
		return p.emptyPage()
	default:
		return fmt.Errorf("the items of a page must be an array, found %s in %s", value.Describe(v), p.path)
	}
	return nil
}

// emptyPage checks a page without items. An empty list may be left out. An
// error in its place is no empty list, and neither is a list that has moved
// elsewhere: to end the fetch here would lose all that follows.
func (p *pageState) emptyPage() error {
	if name, e := problem(p.body); name != "" && name != p.path {
		return fmt.Errorf("page %d has no items, and says %s: %s", p.number, name, value.Describe(e))
	}
	if p.model.Kind() != value.Object {
		return nil
	}
	for _, path := range filledArrays(p.body, "", 3) {
		if v, _ := lookUp(p.model, path); v.Kind() != value.Array {
			return fmt.Errorf("page %d has nothing in %s, where the items of the pages before it are, but has a list in %s", p.number, p.path, path)
		}
	}
	return nil
}

// itemsPath chooses where the items of a page are: "" where this one has none
// and a later page will tell.
func (p *pageState) itemsPath() (string, error) {
	arrays := arrayFields(p.body)
	has := "it has no array field"
	if len(arrays) > 0 {
		has = "its array fields are " + strings.Join(arrays, ", ")
	}
	if p.fetch.Items != "" {
		return p.namedPath(p.fetch.Items, "paginate says that the items are in "+p.fetch.Items, arrays, has)
	}
	if name := p.fetch.Taken; name != "" {
		v, _ := lookUp(p.body, name)
		if k := v.Kind(); k == value.Array || k == value.Null {
			return p.namedPath(name, "the next step takes the items from "+name, arrays, has)
		}
		// What it takes are not the items, but something else of the last page.
		p.aside = true
	}
	for _, name := range p.fetch.ItemNames {
		if v, _ := lookUp(p.body, name); v.Kind() == value.Array {
			return name, nil
		}
	}
	switch len(arrays) {
	case 1:
		return p.onlyArray(arrays[0]), nil
	case 0:
		if name, e := problem(p.body); name != "" {
			return "", fmt.Errorf("the page has no items, and says %s: %s", name, value.Describe(e))
		}
		if len(p.fetch.ItemNames) > 0 && len(filledArrays(p.body, "", 3)) == 0 {
			return "", nil
		}
		return "", errors.New("no items in the page: it is an object without an array field; name where they are as the last argument of paginate")
	}
	return "", fmt.Errorf("which field of the page holds the items? %s: name it as the last argument of paginate", has)
}

// namedPath takes the path that says where the items are. why says so in errors;
// arrays are the page's array fields, and has says which.
func (p *pageState) namedPath(path, why string, arrays []string, has string) (string, error) {
	v, _ := lookUp(p.body, path)
	switch v.Kind() {
	case value.Array:
		return path, nil
	case value.Null:
	default:
		return "", fmt.Errorf("%s, but that is %s; %s", why, value.Describe(v), has)
	}
	if len(arrays) == 0 {
		// A page may leave an empty list out, but not hold its items elsewhere.
		if arrays = filledArrays(p.body, "", 3); len(arrays) > 0 {
			has = "it has lists in " + strings.Join(arrays, ", ")
		}
	}
	if len(arrays) > 0 {
		return "", fmt.Errorf("%s, which the page does not have; %s", why, has)
	}
	return path, nil
}

// onlyArray takes the only array field of a page for its items. One that is
// empty says little: a later page may have its items beside it.
func (p *pageState) onlyArray(name string) string {
	if v, _ := lookUp(p.body, name); len(v.Elems()) > 0 {
		return name
	}
	p.guess = name
	return ""
}

// emptyPath chooses where the items are of a fetch none of whose pages had any:
// in the only array that the last of them had, else where `until` or a later
// step would find them.
func (p *pageState) emptyPath() string {
	if v, _ := lookUp(p.body, p.guess); p.guess != "" && v.Kind() == value.Array {
		return p.guess
	}
	for _, name := range p.fetch.ItemNames {
		if v, _ := lookUp(p.body, name); v.IsNull() && name != p.fetch.Cursor {
			return name
		}
	}
	return ""
}

// arrayFields lists the fields of an object that are arrays and may be its items.
// Those that tell of errors are none, unless something names them: taken for
// items, errors would be stored as records, and the fetch would end as if it
// were whole.
func arrayFields(v value.Value) (names []string) {
	o := v.Obj()
	for i, slot := range o.Slots() {
		key := o.Shape().Key(i)
		if slot.Kind() == value.Array && key != "error" && key != "errors" {
			names = append(names, key)
		}
	}
	return names
}

// filledArrays lists the paths of arrays with elements, some levels deep.
func filledArrays(v value.Value, prefix string, depth int) (paths []string) {
	if v.Kind() != value.Object || depth == 0 {
		return nil
	}
	o := v.Obj()
	for i, slot := range o.Slots() {
		path := prefix + o.Shape().Key(i)
		if slot.Kind() == value.Array && len(slot.Elems()) > 0 {
			paths = append(paths, path)
		}
		paths = append(paths, filledArrays(slot, path+".", depth-1)...)
	}
	return paths
}

// itemsOf gives the items of an unpaged response, over which updateFrom goes:
// an array's elements, or those of an object's only array field.
func itemsOf(body value.Value) []value.Value {
	switch body.Kind() {
	case value.Array:
		return body.Elems()
	case value.Object:
		if arrays := arrayFields(body); len(arrays) == 1 {
			return value.Field(body, arrays[0]).Elems()
		}
		return []value.Value{body}
	}
	return nil
}

// lookUp reads a field by a path such as "meta.next". There are keys with dots
// in them ("@odata.nextLink"), so at each level what is left of the path is
// tried as a whole key first. A path may go through arrays, by the place of an
// element, counted from the end if negative. there tells a null from nothing at
// all; what is in a null counts as there.
func lookUp(v value.Value, path string) (found value.Value, there bool) {
	for {
		name, rest, more := strings.Cut(path, ".")
		if more && v.Kind() == value.Object {
			if found, there = v.Obj().Get(path); there {
				return found, true
			}
		}
		switch v.Kind() {
		case value.Object:
			v, there = v.Obj().Get(name)
		case value.Null:
			// Nothing is in a null, but the null was there.
		case value.Array:
			i, isIndex := elementAt(v, name)
			if isIndex && i < 0 {
				return value.NullValue, false
			}
			if isIndex {
				v, there = v.Elems()[i], true
				break
			}
			v, there = value.Field(v, name), true
		default:
			v = value.Field(v, name)
			there = !v.IsNull()
		}
		if !more {
			return v, there
		}
		path = rest
	}
}

// elementAt gives the index that a name in a path means in an array, -1 if the
// array has no such element; isIndex is false if the name is no number.
func elementAt(array value.Value, name string) (i int, isIndex bool) {
	i, err := strconv.Atoi(name)
	if err != nil {
		return 0, false
	}
	n := len(array.Elems())
	if i < 0 {
		i += n
	}
	if i < 0 || i >= n {
		i = -1
	}
	return i, true
}

// setPath gives v with the field that lookUp finds at the path replaced.
func setPath(shapes *value.Shapes, v value.Value, path string, to value.Value) value.Value {
	name, rest, more := strings.Cut(path, ".")
	if v.Kind() == value.Array {
		if i, ok := elementAt(v, name); ok && i >= 0 {
			if more {
				to = setPath(shapes, v.Elems()[i], rest, to)
			}
			elems := slices.Clone(v.Elems())
			elems[i] = to
			return value.FromArray(elems)
		}
	}
	b := value.NewObjectBuilder(shapes, 8)
	if v.Kind() == value.Object {
		b.SetAll(v.Obj())
		if _, whole := v.Obj().Get(path); whole {
			more, name = false, path
		}
	}
	if more {
		to = setPath(shapes, value.Field(v, name), rest, to)
	}
	b.Set(name, to)
	return b.Value()
}
