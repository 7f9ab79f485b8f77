// Package hostapd makes the router an access point of Wi-Fi (IEEE 802.11), with hostapd. Its clients are
// in networks of the router: hostapd puts the interface of each SSID into the network's bridge.
package hostapd

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/verify/probe"
)

// Kind is the wifi block.
func Kind() service.Kind {
	return service.Kind{
		Type: "wifi", Doc: "An access point: a radio, and the networks that its clients are in.",
		Software: "hostapd",
		Example: `secret "wifi_home" {
  path = "/var/lib/secrets/wifi_home"
}

port "wlp1s0" {}

wifi "attic" {
  radio   = port.wlp1s0
  band    = "5GHz"
  channel = 36
  country = "DE"

  ssid "Home" {
    network  = network.lan
    password = secret.wifi_home
  }
}
`,
		Program: program{}, Probes: []probe.Any{daemonOf, radioOf, passwordOf}, New: func() service.Block { return &WiFi{} },
	}
}

// WiFi is the wifi block: one radio.
type WiFi struct {
	conf.Header
	Name     conf.Value[router.Name] `hcl:"name,label"`
	Radio    conf.Ref[router.Link]   `hcl:"radio,required" doc:"The radio's port. Its interface is that of the first SSID; those of others are called after it, with -1, -2 and so on."`
	Country  conf.Value[Country]     `hcl:"country,required" doc:"Where the router is, by ISO 3166-1, as in DE or US: which channels there are, and with how much power, is the law there."`
	Band     conf.Value[Band]        `hcl:"band,required" doc:"The band that the radio works in."`
	Channel  conf.Value[Channel]     `hcl:"channel,optional" doc:"The primary channel. Without it the radio chooses one each time that it starts, out of those where no radar is to be looked for, if its driver can."`
	Width    conf.Value[Width]       `hcl:"width,optional" doc:"The channel's width. Without it 20 MHz in the 2.4 GHz band, 80 in the others, or as much as the channel and the standard have."`
	Standard conf.Value[Standard]    `hcl:"standard,optional" default:"802.11ax" doc:"The newest standard that the radio can: 802.11n (Wi-Fi 4), 802.11ac (5) or 802.11ax (6). Clients of older ones get in as well."`
	SSIDs    []*SSID                 `hcl:"ssid,block" doc:"A network of Wi-Fi, by the name that clients see."`
}

// SSID is a network of Wi-Fi, a BSS of IEEE 802.11.
type SSID struct {
	conf.Header
	Name     conf.Value[Text]               `hcl:"name,label"`
	Network  conf.Ref[*router.Network]      `hcl:"network,required" doc:"The network that its clients are in. It is on a bridge, which the SSID's interface becomes a port of."`
	Security conf.Value[Security]           `hcl:"security,optional" default:"wpa3" doc:"wpa3 (SAE); wpa2-wpa3 for clients of both; wpa2 (PSK); wpa3-enterprise (EAP), and wpa2-enterprise for clients of both; owe, encrypted without a password (Enhanced Open); open, which all who are near can read."`
	Password conf.Ref[*router.Secret]       `hcl:"password,optional" doc:"The password, for security with one: 8 to 63 ASCII characters, none of them |."`
	RADIUS   conf.Ref[router.Authenticator] `hcl:"radius,optional" doc:"The server that says who gets in, for security with EAP: the router's own (radius), or radius_server.NAME."`
	Isolate  conf.Value[bool]               `hcl:"isolate,optional" default:"false" doc:"Clients reach the router, what has a cable, and clients of SSIDs in the network that are not isolated, and no other client: none of this SSID, and none of another isolated one in the network."`
	BSSID    conf.Value[router.MAC]         `hcl:"bssid,optional" doc:"The MAC address of the access point, of the kind that is administered locally (02:…, 06:…). Each SSID of a radio with several has one."`
}

// Claim says what hostapd makes and reads. Its interfaces are none that IfState knows.
func (b *WiFi) Claim(s *router.Scope) {
	s.AfterLinks(hcl.Range{}, unit)
	s.AfterLinks(hcl.Range{}, ports)
	s.Kernel(b.Radio.Range, "Wi-Fi", "CFG80211", "MAC80211")
	router.Claim(s, hcl.Range{}, router.LookGroup{Group: group})
	router.Claim(s, hcl.Range{}, placed{radio: b})
	for i, n := range b.SSIDs {
		name := b.device(i)
		router.Claim(s, n.Def, router.OwnLinks{Pattern: "^" + regexp.QuoteMeta(name) + "$"})
		joins := router.Joins{Port: router.IfName(name), Bridge: n.Network.Target.Link.Target}
		if i == 0 {
			joins.Of = b.Radio.Target
		}
		router.Claim(s, n.Network.Range, joins)
		if n.Password.Target != nil {
			s.Secret(n.Password.Range, router.SecretUse{Secret: n.Password.Target, For: router.WiFiPassword, Owner: "root", Unit: unit})
		}
		if of := n.RADIUS.Target; of != nil {
			router.Claim(s, n.RADIUS.Range, router.Authenticates{Of: of})
			a := of.Authentication()
			if a.Secret != nil {
				s.Secret(n.RADIUS.Range, router.SecretUse{Secret: a.Secret, For: router.RADIUSSecret, Owner: "root", Unit: unit})
			}
			if a.Server.IsValid() {
				router.Claim(s, n.RADIUS.Range, router.Asks{
					Server: a.Server.Addr(), Packets: []router.Packets{{Protocol: router.UDP, Ports: router.OnePort(router.Port(a.Server.Port()))}},
				})
			}
		}
	}
}

// device is the interface of an SSID. The first is the radio's own, and hostapd has it that the others
// begin with its name.
func (b *WiFi) device(i int) string {
	name := string(b.Radio.Target.LinkName())
	if i == 0 {
		return name
	}
	return fmt.Sprintf("%s-%d", name, i)
}

// Judge judges the radio, its channel, and the networks.
func (b *WiFi) Judge(r *router.Router) hcl.Diagnostics {
	diags := append(b.judgeRadio(r), b.judgeChannel()...)
	if len(b.SSIDs) == 0 {
		return append(diags, diag.Help(diag.Error("wifi-without-ssid", b.Def, "Radio without a network",
			"%s has no ssid block, so there is nothing that a client could join.", b.Addr), "Write one, as in ssid \"Home\" { … }."))
	}
	for i, n := range b.SSIDs {
		diags = append(diags, b.judgeSSID(r, i, n)...)
	}
	return append(diags, b.judgeOthers(r)...)
}

// judgeRadio wants a port that may be a radio, and that nothing else uses.
func (b *WiFi) judgeRadio(r *router.Router) hcl.Diagnostics {
	radio := b.Radio.Target
	refuse := func(why string, args ...any) hcl.Diagnostics {
		return hcl.Diagnostics{diag.Help(diag.Error("wifi-radio", b.Radio.Range, "No radio of this access point", why, args...),
			"Name the port of a radio that nothing else uses: port.NAME of the board's, or a port block for a card.")}
	}
	switch s := radio.Spec(); {
	case !s.Hardware():
		return refuse("%s is no port of a card.", b.Radio.Addr)
	case !s.Radio:
		return refuse("%s is a port for cables.", b.Radio.Addr)
	case r.MasterOf(radio) != nil:
		return hcl.Diagnostics{diag.With(refuse("%s is a port of %s: hostapd puts it into the bridge of the SSID's network itself, once it is an access point.", b.Radio.Addr, r.MasterOf(radio).Head().Addr)[0],
			r.MasterOf(radio).Head().Def, "the other use")}
	case len(r.On(radio)) > 0:
		return hcl.Diagnostics{diag.With(refuse("%s is on %s itself.", r.On(radio)[0].Addr, b.Radio.Addr)[0], r.On(radio)[0].Link.Range, "the other use")}
	}
	for _, u := range router.Claimed[router.UsesLink](r) {
		if u.Link == radio {
			return hcl.Diagnostics{diag.With(refuse("%s uses %s as a port with a cable.", u.Addr, b.Radio.Addr)[0], u.From, "the other use")}
		}
	}
	if longest := b.device(max(len(b.SSIDs)-1, 0)); len(longest) > 15 { // IFNAMSIZ of linux/if.h, less the byte that ends it
		return hcl.Diagnostics{diag.Help(diag.Error("wifi-radio", b.Radio.Range, "Name too long for the interfaces of this access point",
			"The last SSID's interface would be called %s, and a name has at most 15 characters.", longest),
			"Call the port by a shorter name, by its mac.")}
	}
	return nil
}

// judgeSSID judges a network by itself.
func (b *WiFi) judgeSSID(r *router.Router, i int, n *SSID) hcl.Diagnostics {
	var diags hcl.Diagnostics
	diags = append(diags, n.judgeNetwork(r)...)
	keyed := n.Security.V.password()
	switch {
	case keyed && !n.Password.Set:
		diags = append(diags, diag.Help(diag.Error("wifi-password", cmp.Or(n.Security.Range, n.Def), "Wi-Fi without its password",
			"%s has a password, and the block names none.", n.Security.V), "Write password = secret.NAME, or security = \"owe\" for a network that all may join."))
	case !keyed && n.Password.Set:
		why := "All may join a network with security = %q."
		if n.Security.V.enterprise() {
			why = "In a network with security = %q each user has a password or a certificate of their own, which RADIUS knows."
		}
		diags = append(diags, diag.With(diag.Help(diag.Error("wifi-password", n.Password.Range, "Password that nothing asks for",
			why, n.Security.V), "Remove one of the two lines."), n.Security.Range, "security"))
	}
	diags = append(diags, n.judgeRADIUS()...)
	switch {
	case n.Security.V == open:
		diags = append(diags, diag.Help(diag.Warning("wifi-open", n.Security.Range, "Wi-Fi that all who are near can read",
			"Nothing that the clients of %q send is encrypted, and all may join.", string(n.Name.V)),
			"Write security = \"owe\", which encrypts without a password, if the clients can."))
	case b.Band.V == sixGHz && !slices.Contains([]Security{wpa3, wpa3Enterprise, owe}, n.Security.V):
		diags = append(diags, diag.With(diag.Help(diag.Error("wifi-6ghz", n.Security.Range, "Security that the 6 GHz band does not have",
			"There is no %s in the 6 GHz band (IEEE 802.11ax-2021 section 12.12.2): no client would join.", n.Security.V),
			"Write security = \"wpa3\", \"wpa3-enterprise\" or \"owe\"."), b.Band.Range, "the band"))
	}
	switch {
	case n.BSSID.Set && !local(n.BSSID.V):
		diags = append(diags, diag.Help(diag.Error("wifi-bssid", n.BSSID.Range, "BSSID that may be another device's",
			"%s is no address that is administered locally: the second hexadecimal digit of one is 2, 6, a or e.", n.BSSID.V),
			"Write %s, for example.", b.suggested(i)))
	case !n.BSSID.Set && len(b.SSIDs) > 1:
		diags = append(diags, diag.Help(diag.Error("wifi-bssid", n.Def, "SSID without a BSSID",
			"%s has several SSIDs, and which MAC address each of them has nbr cannot know: drivers of radios differ in it.", b.Addr),
			"Write bssid = %q, for example, and another one into each of the others.", b.suggested(i)))
	}
	return diags
}

// judgeRADIUS wants a server where one is asked, which gives no user a VLAN: hostapd would let that user into the SSID's
// network, unlike the access points that know VLANs.
func (n *SSID) judgeRADIUS() hcl.Diagnostics {
	switch asks := n.Security.V.enterprise(); {
	case asks && !n.RADIUS.Set:
		return hcl.Diagnostics{diag.Help(diag.Error("wifi-radius", cmp.Or(n.Security.Range, n.Def), "Wi-Fi that has nothing to ask",
			"With %s a RADIUS server says who gets in, and the block names none.", n.Security.V),
			"Write radius = radius for the router's own radius block, or radius = radius_server.NAME.")}
	case !asks && n.RADIUS.Set:
		return hcl.Diagnostics{diag.With(diag.Help(diag.Error("wifi-radius", n.RADIUS.Range, "RADIUS that is not asked",
			"With %s no user authenticates.", n.Security.V),
			"Write security = \"wpa3-enterprise\", or remove the line."), n.Security.Range, "security")}
	case asks:
		if vlan := n.RADIUS.Target.Authentication().VLAN; vlan != (hcl.Range{}) {
			return hcl.Diagnostics{diag.With(diag.Help(diag.Error("wifi-vlan", n.RADIUS.Range, "VLAN of a user that Wi-Fi does not know",
				"%s tells the VLAN of some users, and all who join an SSID are in its one network: these users would be in %s.", n.RADIUS.Addr, n.Network.Addr),
				"Remove the vlan of these users, or ask a radius_server that does not know them."), vlan, "the VLAN")}
		}
	}
	return nil
}

// judgeNetwork wants a network of the router's own, on a bridge that hostapd can put interfaces into.
func (n *SSID) judgeNetwork(r *router.Router) hcl.Diagnostics {
	of := n.Network.Target
	if of.Upstream() {
		return hcl.Diagnostics{router.OnUpstream(diag.Help(diag.Error("wifi-network", n.Network.Range, "Wi-Fi in front of the firewall",
			"%s leads to the Internet: clients would be the provider's, beside the router.", of.Addr), "Name a network inside."), of)}
	}
	link := of.Link.Target
	bridge := link.Spec().Bridge
	switch {
	case bridge == nil:
		return hcl.Diagnostics{diag.With(diag.Help(diag.Error("wifi-network", n.Network.Range, "Network that is on no bridge",
			"%s is on %s, and hostapd puts the interface of an SSID into a bridge.", of.Addr, of.Link.Addr),
			"Write a bridge block, with ports = [%s] if what is there now is to stay, and put the network on it.", of.Link.Addr), of.Link.Range, "%s", of.Addr.String())}
	case bridge.VLANAware():
		return hcl.Diagnostics{diag.With(diag.Help(diag.Error("wifi-network", n.Network.Range, "Bridge that keeps VLANs apart",
			"%s is on %s, which passes frames of the VLANs of its vlans blocks only, and hostapd puts an interface into none.", of.Addr, of.Link.Addr),
			"Put the network on a bridge with ports of its own."), bridge.VLANs[0].Def, "%s", of.Link.Addr.String())}
	}
	return nil
}

// judgeOthers compares the networks with each other, and with those of radios before this one.
func (b *WiFi) judgeOthers(r *router.Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	type place struct {
		radio *WiFi
		ssid  *SSID
	}
	var before []place
	for _, o := range radios(r) {
		if o == b {
			break
		}
		if o.Radio.Target == b.Radio.Target {
			diags = append(diags, diag.With(diag.Help(diag.Error("wifi-radio", b.Radio.Range, "Radio of two access points",
				"%s has %s already.", o.Addr, b.Radio.Addr), "Write the ssid blocks of both into one of the two."), o.Radio.Range, "%s", o.Addr.String()))
		}
		if o == radios(r)[0] && o.Country.V != b.Country.V {
			diags = append(diags, diag.With(diag.Help(diag.Error("wifi-country", b.Country.Range, "Router in two countries",
				"%s says that it is in %s, and the kernel has the rules of one country for all radios.", o.Addr, o.Country.V),
				"Write the same into both."), o.Country.Range, "%s", o.Addr.String()))
		}
		for _, n := range o.SSIDs {
			before = append(before, place{o, n})
		}
	}
	for _, n := range b.SSIDs {
		for _, o := range before {
			if n.BSSID.Set && n.BSSID.V == o.ssid.BSSID.V {
				diags = append(diags, diag.With(diag.Help(diag.Error("wifi-bssid", n.BSSID.Range, "BSSID of two networks",
					"%q has %s already.", string(o.ssid.Name.V), n.BSSID.V), "Write another one."), o.ssid.BSSID.Range, "the first time"))
			}
			if n.Name.V != o.ssid.Name.V || o.radio == b { // twice on one radio is an error of labels
				continue
			}
			if n.Network.Target != o.ssid.Network.Target || n.Password.Target != o.ssid.Password.Target || n.RADIUS.Target != o.ssid.RADIUS.Target || n.Isolate.V != o.ssid.Isolate.V || !alike(n.Security.V, o.ssid.Security.V) {
				diags = append(diags, diag.With(diag.Help(diag.Warning("wifi-differs", n.Def, "Networks that a client takes for one",
					"%q is a network of %s, too, with another network, security, password, server or isolate. A client goes from one to the other without a word, and is elsewhere then, reached by others, or out.", string(n.Name.V), o.radio.Addr),
					"Write the same into both, or give one of the two another name."), o.ssid.Def, "the other one"))
			}
		}
		if i := slices.IndexFunc(before, func(o place) bool { return n.shares(o.ssid) }); i >= 0 {
			o := before[i].ssid
			diags = append(diags, diag.With(diag.Help(diag.Warning("wifi-radius-shared", n.RADIUS.Range, "Users of one network who get into another",
				"%q is in %s, and %q in %s: %s, which both ask, lets each user into both.", string(n.Name.V), n.Network.Addr, string(o.Name.V), o.Network.Addr, n.RADIUS.Addr),
				"Put both into one network, or ask another server. Where a server on another host tells SSIDs apart (Called-Station-Id), write a radius_server block for each."),
				o.RADIUS.Range, "the other one"))
		}
		before = append(before, place{b, n})
		if o := n.reached(r); o != nil {
			diags = append(diags, diag.With(diag.Help(diag.Warning("wifi-isolate", n.Isolate.Range, "Isolated clients beside others",
				"%q is isolated, and %q in %s is not: clients of the two reach each other.", string(n.Name.V), string(o.Name.V), n.Network.Addr),
				"Give the isolated one a network of its own."), o.Def, "the other one"))
		}
	}
	return diags
}

// shares tells whether users of another network get in by the same server.
func (n *SSID) shares(o *SSID) bool {
	return n.Security.V.enterprise() && o.Security.V.enterprise() && n.RADIUS.Set && n.RADIUS.Target == o.RADIUS.Target && n.Network.Target != o.Network.Target
}

// reached is an SSID whose clients reach those of this one though it is isolated; nil if there is none.
func (n *SSID) reached(r *router.Router) *SSID {
	for _, b := range radios(r) {
		for _, o := range b.SSIDs {
			if n.Isolate.V && !o.Isolate.V && o.Network.Target == n.Network.Target && o.Name.V != n.Name.V {
				return o
			}
		}
	}
	return nil
}

// alike tells whether a client that one of two kinds of security lets in gets in by the other as well: wpa3 is a part
// of wpa2-wpa3, as wpa3-enterprise is of wpa2-enterprise, and all that the 6 GHz band has of it.
func alike(a, b Security) bool {
	older := map[Security]Security{wpa3: transition, wpa3Enterprise: wpa2Enterprise}
	return a == b || older[a] == b || older[b] == a
}

// local tells whether a MAC address is of one host, and administered locally (IEEE 802-2014 section 8.2).
func local(m router.MAC) bool { return len(m) > 1 && slices.Contains([]byte("26ae"), m[1]) }

// suggested is an address for an SSID that hardly another access point has.
func (b *WiFi) suggested(i int) string {
	h := uint32(2166136261) // FNV-1a
	for _, c := range []byte(b.Addr.String() + b.device(0)) {
		h = (h ^ uint32(c)) * 16777619
	}
	return fmt.Sprintf("02:%02x:%02x:%02x:%02x:%02x", byte(h>>24), byte(h>>16), byte(h>>8), byte(h), i)
}

// A placed is a radio as other radios see it.
type placed struct {
	router.By
	radio *WiFi
}

// radios are all wifi blocks that are sound.
func radios(r *router.Router) []*WiFi {
	var out []*WiFi
	for _, p := range router.Claimed[placed](r) {
		out = append(out, p.radio)
	}
	return out
}
