package engine

import (
	"context"
	"fmt"

	"reqon/runtime/store"
)

// Tables is what a mission's store needs in a database.
type Tables struct {
	Store      string
	Adapter    string
	Statements []string // that make its tables; none if it needs none
	Foreign    bool     // others have made the table
}

// Tables gives what the mission's stores need in their databases. With apply it
// makes the tables, and makes those that are there follow the schemas, whatever
// `evolve` says. The error is a *ConfigError, or says which database can't be
// reached.
func (m *Mission) Tables(ctx context.Context, params map[string]string, apply bool) (list []Tables, err error) {
	r := &run{engine: m.engine, mission: m, opts: RunOptions{Params: params}}
	if err := r.prepareParams(); err != nil {
		return nil, &ConfigError{Err: err}
	}
	for i := range m.prog.Stores {
		d, a, err := r.declare(i)
		if err != nil {
			return list, &ConfigError{Err: err}
		}
		t := Tables{Store: d.Name, Adapter: d.Adapter, Foreign: d.Options.Key != nil}
		designer, ok := a.(store.Designer)
		if ok {
			if t.Statements, err = designer.Design(d); err != nil {
				return list, &ConfigError{Err: fmt.Errorf("store %s: %w", d.Name, err)}
			}
		}
		if ok && apply {
			d.Options.Strict = false
			s, err := a.Open(ctx, d)
			if err == nil {
				err = s.Close()
			}
			if err != nil {
				return list, fmt.Errorf("store %s: %w", d.Name, err)
			}
		}
		list = append(list, t)
	}
	return list, nil
}
