package cmd

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/router/starter"
)

func (a *app) initCommand() *cli.Command {
	return &cli.Command{
		Name: "init", Usage: "write a first spec, with comments that teach", ArgsUsage: "[DIR]",
		Description: "Writes router.hcl into the folder (the current one by default): a router for the board,\n" +
			"with its ports and memory, and with your SSH public key if you have one. Nothing that\n" +
			"exists is overwritten. nbr boards lists the boards.\n\n" +
			"Examples:\n   nbr init router/\n   nbr init -board pc-x86_64 router/\n   nbr init -key ~/.ssh/work.pub router/",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "board", Value: starter.Board, Usage: "write it for the board with this `ID`"},
			&cli.StringFlag{Name: "key", Usage: "the SSH public key in `FILE`; without it the first of ~/.ssh/id_*.pub"},
		},
		Action: a.init,
	}
}

func (a *app) init(c *cli.Context) error {
	dir := "."
	switch c.NArg() {
	case 0:
	case 1:
		dir = c.Args().First()
	default:
		return usage("nbr init takes one folder")
	}
	board, err := a.board(c.String("board"))
	if err != nil {
		return err
	}
	key, from, err := publicKey(c.String("key"))
	if err != nil {
		return exit{ExitSpec, err.Error()}
	}
	text, err := starter.Spec(starter.Choice{Board: board, Key: key, Tunnel: true})
	if err != nil {
		return exit{ExitSpec, err.Error()}
	}
	file := filepath.Join(dir, "router.hcl")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return exit{ExitUnknown, err.Error()}
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return exit{ExitFailed, file + " is there already and was left alone"}
	}
	if err != nil {
		return exit{ExitUnknown, err.Error()}
	}
	_, err = f.WriteString(text)
	if err := errors.Join(err, f.Close()); err != nil {
		return exit{ExitUnknown, err.Error()}
	}
	fmt.Fprintf(a.Stdout, "wrote %s\n", file)
	next := "next"
	if key == "" {
		next = "then"
		fmt.Fprintln(a.Stdout, "No SSH public key found: put yours into authorized_keys of user \"root\", or no login is possible.")
	} else {
		fmt.Fprintf(a.Stdout, "root logs in with the key of %s\n", from)
	}
	fmt.Fprintf(a.Stdout, "%s: nbr check %s && nbr gen -o out %s\n", next, dir, dir)
	return nil
}

// publicKey finds the user's SSH public key.
func publicKey(file string) (key, from string, err error) {
	files := []string{file}
	if file == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", "", nil // no home folder: no key
		}
		if files, err = filepath.Glob(filepath.Join(home, ".ssh", "id_*.pub")); err != nil {
			return "", "", err
		}
	}
	if len(files) == 0 {
		return "", "", nil
	}
	b, err := os.ReadFile(files[0])
	if err != nil {
		return "", "", err
	}
	var k router.SSHKey
	if k.UnmarshalText(b) != nil { // its error quotes the file, which may be the private key
		return "", "", fmt.Errorf("%s is no SSH public key: give the file that ends in .pub", files[0])
	}
	return strings.TrimSpace(string(k)), files[0], nil
}
