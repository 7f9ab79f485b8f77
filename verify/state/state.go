// Package state is what was seen of a running router, as plain data with a JSON
// form. Collectors fill it, checks read it, and a recorded one replays anywhere.
//
// A part that is nil was not looked at, and Missed says why; a part that is empty
// was looked at and nothing was there. No part ever holds a secret.
package state

// Version is the version of the JSON form. A state of another version is refused.
const Version = 1

// A State is one look at a router.
type State struct {
	FormatVersion int                  `json:"format_version"`
	Board         *Board               `json:"board,omitzero"`
	Kernel        *Kernel              `json:"kernel,omitzero"`
	System        *System              `json:"system,omitzero"`
	Links         map[string]Link      `json:"links,omitzero"` // by interface name
	Addrs         []Addr               `json:"addrs,omitzero"`
	Routes        []Route              `json:"routes,omitzero"`
	Rules         []Rule               `json:"rules,omitzero"`
	Sysctls       map[string]string    `json:"sysctls,omitzero"`  // by name with dots; those asked for
	Units         map[string]Unit      `json:"units,omitzero"`    // by full name: sshd.service
	Files         map[string]File      `json:"files,omitzero"`    // by path; those asked for
	Tables        []string             `json:"tables,omitzero"`   // nftables: "inet nbr"
	Rulesets      map[string]Ruleset   `json:"rulesets,omitzero"` // by table; those asked for
	Users         []string             `json:"users,omitzero"`    // names in passwd(5)
	Listeners     []Listener           `json:"listeners,omitzero"`
	WireGuard     map[string]WireGuard `json:"wireguard,omitzero"` // by interface name
	Clock         *Clock               `json:"clock,omitzero"`
	Missed        map[string]string    `json:"missed,omitzero"` // part → why it could not be seen
}

// Board is what the device tree and the memory say.
type Board struct {
	Compatible []string `json:"compatible"` // /proc/device-tree/compatible
	MemTotal   uint64   `json:"mem_total"`  // kB, of /proc/meminfo
}

// Kernel is the running kernel.
type Kernel struct {
	Release string            `json:"release"` // uname -r
	Config  map[string]string `json:"config"`  // symbol without CONFIG_ → y, m or a value; of /proc/config.gz
}

// System is which NixOS runs.
type System struct {
	Hostname string `json:"hostname"`
	Booted   string `json:"booted"`  // /run/booted-system
	Current  string `json:"current"` // /run/current-system
}

// Link is a network interface.
type Link struct {
	Kind    string `json:"kind"` // IFLA_INFO_KIND; empty for a physical one
	Up      bool   `json:"up"`   // IFF_UP
	Carrier bool   `json:"carrier"`
	Master  string `json:"master,omitempty"`
	Parent  string `json:"parent,omitempty"` // IFLA_LINK: the conduit, the VLAN's link
	VLAN    int    `json:"vlan,omitempty"`
	MTU     int    `json:"mtu"`
	MAC     string `json:"mac,omitempty"`
}

// Addr is an address of an interface.
type Addr struct {
	Link    string `json:"link"`
	Prefix  string `json:"prefix"`
	Dynamic bool   `json:"dynamic"` // it has a lifetime: DHCP or a router advertisement gave it
}

// Route is a route.
type Route struct {
	To    string `json:"to"` // 0.0.0.0/0 for the default
	Via   string `json:"via,omitempty"`
	Link  string `json:"link"`
	Proto string `json:"proto,omitempty"` // as in rt_protos: kernel, boot, static, ra, dhcp
	Table string `json:"table,omitempty"` // empty for main
}

// Rule is a rule of policy routing that is not one of the kernel's three.
type Rule struct {
	Priority int    `json:"priority"`
	Text     string `json:"text"` // as ip rule prints it
}

// Unit is a systemd unit.
type Unit struct {
	Active   string `json:"active"` // ActiveState
	Result   string `json:"result"` // Result: success, exit-code, …
	Restarts int    `json:"restarts,omitempty"`
}

// File is a file that the spec names. Its content is never looked at.
type File struct {
	Owner string `json:"owner"`
	Mode  string `json:"mode"` // octal, as in 0400
}

// Ruleset is a table of nftables as it is and as it should be, after the same nft
// has read and listed both: one line a rule.
type Ruleset struct {
	Want []string `json:"want"`
	Got  []string `json:"got"`
}

// Listener is a socket that waits for packets or connections.
type Listener struct {
	Protocol string `json:"protocol"` // tcp or udp
	Address  string `json:"address"`  // 0.0.0.0 and :: are every address
	Port     int    `json:"port"`
	Program  string `json:"program,omitempty"` // comm of the process; empty for the kernel
}

// WireGuard is a tunnel as the kernel has it.
type WireGuard struct {
	ListenPort int             `json:"listen_port"`
	Peers      map[string]Peer `json:"peers"` // by public key
}

// Peer is a peer of a tunnel.
type Peer struct {
	AllowedIPs []string `json:"allowed_ips"` // sorted
	Endpoint   string   `json:"endpoint,omitempty"`
	Handshake  int64    `json:"handshake,omitempty"` // Unix time of the last one, 0 for never
}

// Clock is what the kernel knows of the time's quality (adjtimex(2)).
type Clock struct {
	Synchronised bool `json:"synchronised"`
}

// A Need is something a check asks for by name, beyond what is always looked at.
type Need struct {
	Kind NeedKind `json:"kind"`
	Name string   `json:"name"`
	Text string   `json:"text,omitempty"` // of a ruleset: the table as it should be
}

// NeedKind is the part of a state that a need fills.
type NeedKind string

// The kinds of needs.
const (
	NeedSysctl  NeedKind = "sysctl"
	NeedFile    NeedKind = "file"
	NeedRuleset NeedKind = "ruleset" // Name is the table: "inet nbr"
)
