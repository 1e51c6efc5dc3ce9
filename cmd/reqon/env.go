package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
)

// usualEnvFile is read if it is there and --env names no other.
const usualEnvFile = ".env"

// maxEnvFile is how large a file of variables may be, in bytes. A larger one is
// another file given by mistake.
const maxEnvFile = 1 << 20

// environment gives the lookup of environment variables: those of the process,
// then those of a file of NAME=value lines. Without a name the file is .env, if
// there is one.
func environment(name string) (func(string) (string, bool), error) {
	file := name
	if name == "" {
		file = usualEnvFile
		// A folder of this name is some other tool's.
		info, err := os.Stat(file)
		if errors.Is(err, fs.ErrNotExist) || err == nil && info.IsDir() {
			return os.LookupEnv, nil
		}
	}
	text, err := readEnvFile(file)
	if err != nil {
		return nil, fmt.Errorf("the environment file can't be read: %w", err)
	}
	vars, err := parseEnv(file, text)
	if err != nil {
		return nil, err
	}
	return func(name string) (string, bool) {
		if v, ok := os.LookupEnv(name); ok {
			return v, true
		}
		v, ok := vars[name]
		return v, ok
	}, nil
}

func readEnvFile(name string) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close() // it was only read
	data, err := io.ReadAll(io.LimitReader(f, maxEnvFile+1))
	if err != nil {
		return "", err
	}
	if len(data) > maxEnvFile {
		return "", fmt.Errorf("%s is larger than %d bytes, expected a few lines NAME=value", name, maxEnvFile)
	}
	return string(data), nil
}

// parseEnv reads NAME=value lines. `export` in front and quotes around the value
// are taken off; # begins a comment at the start of a line, or behind white
// space after a value. In double quotes \n, \r, \t, \", \$ and \\ are escapes;
// what stands in single quotes or in none is taken as it is. No error shows
// a value, as it may be a secret.
func parseEnv(file, text string) (map[string]string, error) {
	vars := map[string]string{}
	number := 0
	for line := range strings.SplitSeq(strings.TrimPrefix(text, "\ufeff"), "\n") {
		number++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		name, v, ok := strings.Cut(line, "=")
		if fields := strings.Fields(name); len(fields) == 2 && fields[0] == "export" {
			name = fields[1]
		}
		name = strings.TrimSpace(name)
		if !ok || !isVariable(name) {
			return nil, fmt.Errorf("%s:%d: expected NAME=value", file, number)
		}
		v, err := envValue(v)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %s: %w", file, number, name, err)
		}
		vars[name] = v
	}
	return vars, nil
}

// isVariable reports whether a variable can have the name. More than the shell's
// letters are allowed, as other tools do.
func isVariable(name string) bool {
	return name != "" && !strings.ContainsAny(name, " \t'\"`$\x00")
}

func envValue(v string) (string, error) {
	trimmed := strings.TrimSpace(v)
	if strings.ContainsRune(trimmed, 0) {
		return "", errors.New("the value holds a zero byte")
	}
	if trimmed == "" || trimmed[0] != '"' && trimmed[0] != '\'' {
		for i := range len(v) {
			if v[i] == '#' && i > 0 && (v[i-1] == ' ' || v[i-1] == '\t') {
				return strings.TrimSpace(v[:i]), nil
			}
		}
		return trimmed, nil
	}
	text, rest, ok := unquote(trimmed)
	if !ok {
		return "", fmt.Errorf("the quote %c that opens the value is not closed on this line", trimmed[0])
	}
	if rest = strings.TrimSpace(rest); rest != "" && rest[0] != '#' {
		return "", errors.New("there is more text behind the closing quote; put a quote of the other kind around the whole value")
	}
	return text, nil
}

// envEscapes are the escapes in double quotes.
var envEscapes = map[byte]byte{'n': '\n', 'r': '\r', 't': '\t', '"': '"', '$': '$', '\\': '\\'}

// unquote takes off the quotes of the value that s begins with. rest is what
// follows.
func unquote(s string) (text, rest string, ok bool) {
	quote := s[0]
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == quote:
			return b.String(), s[i+1:], true
		case s[i] == '\\' && quote == '"' && i+1 < len(s) && envEscapes[s[i+1]] != 0:
			i++
			b.WriteByte(envEscapes[s[i]])
		default:
			b.WriteByte(s[i])
		}
	}
	return "", "", false
}
