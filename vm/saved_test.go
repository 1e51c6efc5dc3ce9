package vm

import (
	"reflect"
	"testing"
	"unsafe"

	"reqon/vm/bytecode"
	"reqon/vm/snapshot"
	"reqon/vm/value"
)

// TestPageStateSaved: each field of a fetch's state comes back; one that is added
// and not written down fails here.
func TestPageStateSaved(t *testing.T) {
	m := &Machine{prog: &bytecode.Program{Fetches: make([]bytecode.FetchInfo, 3)}, shapes: value.NewShapes()}
	full := pageState{index: 2, fetch: &m.prog.Fetches[2]}
	v := reflect.ValueOf(&full).Elem()
	for i := range v.NumField() {
		name := v.Type().Field(i).Name
		field := reflect.NewAt(v.Field(i).Type(), unsafe.Pointer(v.Field(i).UnsafeAddr())).Elem()
		switch name {
		case "index", "fetch":
			continue
		case "ahead": // what is on its way is asked for again
			continue
		}
		switch field.Interface().(type) {
		case bool:
			field.SetBool(true)
		case int, int64:
			field.SetInt(int64(1000 + i))
		case string:
			field.SetString("text of " + name)
		case value.Value:
			field.Set(reflect.ValueOf(value.FromString("value of " + name)))
		case []value.Value:
			field.Set(reflect.ValueOf([]value.Value{value.FromString("item of " + name)}))
		case map[string]struct{}:
			field.Set(reflect.ValueOf(map[string]struct{}{name: {}, "other": {}}))
		case []CutReason:
			field.Set(reflect.ValueOf([]CutReason{{Kind: CutCursor, Text: name}}))
		case *Failure:
			field.Set(reflect.ValueOf(&Failure{Envelope: value.FromInt(int64(i)), Text: name, ByStatus: true}))
		case SyncKey:
			key := reflect.ValueOf(field.Addr().Interface()).Elem()
			for j := range key.NumField() {
				switch key.Field(j).Kind() {
				case reflect.String:
					key.Field(j).SetString("text of " + key.Type().Field(j).Name)
				case reflect.Bool:
					key.Field(j).SetBool(true)
				default:
					t.Fatalf("the test does not know how to fill SyncKey.%s", key.Type().Field(j).Name)
				}
			}
		default:
			t.Fatalf("the test does not know how to fill %s %s", name, field.Type())
		}
	}
	full.before, full.maxItems = 5, 500 // which must fit together
	var w snapshot.Writer
	full.write(&w)
	r := reader{Reader: snapshot.NewReader(w.Bytes(), m.shapes), m: m}
	got := r.page()
	if err := r.End(); err != nil {
		t.Fatal(err)
	}
	for i := range v.NumField() {
		name := v.Type().Field(i).Name
		g := reflect.ValueOf(&got).Elem().Field(i)
		a := reflect.NewAt(g.Type(), unsafe.Pointer(g.UnsafeAddr())).Elem().Interface()
		b := reflect.NewAt(g.Type(), unsafe.Pointer(v.Field(i).UnsafeAddr())).Elem().Interface()
		if v, ok := a.(value.Value); ok {
			if !value.Equal(v, b.(value.Value)) {
				t.Errorf("%s is %s", name, value.Describe(v))
			}
			continue
		}
		if list, ok := a.([]value.Value); ok {
			if !value.Equal(value.FromArray(list), value.FromArray(b.([]value.Value))) {
				t.Errorf("%s is %s", name, value.Describe(value.FromArray(list)))
			}
			continue
		}
		if f, ok := a.(*Failure); ok {
			if other := b.(*Failure); f == nil || f.Text != other.Text || f.ByStatus != other.ByStatus || !value.Equal(f.Envelope, other.Envelope) {
				t.Errorf("%s is %v", name, f)
			}
			continue
		}
		if !reflect.DeepEqual(a, b) {
			t.Errorf("%s is %v, expected %v", name, a, b)
		}
	}
}

// TestTaskSaved: each field of a task is either data that is written down, or
// named here as what it is bound to.
func TestTaskSaved(t *testing.T) {
	bound := map[string]bool{
		"m": true, "run": true, "host": true, "ctx": true, "done": true, "up": true, "mu": true, "own": true,
		"passed": true, "nap": true, // between two steps
		"apart": true,                // its answers are data; TestSameTime
		"eval":  true, "loops": true, // of no run; only when to look
		"lists": true, "caught": true, "answer": true, // of no step: Func.Steps
	}
	data := map[string]string{"stack": "frames"} // by way of another name
	fields := reflect.TypeFor[saved]()
	for i := range reflect.TypeFor[Task]().NumField() {
		name := reflect.TypeFor[Task]().Field(i).Name
		if other := data[name]; other != "" {
			name = other
		}
		if _, ok := fields.FieldByName(name); !ok && !bound[name] {
			t.Errorf("Task.%s is neither written down nor said to be no data", name)
		}
	}
}
