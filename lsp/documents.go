package lsp

import (
	"fmt"
	"net/url"
	"path"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/nbr-dev/nbr/hcl/source"
)

// A document is a file that an editor has open, or one beside it.
type document struct {
	dir, name string
}

// document is the file that a URI names: one of a spec, by its name.
func documentOf(uri string) (document, error) {
	u, err := url.Parse(uri)
	if err != nil || u.Scheme != "file" || u.Host != "" && u.Host != "localhost" || !path.IsAbs(u.Path) {
		return document{}, fmt.Errorf("%q is no file of this machine", uri)
	}
	file := u.Path
	if runtime.GOOS == "windows" {
		file = strings.TrimPrefix(file, "/")
	}
	dir, name := filepath.Split(filepath.FromSlash(path.Clean(file)))
	if !source.IsSpec(name) {
		return document{}, fmt.Errorf("%s is no file of a spec, which are *.hcl and *.hcl.json", name)
	}
	return document{filepath.Clean(dir), name}, nil
}

// uri is the URI of a file in a folder.
func uri(dir, name string) string {
	file := path.Join(filepath.ToSlash(dir), name)
	if !strings.HasPrefix(file, "/") {
		file = "/" + file
	}
	return (&url.URL{Scheme: "file", Path: file}).String()
}
