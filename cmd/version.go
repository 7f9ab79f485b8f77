package cmd

import (
	"fmt"
	"runtime/debug"

	"github.com/urfave/cli/v2"
)

// version is set by the linker: -X github.com/nbr-dev/nbr/cmd.version=1.2.3.
var version = ""

func (a *app) versionCommand() *cli.Command {
	return &cli.Command{
		Name: "version", Usage: "print the version of nbr",
		Description: "Examples:\n   nbr version",
		Action: func(c *cli.Context) error {
			if c.Args().Present() {
				return usage("nbr version takes no arguments")
			}
			return a.printVersion()
		},
	}
}

func (a *app) printVersion() error {
	_, err := fmt.Fprintln(a.Stdout, "nbr "+buildVersion())
	return err
}

func buildVersion() string {
	info, ok := debug.ReadBuildInfo()
	switch {
	case version != "":
		return version
	case ok && info.Main.Version != "":
		return info.Main.Version
	default:
		return "unknown"
	}
}
