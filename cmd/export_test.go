package cmd

import (
	"time"

	"github.com/nbr-dev/nbr"
	"github.com/nbr-dev/nbr/service"
)

// SetClock fixes the clock of Main.
func SetClock(now func() time.Time) { clock = now }

// RunMain is Main of a program that carries its source, which a test's own is not.
func RunMain(kinds ...service.Kind) { run(nbr.Source(), kinds) }
