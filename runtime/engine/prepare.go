package engine

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"reqon/runtime/credentials"
	"reqon/runtime/httpclient"
	"reqon/vm/bytecode"
	"reqon/vm/option"
	"reqon/vm/value"
)

// prepareParams gives each parameter its value: of --param, of the environment
// variable REQON_PARAM_NAME, or its default.
func (r *run) prepareParams() error {
	for i := range r.mission.prog.Params {
		p := &r.mission.prog.Params[i]
		where := r.mission.where(p.Pos)
		text, given := r.opts.Params[p.Name]
		if !given {
			text, given = r.engine.cfg.Env("REQON_PARAM_" + strings.ToUpper(p.Name))
		}
		var v value.Value
		var err error
		switch {
		case given:
			v, err = r.mission.paramValue(validText(text), p.Type)
		case p.Default >= 0:
			if v, err = r.mission.eval(p.Default, r); err == nil {
				err = r.mission.machine.Check(v, p.Type)
			}
		default:
			err = fmt.Errorf("it must be given: --param %s=… or REQON_PARAM_%s", p.Name, strings.ToUpper(p.Name))
		}
		if err != nil {
			return fmt.Errorf("mission %s: parameter %s (%s): %w", r.mission.Name(), p.Name, where, err)
		}
		r.params = append(r.params, v)
	}
	return nil
}

// paramValue reads a parameter's text as its type: as text where that fits,
// else as JSON.
func (m *Mission) paramValue(text string, typ int) (value.Value, error) {
	v := value.FromString(text)
	err := m.machine.Check(v, typ)
	if err == nil {
		return v, nil
	}
	if parsed, e := value.ParseJSON(nil, text); e == nil && m.machine.Check(parsed, typ) == nil {
		return parsed, nil
	}
	return v, err
}

// inlineCredentials gives the options of a source that are credentials.
func inlineCredentials(o *option.Values) map[string]string {
	inline := map[string]string{}
	for _, name := range []string{"token", "username", "password", "apiKey", "apiKeyHeader", "apiKeyQuery"} {
		if o.Given(name) {
			inline[name] = o.Text(name)
		}
	}
	return inline
}

// prepareSources evaluates the sources and finds their credentials.
func (r *run) prepareSources() error {
	for i := range r.mission.prog.Sources {
		source, cred, err := r.prepareSource(&r.mission.prog.Sources[i])
		if err != nil {
			return err
		}
		own := &sourceSecrets{source: r.mission.prog.Sources[i].Name, signsIn: cred.Kind == credentials.OAuth2 || r.mission.prog.Sources[i].Login != nil}
		own.tokens.Add(cred.Secrets()...)
		r.secrets = append(r.secrets, own)
		r.engine.gates.Open(source)
		r.sources = append(r.sources, source)
	}
	r.mission.hold(r.sources)
	return nil
}

// prepareSource evaluates a source and finds its credentials.
func (r *run) prepareSource(s *bytecode.Source) (*httpclient.Source, *credentials.Credential, error) {
	where := r.mission.where(s.Pos)
	if s.From != "" {
		return nil, nil, fmt.Errorf("%s: source %s: %w", where, s.Name, notAvailable(bytecode.SourcePart, bytecode.OpenAPI))
	}
	v, err := r.mission.eval(s.Options, r)
	if err != nil {
		return nil, nil, fmt.Errorf("source %s: %w", s.Name, err)
	}
	options, err := r.mission.decode(option.InSource, v, s.OptionPos)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: source %s: %w", where, s.Name, err)
	}
	cred, err := r.engine.set.Load().For(s.Name, options.Text("auth"), inlineCredentials(options))
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", where, err)
	}
	if secrets := cred.Secrets(); len(secrets) > 0 {
		r.engine.learn(secrets...)
	}
	source, err := httpclient.NewSource(s.Name, options, cred)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: source %s: %w", where, s.Name, r.mission.located(err, s.OptionPos))
	}
	if s.Cost != bytecode.None {
		source.SetCost(r.cost(s.Cost))
	}
	if s.Login != nil {
		if err := source.SetLogin(r.login(s)); err != nil {
			return nil, nil, fmt.Errorf("%s: source %s: %w", where, s.Name, err)
		}
	}
	if len(s.Sign) > 0 {
		if err := source.SetSignature(r.signature(s)); err != nil {
			return nil, nil, fmt.Errorf("%s: source %s: %w", where, s.Name, err)
		}
	}
	return source, cred, nil
}

// closeSources gives back what the run shares with others.
func (r *run) closeSources() {
	for _, s := range r.sources {
		s.Close()
	}
}

// checkAvailable refuses a mission with a step or a function that this version
// does not carry out, wherever it stands: a run that has stored half when it
// comes there would be worse.
func (r *run) checkAvailable() error {
	for _, u := range r.mission.prog.Uses {
		if err := notAvailable(u.Part, u.Name); err != nil {
			return fmt.Errorf("%s: %w", r.mission.where(u.Pos), err)
		}
	}
	return nil
}

// Ready reports whether the mission could run now: its parameters, credentials
// and stores are all there. The error is a *ConfigError.
func (m *Mission) Ready(params map[string]string) error {
	r := &run{engine: m.engine, mission: m, opts: RunOptions{Params: params}}
	defer r.closeSources()
	for _, prepare := range []func() error{r.checkAvailable, r.prepareParams, r.prepareSources, r.checkStores} {
		if err := prepare(); err != nil {
			return &ConfigError{Err: err}
		}
	}
	return nil
}

// validText makes text from outside valid UTF-8.
func validText(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}
