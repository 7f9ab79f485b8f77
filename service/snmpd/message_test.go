package snmpd

import (
	"bytes"
	"encoding/asn1"
	"encoding/hex"
	"strings"
	"testing"
)

func decode(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Keys are those that net-snmp 5.9.5.2 has made of passphrases (usmUser of its snmpd.conf).
func TestKeys(t *testing.T) {
	engineID := decode(t, "80001f88808935432055d00d6b00000000")
	for passphrase, want := range map[string]string{
		"authpass word": "443b2a978455e0a2222027bcedd04cf82b713b8740f888d788a1100a234d2b43",
		`priv"pa\ss!#`:  "c275d71a597b5a7f29266233f0cf6508",
	} {
		if got := hex.EncodeToString(localKey(passphrase, engineID)); !strings.HasPrefix(got, want) {
			t.Errorf("%q: %s, want %s", passphrase, got, want)
		}
	}
}

// The first two blocks of the AES-128 in CFB mode of NIST SP 800-38A (F.3.13), and a part of them.
func TestCFB(t *testing.T) {
	key, salt := decode(t, "2b7e151628aed2a6abf7158809cf4f3c"), decode(t, "08090a0b0c0d0e0f")
	e := engine{boots: 0x00010203, time: 0x04050607}
	plain := decode(t, "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51")
	hidden := decode(t, "3b3fd92eb72dad20333449f8e83cfb4ac8a64537a0b3a93fcde3cdad9f1ce58b")
	for _, n := range []int{32, 16, 21, 0} {
		if got, err := cfb(e, key, salt, plain[:n], false); err != nil || !bytes.Equal(got, hidden[:n]) {
			t.Errorf("%d bytes become %x (%v)", n, got, err)
		}
		if got, err := cfb(e, key, salt, hidden[:n], true); err != nil || !bytes.Equal(got, plain[:n]) {
			t.Errorf("%d bytes come back as %x (%v)", n, got, err)
		}
	}
}

// anna is a user with keys at an engine, and answer one of its answers to her.
var (
	annas = engine{[]byte("engine"), 7, 1000}
	anna  = user{"anna", bytes.Repeat([]byte{1}, 32), bytes.Repeat([]byte{2}, 16)}
)

func answer(t testing.TB, u user, flags byte, id int) []byte {
	t.Helper()
	b, err := asn1.Marshal(pdu{id, 0, 0, []binding{{
		asn1.ObjectIdentifier{2, 999, 3, 4294967295}, asn1.RawValue{Tag: asn1.TagOctetString, Bytes: []byte("attic")},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	inside := ber(b)
	data := asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: response & 0x1f, IsCompound: true, Bytes: inside.take(tagSequence)}
	out, err := seal(annas, u, flags, id, []byte("saltsalt"), data)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// An answer is read if it is of the user, of the question and whole, in any form of its lengths.
func TestAnswers(t *testing.T) {
	const id = 4711
	for _, flags := range []byte{0, authFlag, authFlag | privFlag} {
		good := answer(t, anna, flags, id)
		r, ok := parse(good, anna, id)
		if !ok || r.engine.boots != 7 || r.engine.time != 1000 || string(r.engine.id) != "engine" || r.name != "2.999.3.4294967295" || string(r.value) != "attic" || r.pdu != response {
			t.Errorf("flags %d: %+v, %t", flags, r, ok)
		}
		if _, ok := parse(good, anna, id+1); ok {
			t.Errorf("flags %d: it is of another question", flags)
		}
		for i := range good {
			if _, ok := parse(good[:i], anna, id); ok {
				t.Errorf("flags %d: the first %d bytes are an answer", flags, i)
			}
			if flags == 0 {
				continue
			}
			other := bytes.Clone(good)
			other[i] ^= 1
			if r, ok := parse(other, anna, id); ok && r.flags&authFlag != 0 {
				t.Errorf("flags %d: with byte %d otherwise it is authentic", flags, i)
			}
		}
	}
	if _, ok := parse(answer(t, user{"anna", []byte("another"), anna.priv}, authFlag, id), anna, id); ok {
		t.Error("with another key it is authentic")
	}
	long := answer(t, anna, 0, id)
	long = append([]byte{tagSequence, 0x82, 0, byte(len(long) - 2)}, long[2:]...)
	if _, ok := parse(long, anna, id); !ok {
		t.Error("a length in two bytes is none")
	}
}

// Whatever comes as an answer, what is read of it is an object identifier and a PDU that can be.
func FuzzAnswers(f *testing.F) {
	for _, flags := range []byte{0, authFlag, authFlag | privFlag} {
		f.Add(answer(f, anna, flags, 1))
	}
	f.Add([]byte{tagSequence, 0x83, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, b []byte) {
		r, ok := parse(b, anna, 1)
		if !ok {
			return
		}
		if r.pdu != response && r.pdu != report {
			t.Errorf("a PDU %#x", r.pdu)
		}
		if again := OID(""); r.name != "" && (again.UnmarshalText([]byte(r.name)) != nil || again != r.name) {
			t.Errorf("the object %s", r.name)
		}
		_, _ = r.reason(), r.says()
	})
}
