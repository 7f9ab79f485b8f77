package flake

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// stagePrefix begins the name of the folder in which a new tree is made.
const stagePrefix = ".nbr-"

// A Plan is what writing a tree would do. Paths are relative to the output folder.
type Plan struct {
	Write  []Change // new or different
	Remove []string // generated once, not any more
	Kept   []string // edited by somebody since they were generated: left alone
	Same   int
	tree   *Tree
	dir    string
	link   bool // flake.nix is not there yet
	force  bool
	on     map[string][]byte // what is on disk below Dir and will be replaced or kept
}

// A Change is a file that is written.
type Change struct {
	Path     string
	Old, New []byte // Old is nil when the file is not there
}

// Stale tells whether the folder differs from the tree.
func (p *Plan) Stale() bool { return len(p.Write)+len(p.Remove)+len(p.Kept) > 0 || p.link }

// Compare says what writing the tree to the folder would do. With force, edited
// files are overwritten.
func (t *Tree) Compare(dir string, force bool) (*Plan, error) {
	p := &Plan{tree: t, dir: dir, force: force, on: map[string][]byte{}}
	old, err := readManifest(filepath.Join(dir, Dir, ManifestName))
	if err != nil {
		return nil, err
	}
	if err := p.checkLink(); err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(t.Files)) {
		if err := p.compare(name, old); err != nil {
			return nil, err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(old.Files)) {
		if _, still := t.Files[name]; still {
			continue
		}
		b, err := os.ReadFile(p.file(name))
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return nil, err
		case Hash(b) == old.Files[name] || force:
			p.Remove = append(p.Remove, filepath.Join(Dir, name))
		default:
			p.Kept = append(p.Kept, filepath.Join(Dir, name))
		}
	}
	return p, nil
}

func (p *Plan) file(name string) string { return filepath.Join(p.dir, Dir, filepath.FromSlash(name)) }

// compare decides about one file of the new tree.
func (p *Plan) compare(name string, old Manifest) error {
	want := p.tree.Files[name]
	have, err := os.ReadFile(p.file(name))
	path := filepath.Join(Dir, name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		p.Write = append(p.Write, Change{path, nil, want})
	case err != nil:
		return err
	case bytes.Equal(have, want):
		p.Same++
	case name != ManifestName && Hash(have) != old.Files[name] && !p.force:
		p.Kept = append(p.Kept, path)
		p.on[name] = have
	default:
		p.Write = append(p.Write, Change{path, have, want})
	}
	return nil
}

// checkLink looks at flake.nix: it is our link, nothing yet, or somebody's file.
func (p *Plan) checkLink() error {
	file := filepath.Join(p.dir, "flake.nix")
	to, err := os.Readlink(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		p.link = true
	case err == nil && to == Link:
	case p.force:
		p.link = true
	default:
		return fmt.Errorf("%s is there and not made by nbr: move it away, choose another folder with -o, or replace it with -force", file)
	}
	return nil
}

func readManifest(file string) (Manifest, error) {
	var m Manifest
	b, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return m, nil
	}
	if err == nil {
		err = json.Unmarshal(b, &m)
	}
	if err != nil {
		return m, fmt.Errorf("the list of generated files cannot be read, so nbr cannot tell them from yours: %w", err)
	}
	return m, nil
}

// Apply writes the tree. Everything is made in a folder of its own and takes the
// place of the old one in a single step (renameat2 with RENAME_EXCHANGE), so that
// whoever kills nbr leaves the old tree or the new one.
func (p *Plan) Apply() error {
	if !p.Stale() || len(p.Write)+len(p.Remove) == 0 && !p.link {
		return nil
	}
	if err := os.MkdirAll(p.dir, 0o755); err != nil {
		return err
	}
	unlock, err := lock(p.dir)
	if err != nil {
		return err
	}
	defer unlock()
	if err := sweep(p.dir); err != nil {
		return err
	}
	stage, err := os.MkdirTemp(p.dir, stagePrefix)
	if err != nil {
		return err
	}
	defer os.RemoveAll(stage) // after the exchange this is the old tree
	if err := p.fill(stage); err != nil {
		return err
	}
	if err := swap(stage, filepath.Join(p.dir, Dir)); err != nil {
		return err
	}
	if p.link {
		return placeLink(p.dir, stage)
	}
	return syncDir(p.dir)
}

// fill makes the new content of Dir: the generated files, the edited ones as they
// are, and everything that is not ours.
func (p *Plan) fill(stage string) error {
	if err := os.Chmod(stage, 0o755); err != nil {
		return err
	}
	for name, b := range p.tree.Files {
		if kept, ok := p.on[name]; ok {
			b = kept
		}
		if err := writeFile(filepath.Join(stage, filepath.FromSlash(name)), b); err != nil {
			return err
		}
	}
	gone := map[string]bool{}
	for _, r := range p.Remove {
		gone[r] = true
	}
	root := filepath.Join(p.dir, Dir)
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) && path == root {
			return nil
		}
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil || rel == "." {
			return err
		}
		if _, ours := p.tree.Files[filepath.ToSlash(rel)]; ours || gone[filepath.Join(Dir, rel)] {
			return nil
		}
		return carry(path, filepath.Join(stage, rel), d)
	})
	if err != nil {
		return err
	}
	return pruneEmpty(stage, gone)
}

// carry takes a file that is not ours into the new folder: the same file, not a
// copy, so that an editor that has it open goes on with it.
func carry(from, to string, d fs.DirEntry) error {
	if d.IsDir() {
		return os.MkdirAll(to, 0o755)
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	if d.Type()&fs.ModeSymlink != 0 {
		target, err := os.Readlink(from)
		if err != nil {
			return err
		}
		return os.Symlink(target, to)
	}
	return os.Link(from, to)
}

// pruneEmpty removes folders that held only files that are gone.
func pruneEmpty(stage string, gone map[string]bool) error {
	for path := range gone {
		rel, err := filepath.Rel(Dir, path)
		if err != nil {
			return err
		}
		for d := filepath.Dir(rel); d != "."; d = filepath.Dir(d) {
			if os.Remove(filepath.Join(stage, d)) != nil {
				break // not empty, or gone already
			}
		}
	}
	return nil
}

func writeFile(file string, b []byte) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	return errors.Join(err, f.Sync(), f.Close())
}

// swap puts stage in the place of dir, and what was there into stage.
func swap(stage, dir string) error {
	if _, err := os.Lstat(dir); errors.Is(err, fs.ErrNotExist) {
		return os.Rename(stage, dir)
	}
	if err := exchange(stage, dir); err != nil {
		return fmt.Errorf("this file system cannot exchange two folders in one step: %w", err)
	}
	return nil
}

// placeLink makes flake.nix lead into Dir.
func placeLink(dir, stage string) error {
	tmp := stage + "-link"
	if err := os.Symlink(Link, tmp); err != nil {
		return err
	}
	if err := os.Rename(tmp, filepath.Join(dir, "flake.nix")); err != nil {
		return errors.Join(err, os.Remove(tmp))
	}
	return syncDir(dir)
}

// sweep removes what a killed run left behind. Nobody else is at work: the folder
// is locked.
func sweep(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), stagePrefix) {
			if err := os.RemoveAll(filepath.Join(dir, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

// lock keeps a second nbr gen out of the folder. The lock goes with the process.
func lock(dir string) (unlock func(), err error) {
	d, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(d.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("another nbr gen is writing to %s", dir), d.Close())
	}
	return func() { d.Close() }, nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
