package systemd

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/nbr-dev/nbr/verify/observe/root"
	"github.com/nbr-dev/nbr/verify/state"
)

// configFolders are where systemd looks for its configuration, the strongest first
// (journald.conf(5), configuration directories and precedence).
var configFolders = []string{"/etc/systemd", "/run/systemd", "/usr/local/lib/systemd", "/usr/lib/systemd"}

// Journal reads what journald was told and how much it keeps.
func Journal(r root.Root) (*state.Journal, error) {
	j := &state.Journal{Settings: map[string]string{}}
	files, err := configFiles(r, "journald.conf")
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		text, err := r.Read(file)
		if err != nil {
			return nil, err
		}
		parseJournald(string(text), j.Settings)
	}
	for _, folder := range []string{"/var/log/journal", "/run/log/journal"} {
		n, err := usage(r, folder)
		if err != nil {
			return nil, err
		}
		j.Bytes += n
	}
	return j, nil
}

// configFiles are the files that a configuration of systemd consists of, in the order in
// which they are read: the main one, then the drop-ins by their names. Of several of one
// name the strongest counts.
func configFiles(r root.Root, name string) ([]string, error) {
	var out []string
	for _, folder := range configFolders {
		file := folder + "/" + name
		if _, err := os.Stat(r.Path(file)); err == nil {
			out = append(out, file)
			break
		} else if !errors.Is(err, os.ErrNotExist) {
			return nil, err
		}
	}
	dropIns := map[string]string{}
	for _, folder := range slices.Backward(configFolders) {
		entries, err := os.ReadDir(r.Path(folder + "/" + name + ".d"))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, err
		}
		for _, e := range entries {
			if strings.HasSuffix(e.Name(), ".conf") {
				dropIns[e.Name()] = folder + "/" + name + ".d/" + e.Name()
			}
		}
	}
	for _, n := range slices.Sorted(maps.Keys(dropIns)) {
		out = append(out, dropIns[n])
	}
	return out, nil
}

// parseJournald adds the settings of a file (systemd.syntax(7)). An empty one takes back
// what was set before.
func parseJournald(text string, settings map[string]string) {
	section := ""
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "[") {
			section = line
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		key, value = strings.TrimSpace(key), strings.TrimSpace(value)
		switch {
		case !ok || section != "[Journal]" || strings.HasPrefix(key, "#") || strings.HasPrefix(key, ";"):
		case value == "":
			delete(settings, key)
		default:
			settings[key] = value
		}
	}
}

// usage is what the files of a folder take, in bytes. journald removes some while they are
// counted.
func usage(r root.Root, folder string) (uint64, error) {
	var sum uint64
	err := filepath.WalkDir(r.Path(folder), func(path string, e fs.DirEntry, err error) error {
		var st unix.Stat_t
		if err == nil && e.Type().IsRegular() {
			if err = unix.Lstat(path, &st); err == nil {
				sum += uint64(st.Blocks) * 512 // stat(2)
			}
		}
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		return err
	})
	return sum, err
}
