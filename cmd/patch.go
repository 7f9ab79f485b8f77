package cmd

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"github.com/nbr-dev/nbr/firmware"
)

func (a *app) patchCommand() *cli.Command {
	return &cli.Command{
		Name: "patch", Usage: "write the firmware and kernel changes as patches for nixos-sbc", ArgsUsage: "[DIR]",
		Description: "The same change that nbr gen makes with overrides, for those who carry a fork of\n" +
			"nixos-sbc or want to send it upstream: a series for git am.\n\n" +
			"Examples:\n   nbr patch router/ | git -C nixos-sbc am\n   nbr patch -o patches router/",
		Flags:  append(specFlags(), &cli.StringFlag{Name: "o", Usage: "write one file a patch into `DIR` instead of standard output"}),
		Action: a.patch,
	}
}

func (a *app) patch(c *cli.Context) error {
	if c.NArg() > 1 {
		return usage("nbr patch takes one folder")
	}
	specs, err := a.load(c, dirs(c))
	if err != nil {
		return err
	}
	s := specs[0]
	patches, diags := firmware.Patches(s.Router, firmware.Of(s.Spec))
	if err := a.diagWriter(s.Spec, s.dir).Write(diags); err != nil {
		return err
	}
	if diags.HasErrors() {
		return exit{code: ExitSpec}
	}
	if c.String("o") == "" {
		for _, p := range patches {
			if _, err := a.Stdout.Write(p.Body); err != nil {
				return err
			}
		}
		return nil
	}
	return a.writePatches(c.String("o"), patches)
}

// writePatches writes a file a patch; a file of that name with other content is
// not nbr's and left alone.
func (a *app) writePatches(dir string, patches []firmware.PatchFile) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return exit{ExitUnknown, err.Error()}
	}
	for _, p := range patches {
		file := filepath.Join(dir, p.Name)
		have, err := os.ReadFile(file)
		switch {
		case err == nil && string(have) == string(p.Body):
		case err == nil:
			return exit{ExitFailed, file + " is there already, with other content, and was left alone"}
		case !errors.Is(err, fs.ErrNotExist):
			return exit{ExitUnknown, err.Error()}
		default:
			if err := replaceFile(file, p.Body); err != nil {
				return exit{ExitUnknown, err.Error()}
			}
		}
		fmt.Fprintln(a.Stdout, file)
	}
	return nil
}
