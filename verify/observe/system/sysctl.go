package system

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/nbr-dev/nbr/verify/observe/root"
)

// secretSysctls are the ones that hold a key (Documentation/networking/ip-sysctl).
var secretSysctls = []string{"stable_secret", "tcp_fastopen_key"}

// Sysctl reads one, or says [root.ErrNotThere]. The name is as in sysctl.d(5). Several values
// come with tabs between them; a spec has spaces there.
func Sysctl(r root.Root, name string) (string, error) {
	p, err := sysctlPath(name)
	if err != nil {
		return "", err
	}
	if slices.Contains(secretSysctls, filepath.Base(p)) {
		return "", errors.New("it is a secret")
	}
	text, err := r.Read(filepath.Join("/proc/sys", p))
	if errors.Is(err, os.ErrNotExist) {
		err = root.ErrNotThere
	}
	return strings.Join(strings.Fields(string(text)), " "), err
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
