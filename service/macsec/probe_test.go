package macsec

import "testing"

// What iproute2 7.2 prints of a link on which MKA has agreed, shortened by counters.
const shown = `[{"ifindex":3,"ifname":"m0","protect":true,"validate":"strict","sc":false,"sa":false,"encrypt":true,"send_sci":true,"end_station":false,"scb":false,"replay":true,"window":32,"cipher_suite":"GCM-AES-128","icv_length":16,"sci":"0x2000000000a0001","encoding_sa":1,"sa_list":[{"an":0,"pn":8,"active":true},{"an":1,"pn":1,"active":true}],"rx_sc":[{"sci":"0x2000000000b0001","active":true,"sa_list":[{"an":0,"pn":8,"active":true},{"an":1,"pn":1,"active":true}]}],"offload":"off"}]`

func TestParseSecured(t *testing.T) {
	t.Parallel()
	all := secured{There: true, Protect: true, Encrypt: true, Validate: "strict", Replay: true, Window: 32, Cipher: "GCM-AES-128", Identifier: "02000000000a0001", Sends: true, Receives: 1}
	for _, tt := range []struct {
		link, out string
		want      secured
		fails     bool
	}{
		{"m0", shown, all, false},
		{"m1", shown, secured{}, false},
		{"m0", "", secured{}, false},
		{"m0", "[]\n", secured{}, false},
		{"m0", "{", secured{}, true},
		{"m0", `[{"ifname":"m0","sci":"x"}]`, secured{}, true},
		{"m0", `[{"ifname":"m0","sci":"0x1","encoding_sa":2,"sa_list":[{"an":1,"active":true}],"rx_sc":[{"active":false,"sa_list":[{"an":0,"active":true}]},{"active":true,"sa_list":[{"an":0,"active":false}]}]}]`, secured{There: true, Identifier: "0000000000000001"}, false},
	} {
		got, err := parseSecured([]byte(tt.out), tt.link)
		if got != tt.want || (err != nil) != tt.fails {
			t.Errorf("%s of %s: %+v, %v", tt.link, tt.out, got, err)
		}
	}
}

// What wpa_supplicant 2.11 says.
func TestParseSession(t *testing.T) {
	t.Parallel()
	const status = "bssid=01:80:c2:00:00:03\nwpa_state=COMPLETED\nPAE KaY status=Active\nSecured=Yes\nActor Priority=16\nactor_sci=02:00:00:00:00:0a@1\nckn=616263\nlive_peers=1\npotential_peers=0\n"
	for _, tt := range []struct {
		status string
		want   session
		fails  bool
	}{
		{status, session{CKN: "616263", Priority: 16, Peers: 1}, false},
		{"wpa_state=DISCONNECTED\n", session{}, false},
		{"wpa_state=COMPLETED\nckn=00\nlive_peers=1\n", session{}, true},
		{"FAIL\n", session{}, true},
	} {
		if got, err := parseSession(tt.status); got != tt.want || (err != nil) != tt.fails {
			t.Errorf("%q: %+v, %v", tt.status, got, err)
		}
	}
}
