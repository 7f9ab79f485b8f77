// Package root is the files of a machine: those of this one, or of a folder that stands
// for one.
package root

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// ErrNotThere is of something that was looked for, where it would be. It is not
// os.ErrNotExist, which may as well be of the program that looks.
var ErrNotThere = errors.New("not there")

// A Root is put in front of every path. The empty one is this machine's.
type Root string

// Path is where a file of the machine is.
func (r Root) Path(name string) string { return filepath.Join("/", string(r), name) }

// Open opens a file of the machine.
func (r Root) Open(name string) (*os.File, error) { return os.Open(r.Path(name)) }

// Limit is more bytes than any file of /proc or /etc has that is read whole.
const Limit = 16 << 20

// Read reads a file of /proc or /etc, whose size stat(2) does not tell, up to Limit.
func (r Root) Read(name string) ([]byte, error) {
	f, err := r.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return ReadAll(f, Limit)
}

// Line reads a file of one line.
func (r Root) Line(name string) (string, error) {
	b, err := r.Read(name)
	return strings.TrimSuffix(string(b), "\n"), err
}

// Link is where a symbolic link leads.
func (r Root) Link(name string) (string, error) { return os.Readlink(r.Path(name)) }

// SystemPath is where NixOS has the system's programs.
const SystemPath = "/run/current-system/sw/bin"

// Program is where a program is, by its name or its absolute path. A unit of systemd has
// few folders in its PATH, and that of the system's own programs not among them.
func (r Root) Program(name string) (string, error) {
	if strings.Contains(name, "/") {
		if name[0] != '/' {
			return "", fmt.Errorf("%s: neither a name nor an absolute path", name)
		}
		return name, nil
	}
	if p, err := exec.LookPath(name); err == nil {
		return p, nil
	}
	p, err := exec.LookPath(r.Path(SystemPath + "/" + name))
	if err != nil {
		return "", fmt.Errorf("%s: not found in PATH or %s", name, SystemPath)
	}
	return p, nil
}

// ReadAll reads at most so many bytes, and fails if there are more.
func ReadAll(r io.Reader, most int64) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, most+1))
	if err == nil && int64(len(b)) > most {
		err = fmt.Errorf("more than %d bytes", most)
	}
	return b, err
}
