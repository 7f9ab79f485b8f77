package flake

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// LockName is Nix's file of what the inputs are at. nbr writes a first one, with the
// revisions that it was tried with, and never touches one that is there: Nix adds to
// it, and nix flake update moves it.
const LockName = "flake.lock"

// lockVersion is the version of the form of flake.lock (Nix, src/libflake/lockfile.cc).
const lockVersion = 7

// Locked is the state of an input that a lock file holds.
type Locked struct {
	Rev          string // of git
	LastModified int64  // Unix time of the commit; 0 is not known
}

// Time is when the state was committed; the zero time is not known.
func (l Locked) Time() time.Time {
	if l.LastModified == 0 {
		return time.Time{}
	}
	return time.Unix(l.LastModified, 0).UTC()
}

// lockFile is flake.lock, as far as nbr reads or writes it.
type lockFile struct {
	Nodes   map[string]lockNode `json:"nodes"`
	Root    string              `json:"root"`
	Version int                 `json:"version"`
}

type lockNode struct {
	// Inputs maps a name to a node, or to the path of the input that it follows.
	Inputs   map[string]any `json:"inputs,omitempty"`
	Locked   *lockRef       `json:"locked,omitempty"`
	Original *lockRef       `json:"original,omitempty"`
}

type lockRef struct {
	LastModified int64  `json:"lastModified,omitempty"`
	Owner        string `json:"owner,omitempty"`
	Ref          string `json:"ref,omitempty"`
	Repo         string `json:"repo,omitempty"`
	Rev          string `json:"rev,omitempty"`
	Type         string `json:"type"`
}

// firstLock is the first flake.lock of a tree with these inputs, or nil when nbr knows the
// state of none. It holds only what nbr knows: Nix adds the other inputs, and what
// those need, without another look at what is there. It has no narHash, which Nix
// does not ask for when the revision is git's and the place is GitHub
// (trust-tarballs-from-git-forges).
func firstLock(inputs []Input) []byte {
	root := lockNode{Inputs: map[string]any{}}
	f := lockFile{Nodes: map[string]lockNode{}, Root: "root", Version: lockVersion}
	for _, in := range inputs {
		ref, ok := strings.CutPrefix(in.URL, "github:")
		parts := strings.Split(ref, "/")
		if in.Locked == nil || !ok || len(parts) != 3 {
			continue
		}
		f.Nodes[in.Name] = lockNode{
			Locked:   &lockRef{Type: "github", Owner: parts[0], Repo: parts[1], Rev: in.Locked.Rev, LastModified: in.Locked.LastModified},
			Original: &lockRef{Type: "github", Owner: parts[0], Repo: parts[1], Ref: parts[2]},
		}
		root.Inputs[in.Name] = in.Name
	}
	if len(f.Nodes) == 0 {
		return nil
	}
	f.Nodes["root"] = root
	out, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		panic(err) // texts and numbers always encode
	}
	return append(out, '\n')
}

// ReadLock is what the lock file of a tree says of the flake's inputs, by their
// names: nothing when there is none yet. Inputs that follow another are left out.
func ReadLock(dir string) (map[string]Locked, error) {
	file := filepath.Join(dir, LockName)
	b, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var f lockFile
	if err == nil {
		err = json.Unmarshal(b, &f)
	}
	if err == nil && f.Version != lockVersion {
		err = fmt.Errorf("it is of version %d, and nbr reads version %d", f.Version, lockVersion)
	}
	if err != nil {
		return nil, fmt.Errorf("%s cannot be read: %w", file, err)
	}
	out := map[string]Locked{}
	for name, to := range f.Nodes[f.Root].Inputs {
		node, _ := to.(string)
		if l := f.Nodes[node].Locked; l != nil {
			out[name] = Locked{Rev: l.Rev, LastModified: l.LastModified}
		}
	}
	return out, nil
}
