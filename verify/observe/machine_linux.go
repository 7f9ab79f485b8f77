package observe

import (
	"cmp"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/nbr-dev/nbr/verify/observe/root"
	"github.com/nbr-dev/nbr/verify/state"
)

// board fills what it can: a PC has no device tree, but memory.
func (l *looker) board(context.Context) error {
	b := &state.Board{Compatible: []string{}}
	text, err1 := l.root().Read("/proc/device-tree/compatible")
	if err1 == nil {
		b.Compatible, err1 = parseCompatible(text)
	}
	text, err2 := l.root().Read("/proc/meminfo")
	if err2 == nil {
		b.MemTotal, err2 = parseMemTotal(text)
	}
	if err1 == nil || err2 == nil {
		l.st.Board = b
	}
	return errors.Join(err1, err2)
}

// kernel fills what it can: /proc/config.gz needs CONFIG_IKCONFIG_PROC.
func (l *looker) kernel(context.Context) error {
	release, err := l.root().Line("/proc/sys/kernel/osrelease") // what uname(2) says
	if err != nil {
		return err
	}
	l.st.Kernel = &state.Kernel{Release: release, Config: map[string]string{}}
	f, err := l.root().Open("/proc/config.gz")
	if err != nil {
		return err
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
		return fmt.Errorf("/proc/config.gz: %w", err)
	}
	config, err := parseKconfig(text)
	if err != nil {
		return fmt.Errorf("/proc/config.gz: %w", err)
	}
	l.st.Kernel.Config = config
	return nil
}

// modules finds out about the ones asked for: a kernel option that is m promises
// nothing before its file is there, for the kernel that runs.
func (l *looker) modules(context.Context) (err error) {
	if len(l.asked(state.NeedModule)) == 0 {
		l.st.Modules = map[string]string{}
		return nil
	}
	files, err := l.moduleFiles()
	if err != nil {
		return err
	}
	l.st.Modules, err = each(l, state.NeedModule, func(n state.Need) (string, error) {
		name := strings.ReplaceAll(n.Name, "-", "_")
		if !moduleName.MatchString(name) {
			return "", errors.New("not the name of a module")
		}
		// Built-in code with parameters is below /sys/module, too, but has no state.
		if _, err := os.Stat(l.root().Path("/sys/module/" + name + "/initstate")); err == nil {
			return "loaded", nil
		}
		if where := files[name]; where != "" {
			return where, nil
		}
		return "", root.ErrNotThere
	})
	return err
}

var moduleName = regexp.MustCompile(`^[A-Za-z0-9_]+$`)

// moduleFiles are the modules of the running kernel by their name: builtin or
// available. On NixOS they are beside the system that was booted.
func (l *looker) moduleFiles() (map[string]string, error) {
	release, err := l.root().Line("/proc/sys/kernel/osrelease")
	if err != nil {
		return nil, err
	}
	folders := []string{"/lib/modules/"}
	if booted, err := os.Readlink(l.root().Path("/run/booted-system")); err == nil {
		folders = []string{booted + "/kernel-modules/lib/modules/", folders[0]}
	}
	for _, below := range folders {
		builtin, err1 := l.root().Read(below + release + "/modules.builtin")
		available, err2 := l.root().Read(below + release + "/modules.dep")
		if err = errors.Join(err1, err2); err != nil {
			continue
		}
		out := map[string]string{}
		for name := range parseModules(builtin) {
			out[name] = "builtin"
		}
		for name := range parseModules(available) {
			out[name] = "available"
		}
		return out, nil
	}
	return nil, err
}

// system fills what it can: only NixOS has a booted and a current system.
func (l *looker) system(context.Context) error {
	host, err := l.root().Line("/proc/sys/kernel/hostname")
	if err != nil {
		return err
	}
	booted, err1 := os.Readlink(l.root().Path("/run/booted-system"))
	current, err2 := os.Readlink(l.root().Path("/run/current-system"))
	l.st.System = &state.System{Hostname: host, Booted: booted, Current: current}
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	l.st.System.BootedKernel, err1 = os.Readlink(l.root().Path(booted + "/kernel"))
	l.st.System.CurrentKernel, err2 = os.Readlink(l.root().Path(current + "/kernel"))
	return errors.Join(err1, err2)
}

// secretSysctls are the ones that hold a key (Documentation/networking/ip-sysctl).
var secretSysctls = []string{"stable_secret", "tcp_fastopen_key"}

// sysctls reads those asked for. Several values of one come with tabs between
// them; a spec has spaces there.
func (l *looker) sysctls(context.Context) (err error) {
	l.st.Sysctls, err = each(l, state.NeedSysctl, func(n state.Need) (string, error) {
		p, err := sysctlPath(n.Name)
		if err != nil {
			return "", err
		}
		for _, s := range secretSysctls {
			if filepath.Base(p) == s {
				return "", errors.New("it is a secret")
			}
		}
		text, err := l.root().Read(filepath.Join("/proc/sys", p))
		if errors.Is(err, os.ErrNotExist) {
			err = root.ErrNotThere
		}
		return strings.Join(strings.Fields(string(text)), " "), err
	})
	return err
}

// files asks for owner and mode of the files behind the names, as the programs see
// them that open these: a secret may be a link into another folder.
func (l *looker) files(context.Context) error {
	if len(l.asked(state.NeedFile)) == 0 {
		l.st.Files = map[string]state.File{}
		return nil
	}
	accounts, err := l.accounts()
	if err != nil {
		return err
	}
	// Groups are for people: one without a name has its number.
	text, err := l.root().Read("/etc/group")
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	groups := parseGroups(text)
	owners := map[uint32]string{}
	for _, a := range accounts {
		if _, ok := owners[a.uid]; !ok { // as getpwuid(3): the first one
			owners[a.uid] = a.name
		}
	}
	l.st.Files, err = each(l, state.NeedFile, func(n state.Need) (state.File, error) {
		if !filepath.IsAbs(n.Name) {
			return state.File{}, errors.New("not an absolute path")
		}
		var st unix.Stat_t
		if err := unix.Stat(l.root().Path(n.Name), &st); errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOTDIR) {
			return state.File{}, root.ErrNotThere
		} else if err != nil {
			return state.File{}, err
		}
		return state.File{
			Owner: cmp.Or(owners[st.Uid], strconv.FormatUint(uint64(st.Uid), 10)),
			Group: cmp.Or(groups[st.Gid], strconv.FormatUint(uint64(st.Gid), 10)),
			Mode:  fmt.Sprintf("0%03o", st.Mode&0o7777),
			Kind:  fileKind(st.Mode),
		}, nil
	})
	return err
}

// fileKind is S_IFMT of inode(7) in words, and nothing for a regular file.
func fileKind(mode uint32) string {
	switch mode & unix.S_IFMT {
	case unix.S_IFREG:
		return ""
	case unix.S_IFDIR:
		return "folder"
	case unix.S_IFSOCK:
		return "socket"
	}
	return "device or pipe"
}

func (l *looker) users(context.Context) error {
	accounts, err := l.accounts()
	if err != nil {
		return err
	}
	l.st.Users = []string{}
	for _, a := range accounts {
		l.st.Users = append(l.st.Users, a.name)
	}
	return nil
}

func (l *looker) accounts() ([]account, error) {
	text, err := l.root().Read("/etc/passwd")
	if err != nil {
		return nil, err
	}
	return parsePasswd(text)
}

// clock asks without setting anything: modes is 0 (adjtimex(2)).
func (l *looker) clock(context.Context) error {
	var tx unix.Timex
	if _, err := unix.Adjtimex(&tx); err != nil {
		return fmt.Errorf("adjtimex: %w", err)
	}
	l.st.Clock = &state.Clock{Synchronised: tx.Status&unix.STA_UNSYNC == 0}
	return nil
}
