package snmpd

import (
	"bytes"
	"encoding/hex"
	"testing"

	"github.com/gosnmp/gosnmp"
)

// Keys are those that net-snmp 5.9.5.2 has made of passphrases (usmUser of its snmpd.conf).
func TestKeys(t *testing.T) {
	id, err := hex.DecodeString("80001f88808935432055d00d6b00000000")
	if err != nil {
		t.Fatal(err)
	}
	u, err := newUser(&gosnmp.UsmSecurityParameters{AuthoritativeEngineID: string(id)}, "anna", "authpass word", `priv"pa\ss!#`)
	if err != nil {
		t.Fatal(err)
	}
	usm := u.SecurityParameters.(*gosnmp.UsmSecurityParameters)
	if got := hex.EncodeToString(usm.SecretKey); got != "443b2a978455e0a2222027bcedd04cf82b713b8740f888d788a1100a234d2b43" {
		t.Errorf("of authentication: %s", got)
	}
	if got := hex.EncodeToString(usm.PrivacyKey); got != "c275d71a597b5a7f29266233f0cf6508" {
		t.Errorf("of privacy: %s", got)
	}
}

// asAnna is a user of an engine, and sealed a message of that user.
func asAnna(t testing.TB, authentication, privacy string) *gosnmp.GoSNMP {
	t.Helper()
	e := &gosnmp.UsmSecurityParameters{AuthoritativeEngineID: "engine", AuthoritativeEngineBoots: 7, AuthoritativeEngineTime: 1000}
	u, err := newUser(e, "anna", authentication, privacy)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func sealed(t testing.TB, u *gosnmp.GoSNMP, pdu gosnmp.PDUType) []byte {
	t.Helper()
	b, err := u.SnmpEncodePacket(pdu, []gosnmp.SnmpPDU{{Name: ".2.999.3.4294967295", Type: gosnmp.OctetString, Value: "attic"}}, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// An answer is read if it is whole and of the user's own passphrases; what is not signed is at most a
// report.
func TestAnswers(t *testing.T) {
	for _, privacy := range []string{"", "privacy passphrase"} {
		u := asAnna(t, "a passphrase", privacy)
		good := sealed(t, u, gosnmp.GetResponse)
		p := answer(u, good)
		if p == nil || p.PDUType != gosnmp.GetResponse || first(p) != "2.999.3.4294967295" || !bytes.Equal(p.Variables[0].Value.([]byte), []byte("attic")) {
			t.Fatalf("privacy %q: %+v", privacy, p)
		}
		for i := range good {
			if answer(u, good[:i]) != nil {
				t.Errorf("privacy %q: the first %d bytes are an answer", privacy, i)
			}
			other := bytes.Clone(good)
			other[i] ^= 1
			if p := answer(u, other); p != nil && p.PDUType != gosnmp.Report {
				t.Errorf("privacy %q: with byte %d otherwise it is authentic", privacy, i)
			}
		}
		if answer(asAnna(t, "another passphrase", privacy), good) != nil {
			t.Errorf("privacy %q: with another passphrase it is authentic", privacy)
		}
		if answer(u, sealed(t, u, gosnmp.GetRequest)) != nil {
			t.Errorf("privacy %q: a request is an answer", privacy)
		}
	}
	u := asAnna(t, "a passphrase", "privacy passphrase")
	if answer(asAnna(t, "a passphrase", "another passphrase"), sealed(t, u, gosnmp.GetResponse)) != nil {
		t.Error("with another privacy passphrase it is read")
	}
	bare := func(pdu gosnmp.PDUType) []byte {
		p := u.MkSnmpPacket(pdu, []gosnmp.SnmpPDU{{Name: string(wrongDigest), Type: gosnmp.Counter32, Value: uint32(1)}}, 0, 0)
		p.MsgFlags = gosnmp.NoAuthNoPriv
		b, err := p.MarshalMsg()
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	if answer(u, bare(gosnmp.GetResponse)) != nil {
		t.Error("a response without a code is an answer")
	}
	if p := answer(u, bare(gosnmp.Report)); p == nil || reported(p) != wrongDigest {
		t.Errorf("a report is %+v", p)
	}
}

// Whatever comes as an answer, what is read of it is a response or a report.
func FuzzAnswers(f *testing.F) {
	u := asAnna(f, "a passphrase", "privacy passphrase")
	plain := asAnna(f, "a passphrase", "")
	f.Add(sealed(f, u, gosnmp.GetResponse))
	f.Add(sealed(f, plain, gosnmp.GetResponse))
	f.Add(sealed(f, plain, gosnmp.Report))
	f.Add(sealed(f, &gosnmp.GoSNMP{Version: gosnmp.Version2c, Community: "public"}, gosnmp.GetResponse))
	f.Fuzz(func(t *testing.T, b []byte) {
		if p := answer(u, b); p != nil {
			if p.PDUType != gosnmp.GetResponse && p.PDUType != gosnmp.Report {
				t.Errorf("a PDU %#x", p.PDUType)
			}
			_, _ = reported(p), says(p)
		}
	})
}
