package referee_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/nbr-dev/nbr/internal/nstest"
)

// passed counts behind nbr's chains what those have let pass: spoofed packets, what came in
// from the upstream, and what was let through to the LAN.
const passed = `
table inet passed {
  chain input {
    type filter hook input priority filter + 10
    iifname "wan" udp dport 9 counter comment "to the router"
  }
  chain forward {
    type filter hook forward priority filter + 10
    iifname "wan" udp dport 9 counter comment "to the LAN"
    ip saddr 192.0.2.66 counter comment "spoofed"
  }
}
`

// leaked counts on the other end of the upstream what was not masqueraded.
const leaked = `
table inet leaked {
  chain prerouting {
    type filter hook prerouting priority raw
    ip saddr 192.168.178.0/24 counter comment "not masqueraded"
    ip saddr 198.51.100.2 counter comment "masqueraded"
  }
}
`

// crowd is another program's table with chains beside nbr's, which take their time.
func crowd() string {
	var b strings.Builder
	b.WriteString("table inet crowd\ndelete table inet crowd\ntable inet crowd {\n")
	fmt.Fprintf(&b, "chain long {\n%s}\n", strings.Repeat("udp dport 65000 counter\n", 500))
	for _, hook := range []string{"prerouting priority raw", "input priority filter", "forward priority filter", "postrouting priority srcnat"} {
		name, _, _ := strings.Cut(hook, " ")
		fmt.Fprintf(&b, "chain %s {\ntype filter hook %s\n%s}\n", name, hook, strings.Repeat("jump long\n", 10))
	}
	return b.String() + "}\n"
}

// NixOS reloads the ruleset by deleting the table and making it anew in one transaction. The
// kernel gives the new chains their rules at one moment and takes the old ones away and sets
// the policies of the new ones a few microseconds later (nf_tables_commit of
// net/netfilter/nf_tables_api.c); a packet that is under way may see the old generation in one
// chain and the new one in the next, or the new chain before its rules are there and no old one
// any more. None passes that may not, and none leaves unmasqueraded. Chains of another table
// between the old ones and the new ones make those microseconds long.
func TestReloadsUnderAFloodLetNothingPass(t *testing.T) {
	h := articleHouse(t)
	// What is masqueraded needs room among the connections.
	h.router.Run(t, "sysctl", "-qw", "net.netfilter.nf_conntrack_udp_timeout=1")
	load(t, h.router, passed)
	load(t, h.internet, leaked)
	if !ping(t, h.client, somewhere) {
		t.Fatal("the client does not reach the Internet")
	}
	g := spec(t, "bpi-r4")
	reload := reloading(t, g)
	others := write(t, crowd())
	done := make(chan bool)
	var sent [2]int // each by its own goroutine
	var wg sync.WaitGroup
	for i, f := range []struct {
		from *nstest.NS
		port uint16 // to which it sends; another one each way
		ways [][2]string
	}{
		{h.internet, 9, [][2]string{{somewhere, "192.168.178.50"}, {somewhere, "198.51.100.2"}}},
		{h.client, 7, [][2]string{{"192.0.2.66", somewhere}, {"192.168.178.50", somewhere}}},
	} {
		raw := rawIPv4(t, f.from)
		wg.Go(func() { sent[i] = flood(raw, f.port, f.ways, 0, done) })
	}
	for range reloads {
		h.router.Run(t, "nft", "-f", others) // anew, so that it is before the chains of now
		for _, args := range reload {
			h.router.Run(t, "nft", args...)
		}
	}
	close(done)
	wg.Wait()
	got := comments(t, h.router.Run(t, "nft", "-j", "list", "table", "inet", "passed"))
	maps.Copy(got, comments(t, h.internet.Run(t, "nft", "-j", "list", "table", "inet", "leaked")))
	t.Logf("%d reloads, %d packets sent: %v", reloads, sent, got)
	for _, what := range []string{"spoofed", "to the router", "to the LAN", "not masqueraded"} {
		if n, ok := got[what]; n != 0 || !ok {
			t.Errorf("%s: %d packets (looked: %t)", what, n, ok)
		}
	}
	if slices.Min(sent[:]) < 100*reloads || got["masqueraded"] == 0 {
		t.Error("that was no flood")
	}
}

// reloading are the calls of nft by which nftables.service reloads the ruleset of g.
func reloading(t *testing.T, g *generated) (calls [][]string) {
	t.Helper()
	files := map[string]string{"/etc/nftables.conf": write(t, ruleset(t, g))}
	for name, text := range etcFiles(t, g) {
		files[name] = write(t, text)
	}
	for _, command := range g.list(t, "systemd", "services", "nftables", "serviceConfig", "ExecReload") {
		args := strings.Fields(storePath.ReplaceAllString(command.(string), ""))
		if args[0] != "nft" {
			t.Fatalf("the reload runs %q", command)
		}
		if file := files[args[len(args)-1]]; file != "" {
			args[len(args)-1] = file
		}
		calls = append(calls, args[1:])
	}
	if len(calls) != 3 {
		t.Fatalf("the reload is %q", calls)
	}
	return calls
}

// reloads are enough to let a few packets in where nothing keeps new connections out meanwhile:
// about one in fifteen reloads did.
const reloads = 50

// rawIPv4 is a socket for whole IPv4 packets.
func rawIPv4(t *testing.T, ns *nstest.NS) *os.File {
	t.Helper()
	fd := -1
	err := within(ns, func() (err error) {
		fd, err = unix.Socket(unix.AF_INET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.IPPROTO_RAW)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	f := os.NewFile(uintptr(fd), "raw")
	t.Cleanup(func() { f.Close() })
	return f
}

// flood sends UDP packets from and to the given addresses in turn, each the first of another
// connection, with a pause after each round, and returns how many.
func flood(raw *os.File, dport uint16, ways [][2]string, pause time.Duration, done <-chan bool) (sent int) {
	var packets [][]byte
	var to []*unix.SockaddrInet4
	for _, way := range ways {
		src, dst := netip.MustParseAddr(way[0]), netip.MustParseAddr(way[1])
		packets = append(packets, udpPacket(src, dst, 0, dport))
		to = append(to, &unix.SockaddrInet4{Addr: dst.As4()})
	}
	for port := uint16(0); ; port++ {
		port = max(port, 1024) // the others are the ends of the other way: those would be answers
		for i, packet := range packets {
			binary.BigEndian.PutUint16(packet[20:], port)
			// A rule of the sender's own may keep it in.
			if err := unix.Sendto(int(raw.Fd()), packet, 0, to[i]); err == nil || errors.Is(err, unix.EPERM) {
				sent++
			}
		}
		select {
		case <-done:
			return sent
		default:
			time.Sleep(pause)
		}
	}
}

// udpPacket is an empty UDP packet without a checksum (RFC 768); the kernel adds that of the
// IPv4 header.
func udpPacket(src, dst netip.Addr, sport, dport uint16) []byte {
	b := []byte{0x45, 0, 0, 28, 0, 0, 0, 0, 64, unix.IPPROTO_UDP, 0, 0}
	b = append(b, src.AsSlice()...)
	b = append(b, dst.AsSlice()...)
	b = binary.BigEndian.AppendUint16(b, sport)
	b = binary.BigEndian.AppendUint16(b, dport)
	return append(b, 0, 8, 0, 0)
}

// comments are the counters of a listing's rules by their comments.
func comments(t *testing.T, listing string) map[string]int {
	t.Helper()
	counts := map[string]int{}
	for _, r := range parseRules(t, listing) {
		counts[r.Comment] += r.packets(t)
	}
	return counts
}
