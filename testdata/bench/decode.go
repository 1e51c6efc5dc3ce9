package main

import (
	"encoding/json"
	"time"

	"github.com/bytedance/sonic"
	goccy "github.com/goccy/go-json"
	"github.com/valyala/fastjson"

	"reqon/vm/value"
)

// Order is the record as a typed struct. It stands in the table for a reader who
// asks what types would give.
type Order struct {
	ID        int64     `json:"id"`
	Number    string    `json:"number"`
	First     string    `json:"first"`
	Last      string    `json:"last"`
	Email     string    `json:"email"`
	Plan      string    `json:"plan"`
	Status    string    `json:"status"`
	Price     float64   `json:"price"`
	Quantity  int       `json:"quantity"`
	Address   Address   `json:"address"`
	Tags      []string  `json:"tags"`
	Note      *string   `json:"note"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

// Address is where an Order goes.
type Address struct {
	Street  string `json:"street"`
	City    string `json:"city"`
	Zip     string `json:"zip"`
	Country string `json:"country"`
}

// decoders are the ways to read a record.
func decoders() []contestant { return decodersOf(documents()) }

// pageDecoders are the ways to read a whole page.
func pageDecoders() []contestant { return decodersOf([][]byte{page()}) }

func decodersOf(docs [][]byte) []contestant {
	// each decodes every document.
	each := func(decode func([]byte) error) func() (int, error) {
		return func() (int, error) {
			for _, doc := range docs {
				if err := decode(doc); err != nil {
					return 0, err
				}
			}
			return -1, nil
		}
	}
	result := func(unmarshal func([]byte, any) error) func() (string, error) {
		return func() (string, error) {
			var v any
			if err := unmarshal(docs[0], &v); err != nil {
				return "", err
			}
			return canonicalOf(v)
		}
	}
	unmarshal := func(name string, f func([]byte, any) error) contestant {
		return contestant{name: name, run: each(func(doc []byte) error { var v any; return f(doc, &v) }), result: result(f)}
	}
	typed := func(doc []byte) error { var o Order; return json.Unmarshal(doc, &o) }
	if len(docs) == 1 {
		typed = func(doc []byte) error { var o []Order; return json.Unmarshal(doc, &o) }
	}
	decoder := value.NewDecoder(value.NewShapes())
	var parser fastjson.Parser
	return []contestant{
		{name: "reqon", run: each(func(doc []byte) error { _, err := decoder.Decode(doc); return err }), result: func() (string, error) {
			v, err := decoder.Decode(docs[0])
			if err != nil {
				return "", err
			}
			return canonical(value.AppendJSON(nil, v))
		}},
		unmarshal("encoding/json", json.Unmarshal),
		{name: "encoding/json, typed", run: each(typed)},
		unmarshal("sonic", sonic.Unmarshal),
		unmarshal("goccy/go-json", goccy.Unmarshal),
		{name: "fastjson", run: each(func(doc []byte) error { _, err := parser.ParseBytes(doc); return err }), result: func() (string, error) {
			v, err := parser.ParseBytes(docs[0])
			if err != nil {
				return "", err
			}
			return canonical(v.MarshalTo(nil))
		}},
	}
}
