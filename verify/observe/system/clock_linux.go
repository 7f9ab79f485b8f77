package system

import (
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/nbr-dev/nbr/verify/state"
)

// Clock tells whether the clock is synchronised. It sets nothing: modes is 0 (adjtimex(2)).
func Clock() (*state.Clock, error) {
	var tx unix.Timex
	if _, err := unix.Adjtimex(&tx); err != nil {
		return nil, fmt.Errorf("adjtimex: %w", err)
	}
	return &state.Clock{Synchronised: tx.Status&unix.STA_UNSYNC == 0}, nil
}
