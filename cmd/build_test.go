package cmd

import (
	"bytes"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/nbr-dev/nbr"
	"github.com/nbr-dev/nbr/firmware"
	"github.com/nbr-dev/nbr/flake"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/service/all"
)

const article = "../testdata/routers/bpi-r4"

// shuffled is a file system whose folders are listed in another order each time,
// as real ones are: names come in the order of hashes or of creation.
type shuffled struct{ fs.FS }

func (s shuffled) Open(name string) (fs.File, error) {
	f, err := s.FS.Open(name)
	if d, ok := f.(fs.ReadDirFile); ok && err == nil {
		return shuffledDir{d}, nil
	}
	return f, err
}

type shuffledDir struct{ fs.ReadDirFile }

func (d shuffledDir) ReadDir(n int) ([]fs.DirEntry, error) {
	entries, err := d.ReadDirFile.ReadDir(n)
	rand.Shuffle(len(entries), func(i, j int) { entries[i], entries[j] = entries[j], entries[i] })
	return entries, err
}

// scattered is the article's spec with its blocks in a file each, and every file
// on the lines that its block had, because lines are part of what is generated.
func scattered(t *testing.T) fstest.MapFS {
	t.Helper()
	src, err := os.ReadFile(filepath.Join(article, "router.hcl"))
	if err != nil {
		t.Fatal(err)
	}
	f, diags := hclsyntax.ParseConfig(src, "router.hcl", hcl.InitialPos)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	files := fstest.MapFS{}
	letters := map[string]string{}
	for i, b := range f.Body.(*hclsyntax.Body).Blocks {
		rng := hcl.RangeBetween(b.DefRange(), b.CloseBraceRange)
		text := append(bytes.Repeat([]byte("\n"), rng.Start.Line-1), rng.SliceBytes(src)...)
		if letters[b.Type] == "" {
			letters[b.Type] = string(rune('a' + (i*7)%26)) // not in the order of the blocks
		}
		// Those of one type are in theirs: the first policy that fits decides.
		name := fmt.Sprintf("%s%s_%02d.hcl", letters[b.Type], b.Type, i)
		files[name] = &fstest.MapFile{Data: append(text, '\n')}
	}
	return files
}

// tree is what nbr gen makes of the spec in a file system.
func tree(t *testing.T, fsys fs.FS, vars map[string]string) *flake.Tree {
	t.Helper()
	reg := &service.Registry{Kinds: all.Kinds(), Boards: firmware.Boards()}
	spec, diags := reg.Load(fsys, vars)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	tree, err := (&app{Env: Env{Source: nbr.Source()}, reg: reg}).build([]loaded{{Spec: spec, dir: article}})
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

func texts(t *flake.Tree) map[string]string {
	out := map[string]string{}
	for name, b := range t.Files {
		out[name] = string(b)
	}
	return out
}

func TestBuildTwentyTimes(t *testing.T) {
	for name, fsys := range map[string]fs.FS{
		"one file":           os.DirFS(article),
		"a file a block":     shuffled{scattered(t)},
		"one file, shuffled": shuffled{os.DirFS(article)},
	} {
		t.Run(name, func(t *testing.T) {
			want := tree(t, fsys, nil)
			for range 20 {
				got := tree(t, fsys, nil)
				if diff := cmp.Diff(texts(want), texts(got)); diff != "" {
					t.Fatalf("built again it is another tree (-first +again):\n%s", diff)
				}
				if diff := cmp.Diff(want.Origins, got.Origins); diff != "" {
					t.Fatalf("built again its lines come from elsewhere (-first +again):\n%s", diff)
				}
			}
		})
	}
}

// How blocks are spread over files does not matter, but for the order of policies, as the template
// says: the Nix is the same but for the names of the files in it.
func TestSpreadingDoesNotMatter(t *testing.T) {
	one, many := tree(t, os.DirFS(article), nil), tree(t, scattered(t), nil)
	names := regexp.MustCompile(`\b[a-z0-9_]+\.hcl:`)
	for name, b := range one.Files {
		if !strings.HasSuffix(name, ".nix") {
			continue
		}
		want := names.ReplaceAllString(string(b), "FILE:")
		got := names.ReplaceAllString(string(many.Files[name]), "FILE:")
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-one file +a file a block):\n%s", name, diff)
		}
	}
	if len(scattered(t)) < 10 {
		t.Errorf("the spec was scattered over %d files only", len(scattered(t)))
	}
}

// Nothing of the machine is in the tree: no path of it, no name, no clock.
func TestTreeKnowsNoMachine(t *testing.T) {
	wd, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	built := tree(t, os.DirFS(article), nil)
	clock := regexp.MustCompile(`\b[0-9]{2}:[0-9]{2}:[0-9]{2}\b|\b20[0-9]{2}-[0-9]{2}-[0-9]{2}T`)
	for _, name := range slices.Sorted(maps.Keys(built.Files)) {
		text := string(built.Files[name])
		for _, secret := range []string{filepath.Dir(wd), os.TempDir() + "/", "/home/", "/root/"} {
			if strings.Contains(text, secret) {
				t.Errorf("%s has %q in it", name, secret)
			}
		}
		if len(host) > 4 && strings.Contains(text, host) {
			t.Errorf("%s has the name of this machine in it", name)
		}
		// MAC addresses look like clocks, and have more to them.
		for _, at := range clock.FindAllStringIndex(text, -1) {
			if !strings.Contains(text[max(0, at[0]-9):min(len(text), at[1]+9)], "02:11:22:33:44:55") {
				t.Errorf("%s has the time %q in it", name, text[at[0]:at[1]])
			}
		}
	}
}
