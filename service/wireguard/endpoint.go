package wireguard

import (
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"strconv"
	"strings"

	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/nixgen"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
)

// Endpoint is a host and a port.
type Endpoint string

// numericRE fits what only looks like a name: a last part of digits is of an address (RFC 1123
// section 2.1).
var numericRE = regexp.MustCompile(`(^|\.)[0-9]+$`)

// UnmarshalText wants host:port, an IPv6 address in brackets. WireGuard has no place for the
// link of a link-local address that IfState would fill.
func (e *Endpoint) UnmarshalText(b []byte) error {
	const form = "write a host and a port, as in vpn.example.org:51820 or [2001:db8::1]:51820"
	if a, err := netip.ParseAddr(string(b)); err == nil && a.Is6() {
		return diag.Advise(fmt.Errorf("%q has no port, or no brackets around the address", b), form)
	}
	host, port, err := net.SplitHostPort(string(b))
	var p router.Port
	var d router.Domain
	if err == nil {
		err = p.UnmarshalText([]byte(port))
	}
	a, bad := netip.ParseAddr(host)
	if bad != nil && err == nil {
		err = d.UnmarshalText([]byte(host))
		if numericRE.MatchString(host) {
			err = bad
		}
	}
	switch {
	case err != nil:
		return diag.Advise(fmt.Errorf("%q is no endpoint", b), form)
	case bad != nil: // a name
	case a.IsUnspecified(), a.IsMulticast(), a.IsLinkLocalUnicast(), a.Is4In6(), a == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		return diag.Advise(fmt.Errorf("%s is no address of a machine elsewhere", a), "write the address that the other end is reached at")
	}
	*e = Endpoint(b)
	return nil
}

// Describe is what the type is in the schema.
func (Endpoint) Describe() string { return "host:port" }

// address is the endpoint as an address and a port; false if it is a name, or none.
func (e Endpoint) address() (netip.AddrPort, bool) {
	a, err := netip.ParseAddrPort(string(e))
	return a, err == nil
}

// match is what is sent there: of a name the address is not known.
func (e Endpoint) match() router.Match {
	m := router.Match{Protocol: router.UDP}
	if _, port, err := net.SplitHostPort(string(e)); err == nil {
		n, _ := strconv.ParseUint(port, 10, 16) // it has been read as a port
		m.Ports = router.OnePort(router.Port(n))
	}
	if end, ok := e.address(); ok {
		m.Groups = []netip.Addr{end.Addr()}
	}
	return m
}

// host is the name or the address.
func (e Endpoint) host() string {
	host, _, _ := net.SplitHostPort(string(e))
	return host
}

// named tells whether the endpoint is a name.
func (e Endpoint) named() bool {
	_, ok := e.address()
	return e != "" && !ok
}

// unit keeps the endpoints of peers that have a name.
func (t *Tunnel) unit() string { return "nbr-endpoints-" + string(t.LinkName()) }

// A session ends 180 seconds after its handshake, and a peer that is there makes a new one
// after 120 (REJECT_AFTER_TIME and REKEY_AFTER_TIME in drivers/net/wireguard/messages.h). What
// is older than silence is asked for again.
const silence = 135

// lower sets the endpoints of peers that have a name. The kernel knows addresses only, and
// IfState would resolve them before there is a resolver or an upstream, and never again. So a
// unit of its own does: at once, and then whenever a peer has not been heard from for
// longer than a session needs. What the peer itself says by its packets wins in between.
func (t *Tunnel) lower(_ *router.Router, m *nixgen.Module) {
	var cases strings.Builder
	var first *Peer
	for _, p := range t.Peers {
		if p.Endpoint.V.named() {
			fmt.Fprintf(&cases, "      %s) name=%s ;;\n", p.PublicKey.V, p.Endpoint.V)
			if first == nil {
				first = p
			}
		}
	}
	if first == nil {
		return
	}
	// A peer that the tunnel has not is not added: wg(8) would. What fails is said once.
	script := fmt.Sprintf(`declare -A set said
while true; do
  while read -r key last; do
    case $key in
%[2]s      *) continue ;;
    esac
    age=$((EPOCHSECONDS - last))
    if [[ -n ${set[$key]-} && $age -ge 0 && $age -le %[3]d ]]; then
      continue
    fi
    if why=$(wg set %[1]s peer "$key" endpoint "$name" 2>&1); then
      set[$key]=1
      said[$key]=
    elif [[ ${said[$key]-} != "$why" ]]; then
      said[$key]=$why
      printf '%%s\n' "$why" >&2
    fi
  done < <(wg show %[1]s latest-handshakes 2>/dev/null)
  sleep 15
done
`, t.LinkName(), cases.String(), silence)
	from := service.Origin(t.Addr, first.Endpoint.Range)
	set := func(v nixgen.Expr, path ...string) {
		m.Set(from, v, append([]string{"systemd", "services", t.unit()}, path...)...)
	}
	set(nixgen.Str(fmt.Sprintf("Endpoints of %s's peers by their names", t.LinkName())), "description")
	set(nixgen.List{nixgen.Str("multi-user.target")}, "wantedBy")
	set(nixgen.List{nixgen.Var("pkgs.wireguard-tools")}, "path")
	set(nixgen.Str("0"), "environment", "WG_ENDPOINT_RESOLUTION_RETRIES") // else wg(8) waits for minutes
	set(nixgen.Lines(script), "script")
	for _, o := range []struct {
		name string
		v    nixgen.Expr
	}{
		{"Restart", nixgen.Str("always")},
		{"RestartSec", nixgen.Int(5)},
		{"DynamicUser", nixgen.Bool(true)},
		{"AmbientCapabilities", nixgen.List{nixgen.Str("CAP_NET_ADMIN")}},
		{"CapabilityBoundingSet", nixgen.List{nixgen.Str("CAP_NET_ADMIN")}},
		{"LockPersonality", nixgen.Bool(true)},
		{"MemoryDenyWriteExecute", nixgen.Bool(true)},
		{"PrivateDevices", nixgen.Bool(true)},
		{"ProtectControlGroups", nixgen.Bool(true)},
		{"ProtectHome", nixgen.Bool(true)},
		{"ProtectKernelModules", nixgen.Bool(true)},
		{"ProtectKernelTunables", nixgen.Bool(true)},
		{"RestrictAddressFamilies", service.Strs([]string{"AF_INET", "AF_INET6", "AF_NETLINK", "AF_UNIX"})},
		{"RestrictNamespaces", nixgen.Bool(true)},
		{"SystemCallArchitectures", nixgen.Str("native")},
		{"SystemCallFilter", nixgen.List{nixgen.Str("@system-service")}},
	} {
		set(o.v, "serviceConfig", o.name)
	}
}
