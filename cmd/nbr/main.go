// Nbr turns the HCL spec of a router into a NixOS flake.
package main

import (
	"github.com/nbr-dev/nbr/cmd"
	"github.com/nbr-dev/nbr/service/all"
)

func main() { cmd.Main(all.Kinds()...) }
