package stdlib

import (
	"strings"

	"reqon/vm/document"
	"reqon/vm/value"
)

func typeFuncs() []Func {
	x := Param{Name: "x", Kinds: KAny}
	return group("types", []Func{
		{Name: "toString", Doc: "text of a value; null is \"\", arrays and objects are JSON",
			Params: []Param{x}, Result: KString, impl: toString},
		{Name: "toNumber", Doc: "number of a text, a boolean (0 or 1) or a timestamp (milliseconds since 1970)",
			Params: []Param{{Name: "x", Kinds: KText | KBool | KTime}}, Result: KNumber, impl: toNumber},
		{Name: "toBoolean", Doc: "boolean of a boolean, a number or one of \"true\" \"false\" \"1\" \"0\" \"yes\" \"no\"",
			Params: []Param{{Name: "x", Kinds: KBool | KText}}, Result: KBool, impl: toBoolean},
		{Name: "toArray", Doc: "array of a value: itself if it is one, [] of null, else of one element",
			Params: []Param{x}, Result: KArray, impl: toArray},
		{Name: "parseJSON", Doc: "value that a text of JSON stands for",
			Params: []Param{{Name: "s", Kinds: KString}}, Result: KAny, impl: parseJSON},
		{Name: "toJSON", Doc: "JSON of a value, on one line or indented by so many spaces",
			Params: []Param{x, {Name: "indent", Kinds: KNumber, Optional: true}}, Result: KString, impl: toJSON},
		{Name: "parseCSV", Doc: "rows of a text of comma-separated values: objects of text by its header line",
			Params: []Param{{Name: "s", Kinds: KString}, {Name: "options", Kinds: KObject, Optional: true}}, Result: KArray, impl: parseCSV},
		{Name: "parseXML", Doc: "value of the root element of a text of XML",
			Params: []Param{{Name: "s", Kinds: KString}}, Result: KAny, impl: parseXML},
		{Name: "typeOf", Doc: "null, boolean, number, string, date, array or object",
			Params: []Param{x}, Result: KString, impl: typeOf},
		{Name: "exists", Doc: "whether a store has a record, or a value is not null",
			Params: []Param{x}, Result: KBool, Form: Host, impl: exists},
		{Name: "env", Doc: "environment variable, or the default where it is not set",
			Params: []Param{{Name: "name", Kinds: KString}, {Name: "default", Kinds: KAny, Optional: true}},
			Result: KAny, Form: Host},
		{Name: "webhookUrl", Doc: "address at which this run's `wait` on that path takes a webhook",
			Params: []Param{{Name: "path", Kinds: KString}}, Result: KString, Form: Host},
	})
}

func toString(_ *value.Shapes, args []value.Value) (value.Value, error) {
	if args[0].Kind() == value.String {
		return args[0], nil
	}
	s, err := value.LimitedText(args[0])
	if err != nil {
		return value.Value{}, errTextTooLong
	}
	return text(s)
}

func toNumber(_ *value.Shapes, args []value.Value) (value.Value, error) {
	switch v := args[0]; v.Kind() {
	case value.Bool:
		if v.Bool() {
			return value.FromInt(1), nil
		}
		return value.FromInt(0), nil
	case value.Time:
		return value.FromInt(v.Time()), nil
	}
	return numberOf(args)
}

func toBoolean(_ *value.Shapes, args []value.Value) (value.Value, error) {
	v := args[0]
	if v.Kind() != value.String {
		return value.FromBool(value.Truth(v)), nil
	}
	switch s := strings.TrimFunc(v.Str(), isSpace); {
	case s == "1", strings.EqualFold(s, "true"), strings.EqualFold(s, "yes"):
		return value.True, nil
	case s == "0", strings.EqualFold(s, "false"), strings.EqualFold(s, "no"):
		return value.False, nil
	}
	return value.Value{}, badArg(0, `"true", "false", "1", "0", "yes" or "no" where it is text`, "")
}

func toArray(_ *value.Shapes, args []value.Value) (value.Value, error) {
	switch v := args[0]; v.Kind() {
	case value.Array:
		return v, nil
	case value.Null:
		return value.FromArray(nil), nil
	default:
		return value.FromArray([]value.Value{v}), nil
	}
}

func parseJSON(t *value.Shapes, args []value.Value) (value.Value, error) {
	return value.ParseJSON(t, args[0].Str())
}

func parseCSV(t *value.Shapes, args []value.Value) (value.Value, error) {
	o := &document.CSV{}
	if len(args) > 1 {
		var err error
		if o, err = document.CSVOptions(args[1]); err != nil {
			return value.Value{}, err
		}
	}
	return document.ParseCSV(t, args[0].Str(), o)
}

func parseXML(t *value.Shapes, args []value.Value) (value.Value, error) {
	return document.ParseXML(t, args[0].Str())
}

// maxIndent is how many spaces toJSON takes at most, as JSON.stringify does.
const maxIndent = 10

func toJSON(_ *value.Shapes, args []value.Value) (value.Value, error) {
	if !value.Fits(args[0], maxText) {
		return value.Value{}, errTextTooLong
	}
	if len(args) == 1 {
		return madeText(value.AppendJSON(nil, args[0]))
	}
	n, err := wholeArg(args, 1)
	if err != nil {
		return value.Value{}, err
	}
	if n < 0 || n > maxIndent {
		return value.Value{}, badArg(1, "from 0 to 10", "")
	}
	if n == 0 {
		return madeText(value.AppendJSON(nil, args[0]))
	}
	if !value.FitsIndented(args[0], maxText, int(n)) {
		return value.Value{}, errTextTooLong
	}
	return madeText(value.AppendJSONIndent(nil, args[0], "", strings.Repeat(" ", int(n))))
}

func typeOf(_ *value.Shapes, args []value.Value) (value.Value, error) {
	return text(value.TypeName(args[0]))
}

// exists is the answer for what is no record of a store.
func exists(_ *value.Shapes, args []value.Value) (value.Value, error) {
	return value.FromBool(!args[0].IsNull()), nil
}
