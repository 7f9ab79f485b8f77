// Command nbr of this module is nbr with a block more: overlay. It is an example of a
// program of a third party, and the tests of nbr build and run it.
package main

import (
	"example.org/router/overlay"

	"github.com/nbr-dev/nbr/cmd"
	"github.com/nbr-dev/nbr/service/all"
)

func main() { cmd.Main(append(all.Kinds(), overlay.Kind())...) }
