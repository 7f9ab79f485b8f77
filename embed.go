// Package nbr is the source that nbr is built from. The program carries it and writes it
// into the flakes that it generates, so that a router is built with the nbr that knows its
// spec, from wherever that nbr came.
package nbr

import (
	"embed"
	"io/fs"
)

// Version is the release that this source is, or becomes.
const Version = "0.1.0"

// Program is the package of the program that the source builds.
const Program = "github.com/nbr-dev/nbr/cmd/nbr"

// What builds the program and nothing else: flake/source.nix names the same. A folder
// brings its tests, because go:embed cannot leave them out; flake.Archive does. Of cmd it
// is the files, because go build there leaves a program.
//
//go:embed LICENSE embed.go go.mod go.sum cmd/*.go cmd/nbr/*.go cmd/nbr-wasm/*.go lsp/*.go
//go:embed evaluator failover firmware flake hcl nixgen router service verify
var source embed.FS

// Source is the module's source.
func Source() fs.FS { return source }
