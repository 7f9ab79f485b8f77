package nat64

import (
	"context"
	"fmt"
	"net/netip"
	"regexp"

	"github.com/nbr-dev/nbr/verify/probe"
)

// A way is one through the translator and back: from the router's own address on the link.
type way struct {
	From, To netip.Addr
}

// MarshalText writes it as in "fd64::1 64:ff9b::c000:aa".
func (w way) MarshalText() ([]byte, error) { return fmt.Appendf(nil, "%s %s", w.From, w.To), nil }

// said is what came back, and from where; nothing if both are empty.
type said struct {
	By   string `json:"by,omitempty"`
	What string `json:"what,omitempty"`
}

// translated sends a packet into the translator that has one hop left when it comes out of it:
// the router itself says so, by an ICMP error that is translated back. So nothing leaves the
// router, and the answer has been through the translator both ways.
var translated = &probe.Probe[way, said]{Name: "nat64.translated", Active: true, Look: lookTranslated}

// hops are those to the translator, which counts as one, and one more.
const hops = "2"

// errorRE is what ping says of an ICMP error (pr_icmph in ping/ping6_common.c of iputils); older
// ones put a colon after the address.
var errorRE = regexp.MustCompile(`(?m)^From (\S*[0-9a-f]):? icmp_seq=\d+ (.*)$`)

func lookTranslated(ctx context.Context, h probe.Host, w way) (said, error) {
	// Two packets: the kernel limits ICMP errors of all kinds together (icmp_msgs_per_sec of
	// Documentation/networking/ip-sysctl.rst), and one may not be sent.
	out, err := h.Run(ctx, "ping", "-6", "-n", "-c", "2", "-i", "0.5", "-W", "2", "-t", hops, "-I", w.From.String(), w.To.String())
	if err != nil {
		return said{}, err
	}
	if out.Exit > 1 { // it could not send
		return said{}, fmt.Errorf("ping: exit code %d", out.Exit)
	}
	return parse(out.Stdout), nil
}

// parse reads what ping printed.
func parse(stdout []byte) said {
	m := errorRE.FindSubmatch(stdout)
	if m == nil {
		return said{}
	}
	return said{By: string(m[1]), What: probe.Printable(string(m[2]))}
}
