package engine

import (
	"slices"
	"strings"

	"reqon/runtime/credentials"
	"reqon/vm/value"
)

// minNamedSecret is the length in bytes below which what a variable holds is no
// secret for its name's sake: TOKEN=dev must not take every "dev" out of a log.
const minNamedSecret = 8

// learnNamed takes what an environment variable holds for a secret if its name
// says so. Such a value is kept out of logs and errors; what a mission stores
// of it stays as it is, since it may store it to use it later.
func (r *run) learnNamed(name, text string) {
	if len(text) < minNamedSecret || !namesSecret(name) {
		return
	}
	if _, known := r.named.LoadOrStore(name, struct{}{}); !known {
		r.engine.cfg.Redactor.Add(text)
	}
}

// namesSecret reports whether the name of an environment variable says that it
// holds a secret.
func namesSecret(name string) bool {
	words := strings.Split(strings.ToUpper(name), "_")
	for i, w := range words {
		switch w {
		case "TOKEN", "SECRET", "PASSWORD", "PASSWD", "PASSPHRASE", "PWD", "APIKEY", "CREDENTIALS":
			return true
		case "KEY":
			if i == len(words)-1 && i > 0 && slices.Contains([]string{"API", "ACCESS", "PRIVATE", "SIGNING", "ENCRYPTION", "AUTH"}, words[i-1]) {
				return true
			}
		}
	}
	return false
}

// withoutSecrets gives v with every secret of the sources' credentials redacted
// (operations, "Credentials"): a server that echoes a request must not put its
// credentials into a store. v stays as it is; what holds no secret is not
// copied.
func withoutSecrets(secrets *credentials.Redactor, v value.Value) value.Value {
	switch v.Kind() {
	case value.String:
		if s := v.Str(); s != "" {
			if clean := secrets.Redact(s); clean != s {
				return value.FromString(clean)
			}
		}
	case value.Array:
		if list := redactAll(secrets, v.Elems()); list != nil {
			return value.FromArray(list)
		}
	case value.Object:
		o := v.Obj()
		if slots := redactAll(secrets, o.Slots()); slots != nil {
			return value.FromObject(value.NewObj(o.Shape(), slots))
		}
	}
	return v
}

// redactAll gives list without secrets, or nil if it holds none.
func redactAll(secrets *credentials.Redactor, list []value.Value) []value.Value {
	var clean []value.Value
	for i, e := range list {
		if e.Kind() != value.String && e.Kind() != value.Array && e.Kind() != value.Object {
			continue
		}
		c := withoutSecrets(secrets, e)
		if c == e {
			continue
		}
		if clean == nil {
			clean = slices.Clone(list)
		}
		clean[i] = c
	}
	return clean
}
