package cmd

import "time"

// SetClock fixes the clock of Main.
func SetClock(now func() time.Time) { clock = now }
