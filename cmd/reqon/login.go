package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v2"

	"reqon/runtime/credentials"
	"reqon/runtime/engine"
	"reqon/runtime/signin"
)

func loginCommand() *cli.Command {
	return &cli.Command{
		Name:      "login",
		Usage:     "sign in for a source that uses oauth2",
		ArgsUsage: "SOURCE PATH",
		Description: `SOURCE is a source of the missions at PATH. Its entry in the credentials says
where a person signs in: authorizationUrl (in a browser) or deviceUrl. The
tokens are kept in the state folder; a daemon that runs on it goes on with them.
Over SSH, paste the address that the browser ended on.`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "auth", Usage: "`FILE`: credentials (JSON)"},
			&cli.BoolFlag{Name: "device", Usage: "sign in at another device, with a code"},
			&cli.StringSliceFlag{Name: "param", Usage: "`NAME=VALUE`: a parameter of the missions; repeatable (or REQON_PARAM_NAME)"},
			stateDirFlag(""),
			envFlag(""),
		},
		Action: login,
	}
}

func logoutCommand() *cli.Command {
	return &cli.Command{
		Name:      "logout",
		Usage:     "remove the tokens of a source from the state folder",
		ArgsUsage: "SOURCE",
		Flags:     []cli.Flag{stateDirFlag(""), envFlag("")},
		Action:    logout,
	}
}

func tokensCommand() *cli.Command {
	return &cli.Command{
		Name:  "tokens",
		Usage: "list who is signed in; no secrets are shown",
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "json", Usage: "write JSON"},
			stateDirFlag(""),
			envFlag(""),
		},
		Action: tokens,
	}
}

func login(c *cli.Context) error {
	if c.NArg() != 2 {
		return exit(exitConfig, fmt.Errorf("expected the name of a source and a file or folder of missions: reqon login SOURCE PATH"))
	}
	source, path := c.Args().Get(0), c.Args().Get(1)
	env, err := environment(c.String("env"))
	if err != nil {
		return exit(exitConfig, err)
	}
	params, err := paramFlags(c.StringSlice("param"))
	if err != nil {
		return exit(exitConfig, err)
	}
	redactor := &credentials.Redactor{}
	// Nothing that an error quotes may show a token, whichever way it came there.
	told := func(code int, err error) error { return exit(code, errors.New(redactor.Redact(err.Error()))) }
	e, missions, err := openMissions(c, path, env, redactor)
	if err != nil {
		return err
	}
	m, err := missionOf(missions, source)
	if err != nil {
		return exit(exitConfig, errors.Join(err, e.Close()))
	}
	ctx, stop := signal.NotifyContext(c.Context, os.Interrupt, syscall.SIGTERM)
	defer stop()
	p := signin.Person{Device: c.Bool("device"), Out: c.App.Writer, In: os.Stdin}
	if isTerminal(c.App.Writer) && os.Getenv("SSH_CONNECTION") == "" {
		p.Browse = browse
	}
	r, err := m.SignIn(ctx, source, params, p)
	err = errors.Join(err, e.Close())
	var config *engine.ConfigError
	switch {
	case errors.As(err, &config):
		return told(exitConfig, err)
	case err != nil:
		return told(exitFailed, err)
	}
	fmt.Fprintf(c.App.Writer, "%s: signed in%s\n", source, asWho(r.Who))
	if r.RefreshToken == "" {
		end := ""
		if !r.Expires.IsZero() {
			end = " at " + r.Expires.Local().Format("15:04")
		}
		fmt.Fprintf(c.App.Writer, "The server gave no refresh token, so the sign-in ends%s. Many servers give one for a scope such as offline_access, or with \"extra\": { \"access_type\": \"offline\" }.\n", end)
	}
	return nil
}

func asWho(name string) string {
	if name == "" {
		return ""
	}
	return " as " + name
}

// openMissions opens the state folder and loads the missions at a path.
func openMissions(c *cli.Context, path string, env func(string) (string, bool), redactor *credentials.Redactor) (*engine.Engine, []*engine.Mission, error) {
	result, err := loadPaths(c.App, path)
	if err == nil {
		result, err = goodMissions(c.App, result, []string{path})
	}
	if err != nil {
		return nil, nil, err
	}
	set, err := credentials.Load(c.String("auth"), env)
	if err != nil {
		return nil, nil, exit(exitConfig, err)
	}
	e, err := engine.New(engine.Config{StateDir: stateDir(c, env), Credentials: set, Env: env, Redactor: redactor})
	if err != nil {
		return nil, nil, exit(exitConfig, err)
	}
	var list []*engine.Mission
	for _, m := range result.Missions {
		loaded, err := e.Load(m.Program)
		if err != nil {
			return nil, nil, exit(exitConfig, errors.Join(err, e.Close()))
		}
		list = append(list, loaded)
	}
	return e, list, nil
}

// missionOf finds a mission with a source.
func missionOf(missions []*engine.Mission, source string) (*engine.Mission, error) {
	var known []string
	for _, m := range missions {
		names := m.SourceNames()
		if slices.Contains(names, source) {
			return m, nil
		}
		known = append(known, names...)
	}
	return nil, fmt.Errorf("no mission has a source %s; %s", source, suggest(source, known))
}

// browse opens an address in the person's browser, if there is a program for it.
func browse(address string) {
	name, args := "xdg-open", []string{address}
	switch runtime.GOOS {
	case "darwin":
		name = "open"
	case "windows":
		name, args = "rundll32", []string{"url.dll,FileProtocolHandler", address}
	}
	if path, err := exec.LookPath(name); err == nil {
		cmd := exec.Command(path, args...)
		if cmd.Start() == nil {
			go func() { _ = cmd.Wait() }() // the person sees whether it worked
		}
	}
}

func logout(c *cli.Context) error {
	if c.NArg() != 1 {
		return exit(exitConfig, errors.New("expected the name of a source: reqon logout SOURCE"))
	}
	store, list, err := openTokens(c)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(c.Context, time.Minute)
	defer cancel()
	source := c.Args().First()
	var known []string
	n := 0
	for _, r := range list {
		if r.Name != source || !r.SignedIn() {
			known = append(known, r.Name)
			continue
		}
		if err := store.Forget(ctx, r.Account); err != nil {
			return exit(exitFailed, err)
		}
		n++
	}
	if n == 0 {
		hint := ""
		if !slices.Contains(known, source) {
			hint = "; " + suggest(source, known)
		}
		return exit(exitConfig, fmt.Errorf("nobody is signed in for %s%s", source, hint))
	}
	fmt.Fprintf(c.App.Writer, "%s: signed out\n", source)
	return nil
}

// openTokens reads the sign-ins of a state folder.
func openTokens(c *cli.Context) (*signin.Store, []*signin.Record, error) {
	env, err := environment(c.String("env"))
	if err != nil {
		return nil, nil, exit(exitConfig, err)
	}
	store := signin.NewStore(stateDir(c, env))
	list, err := store.List()
	if err != nil {
		return nil, nil, exit(exitConfig, err)
	}
	return store, list, nil
}

// tokenState is a sign-in as `reqon tokens` shows it.
type tokenState struct {
	Source  string    `json:"source"`
	Who     string    `json:"who,omitempty"`
	Server  string    `json:"server,omitempty"`
	Scopes  []string  `json:"scopes"`
	Expires time.Time `json:"expires,omitzero"`
	Renewed bool      `json:"renewed"` // when it expires, by itself
	State   string    `json:"state"`
}

func tokens(c *cli.Context) error {
	if c.NArg() > 0 {
		return exit(exitConfig, fmt.Errorf("expected no argument, found %s", c.Args().First()))
	}
	_, list, err := openTokens(c)
	if err != nil {
		return err
	}
	states := []tokenState{}
	now := time.Now()
	for _, r := range list {
		s := tokenState{Source: r.Name, Who: r.Who, Server: r.Server, Scopes: append([]string{}, r.Scopes...), Expires: r.Expires, Renewed: r.RefreshToken != ""}
		switch {
		case r.Refused != "":
			s.State = r.Refused
		case !r.Expires.IsZero() && !now.Before(r.Expires) && !s.Renewed:
			s.State = "expired"
		default:
			s.State = "signed in"
		}
		states = append(states, s)
	}
	if c.Bool("json") {
		e := json.NewEncoder(c.App.Writer)
		e.SetIndent("", "  ")
		return e.Encode(states)
	}
	return writeTokens(c.App.Writer, states)
}

func writeTokens(w io.Writer, states []tokenState) error {
	if len(states) == 0 {
		fmt.Fprintln(w, "nobody is signed in")
		return nil
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "SOURCE\tWHO\tSCOPES\tEXPIRES\tSTATE\tSERVER")
	for _, s := range states {
		expires := "-"
		switch {
		case s.State != "signed in":
		case s.Expires.IsZero():
			expires = "not known"
		default:
			expires = s.Expires.Local().Format("2006-01-02 15:04:05")
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\n", s.Source, dash(s.Who), dash(strings.Join(s.Scopes, " ")), expires, s.State, dash(s.Server))
	}
	return t.Flush()
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
