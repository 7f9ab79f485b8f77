//go:build wasip1

// Wasm is nbr as a plugin of the Nix evaluator, with the same block more.
package main

import (
	"example.org/router/overlay"

	"github.com/nbr-dev/nbr/evaluator/host"
	"github.com/nbr-dev/nbr/service/all"
)

func main() { host.Main(append(all.Kinds(), overlay.Kind())...) }
