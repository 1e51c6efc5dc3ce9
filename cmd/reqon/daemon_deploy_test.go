package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// repoFile reads a file of this repository.
func repoFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// oneMatch is the group of the expression that a text must match.
func oneMatch(t *testing.T, text, expr string) string {
	t.Helper()
	m := regexp.MustCompile("(?m)" + expr).FindStringSubmatch(text)
	if m == nil {
		t.Fatalf("nothing matches %s", expr)
	}
	return m[1]
}

// startDeployed starts the program with the arguments of a file in deploy, with
// ports that are free and folders of the test's own. It returns the health port.
func (s *site) startDeployed(args []string) (p *process, health string) {
	s.t.Helper()
	s.write("missions/health.reqon", guideHealth)
	s.write("credentials.json", "{}")
	args = append([]string(nil), args...)
	for i, arg := range args {
		switch {
		case arg == "8080":
			health = freePort(s.t)
			args[i] = health
		case arg == "9090":
			args[i] = freePort(s.t)
		case strings.HasPrefix(arg, "/var/"):
			args[i] = s.path(filepath.Base(arg))
		}
	}
	p = s.start(args...)
	if health == "" {
		p.waitLog("Loaded 1 mission")
		return p, ""
	}
	await(s.t, func() bool {
		code, _ := get(s.t, health, "/health/ready")
		return code == http.StatusOK || p.hasEnded()
	},
		func() string { return "/health/ready of reqon " + strings.Join(args, " ") })
	return p, health
}

// TestDeploySystemd holds that the units, that of deploy and that of the guide,
// start the daemon, and that systemd finds no fault with them.
func TestDeploySystemd(t *testing.T) {
	guide := oneMatch(t, repoFile(t, "docs/daemon.md"), "```ini\n((?s).*?)```")
	for name, unit := range map[string]string{"deploy": repoFile(t, "deploy/reqon.service"), "guide": guide} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			command := strings.Fields(oneMatch(t, unit, "^ExecStart=(.*)$"))
			p, _ := s.startDeployed(command[1:])
			p.stop()
			tool, err := exec.LookPath("systemd-analyze")
			if err != nil {
				t.Skip("systemd-analyze is not installed")
			}
			s.write("reqon.service", strings.Replace(unit, "ExecStart="+command[0], "ExecStart="+s.command().Path, 1))
			if out, err := exec.Command(tool, "verify", "--man=no", s.path("reqon.service")).CombinedOutput(); err != nil || strings.Contains(string(out), "reqon.service") {
				t.Errorf("systemd-analyze verify: %v\n%s", err, out)
			}
		})
	}
}

// TestDeployDocker holds that the commands of the image, of compose and of the
// guide start the daemon, and that the image's health check finds it well.
func TestDeployDocker(t *testing.T) {
	image := repoFile(t, "deploy/Dockerfile")
	check := oneMatch(t, image, `^HEALTHCHECK .* CMD (\[.*\])$`)
	for name, text := range map[string]string{
		"image":   oneMatch(t, image, `^CMD (\[.*\])$`),
		"compose": oneMatch(t, repoFile(t, "deploy/docker-compose.yml"), `^ +command: (\[.*\])$`),
		"guide":   oneMatch(t, repoFile(t, "docs/daemon.md"), `^ +command: (\[.*\])$`),
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			var args, checks []string
			if err := json.Unmarshal([]byte(text), &args); err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal([]byte(check), &checks); err != nil {
				t.Fatal(err)
			}
			p, port := s.startDeployed(args)
			if port == "" {
				t.Fatalf("the image's health check asks for port 8080, and %s does not open it", text)
			}
			for i := range checks {
				checks[i] = strings.Replace(checks[i], ":8080", ":"+port, 1)
			}
			s.reqon(0, checks[1:]...)
			p.stop()
			s.reqon(1, checks[1:]...)
		})
	}
}

// guideAlert is the rule of the guide's "Alerting".
const guideAlert = `      - alert: ReqonMissionFailing
        expr: rate(reqon_mission_runs_total{status="failure"}[5m]) > 0.1
        for: 10m
        labels:
          severity: warning
        annotations:
          summary: "Mission {{ $labels.mission }} is failing"
`

// TestDeployAlerts holds that the guide's rule is among the alert rules, word for
// word. That they fire is tested beside the daemon.
func TestDeployAlerts(t *testing.T) {
	rules := repoFile(t, "deploy/prometheus-alerts.yml")
	if !strings.Contains(rules, guideAlert) || !strings.Contains(repoFile(t, "docs/daemon.md"), guideAlert) {
		t.Errorf("the guide's rule is not among them, as it is:\n%s", guideAlert)
	}
}

// TestDeployDashboard holds that Prometheus can read every query of the
// dashboard. That their metrics exist is held beside the daemon.
func TestDeployDashboard(t *testing.T) {
	var dashboard any
	if err := json.Unmarshal([]byte(repoFile(t, "deploy/grafana-dashboard.json")), &dashboard); err != nil {
		t.Fatal(err)
	}
	type rule struct {
		Record string `json:"record"`
		Expr   string `json:"expr"`
	}
	var list []rule
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, e := range v {
				walk(e)
			}
		case map[string]any:
			if expr, ok := v["expr"].(string); ok {
				expr = strings.NewReplacer("$__rate_interval", "5m", "$__interval", "1m", "$__range", "1h").Replace(expr)
				list = append(list, rule{fmt.Sprintf("panel:%d", len(list)), expr})
			}
			for _, e := range v {
				walk(e)
			}
		}
	}
	walk(dashboard)
	if len(list) < 5 {
		t.Fatalf("%d queries", len(list))
	}
	type group struct {
		Name  string `json:"name"`
		Rules []rule `json:"rules"`
	}
	// JSON is YAML.
	text, err := json.Marshal(map[string][]group{"groups": {{"dashboard", list}}})
	if err != nil {
		t.Fatal(err)
	}
	s := newSite(t)
	s.write("rules.yml", string(text))
	if out, err := promtool(t, "check", "rules", s.path("rules.yml")).CombinedOutput(); err != nil {
		t.Errorf("promtool check rules: %v\n%s", err, out)
	}
}
