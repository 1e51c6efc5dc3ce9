package codegen

import (
	"math"

	"reqon/compiler/constant"
	"reqon/compiler/syntax"
	"reqon/vm/bytecode"
	"reqon/vm/value"
)

// pattern generates the test of the value in slot against a pattern (language
// definition, section 6.2): it goes on where it fits, with its names bound in
// the current scope, and to no where it does not. status says that the value is
// the response, against which a number is an HTTP status.
func (f *fn) pattern(p syntax.Pattern, slot int, no *label, status bool) {
	f.at(p)
	switch p := p.(type) {
	case *syntax.WildcardPattern:
	case *syntax.BindPattern:
		own := f.newSlots(1)
		f.emit(bytecode.Load, slot)
		f.emit(bytecode.Set, own)
		f.bind(p.Name.Name, own)
	case *syntax.LiteralPattern:
		v, _ := constant.Value(p.Value)
		f.emit(bytecode.Load, slot)
		if status && v.IsNumber() {
			f.emit(bytecode.StatusIs, f.constIndex(v))
		} else {
			f.emit(bytecode.EqK, f.constIndex(v))
		}
		f.jump(bytecode.JumpFalse, no)
	case *syntax.SchemaPattern:
		t := f.g.namedType(p.Name.Name)
		if p.Each {
			t = f.g.arrayOf(t)
		}
		f.emit(bytecode.Load, slot)
		f.emit(bytecode.Is, t)
		f.jump(bytecode.JumpFalse, no)
	case *syntax.ArrayPattern:
		f.arrayPattern(p, slot, no)
	case *syntax.ObjectPattern:
		f.objectPattern(p, slot, no)
	}
}

func (f *fn) arrayPattern(p *syntax.ArrayPattern, slot int, no *label) {
	f.emit(bytecode.Load, slot)
	f.emit(bytecode.Is, f.g.namedType("array"))
	f.jump(bytecode.JumpFalse, no)
	f.emit(bytecode.Load, slot)
	f.emit(bytecode.Length)
	n := f.constIndex(value.FromInt(int64(len(p.Elems))))
	if p.Rest != nil {
		f.emit(bytecode.GeK, n)
	} else {
		f.emit(bytecode.EqK, n)
	}
	f.jump(bytecode.JumpFalse, no)
	for i, elem := range p.Elems {
		if _, wild := elem.(*syntax.WildcardPattern); wild {
			continue
		}
		own := f.newSlots(1)
		f.emit(bytecode.Load, slot)
		f.constant(value.FromInt(int64(i)))
		f.emit(bytecode.Index)
		f.emit(bytecode.Set, own)
		f.pattern(elem, own, no, false)
	}
	if p.Rest != nil && p.Rest.Name != "_" {
		if len(p.Elems) > math.MaxInt16 {
			f.g.exceeds(p.Rest.Span, "take the rest with `slice`", "an array pattern has more than %d elements before its rest", math.MaxInt16)
		}
		own := f.newSlots(1)
		f.emit(bytecode.Load, slot)
		f.emit(bytecode.Slice, len(p.Elems))
		f.emit(bytecode.Set, own)
		f.bind(p.Rest.Name, own)
	}
}

// objectPattern tests each key: it must be there, and `_` or a name does not
// match null.
func (f *fn) objectPattern(p *syntax.ObjectPattern, slot int, no *label) {
	f.emit(bytecode.Load, slot)
	f.emit(bytecode.Is, f.g.namedType("object"))
	f.jump(bytecode.JumpFalse, no)
	for _, field := range p.Fields {
		f.at(field)
		name := f.name(field.Key.Name)
		f.emit(bytecode.Load, slot)
		f.emit(bytecode.HasKey, name)
		f.jump(bytecode.JumpFalse, no)
		own := f.newSlots(1)
		f.emit(bytecode.LoadField, slot, name, f.cache())
		f.emit(bytecode.Set, own)
		switch field.Pattern.(type) {
		case *syntax.WildcardPattern, *syntax.BindPattern:
			f.emit(bytecode.Load, own)
			f.emit(bytecode.NeK, f.constIndex(value.NullValue))
			f.jump(bytecode.JumpFalse, no)
		}
		f.pattern(field.Pattern, own, no, false)
	}
}
