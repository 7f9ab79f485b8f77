package inject

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// openLink is a link on which an answer could be heard. One that is down or has no carrier
// drops what is sent on it, so its silence would say nothing.
func openLink(name string) (*netlink.LinkAttrs, error) {
	if name == "" || len(name) >= unix.IFNAMSIZ {
		return nil, fmt.Errorf("%q is no name of a link", name)
	}
	link, err := netlink.LinkByName(name)
	if errors.As(err, new(netlink.LinkNotFoundError)) {
		return nil, fmt.Errorf("there is no link %s", name)
	}
	if err != nil {
		return nil, err
	}
	a := link.Attrs()
	if err := carries(a); err != nil {
		return nil, err
	}
	if a.MasterIndex == 0 {
		return a, nil
	}
	// A bridge would hand the frame on to its other ports, and so transmit it.
	master, err := netlink.LinkByIndex(a.MasterIndex)
	if err != nil {
		return nil, err
	}
	if master.Type() != "vrf" {
		return nil, fmt.Errorf("%s is a port of %s: hosts are reached on that", name, master.Attrs().Name)
	}
	return a, nil
}

// unchanged tells whether a link on which there was no answer is still the one that was
// asked. The kernel drops a frame to a MAC that the link no longer has (eth_type_trans in
// net/ethernet/eth.c), as when udev gives a new link its lasting one (systemd.link(5),
// MACAddressPolicy=), and what leaves on a link whose cable was pulled.
func unchanged(name string, asked *netlink.LinkAttrs) error {
	now, err := openLink(name)
	switch {
	case err != nil:
		return err
	case now.Index != asked.Index || !bytes.Equal(now.HardwareAddr, asked.HardwareAddr):
		return fmt.Errorf("%s has changed while it was asked", name)
	}
	return nil
}

func carries(a *netlink.LinkAttrs) error {
	switch {
	case a.RawFlags&unix.IFF_UP == 0:
		return fmt.Errorf("%s is down: no answer could leave on it", a.Name)
	case a.RawFlags&unix.IFF_LOWER_UP == 0:
		return fmt.Errorf("%s has no carrier: no answer could leave on it", a.Name)
	}
	return nil
}
