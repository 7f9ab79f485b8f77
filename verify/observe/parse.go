package observe

import (
	"bytes"
	"errors"
	"fmt"
	"iter"
	"path"
	"path/filepath"
	"strconv"
	"strings"
)

// parseCompatible reads /proc/device-tree/compatible: names from the most to the
// least specific, each ended by a NUL (Devicetree Specification 2.3.1).
func parseCompatible(b []byte) ([]string, error) {
	body, ok := bytes.CutSuffix(b, []byte{0})
	if !ok {
		return nil, errors.New("compatible: does not end in a NUL")
	}
	names := strings.Split(string(body), "\x00")
	for _, n := range names {
		if n == "" || strings.ContainsFunc(n, func(r rune) bool { return r <= ' ' || r > '~' }) {
			return nil, fmt.Errorf("compatible: %q is no name", n)
		}
	}
	return names, nil
}

// parseMemTotal finds the kilobytes of MemTotal in /proc/meminfo (proc_meminfo(5)).
func parseMemTotal(b []byte) (uint64, error) {
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line)
		if len(f) == 3 && f[0] == "MemTotal:" && f[2] == "kB" {
			return strconv.ParseUint(f[1], 10, 64)
		}
	}
	return 0, errors.New("meminfo: no MemTotal")
}

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

// An account is a line of passwd(5).
type account struct {
	name string
	uid  uint32
}

func parsePasswd(b []byte) ([]account, error) {
	var out []account
	n := 0
	for line := range strings.Lines(string(b)) {
		n++
		line = strings.TrimRight(line, "\n")
		if strings.TrimSpace(line) == "" || line[0] == '#' {
			continue
		}
		f := strings.Split(line, ":")
		if len(f) != 7 || f[0] == "" {
			return nil, fmt.Errorf("passwd: line %d is no account", n)
		}
		uid, err := strconv.ParseUint(f[2], 10, 32)
		if err != nil {
			return nil, fmt.Errorf("passwd: line %d: %q is no user id", n, f[2])
		}
		out = append(out, account{f[0], uint32(uid)})
	}
	if len(out) == 0 {
		return nil, errors.New("passwd: no accounts")
	}
	return out, nil
}

// parseGroups reads group(5): names by number, the first of those that share one. What
// is no group is left out.
func parseGroups(b []byte) map[uint32]string {
	out := map[uint32]string{}
	for line := range strings.Lines(string(b)) {
		f := strings.Split(strings.TrimRight(line, "\n"), ":")
		if len(f) != 4 || f[0] == "" {
			continue
		}
		gid, err := strconv.ParseUint(f[2], 10, 32)
		if _, taken := out[uint32(gid)]; err == nil && !taken {
			out[uint32(gid)] = f[0]
		}
	}
	return out
}

// sysctlPath is where a sysctl lies below /proc/sys. As in sysctl.d(5), the first
// separator tells which notation it is: net.ipv4.conf.lan0/7.forwarding and
// net/ipv4/conf/lan0.7/forwarding are the same.
func sysctlPath(name string) (string, error) {
	p := name
	if i := strings.IndexAny(name, "./"); i >= 0 && name[i] == '.' {
		p = strings.NewReplacer(".", "/", "/", ".").Replace(name)
	}
	// IsLocal cleans before it judges, and no part of a sysctl is a dot.
	if p == "" || p != filepath.Clean(p) || !filepath.IsLocal(p) || strings.ContainsRune(p, 0) {
		return "", errors.New("not the name of a sysctl")
	}
	return p, nil
}
