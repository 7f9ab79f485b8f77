package referee_test

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"golang.org/x/sys/unix"

	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/internal/nstest"
)

// scheduledSpec has policies that count at certain times: the tablet may go out by day, and the
// office may while it is open.
const scheduledSpec = `
network "lan" {
  link = port.lan1
  ipv4 = "10.1.0.1/24"
  ipv6 = "2001:db8:1::1/64"
}
network "out" {
  link     = port.wan
  ipv4     = "198.51.100.2/24"
  ipv6     = "2001:db8:f::2/64"
  gateway  = "198.51.100.1"
  gateway6 = "2001:db8:f::1"
}
zone "lan" { networks = [network.lan] }
zone "out" { networks = [network.out] }
host "tablet" {
  network = network.lan
  mac     = "02:00:00:00:00:07"
  ipv4    = "10.1.0.7"
}
schedule "bedtime" {
  from = "22:00"
  to   = "06:00"
}
schedule "weekend" {
  days = ["sat", "sun"]
  from = "00:00"
  to   = "24:00"
}
schedule "morning" {
  from = "02:30"
  to   = "03:30"
}
policy "tablet" {
  from     = [host.tablet]
  to       = [zone.out]
  action   = "reject"
  ports    = [80, 91]
  schedule = schedule.bedtime
}
policy "quiet" {
  from     = [zone.lan]
  to       = [zone.out]
  action   = "drop"
  ports    = [82, 92]
  schedule = schedule.bedtime
}
policy "weekend" {
  from       = [zone.lan]
  to         = [zone.out]
  action     = "accept"
  ports      = [83, 93]
  source_nat = "203.0.113.77"
  schedule   = schedule.weekend
}
policy "morning" {
  from     = [zone.lan]
  to       = [zone.out]
  action   = "accept"
  ports    = [84]
  schedule = schedule.morning
}
port_forward "camera" {
  from     = zone.out
  port     = 88
  to       = host.tablet
  to_port  = 80
  schedule = schedule.weekend
}
port_forward "door" {
  from     = zone.out
  port     = 89
  to       = host.tablet
  schedule = schedule.weekend
}
policy "always" {
  from       = [zone.lan]
  to         = [zone.out]
  action     = "accept"
  ports      = ["80-82", "90-92"]
  masquerade = true
}
`

// A scheduledHouse is a router with schedules, a tablet and the Internet. The time is that which
// a test gives it.
type scheduledHouse struct {
	router, tablet, internet *nstest.NS
	script                   string
	state                    string // the unit's RuntimeDirectory
}

func newScheduledHouse(t *testing.T) *scheduledHouse {
	t.Helper()
	head := strings.Replace(template, "  console_only", "  name_servers  = [\"192.0.2.53\"]\n  time_zone = \"Europe/Berlin\"\n  console_only", 1)
	g := generate(t, fstest.MapFS{"router.hcl": {Data: []byte(head + scheduledSpec)}})
	h := &scheduledHouse{router: nstest.New(t, "router"), tablet: nstest.New(t, "tablet"), internet: nstest.New(t, "internet"), state: t.TempDir()}
	h.script = write(t, g.text(t, "systemd", "services", "nbr-schedules", "script"))
	sysctls(t, h.router, g)
	load(t, h.router, ruleset(t, g))
	nstest.Link(t, h.router, "lan1", h.tablet, "eth0")
	nstest.Link(t, h.router, "wan", h.internet, "eth0")
	ip(t, h.router, `
addr add 10.1.0.1/24 dev lan1
addr add 2001:db8:1::1/64 dev lan1 nodad
addr add 198.51.100.2/24 dev wan
addr add 2001:db8:f::2/64 dev wan nodad
route add default via 198.51.100.1
route add default via 2001:db8:f::1
`)
	ip(t, h.tablet, `
link set eth0 address 02:00:00:00:00:07
addr add 10.1.0.7/24 dev eth0
addr add 2001:db8:1::7/64 dev eth0 nodad
route add default via 10.1.0.1
route add default via 2001:db8:1::1
`)
	ip(t, h.internet, `
addr add 198.51.100.1/24 dev eth0
addr add `+somewhere+`/32 dev lo
addr add 2001:db8:f::1/64 dev eth0 nodad
addr add `+somewhere6+`/128 dev lo
route add 203.0.113.77/32 via 198.51.100.2
route add 10.1.0.0/24 via 198.51.100.2
route add 2001:db8:1::/64 via 2001:db8:f::2
`)
	listen(t, h.tablet, "tcp", 80)
	for port := 80; port <= 84; port++ {
		listen(t, h.internet, "tcp", port)
		listen(t, h.internet, "udp", port)
	}
	return h
}

// at runs what the unit runs, with a time instead of the clock's.
func (h *scheduledHouse) at(t *testing.T, when string) {
	t.Helper()
	h.router.Run(t, "env", "TZ=Europe/Berlin", "RUNTIME_DIRECTORY="+h.state, "bash", "-e", h.script, when)
}

// synchronised is what the unit notes when it has seen a clock that was set.
func (h *scheduledHouse) synchronised(t *testing.T) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(h.state, "set"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
}

// flows are what may pass: to the ports 80 (the tablet), 82, 83 and 84.
func (h *scheduledHouse) flows(name, tablet, quiet, weekend, morning string) []flow {
	var out []flow
	for _, proto := range []string{"tcp", "udp"} {
		if proto == "tcp" || tablet != "refuse" { // the kernel makes few errors of ICMP in a second
			out = append(out, flow{name, h.tablet, "", proto, somewhere + ":80", tablet})
		}
		out = append(out,
			flow{name, h.tablet, "", proto, somewhere + ":82", quiet},
			flow{name, h.tablet, "", proto, somewhere + ":83", weekend},
			flow{name, h.tablet, "", proto, somewhere + ":84", morning})
	}
	camera := "198.51.100.1 at tablet"
	if weekend == "drop" {
		camera = "drop"
	}
	out = append(out, flow{name, h.internet, "", "tcp", "198.51.100.2:88", camera})
	return out
}

const (
	masqueraded = "198.51.100.2 at internet"
	atWeekends  = "203.0.113.77 at internet"
	unchanged   = "10.1.0.7 at internet"
)

// Until the clock is known, what a schedule lets pass is closed and what it closes is closed. It is
// so as well when nothing tells the time any more.
func TestSchedulesWithoutTheTime(t *testing.T) {
	t.Parallel()
	h := newScheduledHouse(t)
	check(t, h.flows("after the rules were loaded", "refuse", "drop", "drop", "drop"))
	h.at(t, "2026-07-04 12:00") // no systemd here says that the clock is set
	check(t, h.flows("a clock that is not set", "refuse", "drop", "drop", "drop"))
	h.synchronised(t)
	h.at(t, "2026-07-04 12:00")
	check(t, h.flows("Saturday noon", masqueraded, masqueraded, atWeekends, "drop"))
	// Each element goes by itself if it is not told again: here without the three minutes.
	listing := h.router.Run(t, "nft", "list", "set", "inet", "nbr", "schedule_weekend_on")
	if n := strings.Count(listing, "timeout 3m"); n != 2 {
		t.Errorf("%d of the elements go by themselves: %s", n, listing)
	}
	h.router.Run(t, "nft", "flush set inet nbr schedule_weekend_on; flush set inet nbr schedule_bedtime_off")
	check(t, h.flows("nothing told the time", "refuse", "drop", "drop", "drop"))
}

// The time of a schedule is that of the clock on the wall, whatever it was when the rules were
// loaded: on the days on which Europe/Berlin changes to daylight saving time and back, and on
// those before and after them.
func TestSchedulesAtDaylightSaving(t *testing.T) {
	t.Parallel()
	h := newScheduledHouse(t)
	h.synchronised(t)
	day, night := masqueraded, "refuse"
	for _, c := range []struct {
		utc     string // what the kernel's clock would say
		tablet  string
		weekend bool
		morning bool
	}{
		{utc: "2026-03-27T20:59:59Z", tablet: day},                                 // Friday 21:59 CET
		{utc: "2026-03-27T21:00:00Z", tablet: night},                               // 22:00 CET
		{utc: "2026-03-27T22:59:59Z", tablet: night},                               // 23:59 CET
		{utc: "2026-03-27T23:00:00Z", tablet: night, weekend: true},                // Saturday 00:00 CET
		{utc: "2026-03-28T01:30:00Z", tablet: night, weekend: true, morning: true}, // 02:30 CET
		{utc: "2026-03-28T04:59:59Z", tablet: night, weekend: true},                // 05:59 CET
		{utc: "2026-03-28T05:00:00Z", tablet: day, weekend: true},                  // 06:00 CET
		{utc: "2026-03-28T21:00:00Z", tablet: night, weekend: true},                // 22:00 CET
		{utc: "2026-03-29T00:59:59Z", tablet: night, weekend: true},                // Sunday 01:59 CET
		{utc: "2026-03-29T01:00:00Z", tablet: night, weekend: true, morning: true}, // 03:00 CEST: 02:30 was left out
		{utc: "2026-03-29T01:30:00Z", tablet: night, weekend: true},                // 03:30 CEST
		{utc: "2026-03-29T03:59:59Z", tablet: night, weekend: true},                // 05:59 CEST
		{utc: "2026-03-29T04:00:00Z", tablet: day, weekend: true},                  // 06:00 CEST
		{utc: "2026-03-29T19:59:59Z", tablet: day, weekend: true},                  // 21:59 CEST
		{utc: "2026-03-29T20:00:00Z", tablet: night, weekend: true},                // 22:00 CEST
		{utc: "2026-03-29T22:00:00Z", tablet: night},                               // Monday 00:00 CEST
		{utc: "2026-03-30T04:00:00Z", tablet: day},                                 // 06:00 CEST

		{utc: "2026-10-24T19:59:59Z", tablet: day, weekend: true},                  // Saturday 21:59 CEST
		{utc: "2026-10-24T20:00:00Z", tablet: night, weekend: true},                // 22:00 CEST
		{utc: "2026-10-25T00:30:00Z", tablet: night, weekend: true, morning: true}, // Sunday 02:30 CEST
		{utc: "2026-10-25T01:00:00Z", tablet: night, weekend: true},                // 02:00 CET, for the second time
		{utc: "2026-10-25T01:30:00Z", tablet: night, weekend: true, morning: true}, // 02:30 CET
		{utc: "2026-10-25T02:30:00Z", tablet: night, weekend: true},                // 03:30 CET
		{utc: "2026-10-25T04:59:59Z", tablet: night, weekend: true},                // 05:59 CET
		{utc: "2026-10-25T05:00:00Z", tablet: day, weekend: true},                  // 06:00 CET
		{utc: "2026-10-25T20:59:59Z", tablet: day, weekend: true},                  // 21:59 CET
		{utc: "2026-10-25T21:00:00Z", tablet: night, weekend: true},                // 22:00 CET
		{utc: "2026-10-25T23:00:00Z", tablet: night},                               // Monday 00:00 CET
	} {
		h.at(t, c.utc)
		either := func(is bool, word string) string {
			if is {
				return word
			}
			return "drop"
		}
		check(t, h.flows(c.utc, c.tablet, either(c.tablet == day, masqueraded), either(c.weekend, atWeekends), either(c.morning, unchanged)))
	}
}

// A longFlow is a connection with both its ends.
type longFlow struct{ client, server net.Conn }

// connect makes a connection whose server's end is the test's as well.
func connect(t *testing.T, from, to *nstest.NS, proto, addr string) longFlow {
	t.Helper()
	var f longFlow
	must := func(ns *nstest.NS, do func() error) {
		t.Helper()
		if err := within(ns, do); err != nil {
			t.Fatalf("%s %s: %v", proto, addr, err)
		}
	}
	dial := func() (err error) {
		f.client, err = net.DialTimeout(proto, addr, nstest.Patience)
		return err
	}
	if proto == "tcp" {
		var l net.Listener
		must(to, func() (err error) { l, err = net.Listen(proto, addr); return err })
		defer l.Close()
		must(from, dial)
		must(to, func() (err error) { f.server, err = l.Accept(); return err })
	} else {
		own := net.UDPAddrFromAddrPort(netip.MustParseAddrPort(addr))
		var c *net.UDPConn
		must(to, func() (err error) { c, err = net.ListenUDP(proto, own); return err })
		must(from, dial)
		must(from, func() error { _, err := f.client.Write([]byte("x")); return err })
		must(to, func() error {
			_, client, err := c.ReadFromUDPAddrPort(make([]byte, 1))
			if err != nil {
				return err
			}
			f.server = c
			return connected(c, netip.AddrPortFrom(client.Addr().Unmap(), client.Port()))
		})
	}
	t.Cleanup(func() { f.client.Close(); f.server.Close() })
	return f
}

// connected lets a socket send to one host, and hear that one alone.
func connected(c *net.UDPConn, to netip.AddrPort) error {
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	cerr := raw.Control(func(fd uintptr) { err = unix.Connect(int(fd), socketAddress(to)) })
	return errors.Join(cerr, err)
}

// alive sends a byte each way and waits for it.
func (f longFlow) alive(t *testing.T, what string) {
	t.Helper()
	for _, way := range [][2]net.Conn{{f.client, f.server}, {f.server, f.client}} {
		_, err := way[0].Write([]byte("x"))
		if err == nil {
			err = way[1].SetReadDeadline(time.Now().Add(nstest.Patience))
		}
		if err == nil {
			_, err = way[1].Read(make([]byte, 1))
		}
		if err != nil {
			t.Fatalf("%s: the connection has ended: %v", what, err)
		}
	}
}

// dropped sends a byte each way, which the rule that ends connections of a policy counts.
func (f longFlow) dropped(t *testing.T, h *scheduledHouse, by string) {
	t.Helper()
	for name, c := range map[string]net.Conn{"out": f.client, "back": f.server} {
		before := counted(t, h.router, "forward", by)
		if _, err := c.Write([]byte("y")); err != nil {
			t.Fatal(err)
		}
		nstest.Wait(t, func() error {
			if counted(t, h.router, "forward", by) == before {
				return fmt.Errorf("%s: nothing on its way %s is dropped", by, name)
			}
			return nil
		})
	}
}

// refused sends a byte each way, to which an error comes back.
func (f longFlow) refused(t *testing.T, what string) {
	t.Helper()
	for name, c := range map[string]net.Conn{"out": f.client, "back": f.server} {
		nstest.Wait(t, func() error { // the kernel makes few errors of ICMP in a second
			_, err := c.Write([]byte("y"))
			if err == nil {
				err = c.SetReadDeadline(time.Now().Add(time.Second))
			}
			if err == nil {
				_, err = c.Read(make([]byte, 1))
			}
			if !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, syscall.ECONNREFUSED) && !errors.Is(err, syscall.EPIPE) {
				return fmt.Errorf("%s on its way %s: %w", what, name, err)
			}
			return nil
		})
	}
}

// A connection ends when the policy that let it pass does, and when one begins that would not
// have. Another one goes on, and so does one after the same policy has begun again.
func TestSchedulesEndConnections(t *testing.T) {
	t.Parallel()
	h := newScheduledHouse(t)
	h.synchronised(t)
	h.at(t, "2026-07-05 21:59") // a Sunday
	flows := map[string]longFlow{}
	for _, proto := range []string{"tcp", "udp"} {
		for _, to := range []string{somewhere, "[" + somewhere6 + "]"} {
			for port := 90; port <= 93; port++ {
				flows[fmt.Sprint(proto, to, port)] = connect(t, h.tablet, h.internet, proto, fmt.Sprintf("%s:%d", to, port))
			}
		}
	}
	repeat(t, h.tablet, 89)
	door := open(t, h.internet, "198.51.100.1", "198.51.100.2:89")
	each := func(do func(name string, port int, f longFlow)) {
		for _, name := range slices.Sorted(maps.Keys(flows)) {
			port, _ := strconv.Atoi(name[len(name)-2:])
			do(name, port, flows[name])
		}
	}
	each(func(name string, _ int, f longFlow) { f.alive(t, name+" by day") })
	h.at(t, "2026-07-05 22:00")
	each(func(name string, port int, f longFlow) {
		switch port {
		case 91:
			f.refused(t, name+" at bedtime")
		case 92:
			f.dropped(t, h, "policy.quiet")
		default:
			f.alive(t, name+" at bedtime")
		}
	})
	if err := door.goesOn(); err != nil {
		t.Errorf("a forward on Sunday: %v", err)
	}
	h.at(t, "2026-07-06 00:00") // a Monday
	longFlow{client: door, server: door}.dropped(t, h, "port_forward.door")
	if err := door.SetReadDeadline(time.Now().Add(100 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if n, err := door.Read(make([]byte, 8)); n > 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a forward on Monday is answered: %d bytes, %v", n, err)
	}
	each(func(name string, port int, f longFlow) {
		switch port {
		case 93:
			f.dropped(t, h, "policy.weekend")
		case 90:
			f.alive(t, name+" after the weekend")
		}
	})
	h.at(t, "2026-07-11 12:00") // what was in force ends, too
	each(func(name string, port int, f longFlow) {
		if strings.HasPrefix(name, "udp") || port == 90 {
			f.drain()
			f.alive(t, name+" on the next Saturday")
		}
	})
}

// drain takes what has arrived: errors of before.
func (f longFlow) drain() {
	for _, c := range []net.Conn{f.client, f.server} {
		_ = c.SetReadDeadline(time.Now().Add(time.Millisecond))
		for {
			if _, err := c.Read(make([]byte, 1)); errors.Is(err, os.ErrDeadlineExceeded) {
				break
			}
		}
	}
}

// TestSchedulesFollowSystemd runs the units with systemd: its timer tells the firewall the time
// once the clock is set, and so does each load of the rules, which forgets it.
func TestSchedulesFollowSystemd(t *testing.T) {
	t.Parallel()
	head := strings.Replace(template, "  console_only", "  name_servers  = [\"192.0.2.53\"]\n  time_zone = \"UTC\"\n  console_only", 1)
	g := generate(t, fstest.MapFS{"router.hcl": {Data: []byte(head + scheduledSpec)}})
	files := lab.Files{
		"/etc/nftables.conf":                       ruleset(t, g),
		"/etc/systemd/system/nftables.service":     nixosUnits["nftables.service"],
		"/root/schedules.sh":                       g.text(t, "systemd", "services", "nbr-schedules", "script"),
		"/etc/systemd/system/service.d/often.conf": "[Unit]\nStartLimitIntervalSec=0\n",
	}
	maps.Copy(files, etcFiles(t, g))
	reload, _ := g.at("systemd", "services", "nftables").(map[string]any)
	files["/etc/systemd/system/nftables.service.d/nbr.conf"] = unitText(t, reload)
	for _, name := range []string{"nbr-schedules", "nbr-schedules-again"} {
		options, _ := g.at("systemd", "services", name).(map[string]any)
		options = maps.Clone(options)
		if options["script"] != nil {
			settings, _ := options["serviceConfig"].(map[string]any)
			settings = maps.Clone(settings)
			settings["ExecStart"] = "bash -e /root/schedules.sh"
			options["serviceConfig"] = settings
			delete(options, "script")
		}
		files["/etc/systemd/system/"+name+".service"] = unitText(t, options)
		maps.Copy(files, pulls(name, options))
	}
	timer := "[Timer]\n"
	settings, _ := g.at("systemd", "timers", "nbr-schedules", "timerConfig").(map[string]any)
	for _, key := range slices.Sorted(maps.Keys(settings)) {
		timer += key + "=" + yesNo(settings[key]) + "\n"
	}
	files["/etc/systemd/system/nbr-schedules.timer"] = timer
	m := lab.Boot(t, nstest.New(t, "router"), files, "nftables.service", "nbr-schedules-again.service", "nbr-schedules.timer")
	// knows tells whether the sets are those of the clock.
	knows := func() error {
		now := time.Now().UTC()
		night := now.Hour() >= 22 || now.Hour() < 6
		weekend := now.Weekday() == time.Saturday || now.Weekday() == time.Sunday
		for set, want := range map[string]bool{"bedtime_on": night, "bedtime_off": !night, "weekend_on": weekend, "weekend_off": !weekend} {
			listing := m.Run(t, "nft", "list", "set", "inet", "nbr", "schedule_"+set)
			if got := strings.Contains(listing, "elements"); got != want {
				return fmt.Errorf("%s: %s", now, listing)
			}
		}
		return nil
	}
	if set := strings.TrimSpace(m.Run(t, "timedatectl", "show", "--property=NTPSynchronized", "--value")); set == "no" {
		m.Systemctl(t, "start", "nbr-schedules")
		if listing := m.Run(t, "nft", "list", "table", "inet", "nbr"); strings.Contains(listing, "expires") {
			t.Errorf("the clock is not set, and the firewall is told the time: %s", listing)
		}
	}
	m.Run(t, "touch", "/run/nbr-schedules/set")
	nstest.Wait(t, knows) // the next minute
	m.Systemctl(t, "stop", "nbr-schedules.timer")
	for _, load := range []string{"reload", "restart"} {
		m.Systemctl(t, load, "nftables")
		nstest.Wait(t, knows)
	}
	m.Systemctl(t, "start", "nbr-schedules.timer")
	m.Run(t, "nft", "flush", "set", "inet", "nbr", "schedule_bedtime_on")
	m.Run(t, "nft", "flush", "set", "inet", "nbr", "schedule_bedtime_off")
	nstest.Wait(t, knows) // the minute after
	if log := m.Journal(t, "nbr-schedules"); strings.Contains(log, "Finished") || strings.Contains(log, "Starting") {
		t.Errorf("the unit writes down each of its starts: %s", log)
	}
}
