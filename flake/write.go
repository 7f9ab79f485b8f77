//go:build !wasm

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
	"regexp"
	"slices"

	"golang.org/x/sys/unix"
)

// stagePrefix begins the name of the folder in which a new tree is made.
const stagePrefix = ".nbr-gen-"

var stageRE = regexp.MustCompile(`^\.nbr-gen-[0-9]+$`) // os.MkdirTemp appends digits

// A Plan is what writing a tree would do. Paths are relative to the output folder.
type Plan struct {
	Write  []Change // new or different
	Remove []string // generated once, not any more
	Kept   []string // edited since they were generated: left alone
	Yours  []string // edited, and not generated any more: from now on the user's own
	Same   int
	Lock   []byte // the flake.lock to begin with; nil where one is there, or nbr knows nothing for it
	tree   *Tree
	dir    string
	link   bool // flake.nix is not there yet
	force  bool
	left   []string        // what killed runs left behind
	keep   map[string]bool // Kept, below Dir
}

// A Change is a file that is written.
type Change struct {
	Path     string
	Old, New []byte // Old is nil when the file is not there
}

// Stale tells whether the folder differs from the tree. flake.lock is the user's and
// Nix's: that it is missing is no difference.
func (p *Plan) Stale() bool { return p.differs() || len(p.Kept) > 0 }

// differs tells whether there is something to write or to remove.
func (p *Plan) differs() bool { return len(p.Write)+len(p.Remove) > 0 || p.link }

// Compare says what writing the tree to the folder would do. With force, edited
// files are overwritten.
func (t *Tree) Compare(dir string, force bool) (*Plan, error) {
	p := &Plan{tree: t, dir: dir, force: force, keep: map[string]bool{}}
	if err := p.checkDir(); err != nil {
		return nil, err
	}
	old, err := readManifest(filepath.Join(dir, Dir, ManifestName))
	if err != nil {
		return nil, err
	}
	if err := p.checkLink(); err != nil {
		return nil, err
	}
	if err := p.checkLock(); err != nil {
		return nil, err
	}
	if p.left, err = leftovers(dir); err != nil {
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
		have, at, err := p.read(name)
		switch {
		case err != nil:
			return nil, err
		case at == nothing:
		case at == ours && Hash(have) == old.Files[name] || force:
			p.Remove = append(p.Remove, filepath.Join(Dir, name))
		default:
			p.Yours = append(p.Yours, filepath.Join(Dir, name))
		}
	}
	return p, nil
}

func (p *Plan) file(name string) string { return filepath.Join(p.dir, Dir, filepath.FromSlash(name)) }

// kind is what can be at the path of a generated file.
type kind int

const (
	nothing kind = iota // or a folder, which only matters when files of the user are in it
	ours                // a regular file: generated, unless its hash says otherwise
	foreign             // a link or another thing that nbr never makes
)

// read is what is at a path of the tree.
func (p *Plan) read(name string) ([]byte, kind, error) {
	info, err := os.Lstat(p.file(name))
	switch {
	case errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTDIR):
		return nil, nothing, nil
	case err != nil:
		return nil, nothing, err
	case info.IsDir():
		return nil, nothing, nil
	case !info.Mode().IsRegular():
		return nil, foreign, nil
	}
	b, err := os.ReadFile(p.file(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nothing, nil // another run has replaced the tree in between
	}
	return b, ours, err
}

// compare decides about one file of the new tree.
func (p *Plan) compare(name string, old Manifest) error {
	want := p.tree.Files[name]
	have, at, err := p.read(name)
	path := filepath.Join(Dir, name)
	switch {
	case err != nil:
		return err
	case at == nothing:
		p.Write = append(p.Write, Change{path, nil, want})
	case at == ours && bytes.Equal(have, want):
		p.Same++
	case name != ManifestName && (at == foreign || Hash(have) != old.Files[name]) && !p.force:
		p.Kept = append(p.Kept, path)
		p.keep[name] = true
	default:
		p.Write = append(p.Write, Change{path, have, want})
	}
	return nil
}

// checkDir refuses a Dir that is no folder. A link would be exchanged for the new
// tree, and what is behind it would no longer be part of it.
func (p *Plan) checkDir() error {
	dir := filepath.Join(p.dir, Dir)
	info, err := os.Lstat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case !info.IsDir():
		return fmt.Errorf("%s is no folder: move it away, or choose another folder with -o", dir)
	}
	return nil
}

// checkLink looks at flake.nix: it is our link, nothing yet, or a file of the user.
func (p *Plan) checkLink() error {
	file := filepath.Join(p.dir, "flake.nix")
	info, err := os.Lstat(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		p.link = true
		return nil
	case err != nil:
		return err
	case info.IsDir():
		return fmt.Errorf("%s is a folder: move it away, or choose another folder with -o", file)
	}
	switch to, err := os.Readlink(file); {
	case err == nil && to == Link:
	case p.force:
		p.link = true
	default:
		return fmt.Errorf("%s is there and not made by nbr: move it away, choose another folder with -o, or replace it with -force", file)
	}
	return nil
}

// checkLock looks whether there is a flake.lock. Whatever is there stays.
func (p *Plan) checkLock() error {
	_, err := os.Lstat(filepath.Join(p.dir, LockName))
	if errors.Is(err, fs.ErrNotExist) {
		p.Lock = p.tree.Lock
		return nil
	}
	return err
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
	if err == nil {
		err = m.check()
	}
	if err != nil {
		return m, fmt.Errorf("%s, the list of generated files, cannot be read, so nbr cannot tell them from yours: %w. "+
			"Restore it, or delete it: then every file that differs counts as yours", file, err)
	}
	return m, nil
}

// check refuses what nbr would not have written. The file comes from a repository
// that others write to, and what it names may be removed.
func (m Manifest) check() error {
	if m.Version != manifestVersion {
		return fmt.Errorf("it is of version %d, and this nbr knows version %d", m.Version, manifestVersion)
	}
	for name := range m.Files {
		if !filepath.IsLocal(name) || !fs.ValidPath(name) {
			return fmt.Errorf("%q is no path in this folder", name)
		}
	}
	return nil
}

// Apply writes the tree. Everything is made in a folder of its own and takes the
// place of the old one in a single step (renameat2 with RENAME_EXCHANGE), so that
// killing nbr leaves the old tree or the new one. Afterwards the plan says
// what was done.
func (p *Plan) Apply() error {
	if !p.differs() && p.Lock == nil && len(p.left) == 0 {
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
	// Another run may have written since the plan was made.
	now, err := p.tree.Compare(p.dir, p.force)
	if err != nil {
		return err
	}
	*p = *now
	for _, left := range p.left {
		if err := remove(left); err != nil {
			return err
		}
	}
	if !p.differs() && p.Lock == nil {
		return nil
	}
	stage, err := os.MkdirTemp(p.dir, stagePrefix)
	if err != nil {
		return err
	}
	defer remove(stage) // after the exchange the old tree is in it
	if err := p.stage(stage); err != nil {
		return err
	}
	return errors.Join(p.place(stage), syncDir(p.dir))
}

// stage makes everything that is new, in a folder of its own. Whatever can fail for
// want of room fails here.
func (p *Plan) stage(stage string) error {
	if p.link {
		if err := os.Symlink(Link, filepath.Join(stage, "flake.nix")); err != nil {
			return err
		}
	}
	if p.Lock != nil {
		if err := writeFile(filepath.Join(stage, LockName), p.Lock); err != nil {
			return err
		}
	}
	if len(p.Write)+len(p.Remove) == 0 {
		return nil
	}
	return p.fill(filepath.Join(stage, Dir))
}

// place puts what is in stage where it belongs: the lock file first, because Nix
// would write its own for a tree without one, then the tree, because a link must lead
// somewhere. A lock file before its tree does no harm: what is in it counts only where
// flake.nix names the same source.
func (p *Plan) place(stage string) error {
	if p.Lock != nil {
		// A link never replaces what came in between: Nix does not know nbr's lock.
		err := os.Link(filepath.Join(stage, LockName), filepath.Join(p.dir, LockName))
		if err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	if len(p.Write)+len(p.Remove) > 0 {
		if err := swap(filepath.Join(stage, Dir), filepath.Join(p.dir, Dir)); err != nil {
			return err
		}
	}
	if p.link {
		return os.Rename(filepath.Join(stage, "flake.nix"), filepath.Join(p.dir, "flake.nix"))
	}
	return nil
}

// fill makes the new content of Dir: the generated files, and everything that is
// not ours or was edited.
func (p *Plan) fill(stage string) error {
	if err := os.Mkdir(stage, 0o755); err != nil {
		return err
	}
	fresh := map[string]bool{} // what the old tree has that is not carried over
	for _, name := range slices.Sorted(maps.Keys(p.tree.Files)) {
		if p.keep[name] {
			continue
		}
		fresh[filepath.Join(Dir, name)] = true
		if err := writeFile(filepath.Join(stage, filepath.FromSlash(name)), p.tree.Files[name]); err != nil {
			return err
		}
	}
	for _, r := range p.Remove {
		fresh[r] = true
	}
	modes, err := p.carryAll(stage, fresh)
	if err != nil {
		return err
	}
	if err := pruneEmpty(stage, p.Remove); err != nil {
		return err
	}
	// Last, because a folder's mode may forbid writing.
	for _, m := range slices.Backward(modes) {
		if err := os.Chmod(m.dir, m.mode); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// A dirMode is the mode that a folder of the old tree had.
type dirMode struct {
	dir  string
	mode fs.FileMode
}

// carryAll takes everything but the fresh files into the new folder.
func (p *Plan) carryAll(stage string, fresh map[string]bool) ([]dirMode, error) {
	var modes []dirMode
	root := filepath.Join(p.dir, Dir)
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) && path == root {
			return nil
		}
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		to := filepath.Join(stage, rel)
		if fresh[filepath.Join(Dir, rel)] {
			return nil // a folder there is in the way if it holds files of the user
		}
		if err := carry(path, to, d); err != nil {
			return err
		}
		if d.IsDir() {
			info, err := d.Info()
			if err != nil {
				return err
			}
			modes = append(modes, dirMode{to, info.Mode()})
		}
		return nil
	})
	return modes, err
}

// carry takes a file that is not ours into the new folder: the same file, not a
// copy, so that an editor that has it open goes on with it.
func carry(from, to string, d fs.DirEntry) error {
	err := os.MkdirAll(filepath.Dir(to), 0o755)
	switch {
	case err != nil:
	case d.IsDir():
		err = os.MkdirAll(to, 0o755)
	case d.Type()&fs.ModeSymlink != 0:
		var target string
		if target, err = os.Readlink(from); err == nil {
			err = os.Symlink(target, to)
		}
	default:
		err = os.Link(from, to)
	}
	if errors.Is(err, fs.ErrExist) || errors.Is(err, unix.ENOTDIR) {
		return fmt.Errorf("%s is in the way of a generated file: move it away", from)
	}
	return err
}

// pruneEmpty removes folders that held only files that are gone.
func pruneEmpty(stage string, gone []string) error {
	for _, path := range gone {
		rel, err := filepath.Rel(Dir, path)
		if err != nil {
			return err
		}
		for d := filepath.Dir(rel); d != "."; d = filepath.Dir(d) {
			if unix.Rmdir(filepath.Join(stage, d)) != nil {
				break // not empty, gone already, or a file by now
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

// leftovers are the folders of killed runs. No other run is at work while the
// output folder is locked.
func leftovers(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var out []string
	for _, e := range entries {
		if e.IsDir() && stageRE.MatchString(e.Name()) {
			out = append(out, filepath.Join(dir, e.Name()))
		}
	}
	return out, err
}

// remove removes a folder, also when the mode of folders in it forbids writing.
func remove(dir string) error {
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			err = os.Chmod(path, 0o700)
		}
		return err
	})
	return errors.Join(err, os.RemoveAll(dir))
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
