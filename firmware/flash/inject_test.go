package flash

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

const canary = "canary-5d1b2c: no word of this may be printed"

// rootfs is an ext4 with a few things in it.
func rootfs(t *testing.T, kind string) []byte {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(t.TempDir(), "root.img")
	for _, d := range []string{"nix/store", "etc/old", "taken"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range map[string]string{"etc/old/file": "old", "a-file": "x"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("etc", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	run(t, "mke2fs", "-q", "-t", kind, "-d", dir, file, "4M")
	return read(t, file)
}

func open(t *testing.T, file string) *Card {
	t.Helper()
	f, err := os.OpenFile(file, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return &Card{File: f, is: Device{}} // a file
}

// tree makes a folder of files. A name that ends in / is a folder.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "the \"secrets\"") // what debugfs would not understand
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// Files are in the root file system as ext4 has them, e2fsck finds nothing wrong, and
// the rest of the card is as it was.
func TestInject(t *testing.T) {
	t.Parallel()
	disk := makeImage(t, nil, nil, rootfs(t, "ext4"))
	card := newFake(20 << 20)
	if _, err := Write(t.Context(), card, source(disk), silent); err != nil {
		t.Fatal(err)
	}
	file := write(t, card.b)
	long := string(random(300<<10, 5))
	dir := tree(t, map[string]string{
		"etc/ssh/ssh_host_ed25519_key": canary, "etc/ssh/ssh_host_ed25519_key.pub": "pub", "etc/old/file": "new",
		"var/lib/secrets/wg0": long, "var/lib/secrets/empty": "", "top": "x",
	})
	if err := os.Chmod(filepath.Join(dir, "var/lib/secrets"), 0o700); err != nil {
		t.Fatal(err)
	}
	in, err := NewInjection(dir, source(disk), inspect(t, disk), "")
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	want := "/etc/old/file /etc/ssh/ssh_host_ed25519_key /etc/ssh/ssh_host_ed25519_key.pub /top /var/lib/secrets/empty /var/lib/secrets/wg0"
	if got := strings.Join(in.Files(), " "); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	for range 2 { // again is the same
		if err := in.Write(t.Context(), open(t, file)); err != nil {
			t.Fatal(err)
		}
	}
	after := read(t, file)
	if !bytes.Equal(after[:rootAt], card.b[:rootAt]) || !bytes.Equal(after[(rootEnd+1)*sector:], card.b[(rootEnd+1)*sector:]) {
		t.Error("something outside of the root partition has changed")
	}
	part := write(t, after[rootAt:(rootEnd+1)*sector])
	run(t, "e2fsck", "-fn", part)
	for name, want := range map[string]string{
		"/etc/ssh": "directory 0755", "/var": "directory 0755", "/var/lib/secrets": "directory 0700", "/etc/old": "directory 0755",
		"/etc/ssh/ssh_host_ed25519_key": "regular 0600", "/etc/old/file": "regular 0600", "/var/lib/secrets/empty": "regular 0600", "/top": "regular 0600",
	} {
		kind, mode, _ := strings.Cut(want, " ")
		out := run(t, "debugfs", "-R", "stat "+name, part)
		for _, p := range []string{`Type: ` + kind + ` `, `Mode:  ` + mode + ` `, `User: +0 +Group: +0 `} {
			if !regexp.MustCompile(p).MatchString(out) {
				t.Errorf("%s has no %q: %s", name, p, out)
			}
		}
	}
	for name, want := range map[string]string{"/etc/ssh/ssh_host_ed25519_key": canary, "/etc/old/file": "new", "/var/lib/secrets/wg0": long} {
		to := filepath.Join(t.TempDir(), "out")
		run(t, "debugfs", "-R", "dump "+name+" "+to, part)
		if string(read(t, to)) != want {
			t.Errorf("%s is something else", name)
		}
	}
	// What is stopped before it began, and what another process has there.
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	check(t, in.Write(ctx, open(t, file)), Partly, "^interrupted;")
}

func TestInjectRefused(t *testing.T) {
	t.Parallel()
	ext4 := makeImage(t, nil, nil, rootfs(t, "ext4"))
	btrfs := bytes.Clone(ext4)
	clear(btrfs[rootAt:][:2048])
	noFS := bytes.Clone(btrfs)
	copy(btrfs[rootAt+0x10040:], "_BHRfS_M")
	noRoot := write(t, ext4)
	run(t, "sgdisk", "-c", "5:system", noRoot)
	link := tree(t, nil)
	fifo := tree(t, nil)
	if err := os.Symlink("/etc/shadow", filepath.Join(link, "shadow")); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mkfifo(filepath.Join(fifo, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	one := func(name string) string { return tree(t, map[string]string{name: canary}) }
	for _, tt := range []struct {
		name  string
		dir   string
		image []byte
		want  string
	}{
		{"btrfs", one("etc/key"), btrfs, `^the root partition has btrfs, and files can be put into ext4 only: `},
		{"ext2", one("etc/key"), makeImage(t, nil, nil, rootfs(t, "ext2")), `^the root partition has ext2 or ext3, and files can be put into ext4 only: `},
		{"none", one("etc/key"), noFS, `^the root partition has a file system that nbr does not know, `},
		{"no root partition", one("etc/key"), read(t, noRoot), `^0 partitions of the image are called root`},
		{"no folder", "nowhere", ext4, `no such file or directory`},
		{"no files", tree(t, nil), ext4, ` has no files$`},
		{"a link", link, ext4, `/shadow is neither a file nor a folder: `},
		{"a pipe", fifo, ext4, `/pipe is neither a file nor a folder: `},
		{"/run", one("run/secrets/wg0"), ext4, `/run: /run is in memory and empty after each start: give the secret a path that stays`},
		{"/var/run", one("var/run/x"), ext4, `/var/run is /run, `},
		{"/nix", one("nix/store/x"), ext4, `/nix can be read by every user`},
		{"/dev", one("dev/x"), ext4, `/dev is in memory`},
		{"a space", one("etc/a key"), ext4, `the name "a key" has characters other than letters`},
		{"a line", one("etc/a\nrm"), ext4, `the name "a\\nrm" has characters other than letters`},
		{"a quote", one("etc/a\"b"), ext4, `has characters other than letters`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := NewInjection(tt.dir, source(tt.image), inspect(t, tt.image), "")
			if err == nil || !regexp.MustCompile(tt.want).MatchString(err.Error()) || strings.Contains(err.Error(), "canary") {
				t.Errorf("%v\nwant %s", err, tt.want)
			}
		})
	}
	// What only the tool finds out: things in the way, no room, no tool.
	for _, tt := range []struct{ name, file, text, want string }{
		{"a folder in the way", "taken", canary, `^/taken: the image has it already, and it is no file .directory.;`},
		{"a file in the way", "a-file/key", canary, `^/a-file/key: /a-file is no folder in the image .regular.;`},
		{"a link in the way", "link/key", canary, `^/link/key: /link is no folder in the image .symlink.;`},
		{"no room", "etc/key", strings.Repeat(canary, 200_000), `^/etc/key: debugfs: .*Could not allocate block`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in, err := NewInjection(one(tt.file), source(ext4), inspect(t, ext4), "")
			if err != nil {
				t.Fatal(err)
			}
			defer in.Close()
			if err := os.WriteFile(filepath.Join(in.dir, tt.file), []byte(tt.text), 0o600); err != nil {
				t.Fatal(err)
			}
			err = in.Write(t.Context(), open(t, write(t, ext4)))
			check(t, err, Partly, tt.want)
			if strings.Contains(err.Error(), "canary") {
				t.Error("a secret is printed")
			}
		})
	}
	in, err := NewInjection(one("etc/key"), source(ext4), inspect(t, ext4), "/bin/false")
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	check(t, in.Write(t.Context(), open(t, write(t, ext4))), Partly, "^/etc/key: exit status 1;")
}
