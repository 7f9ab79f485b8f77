package system

import (
	"compress/gzip"
	"errors"
	"fmt"
	"iter"
	"os"
	"path"
	"regexp"
	"strings"

	"github.com/nbr-dev/nbr/verify/observe/root"
	"github.com/nbr-dev/nbr/verify/state"
)

// Kernel is the one that runs, and what it is built with. Its release is there also with an
// error: /proc/config.gz needs CONFIG_IKCONFIG_PROC.
func Kernel(r root.Root) (*state.Kernel, error) {
	release, err := r.Line("/proc/sys/kernel/osrelease") // what uname(2) says
	if err != nil {
		return nil, err
	}
	k := &state.Kernel{Release: release, Config: map[string]string{}}
	f, err := r.Open("/proc/config.gz")
	if err != nil {
		return k, err
	}
	defer f.Close()
	text, err := func() ([]byte, error) {
		z, err := gzip.NewReader(f)
		if err != nil {
			return nil, err
		}
		return root.ReadAll(z, root.Limit)
	}()
	if err != nil {
		return k, fmt.Errorf("/proc/config.gz: %w", err)
	}
	config, err := parseKconfig(text)
	if err != nil {
		return k, fmt.Errorf("/proc/config.gz: %w", err)
	}
	k.Config = config
	return k, nil
}

// Modules are those of the kernel that runs, as far as they are files.
type Modules struct {
	root  root.Root
	files map[string]string // builtin or available, by name
}

// FindModules reads where the modules are. On NixOS they are beside the system that was
// booted.
func FindModules(r root.Root) (Modules, error) {
	m := Modules{r, map[string]string{}}
	release, err := r.Line("/proc/sys/kernel/osrelease")
	if err != nil {
		return m, err
	}
	folders := []string{"/lib/modules/"}
	if booted, err := os.Readlink(r.Path("/run/booted-system")); err == nil {
		folders = []string{booted + "/kernel-modules/lib/modules/", folders[0]}
	}
	for _, below := range folders {
		builtin, err1 := r.Read(below + release + "/modules.builtin")
		available, err2 := r.Read(below + release + "/modules.dep")
		if err = errors.Join(err1, err2); err != nil {
			continue
		}
		for name := range parseModules(builtin) {
			m.files[name] = "builtin"
		}
		for name := range parseModules(available) {
			m.files[name] = "available"
		}
		return m, nil
	}
	return m, err
}

// State is loaded, builtin or available, or else [root.ErrNotThere]: a kernel option that is
// m promises nothing before its file is there, for the kernel that runs.
func (m Modules) State(name string) (string, error) {
	name = strings.ReplaceAll(name, "-", "_")
	if !moduleName.MatchString(name) {
		return "", errors.New("not the name of a module")
	}
	// Built-in code with parameters is below /sys/module, too, but has no state.
	if _, err := os.Stat(m.root.Path("/sys/module/" + name + "/initstate")); err == nil {
		return "loaded", nil
	}
	if where := m.files[name]; where != "" {
		return where, nil
	}
	return "", root.ErrNotThere
}

var moduleName = regexp.MustCompile(`^[A-Za-z0-9_]+$`)

// parseKconfig reads a kernel's .config (Documentation/kbuild/kconfig-language).
// What is not set is not in the result.
func parseKconfig(b []byte) (map[string]string, error) {
	out := map[string]string{}
	n := 0
	for line := range strings.Lines(string(b)) {
		n++
		line = strings.TrimRight(line, "\r\n")
		if line == "" || line[0] == '#' {
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		symbol, is := strings.CutPrefix(key, "CONFIG_")
		if !ok || !is || symbol == "" {
			return nil, fmt.Errorf("line %d: not a kernel option: %.60q", n, line)
		}
		if strings.HasPrefix(value, `"`) {
			if len(value) < 2 || !strings.HasSuffix(value, `"`) {
				return nil, fmt.Errorf("line %d: no end of the text: %.60q", n, line)
			}
			// conf_write in scripts/kconfig/confdata.c escapes these two and no others.
			value = strings.NewReplacer(`\"`, `"`, `\\`, `\`).Replace(value[1 : len(value)-1])
		}
		out[symbol] = value
	}
	if len(out) == 0 {
		return nil, errors.New("no kernel options")
	}
	return out, nil
}

// parseModules reads modules.dep or modules.builtin (modprobe(8)): a path a line, in
// the former followed by a colon and what it needs. Dashes and underscores are the
// same in a module's name.
func parseModules(b []byte) iter.Seq[string] {
	return func(yield func(string) bool) {
		for line := range strings.Lines(string(b)) {
			file, _, _ := strings.Cut(strings.TrimSpace(line), ":")
			name, _, ok := strings.Cut(path.Base(file), ".ko") // perhaps .ko.xz
			if ok && !yield(strings.ReplaceAll(name, "-", "_")) {
				return
			}
		}
	}
}
