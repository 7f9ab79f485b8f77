package lab

import (
	"bufio"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/nbr-dev/nbr/internal/nstest"
)

// kernelRelease is what uname(2) will say in a guest.
func kernelRelease(kernel string) (string, error) {
	text, err := os.ReadFile(filepath.Join(kernel, "release"))
	return strings.TrimSpace(string(text)), err
}

// A module is a file of a kernel module: where it is in the guest, and where it is here.
type module struct{ inside, source string }

// modulesDir is where a kernel's modules are, and what tells of them.
func modulesDir(release string) string { return filepath.Join("/lib/modules", release) }

// loadOrder are the modules of these names, each after those it depends on. One that the
// kernel does not bring is looked for in the folder extra, if there is one.
func loadOrder(kernel, extra string, names []string) ([]module, error) {
	release, err := kernelRelease(kernel)
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(kernel, "usr", modulesDir(release))
	deps, err := readDeps(filepath.Join(dir, "modules.dep"))
	if err != nil {
		return nil, err
	}
	builtin, err := os.ReadFile(filepath.Join(dir, "modules.builtin"))
	if err != nil {
		return nil, err
	}
	var order []module
	add := func(below, source string) {
		m := module{filepath.Join(modulesDir(release), below), source}
		if !slices.Contains(order, m) {
			order = append(order, m)
		}
	}
	var load func(name string) error
	load = func(name string) error {
		if files, ok := deps[moduleName(name)]; ok {
			for _, file := range files {
				add(file, filepath.Join(dir, file))
			}
			return nil
		}
		for line := range strings.Lines(string(builtin)) {
			if moduleName(strings.TrimSpace(line)) == moduleName(name) {
				return nil
			}
		}
		if extra == "" {
			return fmt.Errorf("kernel %s has no module %s", release, name)
		}
		file := filepath.Join(extra, name+".ko")
		needs, err := moduleNeeds(file)
		if err != nil {
			return fmt.Errorf("kernel %s has no module %s: %w", release, name, err)
		}
		for _, need := range needs {
			if err := load(need); err != nil {
				return err
			}
		}
		add("updates/"+name+".ko", file)
		return nil
	}
	for _, name := range names {
		if err := load(name); err != nil {
			return nil, err
		}
	}
	return order, nil
}

// moduleName is the name of a module by its file. The kernel makes no difference between the
// two kinds of dashes.
func moduleName(file string) string {
	name, _, _ := strings.Cut(path.Base(file), ".")
	return strings.ReplaceAll(name, "-", "_")
}

// readDeps reads modules.dep(5): all that a module needs, the nearest first, and here turned
// round, with the module itself at the end.
func readDeps(file string) (map[string][]string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	deps := map[string][]string{}
	for line := range strings.Lines(string(text)) {
		module, needs, ok := strings.Cut(line, ":")
		if !ok {
			return nil, fmt.Errorf("%s: not a line of modules.dep: %q", file, line)
		}
		files := append([]string{module}, strings.Fields(needs)...)
		slices.Reverse(files)
		deps[moduleName(module)] = files
	}
	return deps, nil
}

// moduleNeeds are the names in a module's own description (modinfo(8)).
func moduleNeeds(file string) ([]string, error) {
	f, err := elf.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	section := f.Section(".modinfo")
	if section == nil {
		return nil, fmt.Errorf("%s is not a kernel module", file)
	}
	info, err := section.Data()
	if err != nil {
		return nil, err
	}
	for field := range strings.SplitSeq(string(info), "\x00") {
		if needs, ok := strings.CutPrefix(field, "depends="); ok {
			return strings.FieldsFunc(needs, func(r rune) bool { return r == ',' }), nil
		}
	}
	return nil, nil
}

// writeInitramfs writes the files, by their paths in the guest, and the modules with the list
// that [nstest.Main] loads them by.
func writeInitramfs(file string, files map[string]string, modules []module) error {
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	a := &archive{w: bufio.NewWriter(f), seen: map[string]bool{"/": true}}
	var list strings.Builder
	for _, m := range modules {
		list.WriteString(m.inside + "\n")
		a.copy(m.inside, m.source)
	}
	for _, inside := range slices.Sorted(maps.Keys(files)) {
		a.copy(inside, files[inside])
	}
	a.add(nstest.GuestModules, 0o644, int64(list.Len()), strings.NewReader(list.String()))
	a.add("/TRAILER!!!", 0, 0, strings.NewReader(""))
	return errors.Join(a.err, a.w.Flush(), f.Close())
}

// An archive is a cpio of the kind that the kernel unpacks (its
// Documentation/driver-api/early-userspace/buffer-format.rst). The first error stays.
type archive struct {
	w    *bufio.Writer
	seen map[string]bool // folders
	ino  int
	err  error
}

// copy adds a file, or a folder with all that is in it.
func (a *archive) copy(inside, source string) {
	a.fail(filepath.WalkDir(source, func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		rel, err := filepath.Rel(source, name)
		if err != nil {
			return err
		}
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		defer f.Close()
		info, err := f.Stat()
		if err == nil && !info.Mode().IsRegular() {
			err = fmt.Errorf("%s is not a file", name)
		}
		if err != nil {
			return err
		}
		a.add(path.Join(inside, filepath.ToSlash(rel)), info.Mode().Perm(), info.Size(), f)
		return nil
	}))
}

// add adds a file and the folders it is in.
func (a *archive) add(name string, mode fs.FileMode, size int64, content io.Reader) {
	var folders []string
	for dir := path.Dir(name); !a.seen[dir]; dir = path.Dir(dir) {
		a.seen[dir] = true
		folders = append(folders, dir)
	}
	for _, dir := range slices.Backward(folders) {
		a.header(dir, 0o040755, 0)
	}
	a.header(name, 0o100000|uint32(mode), size)
	n, err := io.Copy(a.w, content)
	if err == nil && n != size {
		err = fmt.Errorf("%s has changed while it was read", name)
	}
	a.fail(err)
	a.pad(n)
}

func (a *archive) header(name string, mode uint32, size int64) {
	name = strings.TrimPrefix(name, "/") + "\x00"
	a.ino++
	fields := [13]int64{int64(a.ino), int64(mode), 0, 0, 1, 0, size, 0, 0, 0, 0, int64(len(name)), 0}
	head := "070701"
	for _, v := range fields {
		head += fmt.Sprintf("%08X", v)
	}
	_, err := a.w.WriteString(head + name)
	a.fail(err)
	a.pad(int64(len(head) + len(name)))
}

// pad fills up to the next four bytes.
func (a *archive) pad(n int64) {
	_, err := a.w.WriteString("\x00\x00\x00"[:(4-n%4)%4])
	a.fail(err)
}

func (a *archive) fail(err error) {
	if a.err == nil {
		a.err = err
	}
}
