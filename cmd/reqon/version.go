package main

import (
	"fmt"
	"runtime"

	"github.com/urfave/cli/v2"

	"reqon/vm/bytecode"
)

func versionCommand() *cli.Command {
	return &cli.Command{
		Name:  "version",
		Usage: "print the version",
		Action: func(c *cli.Context) error {
			fmt.Fprintf(c.App.Writer, "reqon %s (bytecode %d, %s, %s/%s)\n", version, bytecode.Version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return nil
		},
	}
}
