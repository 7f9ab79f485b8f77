package cmd

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/nbr-dev/nbr"
	"github.com/nbr-dev/nbr/flake"
)

func (a *app) versionCommand() *cli.Command {
	return &cli.Command{
		Name: "version", Usage: "print the version of nbr",
		Description: "The release, and the beginning of the SHA-256 of the source, as in\n" +
			"routers/nbr/source.tar.gz: two programs of one source print the same.\n\nExamples:\n   nbr version",
		Action: func(c *cli.Context) error {
			if c.Args().Present() {
				return usage("nbr version takes no arguments")
			}
			return a.printVersion()
		},
	}
}

func (a *app) printVersion() error {
	version, err := a.version()
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(a.Stdout, "nbr "+version)
	return err
}

// version is the release and, as far as it is known, the source of the program.
func (a *app) version() (string, error) {
	if a.Source == nil {
		return nbr.Version, nil
	}
	archive, err := flake.Archive(a.Source)
	if err != nil {
		return "", err
	}
	return nbr.Version + "+" + flake.Hash(archive)[:12], nil
}
