package main

import "github.com/urfave/cli/v2"

func demoCommand() *cli.Command {
	return &cli.Command{Name: "demo", Usage: "run example missions against a sample API", Action: func(*cli.Context) error { return nil }}
}
