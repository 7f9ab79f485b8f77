package knotdns

import "testing"

// The names of zones of addresses (RFC 1035 section 3.5, RFC 3596 section 2.5).
func TestReverse(t *testing.T) {
	for block, want := range map[string]string{
		"10.0.0.0/8": "10.in-addr.arpa", "192.168.0.0/16": "168.192.in-addr.arpa", "192.168.178.0/24": "178.168.192.in-addr.arpa",
		"fd00::/8": "d.f.ip6.arpa", "2001:db8::/32": "8.b.d.0.1.0.0.2.ip6.arpa", "2001:db8:1:20::/60": "2.0.0.1.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
		"0.0.0.0/0": "", "10.0.0.0/9": "", "192.168.1.0/25": "", "192.168.1.1/32": "", "192.168.1.1/24": "", "2001:db8::/33": "", "::1/128": "",
	} {
		var r Reverse
		err := r.UnmarshalText([]byte(block))
		switch {
		case (err == nil) != (want != ""):
			t.Errorf("%s: %v", block, err)
		case err == nil && string(r.zone()) != want:
			t.Errorf("%s: %s, not %s", block, r.zone(), want)
		}
	}
}

// A mailbox becomes a name, in which the dots before the @ are none between labels.
func TestMailbox(t *testing.T) {
	for text, want := range map[string]string{
		"hostmaster@example.org": "hostmaster.example.org.", "jane.doe@Example.org.": `jane\.doe.example.org.`,
		"jane": "", "@example.org": "", "a b@example.org": "", "a+b@example.org": "", ".a@example.org": "", "a@": "", "a@b@c": "",
	} {
		var m Mailbox
		err := m.UnmarshalText([]byte(text))
		switch {
		case (err == nil) != (want != ""):
			t.Errorf("%s: %v", text, err)
		case err == nil && m.name() != want:
			t.Errorf("%s: %s, not %s", text, m.name(), want)
		}
	}
}
