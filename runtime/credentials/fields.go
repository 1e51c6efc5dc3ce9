package credentials

import (
	"fmt"
	"slices"
	"strings"

	"reqon/vm/value"
)

// field is one piece of a credential, and what it is called in each place.
type field struct {
	keys   []string // in the credentials file
	option string   // of the source, "" if there is none
	env    string   // behind REQON_<SOURCE>_, "" if there is none
	shared []string // environment variables of its own, in which other tools look, too
}

// The fields (operations, "Credentials").
var (
	fieldType     = field{keys: []string{"type"}, env: "TYPE"}
	fieldToken    = field{keys: []string{"token"}, option: "token", env: "TOKEN"}
	fieldUsername = field{keys: []string{"username"}, option: "username", env: "USERNAME"}
	fieldPassword = field{keys: []string{"password"}, option: "password", env: "PASSWORD"}

	fieldKey         = field{keys: []string{"key", "apiKey"}, option: "apiKey", env: "API_KEY"}
	fieldHeader      = field{keys: []string{"header", "headerName"}, option: "apiKeyHeader", env: "API_KEY_HEADER"}
	fieldQuery       = field{keys: []string{"query", "queryParam"}, option: "apiKeyQuery", env: "API_KEY_QUERY"}
	fieldKeyLocation = field{keys: []string{"apiKeyLocation"}, env: "API_KEY_LOCATION"}
	fieldPrefix      = field{keys: []string{"prefix"}, env: "API_KEY_PREFIX"}

	fieldGrant            = field{keys: []string{"grant"}, env: "GRANT"}
	fieldClientID         = field{keys: []string{"clientId"}, env: "CLIENT_ID"}
	fieldClientSecret     = field{keys: []string{"clientSecret"}, env: "CLIENT_SECRET"}
	fieldClientAuth       = field{keys: []string{"clientAuth"}, env: "CLIENT_AUTH"}
	fieldAccessToken      = field{keys: []string{"accessToken"}, env: "ACCESS_TOKEN"}
	fieldRefreshToken     = field{keys: []string{"refreshToken"}, env: "REFRESH_TOKEN"}
	fieldExpiresAt        = field{keys: []string{"expiresAt"}, env: "EXPIRES_AT"}
	fieldTokenURL         = field{keys: []string{"tokenUrl", "tokenEndpoint"}, env: "TOKEN_URL"}
	fieldAuthorizationURL = field{keys: []string{"authorizationUrl"}, env: "AUTHORIZATION_URL"}
	fieldDeviceURL        = field{keys: []string{"deviceUrl"}, env: "DEVICE_URL"}
	fieldScopes           = field{keys: []string{"scopes"}, env: "SCOPES"}
	fieldAudience         = field{keys: []string{"audience"}, env: "AUDIENCE"}
	fieldResource         = field{keys: []string{"resource"}, env: "RESOURCE"}
	fieldRedirectPort     = field{keys: []string{"redirectPort"}, env: "REDIRECT_PORT"}
	fieldExtra            = field{keys: []string{"extra"}}
	fieldPrivateKey       = field{keys: []string{"privateKey"}, env: "PRIVATE_KEY"}
	fieldPrivateKeyFile   = field{keys: []string{"privateKeyFile"}, env: "PRIVATE_KEY_FILE"}
	fieldIssuer           = field{keys: []string{"issuer"}, env: "ISSUER"}
	fieldSubject          = field{keys: []string{"subject"}, env: "SUBJECT"}
	fieldKeyID            = field{keys: []string{"keyId"}, env: "KEY_ID"}
	fieldAlgorithm        = field{keys: []string{"algorithm"}, env: "ALGORITHM"}

	fieldService         = field{keys: []string{"service"}, env: "SERVICE"}
	fieldRegion          = field{keys: []string{"region"}, env: "REGION", shared: []string{"AWS_REGION", "AWS_DEFAULT_REGION"}}
	fieldAccessKeyID     = field{keys: []string{"accessKeyId"}, env: "ACCESS_KEY_ID", shared: []string{"AWS_ACCESS_KEY_ID"}}
	fieldSecretAccessKey = field{keys: []string{"secretAccessKey"}, env: "SECRET_ACCESS_KEY", shared: []string{"AWS_SECRET_ACCESS_KEY"}}
	fieldSessionToken    = field{keys: []string{"sessionToken"}, env: "SESSION_TOKEN", shared: []string{"AWS_SESSION_TOKEN"}}
)

const additionalHeaders = "additionalHeaders"

// fieldsOf are the fields of a kind, beside type and additionalHeaders; ok is
// false if there is no such kind.
func fieldsOf(kind string) (fields []*field, ok bool) {
	switch kind {
	case None:
		return nil, true
	case Bearer:
		return []*field{&fieldToken}, true
	case Basic:
		return []*field{&fieldUsername, &fieldPassword}, true
	case APIKey:
		return []*field{&fieldKey, &fieldHeader, &fieldQuery, &fieldKeyLocation, &fieldPrefix}, true
	case OAuth2:
		return []*field{
			&fieldGrant, &fieldClientID, &fieldClientSecret, &fieldClientAuth, &fieldAccessToken, &fieldRefreshToken,
			&fieldExpiresAt, &fieldTokenURL, &fieldAuthorizationURL, &fieldDeviceURL, &fieldScopes, &fieldAudience,
			&fieldResource, &fieldRedirectPort, &fieldExtra, &fieldPrivateKey, &fieldPrivateKeyFile, &fieldIssuer,
			&fieldSubject, &fieldKeyID, &fieldAlgorithm, &fieldUsername, &fieldPassword,
		}, true
	case SigV4:
		return []*field{&fieldService, &fieldRegion, &fieldAccessKeyID, &fieldSecretAccessKey, &fieldSessionToken}, true
	}
	return nil, false
}

// kinds are all kinds, in the order in which errors list them.
var kinds = []string{Bearer, Basic, APIKey, OAuth2, SigV4, None}

// knownFields are the names that an entry of a type may have. The entry of an
// unknown type is not checked here: its type is the error.
func knownFields(kind string) []string {
	fields, ok := fieldsOf(kind)
	if !ok {
		return nil
	}
	names := []string{"type", additionalHeaders}
	for _, f := range fields {
		names = append(names, f.keys...)
	}
	return names
}

// warnUnknown warns about fields of an entry that nothing reads: a misspelt
// "heder" would otherwise be lost silently.
func (s *Set) warnUnknown(source string, entry *value.Obj) {
	t, ok := entry.Get("type")
	if !ok || t.Kind() != value.String {
		return
	}
	known := knownFields(t.Str())
	if t.Str() == googleType {
		known = append(knownFields(OAuth2), googleFields...)
	}
	if known == nil {
		return
	}
	for i := range entry.Len() {
		key := entry.Shape().Key(i)
		if !slices.Contains(known, key) {
			s.Warnings = append(s.Warnings, fmt.Sprintf("%s: %s is not read: a credential of type %s has %s",
				s.file, jsonPath(source, key), t.Str(), strings.Join(known, ", ")))
		}
	}
}

// lookup finds the fields of one source.
type lookup struct {
	set    *Set
	source string
	entry  *value.Obj // nil if the file has none for the source
	google bool       // the entry is a key file of Google's
	inline map[string]string
}

func (l *lookup) open() error {
	v, ok := l.set.entries[l.source]
	if !ok {
		return nil
	}
	if v.Kind() != value.Object {
		return fmt.Errorf(`%s: %s is %s, expected an object such as { "type": "bearer", "token": "…" }`,
			l.set.file, l.source, kindOf(v))
	}
	l.entry = v.Obj()
	return nil
}

// found is a field's text and where it came from, for errors.
type found struct {
	text  string
	where string
}

// get returns the text of a field. ok tells whether it is there at all; it may
// be there and be empty.
func (l *lookup) get(f field) (v found, ok bool, err error) {
	if v, ok, err := l.fromFile(f); ok || err != nil {
		return v, ok, err
	}
	if text, ok := l.inline[f.option]; ok && f.option != "" {
		return found{text, fmt.Sprintf("the option %s of source %s", f.option, l.source)}, true, nil
	}
	if l.entry == nil && f.env != "" {
		name := l.envName(f)
		// An empty variable is the shell's way to have none; only a password
		// may be meant to be empty.
		if text, ok := l.set.getenv(name); ok && (text != "" || f.env == fieldPassword.env) {
			return found{text, name}, true, nil
		}
	}
	for _, name := range f.shared {
		if text, ok := l.set.getenv(name); ok && text != "" {
			return found{text, name}, true, nil
		}
	}
	return found{}, false, nil
}

func (l *lookup) fromFile(f field) (v found, ok bool, err error) {
	if l.entry == nil {
		return found{}, false, nil
	}
	for _, key := range f.keys {
		raw, there := l.entry.Get(key)
		if !there || raw.IsNull() {
			continue
		}
		if ok {
			return found{}, false, fmt.Errorf("%s and %s mean the same, expected one of them", v.where, jsonPath(l.source, key))
		}
		ok = true
		if v, err = l.text(raw, jsonPath(l.source, key)); err != nil {
			return found{}, false, err
		}
	}
	return v, ok, nil
}

// text interpolates a string of the file.
func (l *lookup) text(raw value.Value, path string) (found, error) {
	where := l.set.file + ": " + path
	if raw.Kind() != value.String {
		return found{}, fmt.Errorf("%s is %s, expected a string", where, kindOf(raw))
	}
	text, err := interpolate(raw.Str(), l.set.getenv)
	if err != nil {
		return found{}, fmt.Errorf("%s: %w", where, err)
	}
	return found{text, where}, nil
}

// envName returns the environment variable of a field.
func (l *lookup) envName(f field) string {
	return "REQON_" + strings.ToUpper(l.source) + "_" + f.env
}

// need returns a field that must be there and not be empty. what says in plain
// words what it is.
func (l *lookup) need(kind, what string, f field) (found, error) {
	v, ok, err := l.get(f)
	if err != nil {
		return found{}, err
	}
	if !ok {
		return found{}, l.missing(kind, what, f)
	}
	if v.text == "" {
		return found{}, fmt.Errorf("%s is empty, expected %s: %w", v.where, what, ErrMissing)
	}
	return v, nil
}

// missing says where a field can be given.
func (l *lookup) missing(kind, what string, f field) error {
	var places []string
	if l.google {
		return fmt.Errorf("%w: %s: %s lacks %s", ErrMissing, l.set.file, l.source, what)
	}
	switch {
	case l.entry != nil:
		places = append(places, fmt.Sprintf("add %q to the entry %q of %s", f.keys[0], l.source, l.set.file))
	case l.set.file != "":
		places = append(places, fmt.Sprintf("add an entry %q with %q to %s", l.source, f.keys[0], l.set.file))
	default:
		places = append(places, fmt.Sprintf(`pass --auth FILE with { %q: { "type": %q, %q: "…" } }`, l.source, kind, f.keys[0]))
	}
	if l.entry == nil && f.env != "" {
		places = append(places, "set the environment variable "+l.envName(f))
	}
	if f.option != "" {
		places = append(places, fmt.Sprintf("write %s: env(…) in the source", f.option))
	}
	return fmt.Errorf("%w: source %s uses auth %s, which needs %s: %s%s",
		ErrMissing, l.source, kind, what, strings.Join(places, ", or "), l.nearMiss())
}

// nearMiss tells of an entry whose name differs from the source's only in case.
func (l *lookup) nearMiss() string {
	if l.entry != nil {
		return ""
	}
	for name := range l.set.entries {
		if strings.EqualFold(name, l.source) {
			return fmt.Sprintf(" (the file has an entry %q: names must match exactly)", name)
		}
	}
	return ""
}

// jsonPath returns the path of a key in the file, source.key.
func jsonPath(source string, keys ...string) string {
	return strings.Join(append([]string{source}, keys...), ".")
}
