// Build makes the page of nbr in a folder. It is run in the folder of nbr's source:
//
//	go run ./site/build -o DIR -examples testdata/routers
package main

import (
	"context"
	"flag"
	"fmt"
	"os"

	"github.com/nbr-dev/nbr/site"
)

func main() {
	out := flag.String("o", "out/site", "write the page to `DIR`")
	examples := flag.String("examples", "testdata/routers", "`DIR` with a folder for each example")
	flag.Parse()
	if flag.NArg() > 0 {
		flag.Usage()
		os.Exit(64)
	}
	if _, err := os.Stat(*examples); err != nil {
		fmt.Fprintf(os.Stderr, "build: the examples: %v\n", err)
		os.Exit(1)
	}
	if err := site.Build(context.Background(), ".", os.DirFS(*examples), *out); err != nil {
		fmt.Fprintln(os.Stderr, "build:", err)
		os.Exit(1)
	}
}
