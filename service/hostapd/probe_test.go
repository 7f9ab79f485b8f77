package hostapd

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What hostapd 2.11 says.
const (
	statusText = `state=ENABLED
phy=phy1
freq=5180
num_sta_non_erp=0
ieee80211n=1
ieee80211ac=1
ieee80211ax=0
beacon_int=100
max_txpower=20
bss[0]=radio5
bssid[0]=02:00:00:00:01:00
ssid[0]=a=b
`
	configText = `bssid=02:00:00:00:01:00
ssid=a=b
wps_state=disabled
wpa=2
key_mgmt=WPA-PSK SAE WPA-PSK-SHA256 
group_cipher=CCMP
rsn_pairwise_cipher=CCMP 
`
)

func TestParse(t *testing.T) {
	got, err := parse(read(statusText), read(configText))
	want := daemon{State: "ENABLED", Standard: ac11, Keys: []string{"SAE", "WPA-PSK", "WPA-PSK-SHA256"}, Pairwise: []string{"CCMP"}, Group: "CCMP"}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v %s", err, diff)
	}
	if got.security() != schemes[transition].text() {
		t.Errorf("%s is not %s", got.security(), schemes[transition].text())
	}
	if d, err := parse(read("FAIL\n"), read("FAIL\n")); err == nil {
		t.Errorf("%+v", d)
	}
}

func TestCompare(t *testing.T) {
	const conf = "interface=radio5\nssid=x\nsae_password=one two\nwpa_passphrase=one two\nbss=radio5-1\nsae_password=three|id=a\nbss=radio5-2\nwpa=0\n"
	for _, c := range []struct{ device, file, want string }{
		{"radio5", "one two\n", samePassword},
		{"radio5", "one\n two", otherPassword}, // one of the two lines is
		{"radio5", "one", otherPassword},
		{"radio5-1", "three\n", otherPassword},
		{"radio5-2", "three", noPassword},
		{"radio6", "three", noPassword},
	} {
		if got := compare(conf, c.device, c.file); got != c.want {
			t.Errorf("%s, %q: %s, not %s", c.device, c.file, got, c.want)
		}
	}
}

// The channels of IEEE 802.11-2020 table E-4 and of 802.11ax, by their widths.
func TestWiden(t *testing.T) {
	for _, c := range []struct {
		of             Band
		channel, width int
		first, center  int // 0 where there is none
		radar          bool
	}{
		{twoGHz, 6, 20, 6, 6, false},
		{twoGHz, 6, 40, 0, 0, false},
		{twoGHz, 14, 20, 0, 0, false},
		{fiveGHz, 36, 20, 36, 36, false},
		{fiveGHz, 40, 40, 36, 38, false},
		{fiveGHz, 44, 80, 36, 42, false},
		{fiveGHz, 36, 160, 36, 50, true},
		{fiveGHz, 52, 20, 52, 52, true},
		{fiveGHz, 144, 80, 132, 138, true},
		{fiveGHz, 144, 160, 0, 0, false},
		{fiveGHz, 128, 160, 100, 114, true},
		{fiveGHz, 149, 20, 149, 149, false},
		{fiveGHz, 157, 40, 157, 159, false},
		{fiveGHz, 161, 80, 149, 155, false},
		{fiveGHz, 177, 160, 149, 163, false},
		{fiveGHz, 37, 20, 0, 0, false},
		{sixGHz, 1, 20, 1, 1, false},
		{sixGHz, 5, 40, 1, 3, false},
		{sixGHz, 37, 80, 33, 39, false},
		{sixGHz, 37, 160, 33, 47, false},
		{sixGHz, 233, 20, 233, 233, false},
		{sixGHz, 233, 40, 0, 0, false},
	} {
		w, ok := widen(c.of, c.channel, c.width)
		if ok != (c.first != 0) || ok && (w.first != c.first || w.center != c.center || w.radar(c.of) != c.radar) {
			t.Errorf("channel %d of %s with %d MHz: %+v %v, radar %v", c.channel, c.of, c.width, w, ok, w.radar(c.of))
		}
	}
}

// A channel without a width is as wide as most countries let it be.
func TestWidth(t *testing.T) {
	for _, c := range []struct {
		of             Band
		channel, width int
	}{
		{twoGHz, 0, 20},
		{twoGHz, 6, 20},
		{fiveGHz, 0, 80},
		{fiveGHz, 36, 80},
		{fiveGHz, 128, 80},
		{fiveGHz, 132, 40},
		{fiveGHz, 136, 40},
		{fiveGHz, 140, 20},
		{fiveGHz, 144, 20},
		{fiveGHz, 149, 80},
		{fiveGHz, 165, 20},
		{fiveGHz, 177, 20},
		{sixGHz, 37, 80},
		{sixGHz, 233, 20},
	} {
		b := new(WiFi)
		b.Band.V, b.Channel.V, b.Channel.Set, b.Standard.V = c.of, Channel(c.channel), c.channel != 0, ax11
		if got := b.width(); got != c.width {
			t.Errorf("channel %d of %s has %d MHz, not %d", c.channel, c.of, got, c.width)
		}
	}
}

// What a radio is that was told channel 40 with 80 MHz, or 100.
func TestChannel(t *testing.T) {
	b := new(WiFi)
	b.Band.V, b.Channel.V, b.Channel.Set, b.Standard.V = fiveGHz, 40, true, ax11
	for got, want := range map[int]bool{36: true, 40: true, 44: false, 52: false} {
		if b.swapped(got) != want {
			t.Errorf("channel %d for 40: %v", got, !want)
		}
	}
	if b.radar() {
		t.Error("there is radar on 40")
	}
	b.Channel.V = 100
	if !b.radar() {
		t.Error("there is no radar on 100")
	}
}

// What hostapd 2.11 says of a server (radius_client_dump_auth_server in src/radius/radius_client.c).
const mibText = `dot11RSNAOptionImplemented=TRUE
radiusAuthServerIndex=1
radiusAuthServerAddress=fd00:1::9
radiusAuthClientServerPortNumber=1812
radiusAuthClientRoundTripTime=0
radiusAuthClientAccessRequests=12
radiusAuthClientAccessRetransmissions=3
radiusAuthClientAccessAccepts=1
radiusAuthClientAccessRejects=2
radiusAuthClientAccessChallenges=8
radiusAuthClientMalformedAccessResponses=0
radiusAuthClientBadAuthenticators=5
radiusAuthClientPendingRequests=1
radiusAuthClientTimeouts=4
radiusAuthClientUnknownTypes=0
radiusAuthClientPacketsDropped=0
`

func TestCount(t *testing.T) {
	var got daemon
	if err := got.count(read(mibText)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(daemon{RADIUS: "[fd00:1::9]:1812", Requests: 12, Timeouts: 4, Answers: 11, Forged: 5}, got); diff != "" {
		t.Error(diff)
	}
	got = daemon{}
	if err := got.count(read("dot11RSNAOptionImplemented=TRUE\n")); err != nil || got.RADIUS != "" {
		t.Errorf("without a server it is %+v, %v", got, err)
	}
	if err := got.count(read("radiusAuthServerAddress=fd00:1::9\nradiusAuthClientServerPortNumber=1812\n")); err == nil {
		t.Error("a MIB without counters is none")
	}
}
