package credentials

import (
	"encoding/json"
	"os"
	"slices"
	"testing"
)

// The JSON Schema in docs has the fields that are read, and no others.
func TestSchemaHasAllFields(t *testing.T) {
	text, err := os.ReadFile("../../docs/credentials.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		AdditionalProperties struct {
			OneOf []struct {
				Title      string
				Properties map[string]any
			}
		}
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	var titles []string
	for _, b := range doc.AdditionalProperties.OneOf {
		titles = append(titles, b.Title)
		known := knownFields(b.Title)
		if b.Title == googleType {
			known = append(knownFields(OAuth2), googleFields...)
		}
		for name := range b.Properties {
			if !slices.Contains(known, name) {
				t.Errorf("%s: the schema has %s, which nothing reads", b.Title, name)
			}
		}
		for _, name := range known {
			if _, ok := b.Properties[name]; !ok {
				t.Errorf("%s: the schema lacks %s", b.Title, name)
			}
		}
	}
	want := append(slices.Clone(kinds), googleType)
	slices.Sort(want)
	slices.Sort(titles)
	if !slices.Equal(titles, want) {
		t.Errorf("the schema has %q, want %q", titles, want)
	}
}
