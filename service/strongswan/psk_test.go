package strongswan

import (
	"strings"
	"testing"
)

func TestIsPSK(t *testing.T) {
	for text, want := range map[string]bool{
		"":                                  false,
		strings.Repeat("a", 15):             false,
		strings.Repeat("a", 16):             true,
		strings.Repeat("~ ", 64) + "\nmore": true,
		strings.Repeat("a", 129):            false,
		strings.Repeat("a", 16) + "\r\n":    false,
		strings.Repeat("ä", 16):             false,
	} {
		if got := isPSK([]byte(text)); got != want {
			t.Errorf("%q: %t", text, got)
		}
	}
}

// What was agreed on is of a proposal if all of it is there; a pseudo-random function may go without saying.
func TestAgrees(t *testing.T) {
	for _, tt := range []struct {
		agreed, proposal string
		want             bool
	}{
		{"aes256gcm16-prfsha384-ecp384", "aes256gcm16-aes128gcm16-prfsha384-prfsha256-ecp384", true},
		{"aes256gcm16-prfsha512-ecp384", "aes256gcm16-prfsha384-ecp384", false},
		{"aes256-sha256-prfsha256-modp2048", "aes256-sha256-modp2048", true},
		{"aes256-sha256-prfsha384-modp2048", "aes256-sha256-modp2048", false},
		{"aes256gcm16", "aes256gcm16-ecp384", true},
		{"3DES_CBC-sha256", "aes256-sha256", false},
	} {
		if got := agrees(tt.agreed, tt.proposal); got != tt.want {
			t.Errorf("%q of %q: %t", tt.agreed, tt.proposal, got)
		}
	}
}
