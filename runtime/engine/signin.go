package engine

import (
	"context"
	"fmt"

	"reqon/runtime/signin"
)

// CheckSources returns what is wrong with each of the mission's sources but those
// named in passed: its options, or the credentials that it lacks. Nothing is
// sent. A mission that lacks parameters has one error that says so.
func (m *Mission) CheckSources(passed map[string]bool) []error {
	r := &run{engine: m.engine, mission: m}
	if err := r.prepareParams(); err != nil {
		return []error{err}
	}
	var errs []error
	for i := range m.prog.Sources {
		s := &m.prog.Sources[i]
		if passed[s.Name] {
			continue
		}
		if _, _, err := r.prepareSource(s); err != nil {
			errs = append(errs, err)
		}
	}
	return errs
}

// SourceNames returns the names of the mission's sources.
func (m *Mission) SourceNames() []string {
	names := make([]string, len(m.prog.Sources))
	for i := range m.prog.Sources {
		names[i] = m.prog.Sources[i].Name
	}
	return names
}

// SignIn lets a person sign in for a source of the mission. p says how; its
// Config and Wire are those of the source. The error is a *ConfigError where
// nobody can sign in for the source.
func (m *Mission) SignIn(ctx context.Context, source string, params map[string]string, p signin.Person) (*signin.Record, error) {
	r := &run{engine: m.engine, mission: m, opts: RunOptions{Params: params}}
	if err := r.prepareParams(); err != nil {
		return nil, &ConfigError{Err: err}
	}
	for i := range m.prog.Sources {
		if m.prog.Sources[i].Name != source {
			continue
		}
		s, cred, err := r.prepareSource(&m.prog.Sources[i])
		if err != nil {
			return nil, &ConfigError{Err: err}
		}
		if cred.OAuth == nil {
			return nil, configError("source %s uses auth %s: nobody signs in for it; `reqon login` is for oauth2", source, cred.Kind)
		}
		m.engine.gates.Open(s)
		defer s.Close()
		p.Config, p.Wire = cred.OAuth, r.newClient().Wire(s)
		return m.engine.accounts.SignIn(ctx, p)
	}
	return nil, fmt.Errorf("mission %s has no source %s", m.Name(), source)
}
