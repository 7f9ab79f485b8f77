package freeradius

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/probe"
	"github.com/nbr-dev/nbr/verify/state"
)

// ServerKind is the radius_server block.
func ServerKind() service.Kind {
	return service.Kind{
		Type: "radius_server", Doc: "A RADIUS server on another host, which knows who may into the network.",
		Example: `secret "radius-office" {
  path = "/var/lib/secrets/radius-office"
}

radius_server "office" {
  address = "192.168.178.9"
  secret  = secret.radius-office
}

port "wlp1s0" {}

wifi "attic" {
  radio   = port.wlp1s0
  band    = "5GHz"
  channel = 36
  country = "DE"

  ssid "Office" {
    network  = network.lan
    security = "wpa3-enterprise"
    radius   = radius_server.office
  }
}
`,
		Probes: []probe.Any{otherServer}, New: func() service.Block { return &Server{} },
	}
}

// Server is the radius_server block.
type Server struct {
	conf.Header
	Name    conf.Value[router.Name]  `hcl:"name,label"`
	Address conf.Value[router.Addr]  `hcl:"address,required" doc:"The server's address. The router asks from the address by which it reaches it."`
	Port    conf.Value[router.Port]  `hcl:"port,optional" default:"1812" doc:"The UDP port of authentication."`
	Secret  conf.Ref[*router.Secret] `hcl:"secret,required" doc:"The secret that the router shares with it: the first line of the secret's file, 16 to 128 printable ASCII characters, with no blanks around them."`
}

// Authentication implements [router.Authenticator].
func (b *Server) Authentication() router.Authentication {
	s := b.Secret.Target
	return router.Authentication{
		Server: netip.AddrPortFrom(b.Address.V.Addr, uint16(b.Port.V)), File: s.Location(), Secret: s, Installer: s.Installer(),
	}
}

// Claim claims nothing: who asks the server reads its secret.
func (b *Server) Claim(*router.Scope) {}

// Judge wants another host that is inside, and a program that asks it.
func (b *Server) Judge(r *router.Router) hcl.Diagnostics {
	at := b.Address.V.Addr
	switch {
	case at.IsLoopback() || r.Owner(at) != nil:
		return hcl.Diagnostics{diag.Help(diag.Error("radius-server", b.Address.Range, "RADIUS server that is the router itself",
			"%s is an address of the router's own.", at), "Write a radius block, and refer to it by the word radius.")}
	case !asked(r, b):
		return hcl.Diagnostics{diag.Help(diag.Warning("radius-server-unused", b.Def, "RADIUS server that is not asked",
			"No block refers to %s.", b.Addr), "Write radius = %s where clients of a network are to authenticate, or remove it.", b.Addr)}
	case !inside(r, at) && !r.Unsound["network"] && !r.Unsound["route"]:
		return hcl.Diagnostics{diag.Help(diag.Warning("radius-server-outside", b.Address.Range, "RADIUS server outside",
			"%s is in no network inside, and no route leads there by one of them. RADIUS tells who comes when, and gives away keys of Wi-Fi to whoever knows the secret.", at),
			"Ask through a tunnel, with a route to the server.")}
	}
	return nil
}

// inside tells whether packets to an address stay within networks that are no upstream.
func inside(r *router.Router, at netip.Addr) bool {
	if n := r.NetworkAt(at); n != nil {
		return !n.Upstream()
	}
	for _, rt := range r.Routes {
		if rt.To.Set && rt.To.V.Bits() > 0 && rt.To.V.Contains(at) && !slices.ContainsFunc(r.NextHops(rt), (*router.Network).Upstream) {
			return true
		}
	}
	return false
}

// Checks ask the server as an access point does when a device comes, by the secret of the file.
func (b *Server) Checks(_ *router.Router, p *verify.Plan) {
	q := serverUse{b.Authentication().Server, b.Secret.Target.Location()}
	want, hint := signedAnswer, fmt.Sprintf("ls -l %s; tcpdump -n host %s and udp port %d", q.File, b.Address.V, b.Port.V)
	c := verify.Check{ID: b.Addr.String() + "/answers", Title: "RADIUS on " + q.At.String(), From: b.Address.Range}
	verify.Asked(p, c, otherServer, q, want, hint, func(_ *state.State, got string) verify.Verdict { return verify.Compare(want, got, hint) })
}

// A serverUse is a server, and the file with what is shared with it.
type serverUse struct {
	At   netip.AddrPort `json:"at"`
	File string         `json:"file"`
}

// MarshalText writes it as in "192.168.1.9:1812 /var/lib/secrets/radius".
func (q serverUse) MarshalText() ([]byte, error) { return []byte(q.At.String() + " " + q.File), nil }

// otherServer begins to log in a user whom a server does not know. That there is an authentic answer tells
// that it is there, and that the secret is right; which answer it is tells nothing more.
var otherServer = &probe.Probe[serverUse, string]{Name: "freeradius.other", Active: true, Look: lookOther}

// signedAnswer is the answer that a server is to give.
const signedAnswer = "an answer with Message-Authenticator"

func lookOther(ctx context.Context, h probe.Host, q serverUse) (string, error) {
	file, err := h.ReadFile(q.File)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return noFile, nil
	case err != nil:
		return "", err
	}
	secret, ok := line(file, shortestSecret)
	if !ok {
		return noSecret, nil
	}
	conn, err := h.Dial(ctx, "udp", q.At.String())
	switch {
	case err != nil && quiet(err) == nil:
		return noAnswer, nil
	case err != nil:
		return "", err
	}
	defer conn.Close()
	c := &client{ctx: ctx, conn: conn, secret: []byte(secret), user: "nbr"}
	switch _, a, err := c.eap(message(0, typeIdentity, []byte(c.user)...)); {
	case err != nil:
		return "", err
	case a == nil:
		return noAnswer, nil
	case !a.signed:
		return unsignedSays, nil
	}
	return signedAnswer, nil
}
