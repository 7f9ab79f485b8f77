package freeradius

import (
	"context"
	"errors"
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
		Probes: []probe.Any{secretOf}, New: func() service.Block { return &Server{} },
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
	case at.Is4In6():
		return hcl.Diagnostics{diag.Help(diag.Error("radius-server", b.Address.Range, "IPv4 address that is written as one of IPv6",
			"hostapd would ask %s from a socket of IPv6.", at), "Write %s.", at.Unmap())}
	case at.IsLinkLocalUnicast():
		return hcl.Diagnostics{diag.Help(diag.Error("radius-server", b.Address.Range, "RADIUS server without an address that tells its link",
			"%s is a link-local address, which may be on any link, and hostapd knows no link of a server.", at),
			"Write an address of a network.")}
	case at.IsLoopback() || r.Owner(at) != nil:
		return hcl.Diagnostics{diag.Help(diag.Error("radius-server", b.Address.Range, "RADIUS server that is the router itself",
			"%s is an address of the router's own.", at), "Write a radius block, and refer to it by the word radius.")}
	case !asked(r, b):
		return hcl.Diagnostics{diag.Absent(diag.Help(diag.Warning("radius-server-unused", b.Def, "RADIUS server that is not asked",
			"No block refers to %s.", b.Addr), "Write radius = %s where clients of a network are to authenticate, or remove it.", b.Addr), diag.AnyBlock)}
	case !inside(r, at):
		return hcl.Diagnostics{diag.Absent(diag.Help(diag.Warning("radius-server-outside", b.Address.Range, "RADIUS server outside",
			"%s is in no network inside, and no route leads there by one of them. RADIUS tells who comes when, and gives away keys of Wi-Fi to all who know the secret.", at),
			"Ask through a tunnel, with a route to the server."), "network", "route")}
	}
	return nil
}

// inside tells whether packets to an address stay within networks that are no upstream: by the network that it is in, or
// by the narrowest routes to it of the main table, all of them, as one may take over from another.
func inside(r *router.Router, at netip.Addr) bool {
	if n := r.NetworkAt(at); n != nil {
		return !n.Upstream()
	}
	narrowest, stays := -1, false
	for _, rt := range r.Routes {
		if rt.Table.Set || !rt.To.V.Contains(at) || rt.To.V.Bits() < narrowest {
			continue
		}
		hops := r.NextHops(rt) // none of a blackhole
		in := len(hops) > 0 && !slices.ContainsFunc(hops, (*router.Network).Upstream)
		stays = in && (stays || rt.To.V.Bits() > narrowest)
		narrowest = rt.To.V.Bits()
	}
	return stays
}

// Checks looks for the secret. The server itself is not asked, as a look asks no other host; who asks it is checked
// for asking this one, by this secret.
func (b *Server) Checks(_ *router.Router, p *verify.Plan) {
	file := b.Secret.Target.Location()
	hint := "ls -l " + file
	c := verify.Check{ID: b.Addr.String() + "/secret", Title: "the secret of " + b.Authentication().Server.String(), From: b.Secret.Range}
	verify.Asked(p, c, secretOf, file, goodSecret, hint, func(_ *state.State, got string) verify.Verdict { return verify.Compare(goodSecret, got, hint) })
}

// secretOf asks whether there is a secret in a file, of which nothing leaves the probe.
var secretOf = &probe.Probe[string, string]{Name: "freeradius.secret", Look: lookSecret}

// goodSecret is what a file is to have.
const goodSecret = "16 to 128 characters"

func lookSecret(_ context.Context, h probe.Host, name string) (string, error) {
	file, err := h.ReadFile(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return noFile, nil
	case err != nil:
		return "", err
	}
	if _, ok := line(file, shortestSecret); !ok {
		return noSecret, nil
	}
	return goodSecret, nil
}
