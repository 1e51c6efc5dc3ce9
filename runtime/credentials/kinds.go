package credentials

import (
	"encoding/base64"
	"fmt"
	"net/textproto"
	"strconv"
	"strings"

	"reqon/vm/value"
)

// kind settles what kind of authentication a source uses that does not say
// `auth: none`.
func (l *lookup) kind(authKind string) (string, error) {
	t, ok, err := l.get(fieldType)
	if err != nil {
		return "", err
	}
	if l.google = ok && t.text == googleType; l.google {
		t.text = OAuth2
	}
	if ok && knownFields(t.text) == nil {
		return "", fmt.Errorf("%s is not a kind of credential, expected %s", t.where, orList(kinds))
	}
	switch {
	case authKind != "" && knownFields(authKind) == nil:
		return "", fmt.Errorf("source %s: auth is %q, expected %s", l.source, authKind, orList(kinds))
	case !ok && authKind != "":
		return authKind, nil
	case !ok:
		return l.infer()
	case authKind == "" || authKind == t.text:
		return t.text, nil
	case isTokenKind(authKind) && isTokenKind(t.text):
		// An access token is sent as a bearer token either way; the place
		// that holds it knows how it is come by.
		return t.text, nil
	}
	return "", fmt.Errorf("%s is %s, but source %s says auth: %s: expected the same in both", t.where, t.text, l.source, authKind)
}

func isTokenKind(kind string) bool { return kind == Bearer || kind == OAuth2 }

// infer goes by the fields that are there.
func (l *lookup) infer() (string, error) {
	var kinds, wheres []string
	for _, c := range []struct {
		kind string
		f    field
	}{{Bearer, fieldToken}, {Basic, fieldUsername}, {APIKey, fieldKey}, {OAuth2, fieldClientID}, {SigV4, own(fieldAccessKeyID)}} {
		v, ok, err := l.get(c.f)
		if err != nil {
			return "", err
		}
		if ok {
			kinds = append(kinds, c.kind)
			wheres = append(wheres, v.where)
		}
	}
	switch {
	case len(kinds) > 1:
		return "", fmt.Errorf("source %s could use auth %s: expected an auth option that says which (there are %s)",
			l.source, strings.Join(kinds, " or "), strings.Join(wheres, " and "))
	case len(kinds) == 1:
		return kinds[0], nil
	case l.entry != nil:
		return "", fmt.Errorf(`%s: %s has no type, expected "type": %s`, l.set.file, l.source, orList(quoted(kinds)))
	}
	return None, nil
}

// own is the field without the variables that belong to other tools: that they
// are set says nothing of what a source uses.
func own(f field) field {
	f.shared = nil
	return f
}

// orList lists words for a sentence: a, b or c.
func orList(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}

func quoted(words []string) []string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = strconv.Quote(w)
	}
	return out
}

func (l *lookup) bearer(c *Credential) error {
	token, err := l.need(Bearer, "a token", fieldToken)
	if err != nil {
		return err
	}
	c.secrets = append(c.secrets, token.text)
	return c.header("Authorization", "Bearer "+token.text, token.where)
}

func (l *lookup) basic(c *Credential) error {
	user, err := l.need(Basic, "a username", fieldUsername)
	if err != nil {
		return err
	}
	password, ok, err := l.get(fieldPassword)
	if err != nil {
		return err
	}
	if !ok {
		return l.missing(Basic, `a password (which may be "")`, fieldPassword)
	}
	if strings.Contains(user.text, ":") {
		return fmt.Errorf("%s holds a colon, which basic authentication can't carry (RFC 7617)", user.where)
	}
	pair := user.text + ":" + password.text
	encoded := base64.StdEncoding.EncodeToString([]byte(pair))
	if usernameIsSecret(user.text, password.text) {
		c.secrets = append(c.secrets, user.text)
	}
	c.secrets = append(c.secrets, password.text, pair, encoded)
	c.Headers = append(c.Headers, Field{"Authorization", "Basic " + encoded})
	return nil
}

// usernameIsSecret recognises the APIs that take their key as user name, with
// nothing or a filler for a password. A usual name is not redacted, as it may
// be any word of a log.
func usernameIsSecret(username, password string) bool {
	return len(password) < minSecret || strings.EqualFold(password, "x-oauth-basic") ||
		len(username) >= 20 && !strings.ContainsAny(username, "@ ")
}

func (l *lookup) apiKey(c *Credential) error {
	key, err := l.need(APIKey, "a key", fieldKey)
	if err != nil {
		return err
	}
	header, hasHeader, err := l.get(fieldHeader)
	if err != nil {
		return err
	}
	query, hasQuery, err := l.get(fieldQuery)
	if err != nil {
		return err
	}
	location, hasLocation, err := l.get(fieldKeyLocation)
	if err != nil {
		return err
	}
	switch {
	case !hasLocation:
	case location.text == "query" && !hasHeader:
		if !hasQuery {
			query, hasQuery = found{"api_key", location.where}, true
		}
	case location.text == "header" && !hasQuery:
	case location.text != "query" && location.text != "header":
		return fmt.Errorf(`%s is neither "header" nor "query"`, location.where)
	case hasHeader:
		return fmt.Errorf("%s says that the key goes into the query, and %s that it goes into a header, expected one of them", location.where, header.where)
	default:
		return fmt.Errorf("%s says that the key goes into a header, and %s that it goes into the query, expected one of them", location.where, query.where)
	}
	if hasHeader && hasQuery {
		return fmt.Errorf("%s and %s both say where the key of source %s goes, expected one of them", header.where, query.where, l.source)
	}
	prefix, ok, err := l.get(fieldPrefix)
	if err != nil {
		return err
	}
	text := key.text
	if ok && prefix.text != "" {
		text = prefix.text + " " + text
	}
	c.secrets = append(c.secrets, key.text)
	if hasQuery {
		if query.text == "" {
			return fmt.Errorf("%s is empty, expected the name of a query parameter", query.where)
		}
		c.Query = append(c.Query, Field{query.text, text})
		return nil
	}
	name := "X-API-Key"
	if hasHeader {
		if name = header.text; !isToken(name) {
			return fmt.Errorf("%s is not the name of a header", header.where)
		}
	}
	return c.header(name, text, key.where)
}

// header adds a header. where says where its value came from.
func (c *Credential) header(name, text, where string) error {
	if !isHeaderValue(text) {
		return fmt.Errorf("%s holds a line end or another control character, which no header can carry: remove it", where)
	}
	c.Headers = append(c.Headers, Field{textproto.CanonicalMIMEHeaderKey(name), text})
	return nil
}

// additionalHeaders adds the headers that an entry gives besides.
func (l *lookup) additionalHeaders(c *Credential) error {
	if l.entry == nil {
		return nil
	}
	v, ok := l.entry.Get(additionalHeaders)
	if !ok || v.IsNull() {
		return nil
	}
	where := l.set.file + ": " + jsonPath(l.source, additionalHeaders)
	if v.Kind() != value.Object {
		return fmt.Errorf("%s is %s, expected an object of header names and values", where, kindOf(v))
	}
	o := v.Obj()
	for i, raw := range o.Slots() {
		name := o.Shape().Key(i)
		if !isToken(name) {
			return fmt.Errorf("%s has the key %q, expected the name of a header", where, name)
		}
		text, err := l.text(raw, jsonPath(l.source, additionalHeaders, name))
		if err != nil {
			return err
		}
		if !isPlainHeader(name) {
			c.secrets = append(c.secrets, text.text)
		}
		if err := c.header(name, text.text, text.where); err != nil {
			return err
		}
	}
	return nil
}

// isPlainHeader reports whether the header's meaning (RFC 9110) rules out a
// secret, so that its value ("application/json") need not be redacted.
func isPlainHeader(name string) bool {
	switch strings.ToLower(name) {
	case "accept", "accept-charset", "accept-encoding", "accept-language", "cache-control",
		"content-language", "content-type", "prefer", "user-agent":
		return true
	}
	return false
}

// isToken reports whether s is a token of RFC 9110, as header names are.
func isToken(s string) bool {
	for i := range len(s) {
		c := s[i]
		if (c|0x20 < 'a' || c|0x20 > 'z') && (c < '0' || c > '9') && strings.IndexByte("!#$%&'*+-.^_`|~", c) < 0 {
			return false
		}
	}
	return s != ""
}

// isHeaderValue reports whether s can be the value of a header: no control
// characters but the tab.
func isHeaderValue(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' && s[i] != '\t' || s[i] == 0x7f {
			return false
		}
	}
	return true
}
