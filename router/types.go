package router

import (
	"cmp"
	"encoding/base64"
	"errors"
	"fmt"
	"math/bits"
	"net"
	"net/netip"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // time zones are judged the same on every machine
	"unicode"

	"golang.org/x/crypto/ssh"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
)

// Name is the label of a block.
type Name string

var nameRE = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]{0,62}$`)

func (n *Name) UnmarshalText(b []byte) error {
	if !nameRE.Match(b) {
		return diag.Advise(fmt.Errorf("%q is no name", b), "use letters, digits, - and _, at most 63, and begin with a letter")
	}
	*n = Name(b)
	return nil
}

// Hostname is a host name as networking.hostName takes it.
type Hostname string

var hostRE = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$`)

func (h *Hostname) UnmarshalText(b []byte) error {
	if !hostRE.Match(b) {
		return fmt.Errorf("%q is no host name: letters, digits and -, at most 63, no - at the ends (RFC 1123 section 2.1)", b)
	}
	*h = Hostname(b)
	return nil
}

// Describe is what the type is in the schema.
func (Hostname) Describe() string { return "host name" }

// Domain is a DNS domain name without the final dot.
type Domain string

var domainRE = regexp.MustCompile(`^([A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?\.)*[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?$`)

func (d *Domain) UnmarshalText(b []byte) error {
	s := strings.TrimSuffix(string(b), ".")
	if len(s) > 253 || !domainRE.MatchString(s) {
		return diag.Advise(fmt.Errorf("%q is no domain name (RFC 1035 section 2.3.1)", b), "write letters, digits and - with a single dot between the parts, as in home.arpa")
	}
	*d = Domain(s)
	return nil
}

// Describe is what the type is in the schema.
func (Domain) Describe() string { return "domain name" }

// IfName is the name of a network interface.
type IfName string

var ifNameRE = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]*$`)

// UnmarshalText is stricter than dev_valid_name in the kernel's
// net/core/dev.c: what shells, nft and systemd would need to quote is refused.
func (n *IfName) UnmarshalText(b []byte) error {
	if len(b) > 15 {
		return fmt.Errorf("%q is too long for a network interface: 15 characters at most, these are %d", b, len(b))
	}
	if !ifNameRE.Match(b) {
		return diag.Advise(fmt.Errorf("%q is no name for a network interface", b), "use letters, digits, ., - and _")
	}
	*n = IfName(b)
	return nil
}

// Describe is what the type is in the schema.
func (IfName) Describe() string { return "interface name" }

// Size is a number of bytes.
type Size uint64

var sizeUnits = []struct {
	suffix string
	shift  int
}{{"GiB", 30}, {"MiB", 20}, {"KiB", 10}}

func (s *Size) UnmarshalText(b []byte) error {
	for _, u := range sizeUnits {
		digits, ok := strings.CutSuffix(string(b), u.suffix)
		if !ok {
			continue
		}
		n, err := strconv.ParseUint(strings.TrimSpace(digits), 10, 64)
		if err != nil || n == 0 || bits.LeadingZeros64(n) < u.shift {
			break
		}
		*s = Size(n << u.shift)
		return nil
	}
	return diag.Advise(fmt.Errorf("%q is no size", b), "write a whole number and GiB, MiB or KiB, as in 8GiB")
}

func (s Size) String() string {
	for _, u := range sizeUnits {
		if s != 0 && s&(1<<u.shift-1) == 0 {
			return fmt.Sprintf("%d%s", s>>u.shift, u.suffix)
		}
	}
	return strconv.FormatUint(uint64(s), 10)
}

// Describe is what the type is in the schema.
func (Size) Describe() string { return "size, as in 8GiB" }

// MAC is an EUI-48 address of a single host.
type MAC string

func (m *MAC) UnmarshalText(b []byte) error {
	hw, err := net.ParseMAC(string(b))
	if err != nil || len(hw) != 6 {
		return diag.Advise(fmt.Errorf("%q is no MAC address", b), "write one such as 02:11:22:33:44:55")
	}
	if hw[0]&1 != 0 {
		return fmt.Errorf("%s is a group address: no host has it (IEEE 802, bit 0 of the first octet)", hw)
	}
	*m = MAC(hw.String())
	return nil
}

// Describe is what the type is in the schema.
func (MAC) Describe() string { return "MAC address" }

// PCIAddress is where a device is on the PCI buses: domain, bus, device and function, as
// /sys/bus/pci/devices has it.
type PCIAddress string

var pciRE = regexp.MustCompile(`^(?:([0-9a-f]{4,8}):)?([0-9a-f]{2}:[01][0-9a-f]\.[0-7])$`)

// UnmarshalText takes an address without its domain, as lspci prints it, for one in the first.
func (p *PCIAddress) UnmarshalText(b []byte) error {
	m := pciRE.FindStringSubmatch(strings.ToLower(string(b)))
	if m == nil {
		return diag.Advise(fmt.Errorf("%q is no PCI address", b), "write one such as 0000:03:00.0: lspci -D prints them")
	}
	*p = PCIAddress(cmp.Or(m[1], "0000") + ":" + m[2])
	return nil
}

// Describe is what the type is in the schema.
func (PCIAddress) Describe() string { return "PCI address" }

// VLANID is a VLAN identifier.
type VLANID int

func (v *VLANID) UnmarshalText(b []byte) error {
	return conf.Between(v, b, "VLAN identifier", 1, 4094, " (IEEE 802.1Q; 0 and 4095 are reserved)")
}

// Describe is what the type is in the schema.
func (VLANID) Describe() string { return "VLAN identifier" }

// MTU is the largest packet of a link, in bytes.
type MTU int

func (m *MTU) UnmarshalText(b []byte) error {
	return conf.Between(m, b, "MTU", 576, 65535, " bytes, and 1280 at least for IPv6 (RFC 8200 section 5)")
}

// Describe is what the type is in the schema.
func (MTU) Describe() string { return "MTU in bytes" }

// Port is a TCP or UDP port.
type Port uint16

func (p *Port) UnmarshalText(b []byte) error {
	n, err := strconv.ParseUint(string(b), 10, 16)
	if err != nil || n == 0 {
		return fmt.Errorf("%q is no port: 1 to 65535", b)
	}
	*p = Port(n)
	return nil
}

// Describe is what the type is in the schema.
func (Port) Describe() string { return "port" }

// PortRange is one port or several that follow each other.
type PortRange struct{ First, Last Port }

func (r *PortRange) UnmarshalText(b []byte) error {
	first, last, many := strings.Cut(string(b), "-")
	if !many {
		last = first
	}
	var a, z Port
	if err := errors.Join(a.UnmarshalText([]byte(first)), z.UnmarshalText([]byte(last))); err != nil {
		return diag.Advise(fmt.Errorf("%q is no port and no range of ports", b), "write a number or two, as in 443 or 8000-8080")
	}
	if a > z {
		return fmt.Errorf("%q begins after it ends", b)
	}
	*r = PortRange{a, z}
	return nil
}

func (r PortRange) String() string {
	if r.First == r.Last {
		return strconv.Itoa(int(r.First))
	}
	return fmt.Sprintf("%d-%d", r.First, r.Last)
}

// OnePort is the range of a single port.
func OnePort(p Port) PortRange { return PortRange{p, p} }

// Contains tells whether a port is in the range.
func (r PortRange) Contains(port int) bool { return int(r.First) <= port && port <= int(r.Last) }

// Overlaps tells whether a port is in both.
func (r PortRange) Overlaps(o PortRange) bool { return r.First <= o.Last && o.First <= r.Last }

// Describe is what the type is in the schema.
func (PortRange) Describe() string { return "port or range of ports" }

// Broadcast is the last address of a block.
func Broadcast(p netip.Prefix) netip.Addr {
	b := p.Masked().Addr().AsSlice()
	for i := p.Bits(); i < len(b)*8; i++ {
		b[i/8] |= 1 << (7 - i%8)
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}

// Block is an address block, as a route's destination.
type Block struct{ netip.Prefix }

func (p *Block) UnmarshalText(b []byte) error {
	q, err := netip.ParsePrefix(string(b))
	if err != nil {
		return diag.Advise(fmt.Errorf("%q is no address block", b), "write one such as 10.0.0.0/8 or 2001:db8::/32")
	}
	if q != q.Masked() {
		return diag.Advise(fmt.Errorf("%s has bits after its prefix length", q), "write the block, %s, or the one address, %s/%d", q.Masked(), q.Addr(), q.Addr().BitLen())
	}
	p.Prefix = q
	return nil
}

// Describe is what the type is in the schema.
func (Block) Describe() string { return "address block" }

// Addr is an IP address of a host.
type Addr struct{ netip.Addr }

func (a *Addr) UnmarshalText(b []byte) error {
	p, err := netip.ParseAddr(string(b))
	switch {
	case err != nil || p.Zone() != "":
		return fmt.Errorf("%q is no IP address", b)
	case p.IsUnspecified() || p.IsMulticast() || p == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		return diag.Advise(fmt.Errorf("%s is the address of no host", p), "write one that a single host has")
	}
	a.Addr = p
	return nil
}

// Describe is what the type is in the schema.
func (Addr) Describe() string { return "IP address" }

// AddrRange is a range of addresses, both ends included.
type AddrRange struct{ First, Last netip.Addr }

func (r *AddrRange) UnmarshalText(b []byte) error {
	first, last, ok := strings.Cut(string(b), "-")
	var a, z Addr
	err := errors.Join(a.UnmarshalText([]byte(strings.TrimSpace(first))), z.UnmarshalText([]byte(strings.TrimSpace(last))))
	if !ok || err != nil || a.BitLen() != z.BitLen() {
		return diag.Advise(fmt.Errorf("%q is no range of addresses", b), "write the first and the last one, as in 192.168.178.100-192.168.178.199")
	}
	if z.Less(a.Addr) {
		return fmt.Errorf("%q ends before it begins", b)
	}
	*r = AddrRange{a.Addr, z.Addr}
	return nil
}

func (r AddrRange) String() string { return r.First.String() + "-" + r.Last.String() }

// Contains tells whether a is in the range.
func (r AddrRange) Contains(a netip.Addr) bool { return !a.Less(r.First) && !r.Last.Less(a) }

// Describe is what the type is in the schema.
func (AddrRange) Describe() string { return "range of addresses" }

// TimeZone is a name of the time zone database.
type TimeZone string

func (z *TimeZone) UnmarshalText(b []byte) error {
	if _, err := time.LoadLocation(string(b)); err != nil || len(b) == 0 || string(b) == "Local" {
		return diag.Advise(fmt.Errorf("%q is no time zone", b), "write one such as Europe/Berlin")
	}
	*z = TimeZone(b)
	return nil
}

// Describe is what the type is in the schema.
func (TimeZone) Describe() string { return "time zone" }

// Path is an absolute path on the router, outside the Nix store.
type Path string

var pathRE = regexp.MustCompile(`^(/[A-Za-z0-9_.+@=-]+)+$`)

func (p *Path) UnmarshalText(b []byte) error {
	s := string(b)
	if !pathRE.MatchString(s) || path.Clean(s) != s {
		return diag.Advise(fmt.Errorf("%q is no absolute path on the router", b), "write one such as /var/lib/secrets/wg0")
	}
	if s == "/nix/store" || strings.HasPrefix(s, "/nix/store/") {
		return diag.Advise(fmt.Errorf("everyone on the router can read the Nix store, so %s cannot hold a secret", s), "write a path such as /var/lib/secrets/wg0")
	}
	*p = Path(s)
	return nil
}

// Volatile tells whether what is there does not outlive the machine's start: the folders that
// file-hierarchy(7) has in memory, and /tmp, which is emptied.
func (p Path) Volatile() bool {
	return slices.ContainsFunc([]string{"/run", "/var/run", "/tmp", "/dev", "/proc", "/sys"}, func(dir string) bool {
		return strings.HasPrefix(string(p), dir+"/")
	})
}

// Describe is what the type is in the schema.
func (Path) Describe() string { return "absolute path" }

// File is a file in the spec's folder, named relative to it.
type File string

var fileRE = regexp.MustCompile(`^[A-Za-z0-9_+-][A-Za-z0-9_.+-]*(/[A-Za-z0-9_+-][A-Za-z0-9_.+-]*)*$`)

func (f *File) UnmarshalText(b []byte) error {
	s := strings.TrimPrefix(string(b), "./")
	if !fileRE.MatchString(s) || path.Clean(s) != s {
		return diag.Advise(fmt.Errorf("%q is no file in the spec's folder", b), "name it relative to the folder, without .. and hidden files")
	}
	*f = File(s)
	return nil
}

// Describe is what the type is in the schema.
func (File) Describe() string { return "file in the spec's folder" }

// SSHKey is a line of authorized_keys (sshd(8)).
type SSHKey string

func (k *SSHKey) UnmarshalText(b []byte) error {
	s := strings.TrimSpace(string(b))
	if _, _, _, rest, err := ssh.ParseAuthorizedKey([]byte(s)); err != nil || len(rest) > 0 || strings.ContainsFunc(s, unicode.IsControl) {
		return diag.Advise(fmt.Errorf("%q is no public key of ssh", b), "write the line of the .pub file: type, base64 and a comment")
	}
	*k = SSHKey(s)
	return nil
}

// Algorithm is the type of the key, as ssh-ed25519 or ssh-rsa.
func (k SSHKey) Algorithm() string {
	key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(k))
	if err != nil {
		return "" // UnmarshalText has refused it
	}
	return key.Type()
}

// NoShell is the option of the key by which it gives no shell: a command in place of it, or that
// it is an authority, which signs the keys of others (sshd(8)). Empty if there is none.
func (k SSHKey) NoShell() string {
	_, _, options, _, err := ssh.ParseAuthorizedKey([]byte(k))
	if err != nil {
		return ""
	}
	for _, o := range options {
		switch name, _, _ := strings.Cut(strings.ToLower(o), "="); name {
		case "command", "cert-authority":
			return name
		}
	}
	return ""
}

// Describe is what the type is in the schema.
func (SSHKey) Describe() string { return "SSH public key" }

// PasswordHash is a hash as crypt(5) has it.
type PasswordHash string

var hashRE = regexp.MustCompile(`^\$(y|gy|7|2b|6|5)\$[./A-Za-z0-9$=,]+$`)

func (h *PasswordHash) UnmarshalText(b []byte) error {
	if !hashRE.Match(b) {
		return diag.Advise(errors.New("this is no password hash, and a password itself must not stand in a spec"), "make one with mkpasswd")
	}
	*h = PasswordHash(b)
	return nil
}

// Describe is what the type is in the schema.
func (PasswordHash) Describe() string { return "password hash (crypt(5))" }

// Confidential makes it a [conf.Confidential].
func (PasswordHash) Confidential() {}

// WireGuardKey is a Curve25519 public key in base64 (wg(8)).
type WireGuardKey string

func (k *WireGuardKey) UnmarshalText(b []byte) error {
	raw, err := base64.StdEncoding.Strict().DecodeString(string(b)) // skips line ends
	if err != nil || len(raw) != 32 || len(b) != 44 {
		return fmt.Errorf("%q is no WireGuard key: 44 characters of base64, as wg pubkey prints it", b)
	}
	*k = WireGuardKey(b)
	return nil
}

// Describe is what the type is in the schema.
func (WireGuardKey) Describe() string { return "WireGuard public key" }

// Public makes it a [conf.Public]: the spec has no place for a private one.
func (WireGuardKey) Public() {}

// Seconds is a duration in whole seconds, written as 90s, 15m, 12h or 2d.
type Seconds int

func (s *Seconds) UnmarshalText(b []byte) error {
	units := map[byte]int{'s': 1, 'm': 60, 'h': 3600, 'd': 86400}
	if len(b) > 0 {
		n, err := strconv.Atoi(string(b[:len(b)-1]))
		if u := units[b[len(b)-1]]; err == nil && u > 0 && n > 0 && n <= 1<<31/u {
			*s = Seconds(n * u)
			return nil
		}
	}
	return diag.Advise(fmt.Errorf("%q is no duration", b), "write 90s, 15m, 12h or 2d")
}

// Describe is what the type is in the schema.
func (Seconds) Describe() string { return "duration, as in 12h" }
