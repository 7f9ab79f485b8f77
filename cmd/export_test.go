package cmd

import (
	"time"

	"github.com/urfave/cli/v2"

	"github.com/nbr-dev/nbr"
	"github.com/nbr-dev/nbr/firmware"
	"github.com/nbr-dev/nbr/service"
)

// SetClock fixes the clock of Main.
func SetClock(now func() time.Time) { clock = now }

// RunMain is Main of a program that carries its source, which a test's own is not.
func RunMain(kinds ...service.Kind) { run(nbr.Source(), kinds) }

// DeviceSpec is where a router has its spec.
const DeviceSpec = deviceSpec

// Program is the command line with these kinds of blocks.
func Program(kinds ...service.Kind) *cli.App {
	a := &app{Env{}, &service.Registry{Kinds: kinds, Boards: firmware.Boards()}}
	return a.program()
}
