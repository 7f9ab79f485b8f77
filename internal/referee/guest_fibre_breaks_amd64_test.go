//go:build guest

package referee_test

import (
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nbr-dev/nbr/internal/nstest"
)

// A lineBreakage is a breakage of a fibreLine, also of what the provider has of it.
type lineBreakage struct {
	breakage
	breaks, mends func(t *testing.T, l *fibreLine)
}

// needsPrefix are the checks of what the prefix brings.
var needsPrefix = []string{"prefix.house/delegated", "network.lan/prefix", "network.lan/overlap", "router_advert.lan/*", "router_advert.lan/delegated/*"}

// lineBreakages are many, and each is alone when it happens.
var lineBreakages = []lineBreakage{
	{breakage: breakage{
		name:  "no default route",
		wreck: "ip route del default",
		mend:  "ip route add default dev ppp0",
		finds: []string{"pppoe.ppp0/default"}, line: `  ipv4 = "ppp"`,
	}},
	{breakage: breakage{
		name:  "router advertisements of the provider not taken",
		wreck: "echo 0 >/proc/sys/net/ipv6/conf/ppp0/accept_ra",
		mend:  "echo 2 >/proc/sys/net/ipv6/conf/ppp0/accept_ra",
		finds: []string{"network.wan/sysctl/net/ipv6/conf/ppp0/accept_ra"}, line: `  ipv6 = "auto"`,
	}},
	{breakage: breakage{
		name:  "the house's address in the prefix gone",
		wreck: "ip addr del 2001:db8:8000::1/64 dev br-lan",
		finds: []string{"network.lan/prefix"}, line: `  prefix = prefix.house`,
		also: needsPrefix,
	}, mends: redial},
	{breakage: breakage{
		name:  "the password's file open to all",
		wreck: "busybox chmod 644 /run/pppd/ppp0.password",
		mend:  "busybox chmod 600 /run/pppd/ppp0.password",
		finds: []string{"pppoe.ppp0/file"}, line: `  password = secret.dsl`,
	}},
	{breakage: breakage{
		name:  "a password that pppd has not heard of",
		wreck: "busybox cp -p /var/lib/secrets/dsl /run/dsl; echo other >/var/lib/secrets/dsl",
		mend:  "busybox cp -p /run/dsl /var/lib/secrets/dsl",
		finds: []string{"pppoe.ppp0/password"}, line: `  password = secret.dsl`,
	}},
	{breakage: breakage{
		name:  "segments not made to fit",
		wreck: ruleIn("forward", "maxseg"),
		mend:  "nft -f " + fibreDir + "rules",
		finds: []string{"firewall/rules"}, line: `router "fibre" {`,
		also: []string{"firewall/ruleset"},
	}},
	{breakage: breakage{
		name:  "radvd has crashed",
		finds: []string{"router_advert.lan/advertised"}, line: `  network = network.lan`,
		also: []string{"router_advert.lan/*", "router_advert.lan/delegated/*"},
	}, breaks: func(t *testing.T, l *fibreLine) {
		l.radvd.signal(t, syscall.SIGKILL)
		_ = l.radvd.Wait()
	}, mends: func(t *testing.T, l *fibreLine) { l.advertises(t) }},
}

// redial ends the session, so that pppd dials again.
func redial(t *testing.T, l *fibreLine) {
	l.cuts(t)
	l.gives(t, firstAddress)
	l.takesUp(t, firstPrefix)
}

// The line of TestGuestFibre breaks, in many ways: in the session and at the router. Each is found, at
// the line of the spec that promised it, and nothing else is: so what was broken before is mended.
func TestGuestFibreBreaks(t *testing.T) {
	l := newFibreLine(t)
	l.green(t, "before anything breaks")
	lines := specLines(t, fibreDir+"spec/router.hcl")
	line := func(f finding) string { return lines[f.Range.Line-1] }
	for _, b := range lineBreakages {
		t.Run(b.name, func(t *testing.T) {
			if b.breaks != nil {
				b.breaks(t, l)
			}
			l.router.Run(t, "bash", "-ec", b.wreck)
			for deadline := time.Now().Add(nstest.Patience); ; {
				wrong := l.verify(t)
				complaint := b.judge(wrong, line)
				if complaint == "" {
					break
				}
				if time.Now().After(deadline) {
					t.Errorf("%s: %v\n%s", complaint, wrong, l.said())
					break
				}
			}
			l.router.Run(t, "bash", "-ec", b.mend)
			if b.mends != nil {
				b.mends(t, l)
			}
		})
		if t.Failed() {
			return // what is not mended is no use for the rest
		}
	}
	l.green(t, "mended")
}

// specLines are the lines of a spec.
func specLines(t *testing.T, file string) []string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(string(text), "\n")
}
