// Package state is what was seen of a running router, as plain data with a JSON
// form. Collectors fill it, checks read it, and a recorded one replays anywhere.
// A part that is nil was not looked at; a part that is empty was looked at and
// nothing was there.
package state

// A State is one look at a router.
type State struct {
	Board   *Board            `json:"board,omitempty"`
	Kernel  *Kernel           `json:"kernel,omitempty"`
	Links   map[string]Link   `json:"links,omitempty"` // by interface name
	Addrs   []Addr            `json:"addrs,omitempty"`
	Routes  []Route           `json:"routes,omitempty"`
	Sysctls map[string]string `json:"sysctls,omitempty"` // by name with dots
	Units   map[string]Unit   `json:"units,omitempty"`   // by full name: sshd.service
	Files   map[string]File   `json:"files,omitempty"`   // by path
	Tables  []string          `json:"tables,omitempty"`  // nftables: "inet nbr"
	Users   []string          `json:"users,omitempty"`   // names in passwd(5)
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

// Route is a route of the main table.
type Route struct {
	To    string `json:"to"` // 0.0.0.0/0 for the default
	Via   string `json:"via,omitempty"`
	Link  string `json:"link"`
	Proto string `json:"proto,omitempty"`
}

// Unit is a systemd unit.
type Unit struct {
	Active string `json:"active"` // ActiveState
	Result string `json:"result"` // Result: success, exit-code, …
}

// File is a file that the spec names. Its content is never looked at.
type File struct {
	Owner string `json:"owner"`
	Mode  string `json:"mode"` // octal, as in 0400
}
