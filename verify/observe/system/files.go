package system

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/nbr-dev/nbr/verify/observe/root"
	"github.com/nbr-dev/nbr/verify/state"
)

// Files are asked for owner and mode, never for what is in them.
type Files struct {
	root           root.Root
	owners, groups map[uint32]string
}

// FindFiles reads the names of users and groups. Groups are for people: one without a name
// has its number.
func FindFiles(r root.Root) (Files, error) {
	f := Files{root: r, owners: map[uint32]string{}}
	all, err := accounts(r)
	if err != nil {
		return f, err
	}
	text, err := r.Read("/etc/group")
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return f, err
	}
	f.groups = parseGroups(text)
	for _, a := range all {
		if _, ok := f.owners[a.uid]; !ok { // as getpwuid(3): the first one
			f.owners[a.uid] = a.name
		}
	}
	return f, nil
}

// Stat asks for the file behind a name, as the programs see it that open it: a secret may be
// a link into another folder. One that is not there is [root.ErrNotThere].
func (f Files) Stat(name string) (state.File, error) {
	if !filepath.IsAbs(name) {
		return state.File{}, errors.New("not an absolute path")
	}
	var st unix.Stat_t
	if err := unix.Stat(f.root.Path(name), &st); errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOTDIR) {
		return state.File{}, root.ErrNotThere
	} else if err != nil {
		return state.File{}, err
	}
	return state.File{
		Owner: cmp.Or(f.owners[st.Uid], strconv.FormatUint(uint64(st.Uid), 10)),
		Group: cmp.Or(f.groups[st.Gid], strconv.FormatUint(uint64(st.Gid), 10)),
		Mode:  fmt.Sprintf("0%03o", st.Mode&0o7777),
		Kind:  fileKind(uint32(st.Mode)),
	}, nil
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

// Users are the names of all accounts (passwd(5)).
func Users(r root.Root) ([]string, error) {
	all, err := accounts(r)
	if err != nil {
		return nil, err
	}
	out := []string{}
	for _, a := range all {
		out = append(out, a.name)
	}
	return out, nil
}

func accounts(r root.Root) ([]account, error) {
	text, err := r.Read("/etc/passwd")
	if err != nil {
		return nil, err
	}
	return parsePasswd(text)
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
