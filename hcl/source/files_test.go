package source

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"

	"github.com/nbr-dev/nbr/hcl/diag"
)

// odd is a folder in which everything is that is no file of a spec, and what is one.
func odd(t *testing.T) string {
	t.Helper()
	outside := t.TempDir()
	if err := os.WriteFile(filepath.Join(outside, "x"), []byte("a = 1"), 0o600); err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	at := func(name string) string { return filepath.Join(folder, name) }
	for _, err := range []error{
		os.WriteFile(at("good"), []byte("a = 1"), 0o600),
		os.Symlink("good", at("link")),
		os.Mkdir(at("folder"), 0o700),
		syscall.Mkfifo(at("pipe"), 0o600),
		os.Symlink("pipe", at("link-to-pipe")),
		os.Symlink("/dev/zero", at("zero")),
		os.Symlink(filepath.Join(outside, "x"), at("absolute")),
		os.Symlink("../"+filepath.Base(outside)+"/x", at("relative")),
		os.Symlink(outside, at("elsewhere")),
		os.Symlink("loop", at("loop")),
		os.WriteFile(at("large"), nil, 0o600),
		os.Truncate(at("large"), 1<<40), // of zeros that are nowhere
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

// Nothing but a regular file in the folder is read: a pipe is not waited for, a device not
// read to its end, and no link leads out.
func TestOnlyFilesOfTheFolder(t *testing.T) {
	folder := odd(t)
	for name, want := range map[string]string{
		"good": "", "link": "",
		"none": "no-such-file", "folder": "not-a-file", "pipe": "not-a-file", "link-to-pipe": "not-a-file",
		"zero": "outside-folder", "absolute": "outside-folder", "relative": "outside-folder", "elsewhere/x": "outside-folder",
		"../x": "unreadable", "loop": "unreadable", "large": "too-large",
	} {
		b, err := ReadFile(Dir(folder), name)
		got := ""
		if err != nil {
			d := Unreadable(rangeAt(name, nil, 0), name, err)
			got = diag.Code(d)
			if strings.Contains(diag.Text(d), folder) {
				t.Errorf("%s: %s", name, diag.Text(d))
			}
		} else if string(b) != "a = 1" {
			t.Errorf("%s holds %q", name, b)
		}
		if got != want {
			t.Errorf("%s: %q (%v), want %q", name, got, err, want)
		}
	}
	if _, err := ReadFile(Dir(filepath.Join(folder, "none")), "x"); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

// A file that the user names may be a link to anywhere, and the rest holds.
func TestReadPath(t *testing.T) {
	folder := odd(t)
	for name, good := range map[string]bool{"good": true, "link": true, "absolute": true, "pipe": false, "zero": false, "folder": false, "large": false, "none": false} {
		b, err := ReadPath(filepath.Join(folder, name))
		if good && string(b) != "a = 1" || good != (err == nil) {
			t.Errorf("%s: %q, %v", name, b, err)
		}
	}
}

// growing is a file that is larger than it says.
type growing struct{ fs.FS }

type zeros struct{ fs.File }

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

func (g growing) Open(name string) (fs.File, error) {
	f, err := g.FS.Open(name)
	return zeros{f}, err
}

func TestEndlessFile(t *testing.T) {
	if _, err := ReadFile(growing{fstest.MapFS{"a": {}}}, "a"); !errors.Is(err, ErrTooLarge) {
		t.Error(err)
	}
}

// All files together are as bounded as one.
func TestManyFiles(t *testing.T) {
	half := append([]byte("a = 1 #"), make([]byte, MaxBytes/2)...)
	for i := range half[7:] {
		half[7+i] = 'x'
	}
	_, diags := ReadDir(fstest.MapFS{"a.hcl": {Data: half}, "b.hcl": {Data: half}})
	if len(diags) != 1 || diag.Code(diags[0]) != "too-large" || diags[0].Subject.Filename != "b.hcl" {
		t.Error(diags)
	}
}

// What is wrong in a folder of such files is told of each of them.
func TestOddSpec(t *testing.T) {
	folder := odd(t)
	for _, name := range []string{"pipe", "zero", "absolute"} {
		if err := os.Rename(filepath.Join(folder, name), filepath.Join(folder, name+".hcl")); err != nil {
			t.Fatal(err)
		}
	}
	_, diags := ReadDir(Dir(folder))
	var got []string
	for _, d := range diags {
		got = append(got, d.Subject.Filename+" "+diag.Code(d))
	}
	if want := "absolute.hcl outside-folder, pipe.hcl not-a-file, zero.hcl outside-folder"; strings.Join(got, ", ") != want {
		t.Errorf("%v, want %s", got, want)
	}
}
