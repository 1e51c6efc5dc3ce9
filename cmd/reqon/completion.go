package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// shells are those that completion scripts are written for.
var shells = []string{"bash", "zsh", "fish"}

func completionCommand() *cli.Command {
	return &cli.Command{
		Name:      "completion",
		Usage:     "print a script that completes command lines in a shell",
		ArgsUsage: strings.Join(shells, "|"),
		Description: `  bash: source <(reqon completion bash)        in ~/.bashrc
  zsh:  source <(reqon completion zsh)         in ~/.zshrc, behind compinit
  fish: reqon completion fish | source         in ~/.config/fish/config.fish`,
		Action: func(c *cli.Context) error {
			shell := c.Args().First()
			if c.NArg() != 1 || !slices.Contains(shells, shell) {
				return exit(exitConfig, fmt.Errorf("expected the name of a shell: reqon completion %s", strings.Join(shells, "|")))
			}
			commands := completions(c.App)
			switch shell {
			case "bash":
				writeBash(c.App.Writer, commands)
			case "zsh":
				writeZsh(c.App.Writer, commands)
			case "fish":
				writeFish(c.App.Writer, commands)
			}
			return nil
		},
	}
}

// completion is what the scripts know of a command.
type completion struct {
	name, usage string
	options     []completionOption
	words       []string // that its arguments are; nil if they are files
}

// completionOption is an option of a command.
type completionOption struct {
	names      []string // with their dashes
	usage      string
	takesValue bool
	words      []string // that its values are; nil if they are files or free text
	files      bool     // its values are files
	folders    bool     // its values are folders
}

// completions lists the commands with their options.
func completions(app *cli.App) []completion {
	var list []completion
	for _, c := range app.Commands {
		if c.Hidden {
			continue
		}
		entry := completion{name: c.Name, usage: c.Usage}
		switch c.Name {
		case "completion":
			entry.words = shells
		case "status", "history", "positions", "cleanup", "health", "version", "demo", "cron", "logout", "tokens":
			entry.words = []string{}
		}
		for _, f := range append(slices.Clone(c.Flags), helpFlag) {
			d, ok := f.(cli.DocGenerationFlag)
			if !ok || !visible(f) {
				continue
			}
			entry.options = append(entry.options, completeOption(d))
		}
		list = append(list, entry)
	}
	return list
}

func completeOption(f cli.DocGenerationFlag) completionOption {
	o := completionOption{usage: flagUsage(f), takesValue: f.TakesValue()}
	for _, name := range f.Names() {
		if len(name) == 1 {
			o.names = append(o.names, "-"+name)
		} else {
			o.names = append(o.names, "--"+name)
		}
	}
	switch f.Names()[0] {
	case "help":
		o.usage = "show help"
	case "format":
		o.words = checkFormats
	case "log-level":
		o.words = []string{"debug", "info", "warn", "error"}
	case "log-format":
		o.words = []string{"text", "json"}
	}
	if o.takesValue && o.words == nil {
		switch placeholder(f) {
		case "FILE", "PATH", "OUT":
			o.files = true
		case "DIR", "FOLDER":
			o.folders = true
		}
	}
	return o
}

// valueOptions are the names of all options that take a value, of any command.
func valueOptions(commands []completion) []string {
	var names []string
	for _, c := range commands {
		for _, o := range c.options {
			if o.takesValue {
				names = append(names, o.names...)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func commandNames(commands []completion) []string {
	var names []string
	for _, c := range commands {
		names = append(names, c.name)
	}
	return names
}

// writeBash writes a script for bash 3.2 and later. It finds the command as
// reorder does, and takes together what readline parts at an equals sign.
func writeBash(w io.Writer, commands []completion) {
	fmt.Fprintf(w, `# Completion of reqon for bash.
_reqon() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} cmd= i
    if [[ $cur == "=" ]]; then
        cur=
    elif [[ $prev == "=" ]]; then
        prev=${COMP_WORDS[COMP_CWORD-2]}
    fi
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
            %s) [[ ${COMP_WORDS[i+1]} == "=" ]] && ((i++)); ((i++)) ;;
            -*) ;;
            %s) cmd=${COMP_WORDS[i]}; break ;;
            *) cmd=run; break ;;
        esac
    done
    local options= words= kind=files
    case ${cmd:-run} in
`, strings.Join(valueOptions(commands), "|"), strings.Join(commandNames(commands), "|"))
	for _, c := range commands {
		var names []string
		for _, o := range c.options {
			names = append(names, o.names...)
		}
		fmt.Fprintf(w, "        %s)\n            options=%q\n", c.name, strings.Join(names, " "))
		if c.words != nil {
			fmt.Fprintf(w, "            kind=words words=%q\n", strings.Join(c.words, " "))
		}
		fmt.Fprintln(w, "            case $prev in")
		for _, o := range c.options {
			if o.takesValue {
				fmt.Fprintf(w, "                %s) kind=%s words=%q options= ;;\n", strings.Join(o.names, "|"), o.kind(), strings.Join(o.words, " "))
			}
		}
		fmt.Fprint(w, "            esac ;;\n")
	}
	fmt.Fprintf(w, `    esac
    if [[ $cur == -* && -n $options ]]; then
        kind=words words=$options
    fi
    local IFS=$'\n'
    case $kind in
        words) COMPREPLY=($(IFS=' '; compgen -W "$words" -- "$cur")) ;;
        folders) compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -d -- "$cur")) ;;
        files)
            compopt -o filenames 2>/dev/null
            COMPREPLY=($(compgen -f -- "$cur"))
            if [[ -z $cmd && -n $options ]]; then
                COMPREPLY+=($(IFS=' '; compgen -W %q -- "$cur"))
            fi ;;
    esac
}
complete -F _reqon reqon
`, strings.Join(commandNames(commands), " "))
}

// kind is how the scripts complete an option's value.
func (o *completionOption) kind() string {
	switch {
	case o.files:
		return "files"
	case o.folders:
		return "folders"
	}
	return "words"
}

// writeZsh writes a script that is sourced, or put as _reqon into a folder of
// fpath.
func writeZsh(w io.Writer, commands []completion) {
	fmt.Fprintf(w, `#compdef reqon
# Completion of reqon for zsh.
_reqon_paths() {
    if [[ -z $reqon_command ]]; then
        local -a reqon_commands
        reqon_commands=(
`)
	for _, c := range commands {
		fmt.Fprintf(w, "            %s\n", shellQuote(c.name+":"+c.usage))
	}
	fmt.Fprintf(w, `        )
        _describe -t commands command reqon_commands
    fi
    _files
}
_reqon() {
    local reqon_command= i
    for ((i = 2; i < CURRENT; i++)); do
        case $words[i] in
            (%s) ((i++)) ;;
            (-*) ;;
            (%s) reqon_command=$words[i]; break ;;
            (*) reqon_command=run; break ;;
        esac
    done
    case ${reqon_command:-run} in
`, strings.Join(valueOptions(commands), "|"), strings.Join(commandNames(commands), "|"))
	for _, c := range commands {
		fmt.Fprintf(w, "        (%s) _arguments", c.name)
		for _, o := range c.options {
			for _, name := range o.names {
				fmt.Fprintf(w, " \\\n            %s", shellQuote(zshOption(name, &o)))
			}
		}
		// The command itself is one of the arguments, already there.
		rest := "*:mission:_reqon_paths"
		if c.words != nil {
			rest = "*:argument:(" + strings.Join(c.words, " ") + ")"
		}
		fmt.Fprintf(w, " \\\n            %s ;;\n", shellQuote(rest))
	}
	fmt.Fprint(w, `    esac
}
if [[ $funcstack[1] == _reqon ]]; then
    _reqon "$@"
else
    compdef _reqon reqon
fi
`)
}

// zshOption is the specification of an option for _arguments. One that is given
// may be given again: some are repeatable.
func zshOption(name string, o *completionOption) string {
	spec := "*" + name
	if o.takesValue && strings.HasPrefix(name, "--") {
		spec += "="
	}
	spec += "[" + strings.NewReplacer(`\`, `\\`, "[", `\[`, "]", `\]`).Replace(o.usage) + "]"
	switch {
	case !o.takesValue:
	case o.files:
		spec += ":file:_files"
	case o.folders:
		spec += ":folder:_files -/"
	case o.words != nil:
		spec += ":value:(" + strings.Join(o.words, " ") + ")"
	default:
		spec += ":value: "
	}
	return spec
}

// writeFish writes a script for fish 3 and later.
func writeFish(w io.Writer, commands []completion) {
	fmt.Fprintf(w, `# Completion of reqon for fish.
# Whether the command of the line is the one named; "none" is before there is one.
function __reqon_in
    set -l words (commandline -opc)
    set -e words[1]
    set -l skip 0
    for word in $words
        if test $skip = 1
            set skip 0
            continue
        end
        switch $word
            case %s
                set skip 1
            case '-*'
            case %s
                test $word = $argv[1]
                return
            case '*'
                test run = $argv[1]
                return
        end
    end
    contains -- $argv[1] none run
end
`, strings.Join(valueOptions(commands), " "), strings.Join(commandNames(commands), " "))
	for _, c := range commands {
		fmt.Fprintf(w, "complete -c reqon -n '__reqon_in none' -a %s -d %s\n", c.name, fishQuote(c.usage))
	}
	for _, c := range commands {
		in := fmt.Sprintf("complete -c reqon -n '__reqon_in %s'", c.name)
		if c.words != nil {
			fmt.Fprintf(w, "%s -f\n", in)
		}
		if len(c.words) > 0 {
			fmt.Fprintf(w, "%s -a %s\n", in, fishQuote(strings.Join(c.words, " ")))
		}
		for _, o := range c.options {
			fmt.Fprint(w, in)
			for _, name := range o.names {
				if long, ok := strings.CutPrefix(name, "--"); ok {
					fmt.Fprintf(w, " -l %s", long)
				} else {
					fmt.Fprintf(w, " -s %s", name[1:])
				}
			}
			switch {
			case !o.takesValue:
			case o.files:
				fmt.Fprint(w, " -r -F")
			case o.folders:
				fmt.Fprint(w, " -x -a '(__fish_complete_directories)'")
			default:
				fmt.Fprint(w, " -x")
			}
			if len(o.words) > 0 {
				fmt.Fprintf(w, " -a %s", fishQuote(strings.Join(o.words, " ")))
			}
			fmt.Fprintf(w, " -d %s\n", fishQuote(o.usage))
		}
	}
}

// shellQuote puts a text into single quotes for bash and zsh.
func shellQuote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// fishQuote puts a text into single quotes for fish.
func fishQuote(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(s) + "'"
}
