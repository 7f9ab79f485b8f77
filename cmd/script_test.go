package cmd_test

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/nbr-dev/nbr/cmd"
	"github.com/nbr-dev/nbr/internal/bl2code"
	"github.com/nbr-dev/nbr/service/all"
)

var update = flag.Bool("update", false, "write the wanted outputs in testdata/script anew")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"nbr": func() {
		cmd.SetClock(today)
		cmd.RunMain(all.Kinds()...)
	}})
}

// today is the day in $TODAY. All pins are young on the one that scripts start with.
func today() time.Time {
	day, err := time.Parse(time.DateOnly, os.Getenv("TODAY"))
	if err != nil {
		panic(err)
	}
	return day
}

// TestScript runs testdata/script/*.txtar: one story a file, told by commands of a
// newcomer's shell. Besides testscript's own commands there are
//
//	exits CODE COMMAND…   run a command, which must exit with this very code
//	files FOLDER          print the paths of all files below a folder
//	scans FILE            the output of the last command is a QR code of the file's text
//
// and $TODAY is the day that nbr believes to be (2025-11-01 unless the script says
// another), $ARTICLE is the folder of the article's router, $MAKE_IMAGE a script that makes
// a small SD image. $BL2_8GIB and $BL2_4GIB are programs of a BL2 for a BPI-R4, and
// $BL2_LIMIT is of one with the flag for 8 GiB and a limit of 4 GiB.
func TestScript(t *testing.T) {
	article, err := filepath.Abs("../testdata/routers/bpi-r4")
	if err != nil {
		t.Fatal(err)
	}
	image, err := filepath.Abs("../testdata/image/make.sh")
	if err != nil {
		t.Fatal(err)
	}
	bl2 := map[string]string{}
	for name, b := range map[string]bl2code.Build{
		"BL2_8GIB": {Comb: true, FourBG: true}, "BL2_4GIB": {Comb: true}, "BL2_LIMIT": {DDR4: true, FourBG: true, Limit: 4096},
	} {
		bl2[name] = filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(bl2[name], b.Program(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "../testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       *update,
		Setup: func(e *testscript.Env) error {
			e.Setenv("ARTICLE", article)
			e.Setenv("MAKE_IMAGE", image)
			for name, file := range bl2 {
				e.Setenv(name, file)
			}
			e.Setenv("TODAY", "2025-11-01")
			e.Setenv("HOME", filepath.Join(e.WorkDir, "home"))
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": exits, "files": files, "scans": scans},
	})
}

func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	var exit *exec.ExitError
	if err := ts.Exec(args[1], args[2:]...); errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

func files(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: files FOLDER")
	}
	root := ts.MkAbs(args[0])
	ts.Check(filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		if to, err := os.Readlink(path); err == nil {
			rel += " -> " + to
		}
		_, err = fmt.Fprintln(ts.Stdout(), filepath.ToSlash(rel))
		return err
	}))
}

// The scripts are the only test of some commands, so that none of them is lost
// without notice.
func TestScriptsAreThere(t *testing.T) {
	found, err := filepath.Glob("../testdata/script/*.txtar")
	if err != nil || len(found) < 35 {
		t.Errorf("%d scripts, %v; there were at least 35", len(found), err)
	}
}
