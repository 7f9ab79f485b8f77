//go:build wasip1

// Nbr-wasm is nbr as a plugin of the Nix evaluator: a WebAssembly module for builtins.wasm. It has the
// language, the services and the boards, and nothing that looks at a machine.
package main

import (
	"github.com/nbr-dev/nbr/evaluator/host"
	"github.com/nbr-dev/nbr/service/all"
)

func main() { host.Main(all.Kinds()...) }
