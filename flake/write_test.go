package flake_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/nbr-dev/nbr/flake"
	"github.com/nbr-dev/nbr/internal/nstest"
)

func compare(t *testing.T, dir string, tree *flake.Tree, force bool) *flake.Plan {
	t.Helper()
	p, err := tree.Compare(dir, force)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func apply(t *testing.T, p *flake.Plan) {
	t.Helper()
	if err := p.Apply(); err != nil {
		t.Fatal(err)
	}
}

// written are the paths that a plan writes.
func written(p *flake.Plan) []string {
	var out []string
	for _, w := range p.Write {
		out = append(out, w.Path)
	}
	return out
}

func want[T any](t *testing.T, what string, want, got T) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func TestFreshFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "not", "there", "yet")
	tree := trees()["old"]
	p := compare(t, dir, tree, false)
	want(t, "files to write", len(tree.Files), len(p.Write))
	want(t, "stale", true, p.Stale())
	if _, err := os.Stat(dir); err == nil {
		t.Error("Compare made the folder")
	}
	apply(t, p)
	equal(t, wanted(tree), snapshot(t, dir))
	if _, err := os.ReadFile(filepath.Join(dir, "flake.nix")); err != nil {
		t.Errorf("flake.nix does not lead anywhere: %v", err)
	}
}

func TestSecondRunWritesNothing(t *testing.T) {
	dir := generated(t)
	before := stats(t, dir)
	p := compare(t, dir, trees()["old"], false)
	want(t, "stale", false, p.Stale())
	want(t, "unchanged files", len(trees()["old"].Files), p.Same)
	apply(t, p)
	want(t, "inodes, modes and times", before, stats(t, dir))
}

func TestChangedTree(t *testing.T) {
	dir := generated(t)
	p := compare(t, dir, trees()["new"], false)
	want(t, "written", []string{
		"routers/cabin/default.nix", "routers/cabin/network.nix", "routers/cabin/spec/router.hcl",
		"routers/default.nix",
		"routers/home/network.nix", "routers/home/spec/router.hcl",
		"routers/manifest.json",
	}, written(p))
	want(t, "removed", []string{
		"routers/office/default.nix", "routers/office/network.nix", "routers/office/spec/router.hcl",
	}, p.Remove)
	apply(t, p)
	// wanted has no routers/office: the empty folders of a router go with it.
	equal(t, wanted(trees()["new"]), snapshot(t, dir))
}

// A Change says what is replaced, which is what -diff shows.
func TestChangeHoldsBothContents(t *testing.T) {
	dir := generated(t)
	for _, w := range compare(t, dir, trees()["new"], false).Write {
		name := strings.TrimPrefix(w.Path, "routers/")
		want(t, "old "+w.Path, string(trees()["old"].Files[name]), string(w.Old))
		want(t, "new "+w.Path, string(trees()["new"].Files[name]), string(w.New))
	}
}

// What is not in the manifest is the user's: it stays, and stays the same file.
func TestForeignFilesSurvive(t *testing.T) {
	dir := generated(t)
	files := []string{
		put(t, "{ }\n", dir, "routers", "home", "local.nix"),
		put(t, "{ }\n", dir, "routers", "office", "local.nix"), // of a router that goes
		put(t, "ref: main\n", dir, ".git", "HEAD"),
		put(t, "{ }\n", dir, "flake.lock"),
		put(t, "mine\n", dir, "routers", "home", "spec", "notes", "todo.md"),
		put(t, "mine\n", dir, ".nbr-notes"),
		put(t, "#!/bin/sh\n", dir, "routers", "deploy.sh"),
		put(t, "secret\n", dir, "routers", "home", "keys", "key"),
	}
	for name, mode := range map[string]os.FileMode{
		"deploy.sh": 0o755, "home/keys/key": 0o400, "home/keys": 0o500, "home": 0o750,
	} {
		if err := os.Chmod(filepath.Join(dir, "routers", name), mode); err != nil {
			t.Fatal(err)
		}
	}
	links := map[string]string{
		"routers/home/shared":  "../../elsewhere", // leads nowhere
		"routers/home/mine":    "keys/key",
		"routers/office/spec2": "spec",
	}
	for name, to := range links {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	fifo := filepath.Join(dir, "routers", "pipe")
	if err := unix.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	type state struct {
		Inode uint64
		Mode  string
	}
	look := func() map[string]state {
		out := map[string]state{}
		for _, f := range append(files, fifo) {
			info := lstat(t, f, "")
			out[f] = state{inode(info), info.Mode().String()}
		}
		for _, d := range []string{"routers", "routers/home", "routers/home/keys"} {
			out[d] = state{0, lstat(t, dir, d).Mode().String()} // the folder itself is a new one
		}
		return out
	}
	before := look()
	write(t, dir, trees()["new"])
	want(t, "foreign files", before, look())
	if err := os.Remove(fifo); err != nil { // snapshot would read it
		t.Fatal(err)
	}
	got := snapshot(t, dir)
	for name, to := range links {
		want(t, name, "link to "+to, got[name])
	}
	want(t, "routers/home/network.nix", short(trees()["new"].Files["home/network.nix"]), got["routers/home/network.nix"])
	if _, there := got["routers/office/network.nix"]; there {
		t.Error("the generated files of office are still there")
	}
}

// An open file goes on being the one in the tree.
func TestOpenFileStaysTheSame(t *testing.T) {
	dir := generated(t)
	file := put(t, "before\n", dir, "routers", "home", "local.nix")
	f, err := os.OpenFile(file, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	write(t, dir, trees()["new"])
	if _, err := f.WriteString("after\n"); err != nil {
		t.Fatal(err)
	}
	want(t, "local.nix", "before\nafter\n", snapshot(t, dir)["routers/home/local.nix"])
}

func TestEditedFileIsKept(t *testing.T) {
	dir := generated(t)
	edited := put(t, "edited\n", dir, "routers", "home", "network.nix")
	node := inode(lstat(t, edited, ""))
	for round := range 3 { // it is said every time, not only once
		p := compare(t, dir, trees()["new"], false)
		want(t, "kept", []string{"routers/home/network.nix"}, p.Kept)
		want(t, "stale", true, p.Stale())
		apply(t, p)
		want(t, "kept, after writing", []string{"routers/home/network.nix"}, p.Kept)
		equal(t, with(wanted(trees()["new"]), "routers/home/network.nix", "edited\n"), snapshot(t, dir))
		if got := inode(lstat(t, edited, "")); got != node {
			t.Errorf("round %d: the edited file became another file", round)
		}
	}
	p := compare(t, dir, trees()["new"], true)
	want(t, "kept with force", nil, p.Kept)
	want(t, "written with force", []string{"routers/home/network.nix"}, written(p))
	apply(t, p)
	equal(t, wanted(trees()["new"]), snapshot(t, dir))
	want(t, "stale after force", false, compare(t, dir, trees()["new"], false).Stale())
}

// An edit that comes to what would be generated is none.
func TestEditToTheSame(t *testing.T) {
	dir := generated(t)
	put(t, string(trees()["new"].Files["home/network.nix"]), dir, "routers", "home", "network.nix")
	p := compare(t, dir, trees()["new"], false)
	want(t, "kept", nil, p.Kept)
	apply(t, p)
	equal(t, wanted(trees()["new"]), snapshot(t, dir))
}

// A generated file that was deleted comes back.
func TestDeletedFileComesBack(t *testing.T) {
	dir := generated(t)
	if err := os.Remove(filepath.Join(dir, "routers", "home", "network.nix")); err != nil {
		t.Fatal(err)
	}
	want(t, "written", []string{"routers/home/network.nix"}, written(compare(t, dir, trees()["old"], false)))
	write(t, dir, trees()["old"])
	equal(t, wanted(trees()["old"]), snapshot(t, dir))
}

// A file that was edited and is not generated any more becomes its editor's.
func TestEditedFileOfARemovedRouter(t *testing.T) {
	dir := generated(t)
	put(t, "edited\n", dir, "routers", "office", "network.nix")
	p := compare(t, dir, trees()["new"], false)
	want(t, "left to the user", []string{"routers/office/network.nix"}, p.Yours)
	apply(t, p)
	after := with(wanted(trees()["new"]), "routers/office", "folder", "routers/office/network.nix", "edited\n")
	equal(t, after, snapshot(t, dir))
	p = compare(t, dir, trees()["new"], true) // not even with force: it is no longer nbr's
	want(t, "stale", false, p.Stale())
	apply(t, p)
	equal(t, after, snapshot(t, dir))
}

func TestForceRemovesEditedFileOfARemovedRouter(t *testing.T) {
	dir := generated(t)
	put(t, "edited\n", dir, "routers", "office", "network.nix")
	if err := gen(dir, trees()["new"], true); err != nil {
		t.Fatal(err)
	}
	equal(t, wanted(trees()["new"]), snapshot(t, dir))
}

func TestForeignFileAtAPathWeWant(t *testing.T) {
	dir := generated(t)
	put(t, "mine\n", dir, "routers", "cabin", "network.nix")
	p := compare(t, dir, trees()["new"], false)
	want(t, "kept", []string{"routers/cabin/network.nix"}, p.Kept)
	apply(t, p)
	equal(t, with(wanted(trees()["new"]), "routers/cabin/network.nix", "mine\n"), snapshot(t, dir))
	if err := gen(dir, trees()["new"], true); err != nil {
		t.Fatal(err)
	}
	equal(t, wanted(trees()["new"]), snapshot(t, dir))
}

// nbr makes no links, so one is an edit, whatever is behind it.
func TestLinkAtAPathWeWant(t *testing.T) {
	dir := generated(t)
	file := filepath.Join(dir, "routers", "home", "network.nix")
	target := put(t, string(trees()["new"].Files["home/network.nix"]), dir, "mine.nix")
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, file); err != nil {
		t.Fatal(err)
	}
	p := compare(t, dir, trees()["new"], false)
	want(t, "kept", []string{"routers/home/network.nix"}, p.Kept)
	apply(t, p)
	want(t, "the link", "link to "+target, snapshot(t, dir)["routers/home/network.nix"])
	if err := gen(dir, trees()["new"], true); err != nil {
		t.Fatal(err)
	}
	want(t, "the file", short(trees()["new"].Files["home/network.nix"]), snapshot(t, dir)["routers/home/network.nix"])
}

// Things in the way make the run fail before anything has changed.
func TestInTheWay(t *testing.T) {
	tests := []struct {
		name  string
		make  func(t *testing.T, dir string)
		force bool
		says  []string
	}{
		{"a folder with files where a file should be", func(t *testing.T, dir string) {
			put(t, "mine\n", dir, "routers", "cabin", "network.nix", "mine")
		}, true, []string{"routers/cabin/network.nix/mine", "in the way", "move it away"}},
		{"a file where a folder should be", func(t *testing.T, dir string) {
			put(t, "mine\n", dir, "routers", "cabin")
		}, true, []string{"routers/cabin", "in the way"}},
		{"a file where the tree should be", func(t *testing.T, dir string) {
			if err := os.RemoveAll(filepath.Join(dir, "routers")); err != nil {
				t.Fatal(err)
			}
			put(t, "mine\n", dir, "routers")
		}, true, []string{"routers is no folder", "-o"}},
		{"a link where the tree should be", func(t *testing.T, dir string) {
			routers := filepath.Join(dir, "routers")
			if err := os.Rename(routers, filepath.Join(dir, "elsewhere")); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink("elsewhere", routers); err != nil {
				t.Fatal(err)
			}
		}, true, []string{"routers is no folder", "-o"}},
		{"the user's flake.nix", func(t *testing.T, dir string) {
			if err := os.Remove(filepath.Join(dir, "flake.nix")); err != nil {
				t.Fatal(err)
			}
			put(t, "{ }\n", dir, "flake.nix")
		}, false, []string{"flake.nix", "not made by nbr", "-force"}},
		{"a link of the user's as flake.nix", func(t *testing.T, dir string) {
			file := filepath.Join(dir, "flake.nix")
			if err := os.Remove(file); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink("nix/flake.nix", file); err != nil {
				t.Fatal(err)
			}
		}, false, []string{"flake.nix", "not made by nbr"}},
		{"a folder as flake.nix", func(t *testing.T, dir string) {
			if err := os.Remove(filepath.Join(dir, "flake.nix")); err != nil {
				t.Fatal(err)
			}
			put(t, "mine\n", dir, "flake.nix", "mine")
		}, true, []string{"flake.nix is a folder"}},
		{"a manifest that is no JSON", func(t *testing.T, dir string) {
			put(t, "<<<<<<< HEAD\n", dir, "routers", "manifest.json")
		}, true, []string{"manifest.json", "cannot be read", "delete it"}},
		{"a manifest of a later nbr", func(t *testing.T, dir string) {
			put(t, `{"version": 2, "files": {}}`, dir, "routers", "manifest.json")
		}, true, []string{"manifest.json", "version 2"}},
		{"a manifest that names files elsewhere", func(t *testing.T, dir string) {
			put(t, `{"version": 1, "files": {"../../victim/file": ""}}`, dir, "routers", "manifest.json")
		}, true, []string{"manifest.json", `"../../victim/file"`}},
		{"a manifest that cannot be opened", func(t *testing.T, dir string) {
			file := filepath.Join(dir, "routers", "manifest.json")
			if err := os.Remove(file); err != nil {
				t.Fatal(err)
			}
			put(t, "", file, "x")
		}, true, []string{"manifest.json", "cannot be read"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := generated(t)
			tt.make(t, dir)
			before, times := snapshot(t, dir), stats(t, dir)
			fails(t, gen(dir, trees()["new"], tt.force), tt.says...)
			equal(t, before, snapshot(t, dir))
			want(t, "inodes, modes and times", times, stats(t, dir))
		})
	}
}

// With force, the user's flake.nix goes, and nothing else does.
func TestForceReplacesFlakeNix(t *testing.T) {
	dir := t.TempDir()
	put(t, "{ }\n", dir, "flake.nix")
	put(t, "mine\n", dir, "README.md")
	if err := gen(dir, trees()["old"], true); err != nil {
		t.Fatal(err)
	}
	equal(t, with(wanted(trees()["old"]), "README.md", "mine\n"), snapshot(t, dir))
}

// A tree whose link is gone is stale, and mending it leaves the tree alone.
func TestMissingLink(t *testing.T) {
	dir := generated(t)
	before := inode(lstat(t, dir, "routers"))
	if err := os.Remove(filepath.Join(dir, "flake.nix")); err != nil {
		t.Fatal(err)
	}
	want(t, "stale", true, compare(t, dir, trees()["old"], false).Stale())
	write(t, dir, trees()["old"])
	equal(t, wanted(trees()["old"]), snapshot(t, dir))
	want(t, "the folder", before, inode(lstat(t, dir, "routers")))
}

// Without a manifest nothing is known to be generated: what differs is kept.
func TestWithoutManifest(t *testing.T) {
	dir := generated(t)
	if err := os.Remove(filepath.Join(dir, "routers", "manifest.json")); err != nil {
		t.Fatal(err)
	}
	p := compare(t, dir, trees()["new"], false)
	want(t, "kept", []string{"routers/default.nix", "routers/home/network.nix", "routers/home/spec/router.hcl"}, p.Kept)
	want(t, "removed", nil, p.Remove)
}

// A file may become a folder from one tree to the next, and the other way round.
func TestFileBecomesFolder(t *testing.T) {
	file, folder := router("home", "one"), router("home", "one")
	file.Spec["keys"] = []byte("key\n")
	folder.Spec["keys/key"] = []byte("key\n")
	dir := t.TempDir()
	for _, r := range []flake.Router{file, folder, file} {
		write(t, dir, build(r))
		equal(t, wanted(build(r)), snapshot(t, dir))
	}
}

func TestLeftoversAreSwept(t *testing.T) {
	dir := generated(t)
	leave := func() {
		put(t, "half\n", dir, ".nbr-gen-123", "routers", "home", "network.nix")
		if err := os.Chmod(filepath.Join(dir, ".nbr-gen-123", "routers"), 0o500); err != nil {
			t.Fatal(err)
		}
	}
	mine := put(t, "mine\n", dir, ".nbr-gen-mine", "file")
	for _, tree := range []string{"old", "new"} { // when there is nothing to write, too
		leave()
		p := compare(t, dir, trees()[tree], false)
		want(t, "stale", tree == "new", p.Stale()) // a leftover is no reason to fail -check
		apply(t, p)
		equal(t, with(wanted(trees()[tree]), ".nbr-gen-mine", "folder", ".nbr-gen-mine/file", "mine\n"), snapshot(t, dir))
	}
	if _, err := os.Stat(mine); err != nil {
		t.Errorf("a folder of the user was swept: %v", err)
	}
}

// What counts is what is there when the folder is locked, not when the plan was
// made.
func TestPlanGrowsOld(t *testing.T) {
	dir := t.TempDir()
	p, q := compare(t, dir, trees()["old"], false), compare(t, dir, trees()["new"], false)
	apply(t, p)
	apply(t, q)
	equal(t, wanted(trees()["new"]), snapshot(t, dir))
	want(t, "removed", 3, len(q.Remove))

	p = compare(t, dir, trees()["old"], false)
	put(t, "edited\n", dir, "routers", "home", "network.nix")
	apply(t, p)
	want(t, "kept", []string{"routers/home/network.nix"}, p.Kept)
	equal(t, with(wanted(trees()["old"]), "routers/home/network.nix", "edited\n"), snapshot(t, dir))
}

func TestLock(t *testing.T) {
	dir := generated(t)
	d, err := os.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := unix.Flock(int(d.Fd()), unix.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	before := snapshot(t, dir)
	fails(t, gen(dir, trees()["new"], false), "another nbr gen", dir)
	equal(t, before, snapshot(t, dir))
	// Looking takes no lock, and neither does having nothing to do.
	if err := gen(dir, trees()["old"], false); err != nil {
		t.Error(err)
	}
	d.Close()
	write(t, dir, trees()["new"])
	equal(t, wanted(trees()["new"]), snapshot(t, dir))
}

// child is nbr gen as a process of its own.
func child(t testing.TB, dir, tree string, force bool) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), childDir+"="+dir, childTree+"="+tree)
	if force {
		cmd.Env = append(cmd.Env, childForce+"=1")
	}
	return cmd
}

// Several nbr gen at once: each does its work as a whole or says that another is
// at work, and the last one that worked is what stays.
func TestConcurrent(t *testing.T) {
	for range 10 {
		dir := generated(t)
		put(t, "mine\n", dir, "routers", "home", "local.nix")
		var cmds []*exec.Cmd
		var outs []*strings.Builder
		for i := range 6 {
			cmd := child(t, dir, []string{"new", "old"}[i%2], false)
			out := &strings.Builder{}
			cmd.Stderr = out
			cmds, outs = append(cmds, cmd), append(outs, out)
		}
		for _, cmd := range cmds {
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
		}
		for i, cmd := range cmds {
			if err := cmd.Wait(); err != nil && !strings.HasPrefix(outs[i].String(), "another nbr gen is writing to ") {
				t.Errorf("%v: %s", err, outs[i])
			}
		}
		got := snapshot(t, dir)
		tree := "old"
		if got["routers/cabin"] != "" {
			tree = "new"
		}
		equal(t, with(wanted(trees()[tree]), "routers/home/local.nix", "mine\n"), got)
	}
}

// mount puts a file system of its own on a new folder. Only we see it: the tests
// run in a namespace.
func mount(t *testing.T, options string) string {
	t.Helper()
	nstest.Require(t)
	dir := t.TempDir()
	if err := unix.Mount("nbr", dir, "tmpfs", 0, options); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	return dir
}

func TestReadOnlyFolder(t *testing.T) {
	dir := mount(t, "size=1m")
	write(t, dir, trees()["old"])
	before := snapshot(t, dir)
	if err := unix.Mount("", dir, "", unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	fails(t, gen(dir, trees()["new"], false), "read-only file system")
	equal(t, before, snapshot(t, dir))
	if err := gen(dir, trees()["old"], false); err != nil {
		t.Errorf("nothing is to be written, and it fails: %v", err)
	}
}

// Writing the first tree, and then the second over it, in folders with more and
// more room: a full disk loses nothing, neither bytes nor the last inode.
func TestDiskFull(t *testing.T) {
	for _, resource := range []string{"nr_blocks", "nr_inodes"} {
		t.Run(resource, func(t *testing.T) {
			full := map[string]int{}
			for n := 2; ; n++ {
				if n > 200 {
					t.Fatal("the tree fits nowhere")
				}
				dir := mount(t, fmt.Sprintf("%s=%d", resource, n))
				if err := gen(dir, trees()["old"], false); err != nil {
					full["old"]++
					fails(t, err, syscall.ENOSPC.Error())
					equal(t, map[string]string{}, snapshot(t, dir))
					continue
				}
				equal(t, wanted(trees()["old"]), snapshot(t, dir))
				if err := gen(dir, trees()["new"], false); err != nil {
					full["new"]++
					fails(t, err, syscall.ENOSPC.Error())
					equal(t, wanted(trees()["old"]), snapshot(t, dir))
					continue
				}
				equal(t, wanted(trees()["new"]), snapshot(t, dir))
				break
			}
			if full["old"] < 5 || full["new"] < 5 {
				t.Errorf("the disk was full %v times: that is too seldom to mean something", full)
			}
		})
	}
}
