// Package state is what was seen of a running router, as plain data with a JSON
// form. Collectors fill it, checks read it, and a recorded one replays anywhere.
//
// A part that is nil was not looked at, and Missed says why; a part that is empty
// was looked at and nothing was there. No part ever holds a secret.
package state

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strconv"
)

// Version is the version of the JSON form. It grows when a state of before can no longer
// be read, or would be misread; docs/changes.md says what became different. A state of
// another version is refused.
const Version = 3

// A State is one look at a router.
type State struct {
	FormatVersion int                  `json:"format_version"`
	Time          int64                `json:"time,omitempty"`    // Unix time of the look
	Passive       bool                 `json:"passive,omitempty"` // the questions of active probes were left out
	Board         *Board               `json:"board,omitzero"`
	Kernel        *Kernel              `json:"kernel,omitzero"`
	System        *System              `json:"system,omitzero"`
	Links         map[string]Link      `json:"links,omitzero"` // by interface name
	Addrs         []Addr               `json:"addrs,omitzero"`
	Routes        []Route              `json:"routes,omitzero"`
	Rules         []Rule               `json:"rules,omitzero"`
	Sysctls       map[string]string    `json:"sysctls,omitzero"`      // by name with dots; those asked for
	Units         map[string]Unit      `json:"units,omitzero"`        // by full name: sshd.service
	Files         map[string]File      `json:"files,omitzero"`        // by path; those asked for
	Tables        []string             `json:"tables,omitzero"`       // nftables: "inet nbr"
	Rulesets      map[string]Ruleset   `json:"rulesets,omitzero"`     // by table; those asked for
	Users         []string             `json:"users,omitzero"`        // names in passwd(5)
	NameServers   []string             `json:"name_servers,omitzero"` // of /etc/resolv.conf, in its order
	Journal       *Journal             `json:"journal,omitzero"`
	Listeners     []Listener           `json:"listeners,omitzero"`
	WireGuard     map[string]WireGuard `json:"wireguard,omitzero"` // by interface name
	Clock         *Clock               `json:"clock,omitzero"`
	Firmware      *Firmware            `json:"firmware,omitzero"`
	Watchdog      *Watchdog            `json:"watchdog,omitzero"`
	Drivers       map[string]Driver    `json:"drivers,omitzero"` // of network cards, by interface name; those asked for
	Modules       map[string]string    `json:"modules,omitzero"` // kernel module → loaded, builtin or available; those asked for
	Neighbours    []Neighbour          `json:"neighbours,omitzero"`
	// Probes are the answers to the programs' own questions: by probe, then by the
	// question, which is its text or else its JSON form.
	Probes map[string]map[string]Probed `json:"probes,omitzero"`
	Missed map[string]string            `json:"missed,omitzero"` // part → why it could not be seen
}

// Probed is what came of a question: an answer, whose form is the probe's own, or the
// reason why there is none.
type Probed struct {
	Error  string          `json:"error,omitempty"`
	Answer json.RawMessage `json:"answer,omitempty"`
}

// Board is what the device tree or the firmware, and the memory say.
type Board struct {
	Compatible []string `json:"compatible"`    // /proc/device-tree/compatible; empty on a machine without
	MemTotal   uint64   `json:"mem_total"`     // kB, of /proc/meminfo
	DMI        *DMI     `json:"dmi,omitzero"`  // what the firmware of a PC says of it; nil on a machine without
	EFI        int      `json:"efi,omitempty"` // bits of the EFI that started it: 64 or 32; 0 if none did
}

// DMI is who made a machine, and what they call it (SMBIOS, DSP0134, type 1).
type DMI struct {
	Vendor  string `json:"vendor"`
	Product string `json:"product"`
}

// TrialVendor is who makes the VM in which a spec is tried, by its own word.
const TrialVendor = "nbr"

// Trial tells whether the machine is the VM in which a spec is tried: it has neither the slots
// nor the disk of the router.
func (b *Board) Trial() bool { return b != nil && b.DMI != nil && b.DMI.Vendor == TrialVendor }

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
	// The kernels of both: where they differ, the one that runs is not the promised one.
	BootedKernel  string `json:"booted_kernel,omitempty"`
	CurrentKernel string `json:"current_kernel,omitempty"`
}

// Link is a network interface.
type Link struct {
	Kind          string `json:"kind"` // IFLA_INFO_KIND; empty for a physical one
	Up            bool   `json:"up"`   // IFF_UP
	Carrier       bool   `json:"carrier"`
	Master        string `json:"master,omitempty"`
	Parent        string `json:"parent,omitempty"` // IFLA_LINK: the conduit, the VLAN's link
	VLAN          int    `json:"vlan,omitempty"`
	VLANProtocol  string `json:"vlan_protocol,omitempty"` // of a VLAN: 802.1q or 802.1ad
	MTU           int    `json:"mtu"`
	MAC           string `json:"mac,omitempty"`
	Alias         string `json:"alias,omitempty"`           // what people call it (IFLA_IFALIAS)
	TxQueueLength int    `json:"tx_queue_length,omitempty"` // packets (IFLA_TXQLEN)
	MACFrom       string `json:"mac_from,omitempty"`        // of hardware: permanent, random, stolen or set (addr_assign_type)
	PermanentMAC  string `json:"permanent_mac,omitempty"`   // of hardware: the one that the maker gave (IFLA_PERM_ADDRESS)
	PCI           string `json:"pci,omitempty"`             // of hardware that is itself on the bus: 0000:03:00.0
	Speed         int    `json:"speed,omitempty"`           // Mbit/s of hardware with a carrier; 0 is not known
	STP           bool   `json:"stp,omitempty"`             // of a bridge: spanning tree is on
	// Filtering is of a bridge: vlan_filtering is on.
	Filtering bool `json:"filtering,omitempty"`
	// VLANs are those that a bridge itself or a port of one is in, with filtering or without.
	VLANs    []BridgeVLAN `json:"vlans,omitzero"`
	Table    int          `json:"table,omitempty"` // of a VRF: its routing table
	Port     *BridgePort  `json:"port,omitzero"`   // of a port of a bridge
	Bond     *Bond        `json:"bond,omitzero"`   // of a bond
	BondPort *BondPort    `json:"bond_port,omitzero"`
	Tunnel   *Tunnel      `json:"tunnel,omitzero"` // of gre, sit and ip6tnl
	VXLAN    *VXLAN       `json:"vxlan,omitzero"`  // of a VXLAN
	XFRM     *XFRM        `json:"xfrm,omitzero"`   // of an XFRM interface
}

// Driver is how the driver of a network card is set, as ethtool(8) tells it.
type Driver struct {
	Features []string `json:"features"`      // those that are on, sorted, by the kernel's names: rx-gro
	EEE      string   `json:"eee,omitempty"` // on or off; empty if the driver has none
	// Autoneg is on or off, Advertised are the speeds in Mbit/s that negotiation offers in full duplex
	// and AdvertisedHalf those in half duplex, sorted, and Speed and Duplex (full or half) are those of
	// now; each is empty where the driver does not tell.
	Autoneg        string `json:"autoneg,omitempty"`
	Advertised     []int  `json:"advertised,omitempty"`
	AdvertisedHalf []int  `json:"advertised_half,omitempty"`
	Speed          int    `json:"speed,omitempty"`
	Duplex         string `json:"duplex,omitempty"`
	// Those that a driver has not are nil or empty.
	RxRing     *int   `json:"rx_ring,omitempty"` // packets
	TxRing     *int   `json:"tx_ring,omitempty"`
	RxUsecs    *int   `json:"rx_usecs,omitempty"` // until an interrupt
	TxUsecs    *int   `json:"tx_usecs,omitempty"`
	RxFrames   *int   `json:"rx_frames,omitempty"`
	TxFrames   *int   `json:"tx_frames,omitempty"`
	AdaptiveRx string `json:"adaptive_rx,omitempty"` // on or off
	AdaptiveTx string `json:"adaptive_tx,omitempty"`
}

// BridgeVLAN is a VLAN of a bridge, or several with the same flags (bridge(8), vlan).
type BridgeVLAN struct {
	First    int  `json:"first"`
	Last     int  `json:"last,omitempty"` // 0 if it is one
	PVID     bool `json:"pvid,omitempty"` // what arrives without a tag is in it
	Untagged bool `json:"untagged,omitempty"`
}

// XFRM is what an XFRM interface is known by to IPsec (IFLA_XFRM_IF_ID).
type XFRM struct {
	ID uint32 `json:"id"`
}

// VXLAN is where the packets of a VXLAN go (ip-link(8)).
type VXLAN struct {
	ID     int    `json:"id"`
	Remote string `json:"remote,omitempty"` // the other end, or the multicast group of all of them
	Local  string `json:"local,omitempty"`  // where they come from; empty is the kernel's choice
	Link   string `json:"link,omitempty"`   // that they leave by; empty is where routes lead
	Port   int    `json:"port"`             // of UDP
}

// Tunnel is where the packets of a tunnel go (ip-link(8)).
type Tunnel struct {
	Local  string `json:"local,omitempty"`
	Remote string `json:"remote,omitempty"`
	Mode   string `json:"mode,omitempty"` // of ip6tnl: ipip6, ip6ip6 or any
}

// BondPort is how a bond treats one of its ports.
type BondPort struct {
	// Aggregator is the number of the group that the port is in, in the mode 802.3ad.
	Aggregator int `json:"aggregator,omitempty"`
}

// Bond is how a bond uses its ports (Documentation/networking/bonding.rst). LACPRate and what
// follows are of the mode 802.3ad.
type Bond struct {
	Mode     string `json:"mode"`   // as IfState and ip(8) have it: 802.3ad, active-backup, …
	Hash     string `json:"hash"`   // xmit_hash_policy: layer2, layer3+4, …
	MIIMon   int    `json:"miimon"` // ms between looks at the ports' carriers; 0 is never
	MinLinks int    `json:"min_links,omitempty"`
	LACPRate string `json:"lacp_rate,omitempty"` // slow or fast
	// Aggregator is the group of ports that is in use.
	Aggregator int `json:"aggregator,omitempty"`
	// Partner is the address of the system at the other end, all zeros if none speaks LACP.
	Partner string `json:"partner,omitempty"`
}

// BridgePort is how a bridge treats one of its ports (bridge(8), link).
type BridgePort struct {
	State    string `json:"state"` // disabled, listening, learning, forwarding or blocking
	Hairpin  bool   `json:"hairpin,omitempty"`
	Isolated bool   `json:"isolated,omitempty"`
	Learning bool   `json:"learning"`
	Flood    bool   `json:"flood"` // unicast to unknown hosts
}

// Neighbour is an entry of the ARP or the neighbour table that was set by hand
// or that belongs to a gateway: the others come and go.
type Neighbour struct {
	Link    string `json:"link"`
	Address string `json:"address"`
	MAC     string `json:"mac,omitempty"`
	State   string `json:"state"` // as ip neigh prints it: PERMANENT, REACHABLE, STALE, FAILED, …
}

// Addr is an address of an interface.
type Addr struct {
	Link    string `json:"link"`
	Prefix  string `json:"prefix"`
	Dynamic bool   `json:"dynamic"` // it has a lifetime: DHCP or a router advertisement gave it
	// Of IPv6's duplicate address detection: it goes on, or has found another host.
	Tentative bool `json:"tentative,omitempty"`
	Duplicate bool `json:"duplicate,omitempty"`
}

// Route is a route.
type Route struct {
	To     string `json:"to"` // 0.0.0.0/0 for the default
	Via    string `json:"via,omitempty"`
	Link   string `json:"link"`
	Type   string `json:"type,omitempty"`  // empty for unicast: blackhole, unreachable, prohibit, throw
	Proto  string `json:"proto,omitempty"` // as in rt_protos: kernel, boot, static, ra, dhcp
	Table  string `json:"table,omitempty"` // empty for main
	Metric int    `json:"metric,omitempty"`
	Weight int    `json:"weight,omitempty"` // of one of several next hops, which are a route each; 0 for the only one
}

// Rule is a rule of policy routing that is not one of the kernel's three.
type Rule struct {
	Priority int    `json:"priority"`
	Family   string `json:"family,omitempty"` // ipv4 or ipv6; empty in states of an earlier nbr
	Text     string `json:"text"`             // as ip rule prints it
	Proto    string `json:"proto,omitempty"`  // as of a Route
}

// routeProtocols are the names that iproute2 ships in rt_protos.
var routeProtocols = map[uint8]string{
	0: "unspec", 1: "redirect", 2: "kernel", 3: "boot", 4: "static", 8: "gated", 9: "ra", 10: "mrt",
	11: "zebra", 12: "bird", 13: "dnrouted", 14: "xorp", 15: "ntk", 16: "dhcp", 18: "keepalived",
	42: "babel", 84: "ovn", 99: "openr", 186: "bgp", 187: "isis", 188: "ospf", 189: "rip", 192: "eigrp",
}

// RouteProtocolName is what ip route calls a protocol (rtm_protocol, rtnetlink(7)).
func RouteProtocolName(n uint8) string { return cmp.Or(routeProtocols[n], strconv.Itoa(int(n))) }

// Unit is a systemd unit.
type Unit struct {
	Active   string `json:"active"` // ActiveState
	Result   string `json:"result"` // Result: success, exit-code, …
	Restarts int    `json:"restarts,omitempty"`
}

// File is a file that the spec names. Its content is never looked at.
type File struct {
	Owner string `json:"owner"`
	Group string `json:"group,omitempty"`
	Mode  string `json:"mode"`           // octal, as in 0400
	Kind  string `json:"kind,omitempty"` // folder, socket or other; empty for a regular file
}

// Ruleset is a table of nftables as it is and as it should be, after the same nft
// has read and listed both: one line a rule.
type Ruleset struct {
	Of    string   `json:"of,omitempty"` // SHA-256 of the need's text: Want is made of it
	Want  []string `json:"want"`
	Got   []string `json:"got"`
	Drops []Drop   `json:"drops,omitempty"` // counters of what the table drops
}

// Drop is how much one chain of a table has dropped.
type Drop struct {
	Chain   string `json:"chain"`
	Packets uint64 `json:"packets"`
	Bytes   uint64 `json:"bytes"`
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

// Firmware is what the partitions of the boot medium hold (MediaTek's bl2 and fip).
type Firmware struct {
	Medium    string `json:"medium"`        // what the BL2 is built to boot from: sdmmc, emmc, snand, …
	Intact    bool   `json:"intact"`        // the BL2's own SHA-256 holds
	TFA       string `json:"tfa,omitempty"` // version of Trusted Firmware-A: v2.13.0(release)
	FourBG    string `json:"four_bg"`       // DDR4_4BG_MODE: present, absent or unknown
	FourBGWhy string `json:"four_bg_why"`   // what tells so
	SoC       string `json:"soc,omitempty"` // that the BL2 is for: MT7988; empty if it is not known
	// DDR is the memory that the BL2 drives: comb (it finds out), ddr4, ddr3; unknown or
	// empty if it is not known. DDRLimit is the most of it in MiB, 0 for no limit.
	DDR       string `json:"ddr,omitempty"`
	DDRLimit  int    `json:"ddr_limit_mib,omitempty"`
	UBoot     string `json:"uboot,omitempty"`      // version of U-Boot
	UBootHash string `json:"uboot_hash,omitempty"` // hash of the Nix store path that it says it is of
}

// Watchdog is the timer in the hardware that resets a machine which hangs, as systemd
// feeds it (org.freedesktop.systemd1(5)).
type Watchdog struct {
	Runtime uint64   `json:"runtime"`          // RuntimeWatchdogUSec, in microseconds; 0 is off
	Device  string   `json:"device,omitempty"` // WatchdogDevice: /dev/watchdog0; empty when none is open
	Devices []string `json:"devices"`          // the kernel's: /sys/class/watchdog
}

// Journal is how much systemd-journald keeps.
type Journal struct {
	Settings map[string]string `json:"settings"` // of [Journal], as journald.conf(5) and its drop-ins come to
	Bytes    uint64            `json:"bytes"`    // on disk and in memory
}

// A Need is something a check asks for by name, beyond what is always looked at. Needs
// of one kind and name are the same need.
type Need struct {
	Kind NeedKind `json:"kind"`
	// Name is what is asked for, and the key of the answer.
	Name string `json:"name"`
	Text string `json:"text,omitempty"` // of a ruleset: the table as it should be
}

// Hash is the SHA-256 of the need's text, in hex.
func (n Need) Hash() string {
	sum := sha256.Sum256([]byte(n.Text))
	return hex.EncodeToString(sum[:])
}

// Same tells whether two needs ask for the same thing.
func (n Need) Same(o Need) bool { return n.Kind == o.Kind && n.Name == o.Name }

// NeedKind is the part of a state that a need fills.
type NeedKind string

// The kinds of needs.
const (
	NeedSysctl  NeedKind = "sysctl"
	NeedFile    NeedKind = "file"
	NeedRuleset NeedKind = "ruleset" // Name is the table: "inet nbr"
	NeedModule  NeedKind = "module"  // Name is of a kernel module: "wireguard"
	NeedDriver  NeedKind = "driver"  // Name is of an interface: "wan"
	NeedPeer    NeedKind = "peer"    // Name is an address whose neighbour entry matters: "192.0.2.1"
)
