// Package site makes the page: a folder of static files with nbr in it, which any server of files serves.
package site

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/nbr-dev/nbr/hcl/source"
)

//go:embed static
var static embed.FS

// Program is nbr in the page, in the folder of the page. It is packed here and unpacked by the page, since many servers
// do not pack what is large.
const Program = "nbr.wasm.gz"

// worker is the script that keeps the page for when there is no network.
const worker = "offline.js"

// Build makes the page in a folder, which it makes too. module is the folder of nbr's source and examples has a
// folder with a spec for each example. The go command of the path builds the program.
func Build(ctx context.Context, module string, examples fs.FS, dir string) error {
	files, err := staticFiles()
	if err != nil {
		return err
	}
	if files["examples.json"], err = exampleSpecs(examples); err != nil {
		return err
	}
	if files[Program], err = program(ctx, module); err != nil {
		return err
	}
	root, err := output(exec.CommandContext(ctx, "go", "env", "GOROOT"))
	if err != nil {
		return err
	}
	// Beside Go's own WebAssembly programs: it is of the Go that built this one.
	if files["wasm_exec.js"], err = os.ReadFile(filepath.Join(strings.TrimSpace(string(root)), "lib", "wasm", "wasm_exec.js")); err != nil {
		return err
	}
	files[worker] = append(kept(files), files[worker]...)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for name, b := range files {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o644); err != nil {
			return err
		}
	}
	return nil
}

func staticFiles() (map[string][]byte, error) {
	files := map[string][]byte{}
	entries, err := static.ReadDir("static")
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if files[e.Name()], err = static.ReadFile("static/" + e.Name()); err != nil {
			return nil, err
		}
	}
	return files, nil
}

// kept are the lines of the worker that name the files of the page, and what they are: with other ones it is
// another worker.
func kept(files map[string][]byte) []byte {
	sum := sha256.New()
	names := slices.Sorted(maps.Keys(files))
	for _, name := range names {
		fmt.Fprintf(sum, "%s %d\n", name, len(files[name]))
		sum.Write(files[name])
	}
	names = slices.DeleteFunc(names, func(name string) bool { return name == worker })
	list, err := json.Marshal(append([]string{"./"}, names...))
	if err != nil {
		panic(err) // texts always encode
	}
	return fmt.Appendf(nil, "const version = %q;\nconst files = %s;\n", hex.EncodeToString(sum.Sum(nil)), list)
}

// exampleSpecs are the files of each spec by its name, as JSON.
func exampleSpecs(examples fs.FS) ([]byte, error) {
	all := map[string]map[string]string{}
	err := fs.WalkDir(examples, ".", func(name string, d fs.DirEntry, err error) error {
		spec, file, below := strings.Cut(name, "/")
		if err != nil || d.IsDir() || !below {
			return err
		}
		b, err := source.ReadFile(examples, name)
		if all[spec] == nil {
			all[spec] = map[string]string{}
		}
		all[spec][file] = string(b)
		return err
	})
	if err == nil && len(all) == 0 {
		err = fmt.Errorf("no folder of the examples has a spec: %w", fs.ErrNotExist)
	}
	if err != nil {
		return nil, err
	}
	return json.Marshal(all)
}

// program builds nbr for the page.
func program(ctx context.Context, module string) ([]byte, error) {
	dir, err := os.MkdirTemp("", "nbr-site")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "nbr.wasm")
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s", "-o", file, "./site/wasm")
	cmd.Dir, cmd.Env = module, append(os.Environ(), "GOOS=js", "GOARCH=wasm")
	if _, err := output(cmd); err != nil {
		return nil, err
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	zip, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := zip.Write(b); err != nil {
		return nil, err
	}
	if err := zip.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// output runs a command, whose error says what the command said.
func output(cmd *exec.Cmd) ([]byte, error) {
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, said.Bytes())
	}
	return out, nil
}
