package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// environment gives the lookup of environment variables: those of the process,
// then those of a file of NAME=value lines. Without a name the file is .env, if
// it is there.
func environment(name string) (func(string) (string, bool), error) {
	file, must := name, name != ""
	if !must {
		file = ".env"
	}
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) && !must {
		return os.LookupEnv, nil
	}
	if err != nil {
		return nil, fmt.Errorf("environment file: %w", err)
	}
	vars, err := parseEnv(file, string(data))
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

// parseEnv reads NAME=value lines. `export ` in front and quotes around the
// value are taken off; # begins a comment at the start of a line, or behind
// a space in a value without quotes.
func parseEnv(file, text string) (map[string]string, error) {
	vars := map[string]string{}
	for i, line := range strings.Split(strings.TrimPrefix(text, "\ufeff"), "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, v, ok := strings.Cut(strings.TrimSpace(strings.TrimPrefix(line, "export ")), "=")
		name = strings.TrimSpace(name)
		if !ok || name == "" || strings.ContainsAny(name, " \t'\"") {
			return nil, fmt.Errorf("%s:%d: expected NAME=value", file, i+1)
		}
		v, err := envValue(strings.TrimSpace(v))
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", file, i+1, err)
		}
		vars[name] = v
	}
	return vars, nil
}

func envValue(v string) (string, error) {
	if v == "" || v[0] != '"' && v[0] != '\'' {
		v, _, _ = strings.Cut(v, " #")
		return strings.TrimSpace(v), nil
	}
	quote := v[0]
	end := strings.IndexByte(v[1:], quote)
	if end < 0 {
		return "", fmt.Errorf("the quote %c is not closed", quote)
	}
	text := v[1 : 1+end]
	if rest := strings.TrimSpace(v[end+2:]); rest != "" && !strings.HasPrefix(rest, "#") {
		return "", fmt.Errorf("unexpected text behind the value: %s", rest)
	}
	if quote == '"' {
		text = strings.ReplaceAll(text, `\n`, "\n")
	}
	return text, nil
}
