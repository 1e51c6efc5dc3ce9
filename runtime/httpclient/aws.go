package httpclient

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"reqon/runtime/credentials"
)

// AWS Signature Version 4, as the reference of AWS Identity and Access
// Management defines it ("Create a signed AWS API request").

const (
	awsAlgorithm  = "AWS4-HMAC-SHA256"
	awsTimeFormat = "20060102T150405Z"
)

// awsUnsigned are headers that are not signed, as somebody on the way may
// change them.
var awsUnsigned = []string{
	"Accept", "Accept-Encoding", "Accept-Language", "Authorization", "Expect", "User-Agent", "X-Amzn-Trace-Id",
}

// signAWS returns the headers of a request with those that sign it.
func signAWS(a *credentials.AWS, method string, u *url.URL, headers http.Header, body []byte, now time.Time) http.Header {
	now = now.UTC()
	h := maps.Clone(headers)
	h["X-Amz-Date"] = []string{now.Format(awsTimeFormat)}
	if a.SessionToken != "" {
		h["X-Amz-Security-Token"] = []string{a.SessionToken}
	}
	payload := hexSHA256(body)
	if a.Service == "s3" {
		h["X-Amz-Content-Sha256"] = []string{payload}
	}
	names, canonical := awsHeaders(h, u.Host)
	request := strings.Join([]string{method, awsPath(u, a.Service == "s3"), awsQuery(u.RawQuery), canonical, names, payload}, "\n")
	scope := strings.Join([]string{now.Format("20060102"), a.Region, a.Service, "aws4_request"}, "/")
	text := strings.Join([]string{awsAlgorithm, now.Format(awsTimeFormat), scope, hexSHA256([]byte(request))}, "\n")
	key := []byte("AWS4" + a.SecretAccessKey)
	for part := range strings.SplitSeq(scope, "/") {
		key = hmacSHA256(key, part)
	}
	h["Authorization"] = []string{awsAlgorithm + " Credential=" + a.AccessKeyID + "/" + scope +
		", SignedHeaders=" + names + ", Signature=" + hex.EncodeToString(hmacSHA256(key, text))}
	return h
}

// awsHeaders returns the names of the headers that are signed, and their
// canonical form.
func awsHeaders(h http.Header, host string) (names, canonical string) {
	if own, ok := h["Host"]; ok {
		host = own[0]
	}
	lines := map[string]string{"host": host}
	for name, values := range h {
		if name == "Host" || slices.Contains(awsUnsigned, name) {
			continue
		}
		trimmed := make([]string, len(values))
		for i, v := range values {
			trimmed[i] = strings.Join(strings.Fields(v), " ")
		}
		lines[strings.ToLower(name)] = strings.Join(trimmed, ",")
	}
	sorted := slices.Sorted(maps.Keys(lines))
	var b strings.Builder
	for _, name := range sorted {
		b.WriteString(name + ":" + lines[name] + "\n")
	}
	return strings.Join(sorted, ";"), b.String()
}

// awsPath returns the canonical path: as it is sent, for S3; for all others
// escaped once more, without empty segments.
func awsPath(u *url.URL, s3 bool) string {
	path := u.EscapedPath()
	if path == "" {
		return "/"
	}
	if s3 {
		return path
	}
	var b strings.Builder
	for i := range len(path) {
		if path[i] == '/' && i > 0 && path[i-1] == '/' {
			continue
		}
		b.WriteByte(path[i])
	}
	parts := strings.Split(b.String(), "/")
	for i, p := range parts {
		parts[i] = escape(p, unreservedSet, false)
	}
	return strings.Join(parts, "/")
}

// awsQuery returns the canonical query: escaped in one way only, and sorted.
func awsQuery(raw string) string {
	type pair struct{ name, text string }
	var pairs []pair
	for part := range strings.SplitSeq(raw, "&") {
		if part == "" {
			continue
		}
		name, text, _ := strings.Cut(part, "=")
		pairs = append(pairs, pair{escape(unescapeQuery(name), unreservedSet, false), escape(unescapeQuery(text), unreservedSet, false)})
	}
	slices.SortFunc(pairs, func(a, b pair) int {
		return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.text, b.text))
	})
	out := make([]string, len(pairs))
	for i, p := range pairs {
		out[i] = p.name + "=" + p.text
	}
	return strings.Join(out, "&")
}

func unescapeQuery(s string) string {
	if plain, err := url.QueryUnescape(s); err == nil {
		return plain
	}
	return s
}

func hexSHA256(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

func hmacSHA256(key []byte, text string) []byte {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(text))
	return m.Sum(nil)
}
