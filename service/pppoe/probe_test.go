package pppoe

import "testing"

// What pppd 2.5.2 has written to the journal, of lines that fare differently.
func TestLastSaid(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ journal, want string }{
		"nothing yet": {"Plugin pppoe.so loaded.\n", ""},
		"no provider": {`Plugin pppoe.so loaded.
Timeout waiting for PADO packets
Unable to complete PPPoE Discovery, phase 1
`, "Unable to complete PPPoE Discovery, phase 1"},
		"by PAP": {`PPP session is 1
Connected to c2:bf:32:c4:19:51 via interface internet
Using interface ppp0
Connect: ppp0 <--> internet
Remote message: Login ok
PAP authentication succeeded
local  IP address 198.51.100.50
`, "PAP authentication succeeded"},
		"refused, and dialling again": {`Connect: ppp0 <--> internet
CHAP authentication failed: Access denied
CHAP authentication failed
Connection terminated.
Sent PADT
PPP session is 1
Connect: ppp0 <--> internet
`, "CHAP authentication failed"},
		"refused, with an end by the provider": {"PAP authentication failed\nLCP terminated by peer (Authentication failed)\n", "PAP authentication failed"},
		"ended by the provider":                {"PAP authentication succeeded\nModem hangup\nConnect time 0.2 minutes.\nConnection terminated.\n", "Connection terminated."},
		"let in after a refusal":               {"PAP authentication failed\nConnection terminated.\nPAP authentication succeeded\n", "PAP authentication succeeded"},
		"what a terminal would obey":           {"PAP authentication failed: \x1b[2J\n", `PAP authentication failed: \x1b[2J`},
	} {
		if got := lastSaid(tt.journal); got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}

// The kernel's table of sessions.
func TestPeerOn(t *testing.T) {
	t.Parallel()
	const table = "Id       Address              Device\n00000100 c2:bf:32:c4:19:51 internet\n0000FF00 02:00:00:00:00:01       wan\n"
	for link, want := range map[string]string{"internet": "c2:bf:32:c4:19:51", "wan": "02:00:00:00:00:01", "lan1": "", "Device": ""} {
		if got := peerOn([]byte(table), link); got != want {
			t.Errorf("%s: %q, want %q", link, got, want)
		}
	}
	if got := peerOn(nil, "wan"); got != "" {
		t.Errorf("without a table: %q", got)
	}
}
