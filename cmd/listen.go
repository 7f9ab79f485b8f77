package cmd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/coreos/go-systemd/v22/activation"
)

// handedOver are the sockets that systemd has opened for this process.
func handedOver() ([]net.Listener, error) {
	ls, err := activation.Listeners()
	if err != nil {
		return nil, err
	}
	for i, l := range ls {
		if l == nil {
			return nil, fmt.Errorf("socket %d that was handed over is none to listen on", i)
		}
		ls[i] = newCrowd(l)
	}
	return ls, nil
}

// parsePlace reads unix:PATH or an address and a port, for net.Listen.
func parsePlace(place string) (network, address string, err error) {
	if path, ok := strings.CutPrefix(place, "unix:"); ok {
		if !strings.HasPrefix(path, "/") {
			return "", "", errors.New("the path of a socket starts with a slash, as in unix:/run/nbr-agent/metrics.sock")
		}
		return "unix", path, nil
	}
	a, err := netip.ParseAddrPort(place)
	if err != nil {
		return "", "", errors.New("write unix:PATH, or an address and a port such as 127.0.0.1:9842 or [::1]:9842")
	}
	return "tcp", a.String(), nil
}

// listenAt opens all places, or none.
func listenAt(ctx context.Context, places []string) ([]net.Listener, error) {
	var out []net.Listener
	for _, place := range places {
		network, address, err := parsePlace(place)
		if err == nil {
			var l net.Listener
			if network == "unix" {
				l, err = listenUnix(ctx, address)
			} else {
				l, err = (&net.ListenConfig{Control: freebind}).Listen(ctx, network, address)
			}
			if err == nil {
				out = append(out, newCrowd(l))
				continue
			}
		}
		for _, l := range out {
			l.Close()
		}
		if errors.Is(err, os.ErrNotExist) { // the folder is made by the agent's unit
			err = fmt.Errorf("%w; -listen names another place, as in -listen 127.0.0.1:9842", err)
		}
		return nil, fmt.Errorf("cannot serve at %s: %w", place, err)
	}
	return out, nil
}

// listenUnix opens a socket for this user and group. One that was left behind, by an
// agent that was killed, is replaced; one that a process listens on is not.
func listenUnix(ctx context.Context, path string) (net.Listener, error) {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, err
	case info.Mode().Type() != fs.ModeSocket:
		return nil, errors.New("there is something else that is no socket")
	default:
		d := net.Dialer{Timeout: time.Second}
		c, err := d.DialContext(ctx, "unix", path)
		if err == nil {
			return nil, errors.Join(errors.New("another process listens there"), c.Close())
		}
		if !errors.Is(err, syscall.ECONNREFUSED) {
			return nil, err
		}
		if err := os.Remove(path); err != nil {
			return nil, err
		}
	}
	// Not chmod: until then the socket would be there for others. No other thread makes a
	// file yet.
	old := syscall.Umask(0o117)
	defer syscall.Umask(old)
	return (&net.ListenConfig{}).Listen(ctx, "unix", path)
}
