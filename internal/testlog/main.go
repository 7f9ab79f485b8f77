// Command testlog makes what go test prints by itself of the events of go test -json, which it
// reads from standard input, and says at the end which tests took longest:
//
//	go test -json ./... | testlog
//
// It ends well whatever the tests did: that is go test's to say.
package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// most is how many tests the list at the end has.
const most = 10

func main() {
	if err := run(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "testlog:", err)
		os.Exit(1)
	}
}

// An event is what test2json writes (go doc test2json).
type event struct {
	Action, Package, Test, Output string
	Elapsed                       float64 // seconds
}

// A slow test is one that a package names, not a part of another.
type slow struct {
	pkg, test string
	seconds   float64
}

// run copies what a reader of the tests wants to see: of tests that fail all that they have
// written, of packages one line.
func run(in io.Reader, out io.Writer) error {
	written := map[[2]string]string{} // by package and test, of those that have not ended
	var list []slow
	w := bufio.NewWriter(out)
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadString('\n')
		var e event
		switch jsonErr := json.Unmarshal([]byte(line), &e); {
		case line == "":
		case jsonErr != nil: // the go command's own
			fmt.Fprint(w, line)
		case e.Action == "build-output", e.Action == "output" && e.Test == "" && e.Output != "PASS\n":
			fmt.Fprint(w, e.Output)
		case e.Action == "output" && !strings.HasPrefix(e.Output, "=== "):
			written[[2]string{e.Package, e.Test}] += e.Output
		case e.Action == "pass", e.Action == "skip", e.Action == "fail":
			if e.Action == "fail" {
				fmt.Fprint(w, lost(written, e))
			}
			delete(written, [2]string{e.Package, e.Test})
			if e.Test != "" && !strings.Contains(e.Test, "/") {
				list = append(list, slow{e.Package, e.Test, e.Elapsed})
			}
		}
		if flushErr := w.Flush(); flushErr != nil {
			return flushErr
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
	}
	slices.SortStableFunc(list, func(a, b slow) int { return cmp.Compare(b.seconds, a.seconds) })
	fmt.Fprintln(w, "the slowest tests:")
	for _, s := range list[:min(most, len(list))] {
		fmt.Fprintf(w, "%8.2f s  %s %s\n", s.seconds, s.pkg, s.test)
	}
	return w.Flush()
}

// lost is what a test that has failed has written; of a package, what those have that had not
// ended when it did.
func lost(written map[[2]string]string, e event) string {
	if e.Test != "" {
		return written[[2]string{e.Package, e.Test}]
	}
	var names []string
	for key := range written {
		if key[0] == e.Package && key[1] != "" {
			names = append(names, key[1])
		}
	}
	slices.Sort(names)
	var b strings.Builder
	for _, name := range names {
		b.WriteString(written[[2]string{e.Package, name}])
		delete(written, [2]string{e.Package, name})
	}
	return b.String()
}
