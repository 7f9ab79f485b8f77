package cmd

import (
	"github.com/nbr-dev/nbr"
	"github.com/nbr-dev/nbr/service"
)

// RunMain is Main of a program that carries its source, which a test's own is not.
func RunMain(kinds ...service.Kind) { run(nbr.Source(), kinds) }
