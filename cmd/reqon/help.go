package main

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/urfave/cli/v2"
)

// verbatim makes a text a template that writes it as it is.
func verbatim(text string) string { return strings.ReplaceAll(text, "{{", `{{"{{"}}`) }

// appHelp is the help of the program.
func appHelp(app *cli.App) string {
	var b strings.Builder
	fmt.Fprintf(&b, "reqon: %s\n\n", app.Usage)
	b.WriteString(`  reqon PATH [options]           run the missions at PATH once, now
  reqon PATH --daemon [options]  run them on schedule until stopped
  reqon COMMAND [options]

PATH is a mission (.reqon, .vague or compiled .reqc) or a folder of missions.

Commands:
`)
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, c := range app.Commands {
		if !c.Hidden {
			fmt.Fprintf(t, "  %s\t%s\n", strings.TrimSpace(c.Name+" "+c.ArgsUsage), c.Usage)
		}
	}
	t.Flush() // a strings.Builder takes everything
	b.WriteString(`
reqon COMMAND --help shows a command's options; those of a run are with
reqon run --help. Exit codes: 0 success, 1 a run failed or was cancelled, 2 the
source has errors, 3 a matter of options, files, credentials or parameters.
`)
	return b.String()
}

// commandHelp is the help of a command.
func commandHelp(c *cli.Command) string {
	var b strings.Builder
	fmt.Fprintf(&b, "reqon %s: %s\n\n", c.Name, c.Usage)
	for _, line := range usageLines(c) {
		fmt.Fprintf(&b, "  %s\n", line)
	}
	if c.Description != "" {
		fmt.Fprintf(&b, "\n%s\n", strings.TrimRight(c.Description, "\n"))
	}
	categories, byCategory := flagCategories(c)
	for _, category := range categories {
		title := category
		if title == "" {
			title = "Options"
		}
		fmt.Fprintf(&b, "\n%s:\n", title)
		t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
		for _, f := range byCategory[category] {
			fmt.Fprintf(t, "  %s\t%s\n", flagNames(f), flagUsage(f))
		}
		t.Flush() // a strings.Builder takes everything
	}
	return b.String()
}

// usageLines are the forms of a command.
func usageLines(c *cli.Command) []string {
	if c.UsageText != "" {
		return strings.Split(c.UsageText, "\n")
	}
	line := strings.TrimSpace("reqon " + c.Name + " " + c.ArgsUsage)
	for _, f := range c.Flags {
		if visible(f) {
			return []string{line + " [options]"}
		}
	}
	return []string{line}
}

// flagCategories groups the options that are shown, in their order.
func flagCategories(c *cli.Command) (categories []string, byCategory map[string][]cli.DocGenerationFlag) {
	byCategory = map[string][]cli.DocGenerationFlag{}
	for _, f := range c.Flags {
		d, ok := f.(cli.DocGenerationFlag)
		if !ok || !visible(f) {
			continue
		}
		category := ""
		if g, ok := f.(cli.CategorizableFlag); ok {
			category = g.GetCategory()
		}
		if byCategory[category] == nil {
			categories = append(categories, category)
		}
		byCategory[category] = append(byCategory[category], d)
	}
	return categories, byCategory
}

func visible(f cli.Flag) bool {
	v, ok := f.(cli.VisibleFlag)
	return !ok || v.IsVisible()
}

// flagNames writes an option with its placeholder: -o, --output PATH.
func flagNames(f cli.DocGenerationFlag) string {
	var names []string
	for _, name := range f.Names() {
		if len(name) == 1 {
			names = append([]string{"-" + name}, names...)
		} else {
			names = append(names, "--"+name)
		}
	}
	text := strings.Join(names, ", ")
	if f.TakesValue() {
		text += " " + placeholder(f)
	}
	return text
}

// placeholder is the word of an option's usage that stands in backquotes.
func placeholder(f cli.DocGenerationFlag) string {
	if parts := strings.SplitN(f.GetUsage(), "`", 3); len(parts) == 3 {
		return parts[1]
	}
	return "VALUE"
}

// flagUsage is what an option does. A placeholder that leads it with a colon is
// shown beside the name alone.
func flagUsage(f cli.DocGenerationFlag) string {
	parts := strings.SplitN(f.GetUsage(), "`", 3)
	if len(parts) < 3 {
		return f.GetUsage()
	}
	if text, ok := strings.CutPrefix(parts[2], ": "); ok && parts[0] == "" {
		return text
	}
	return strings.Join(parts, "")
}
