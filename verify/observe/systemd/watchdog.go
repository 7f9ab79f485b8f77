package systemd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/nbr-dev/nbr/verify/observe/root"
	"github.com/nbr-dev/nbr/verify/state"
)

// Watchdog asks systemd what it feeds and the kernel what there is. A kernel without
// watchdogs has no folder for them.
func Watchdog(ctx context.Context, r root.Root) (*state.Watchdog, error) {
	w := &state.Watchdog{Devices: []string{}}
	entries, err := os.ReadDir(r.Path("/sys/class/watchdog"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	for _, e := range entries {
		w.Devices = append(w.Devices, e.Name())
	}
	conn, err := connect(ctx, r)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	if err := convertWatchdog(w, conn.GetManagerProperty); err != nil {
		return nil, err
	}
	return w, nil
}

// convertWatchdog reads two properties of systemd's manager, in D-Bus's text format. The
// time is that of the configuration also where no device is open.
func convertWatchdog(w *state.Watchdog, ask func(property string) (string, error)) error {
	text, err := ask("RuntimeWatchdogUSec")
	if err != nil {
		return err
	}
	usec, err := strconv.ParseUint(strings.TrimPrefix(text, "@t "), 10, 64)
	if err != nil {
		return fmt.Errorf("RuntimeWatchdogUSec: %w", err)
	}
	if usec != 1<<64-1 { // USEC_INFINITY: what the firmware has set up is left alone
		w.Runtime = usec
	}
	device, err := ask("WatchdogDevice")
	if err != nil {
		return err
	}
	w.Device, err = strconv.Unquote(device)
	if err != nil {
		return fmt.Errorf("WatchdogDevice: %w", err)
	}
	return nil
}
