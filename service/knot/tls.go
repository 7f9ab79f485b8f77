package knot

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/nixgen"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/certificate"
	"github.com/nbr-dev/nbr/verify/dnsask"
)

// TLS is the tls block: answers over TLS (RFC 7858) and over HTTPS (RFC 8484).
type TLS struct {
	conf.Header
	Name        conf.Value[router.Domain] `hcl:"name,required" doc:"The name in the certificate, which clients are told and compare."`
	Certificate conf.Value[router.Path]   `hcl:"certificate,required" doc:"Where the certificate is on the router, with those above it (PEM). A new one is taken at once."`
	Key         conf.Ref[*router.Secret]  `hcl:"key,required" doc:"The secret with the private key of the certificate (PEM)."`
	HTTPS       conf.Value[bool]          `hcl:"https,optional" default:"false" doc:"Answer over HTTPS as well, at https://NAME/dns-query on port 443. Zones open it with allow = [\"dns-https\"], and TLS, on port 853, with \"dns-tls\"."`
}

// staging is the unit that gives the resolver its certificate, and its folder. Without one the
// resolver would not start (knot_resolver/datamodel/network_schema.py), and a missing file must
// cost no more than TLS.
const (
	staging    = "nbr-resolver-certificate"
	stagedCert = "/run/" + staging + "/certificate.pem"
	stagedKey  = "/run/" + staging + "/key.pem"
)

// a socket of TLS.
type socket struct {
	service, kind string // the name in zone.allow, and Knot Resolver's for it
	port          int
	via           dnsask.Transport
}

func (t *TLS) sockets() []socket {
	if t == nil {
		return nil
	}
	out := []socket{{"dns-tls", "dot", 853, dnsask.OverTLS}}
	if t.HTTPS.V {
		out = append(out, socket{"dns-https", "doh2", 443, dnsask.OverHTTPS})
	}
	return out
}

// claim claims the sockets, for the networks of the resolver, and the key.
func (t *TLS) claim(b *Resolver, s *router.Scope) {
	for _, sock := range t.sockets() {
		at := t.Def
		if sock.via == dnsask.OverHTTPS {
			at = t.HTTPS.Range
		}
		s.Listen(at, router.Listen{Service: sock.service, Protocol: router.TCP, Port: sock.port, Networks: b.Networks.All(), Unit: "knot-resolver"})
	}
	if t != nil && t.Key.Target != nil {
		s.Secret(t.Key.Range, router.SecretUse{Secret: t.Key.Target, For: router.CertificateKey, Owner: "root", Unit: staging})
	}
}

// lower sets network.tls, the sockets, and the unit that puts the certificate in place.
func (t *TLS) lower(b *Resolver, m *nixgen.Module, settings func(...string) []string) {
	if t == nil {
		return
	}
	from := service.From(t)
	m.Set(from, nixgen.Str(stagedCert), settings("network", "tls", "cert-file")...)
	m.Set(from, nixgen.Str(stagedKey), settings("network", "tls", "key-file")...)
	m.Set(from, nixgen.Bool(false), settings("network", "tls", "watchdog")...)
	for _, n := range b.Networks.Items {
		for _, sock := range t.sockets() {
			m.Add(service.Origin(t.Addr, n.Range), settings("network", "listen"), listener(addresses(n.Target), sock.kind, sock.port))
		}
	}
	unit := func(v nixgen.Expr, path ...string) {
		m.Set(from, v, append([]string{"systemd", "services", staging}, path...)...)
	}
	texts := func(s ...string) nixgen.Expr { return service.Strs(s) }
	unit(nixgen.Str("The certificate of the resolver"), "description")
	// The target starts it again at each switch to a configuration, which may name other files.
	unit(texts("knot-resolver.service", "multi-user.target"), "wantedBy")
	unit(texts("knot-resolver.service"), "before")
	if installer := t.Key.Target.Installer(); installer != "" {
		unit(texts(installer), "after")
	}
	unit(nixgen.List{nixgen.Var("pkgs.openssl")}, "path")
	unit(nixgen.Str("oneshot"), "serviceConfig", "Type")
	unit(nixgen.Str("knot-resolver"), "serviceConfig", "Group")
	unit(nixgen.Str("0027"), "serviceConfig", "UMask")
	unit(nixgen.Str(staging), "serviceConfig", "RuntimeDirectory")
	unit(nixgen.Str("0750"), "serviceConfig", "RuntimeDirectoryMode")
	unit(nixgen.Bool(true), "serviceConfig", "RuntimeDirectoryPreserve")
	unit(nixgen.Lines(t.script()), "script")
	service.Watch(m, from, staging, string(t.Certificate.V), t.Key.Target.Location())
}

// script puts a pair of certificate and key in place.
func (t *TLS) script() string {
	return "cd /run/" + staging + "\n" + service.StagePair(string(t.Certificate.V), t.Key.Target.Location(), "knot-resolver")
}

// certificates asks for that of the resolver.
var certificates = certificate.Of("knot")

// check asks over TLS and HTTPS, and looks at the certificate and the key.
func (t *TLS) check(b *Resolver, p *verify.Plan) {
	if t == nil || b.added("network") {
		return
	}
	p.UnitActive(t.Addr.String()+"/unit", t.Certificate.Range, staging+".path")
	file, key := string(t.Certificate.V), t.Key.Target.Location()
	c := verify.Check{ID: t.Addr.String() + "/key", Title: "the key of the certificate", From: t.Key.Range}
	certificates.Pair(p, c, file, key, "systemctl status "+staging+"; ls -l "+file+" "+key)
	for _, n := range b.Networks.Items {
		for _, a := range addrs(n.Target) {
			for _, sock := range t.sockets() {
				promise{
					id: fmt.Sprintf("%s/%s/%s", t.Addr, sock.service, a), title: "the resolver answers " + string(sock.via) + " on " + a.String(), from: t.Def,
					query: query{Server: a, Name: "localhost.", Type: "A", Via: sock.via}, code: "NOERROR",
				}.add(p)
				server := netip.AddrPortFrom(a, uint16(sock.port))
				hint := "openssl s_client -connect " + server.String() + " -servername " + strings.ToLower(string(t.Name.V)) + "; systemctl status " + staging
				c := verify.Check{ID: fmt.Sprintf("%s/certificate/%s/%s", t.Addr, sock.service, a), Title: "the certificate on " + a.String() + " port " + strconv.Itoa(sock.port), From: t.Certificate.Range}
				certificates.Shown(p, c, server, string(t.Name.V), file, hint)
			}
		}
	}
}
