package observe

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/nbr-dev/nbr/verify/state"
)

func (l *looker) offers(ctx context.Context) error {
	l.st.Offers = ask(ctx, l, state.NeedOffer, l.seekOffer, func(why string) state.Offer { return state.Offer{Error: why} })
	return nil
}

// seekOffer has a client's DISCOVER arrive on a link. It is of no consequence: a
// server keeps nothing for who does not ask for what it offers (RFC 2131 section
// 3.1). The first OFFER counts, as for most clients. Answers of other machines do
// not: they come in, and only what leaves is heard.
func (l *looker) seekOffer(ctx context.Context, n state.Need) (state.Offer, error) {
	name, mac, err := parseClient(n.Name)
	if err != nil {
		return state.Offer{}, err
	}
	link, err := openLink(name)
	if err != nil {
		return state.Offer{}, err
	}
	if len(link.HardwareAddr) != 6 {
		return state.Offer{}, fmt.Errorf("%s is no Ethernet, and has no DHCP", name)
	}
	if mac == nil {
		mac = stranger()
	}
	d, err := discover(mac)
	if err != nil {
		return state.Offer{}, err
	}
	w, err := openWire(link.Index, link.Index, []match{
		at(9, 1, protoUDP),
		behind(0, 2, portDHCPServer),
		behind(2, 2, portDHCPClient),
		behind(8+4, 4, binary.BigEndian.Uint32(d.TransactionID[:])),
	})
	if err != nil {
		return state.Offer{}, err
	}
	defer w.Close()
	var offer state.Offer
	answers := func(b []byte) bool {
		o, err := parseOffer(d, b)
		if err == nil {
			offer = o
		}
		return err == nil
	}
	answered, err := w.exchange(ctx, discoverFrame(d), []time.Duration{repeat, wait - repeat}, answers)
	if err == nil && !answered {
		a := l.audience("packet", netip.AddrPort{})
		a.link = link.Index
		err = a.attend(ctx, func(d time.Duration) (bool, error) {
			var err error
			answered, err = hear(ctx, w.tap, d, answers)
			return answered, err
		})
	}
	if err == nil && !answered {
		err = stayed(name, link)
	}
	return offer, err
}

// stranger is a MAC that no vendor has given to anybody (IEEE 802c).
func stranger() net.HardwareAddr {
	mac := make(net.HardwareAddr, 6)
	_, _ = rand.Read(mac) // which does not fail
	mac[0] = mac[0]&^1 | 2
	return mac
}

// openLink is a link on which somebody could be heard and answered. One that is down
// or has no cable drops what is sent on it before anybody hears it, so its silence
// would say nothing.
func openLink(name string) (*netlink.LinkAttrs, error) {
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
	// A bridge would hand the frame on to its other ports, and so onto wires.
	master, err := netlink.LinkByIndex(a.MasterIndex)
	if err != nil {
		return nil, err
	}
	if master.Type() != "vrf" {
		return nil, fmt.Errorf("%s is a port of %s: nobody is to be met on it alone", name, master.Attrs().Name)
	}
	return a, nil
}

// stayed tells whether a link on which nobody answered is still the one that was asked.
// The kernel drops a frame to a MAC that the link no longer has (eth_type_trans in
// net/ethernet/eth.c), as when udev gives a new link its lasting one (systemd.link(5),
// MACAddressPolicy=), and what leaves on a link whose cable was pulled.
func stayed(name string, asked *netlink.LinkAttrs) error {
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
