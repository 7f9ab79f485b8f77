package wireguard

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/verify/probe"
)

// A keyUse is a file and the key that a tunnel has of it: its own, or the one that it
// shares with a peer.
type keyUse struct {
	Link string              `json:"link"`
	Peer router.WireGuardKey `json:"peer,omitempty"` // its public key; empty for the tunnel's own
	File string              `json:"file"`
}

// keyOf asks whether the kernel has the key that is in a file. No key leaves the probe.
var keyOf = &probe.Probe[keyUse, string]{Name: "wireguard.key", Look: lookKey}

// The answers.
const (
	sameKey  = "the key of the file"
	otherKey = "another key"
	noKey    = "no key"
)

func lookKey(ctx context.Context, h probe.Host, q keyUse) (string, error) {
	file, err := h.ReadFile(q.File)
	if err != nil {
		return "", err
	}
	what := "private-key"
	if q.Peer != "" {
		what = "preshared-keys"
	}
	text, err := show(ctx, h, q.Link, what)
	if err != nil {
		return "", err
	}
	got := strings.TrimSpace(text)
	if q.Peer != "" {
		got = ofPeer(text, q.Peer)
	}
	switch got {
	case "", "(none)":
		return noKey, nil
	case strings.TrimSpace(string(file)):
		return sameKey, nil
	}
	return otherKey, nil
}

// A keepaliveUse is a peer of a tunnel.
type keepaliveUse struct {
	Link string              `json:"link"`
	Peer router.WireGuardKey `json:"peer"`
}

// keepaliveOf asks for the seconds between keepalives to a peer, or off; nothing if there
// is no such peer.
var keepaliveOf = &probe.Probe[keepaliveUse, string]{Name: "wireguard.keepalive", Look: func(ctx context.Context, h probe.Host, q keepaliveUse) (string, error) {
	text, err := show(ctx, h, q.Link, "persistent-keepalive")
	return ofPeer(text, q.Peer), err
}}

// publicKeyOf asks for the public key of a tunnel.
var publicKeyOf = &probe.Probe[router.IfName, string]{Name: "wireguard.public-key", Look: func(ctx context.Context, h probe.Host, link router.IfName) (string, error) {
	text, err := show(ctx, h, string(link), "public-key")
	return strings.TrimSpace(text), err
}}

// addressesOf asks for the addresses of a name, as the router's own programs get them; none if
// it has none now.
var addressesOf = &probe.Probe[string, []string]{Name: "wireguard.addresses", Active: true, Look: func(ctx context.Context, h probe.Host, name string) ([]string, error) {
	out, err := h.Run(ctx, "getent", "ahosts", name)
	if err != nil || out.Exit != 0 && out.Exit != 2 { // 2: not found (getent(1))
		return nil, cmp.Or(err, fmt.Errorf("getent ahosts %s: exit code %d", name, out.Exit))
	}
	var found []string
	for l := range strings.Lines(string(out.Stdout)) {
		if f := strings.Fields(l); len(f) > 0 && !slices.Contains(found, f[0]) {
			found = append(found, f[0])
		}
	}
	slices.Sort(found)
	return found, nil
}}

// show runs wg(8), which prints a line of fields with tabs between them for each peer. Its
// output may hold keys, so no error repeats it.
func show(ctx context.Context, h probe.Host, link, what string) (string, error) {
	out, err := h.Run(ctx, "wg", "show", link, what)
	if err == nil && out.Exit != 0 {
		err = fmt.Errorf("wg show %s %s: exit code %d", link, what, out.Exit)
	}
	return string(out.Stdout), err
}

func ofPeer(text string, peer router.WireGuardKey) string {
	for l := range strings.Lines(text) {
		if key, value, _ := strings.Cut(strings.TrimSpace(l), "\t"); key == string(peer) {
			return value
		}
	}
	return ""
}
