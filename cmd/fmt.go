package cmd

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/diff"
	"github.com/urfave/cli/v2"

	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/hcl/source"
)

func (a *app) fmtCommand() *cli.Command {
	return &cli.Command{
		Name: "fmt", Usage: "format specs", ArgsUsage: "[DIR|FILE...]",
		Description: "Rewrites *.hcl files in the one form, and prints the names of those it changed.\n" +
			"Reads standard input and writes standard output when the argument is -.\n\n" +
			"Examples:\n   nbr fmt router/\n   nbr fmt -check router/    exit code 1 if a file is not formatted\n   nbr fmt - <router.hcl",
		Flags: []cli.Flag{
			boolFlag("check", "write nothing; exit code 1 if a file would change"),
			boolFlag("diff", "write nothing; print what would change"),
		},
		Action: a.fmt,
	}
}

func (a *app) fmt(c *cli.Context) error {
	if c.NArg() == 1 && c.Args().First() == "-" {
		return a.fmtStdin(c)
	}
	var files []specFile
	for _, arg := range dirs(c) {
		found, err := hclFiles(arg)
		if err != nil {
			return exit{ExitSpec, err.Error()}
		}
		files = append(files, found...)
	}
	changed, bad := false, false
	for _, file := range files {
		src, err := file.read()
		if err != nil {
			return exit{ExitSpec, err.Error()}
		}
		file := file.path
		out, diags := source.Format(file, src)
		if diags.HasErrors() {
			bad = true
			w := diag.Writer{W: a.Stderr, Bytes: func(string) []byte { return src }, Color: a.Color, Width: a.Width}
			if err := w.Write(diags); err != nil {
				return err
			}
			continue
		}
		if bytes.Equal(src, out) {
			continue
		}
		changed = true
		if err := a.fmtOne(c, file, src, out); err != nil {
			return exit{ExitUnknown, err.Error()}
		}
	}
	switch {
	case bad:
		return exit{code: ExitSpec}
	case changed && c.Bool("check"):
		return exit{code: ExitFailed}
	}
	return nil
}

func (a *app) fmtOne(c *cli.Context, file string, src, out []byte) error {
	if c.Bool("diff") {
		return a.fmtDiff(file, src, out)
	}
	if !c.Bool("check") {
		if err := replaceFile(file, out); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintln(a.Stdout, file)
	return err
}

// fmtDiff prints what would change, without what looks confidential.
func (a *app) fmtDiff(file string, src, out []byte) error {
	secrets := diag.NewSecrets()
	secrets.Add(file, src)
	_, err := fmt.Fprint(a.Stdout, secrets.Text(string(diff.Diff("a/"+file, src, "b/"+file, out))))
	return err
}

func (a *app) fmtStdin(c *cli.Context) error {
	const name = "standard input"
	src, err := source.Read(a.Stdin)
	if err != nil {
		return exit{ExitSpec, fmt.Sprintf("%s cannot be read: %s", name, err)}
	}
	out, diags := source.Format(name, src)
	if diags.HasErrors() {
		w := diag.Writer{W: a.Stderr, Bytes: func(string) []byte { return src }, Color: a.Color, Width: a.Width}
		return errors.Join(w.Write(diags), exit{code: ExitSpec})
	}
	check, same := c.Bool("check"), bytes.Equal(src, out)
	switch {
	case c.Bool("diff"):
		if err := a.fmtDiff(name, src, out); err != nil {
			return err
		}
		out = nil
	case check:
		out = nil
	}
	if _, err := a.Stdout.Write(out); err != nil {
		return err
	}
	if check && !same {
		return exit{code: ExitFailed}
	}
	return nil
}

// A specFile is a file to format: one that the user names, or one in a folder, which
// must not lead out of it.
type specFile struct{ path, dir string }

func (f specFile) read() ([]byte, error) {
	if f.dir == "" {
		return source.ReadPath(f.path)
	}
	b, err := source.ReadFile(source.Dir(f.dir), filepath.Base(f.path))
	var pe *fs.PathError
	if errors.As(err, &pe) {
		err = pe.Err
	}
	if err != nil {
		return nil, fmt.Errorf("%s cannot be read: %w", f.path, err)
	}
	return b, nil
}

// hclFiles are the native-syntax files of a folder, or the file itself.
func hclFiles(arg string) ([]specFile, error) {
	info, err := os.Stat(arg)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		if strings.HasSuffix(arg, ".json") {
			return nil, fmt.Errorf("%s is JSON, and nbr fmt formats HCL", arg)
		}
		return []specFile{{path: arg}}, nil
	}
	entries, err := os.ReadDir(arg)
	if err != nil {
		return nil, err
	}
	var out []specFile
	for _, e := range entries {
		if !e.IsDir() && source.IsSpec(e.Name()) && strings.HasSuffix(e.Name(), ".hcl") {
			out = append(out, specFile{filepath.Join(arg, e.Name()), arg})
		}
	}
	return out, nil
}

// replaceFile writes beside the file and renames, so that a crash loses nothing.
// A link stays one.
func replaceFile(file string, b []byte) error {
	if to, err := filepath.EvalSymlinks(file); err == nil {
		file = to
	}
	mode := fs.FileMode(0o644)
	if info, err := os.Stat(file); err == nil {
		mode = info.Mode().Perm()
	}
	return replace(file, b, mode)
}

// replace puts a new file into the place of one of this name, if there is one: all of it or nothing.
func replace(file string, b []byte, mode fs.FileMode) error {
	tmp, err := os.CreateTemp(filepath.Dir(file), ".nbr-*") // 0600
	if inner := (*fs.PathError)(nil); errors.As(err, &inner) {
		return &fs.PathError{Op: "write", Path: file, Err: inner.Err} // the other name says nothing to the user
	}
	if err != nil {
		return err
	}
	_, err = tmp.Write(b)
	err = errors.Join(err, tmp.Chmod(mode), tmp.Sync(), tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), file)
	}
	if err != nil {
		return errors.Join(err, os.Remove(tmp.Name()))
	}
	return nil
}
