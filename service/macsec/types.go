package macsec

import (
	"fmt"
	"strings"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
)

// CKN is the name of a CAK, as wpa_supplicant prints it: in lower case.
type CKN string

// UnmarshalText wants 1 to 32 bytes (IEEE 802.1X-2010, 9.3.1) as hexadecimal digits.
func (c *CKN) UnmarshalText(b []byte) error {
	s := strings.ToLower(string(b))
	if len(s) == 0 || len(s) > 64 || len(s)%2 != 0 || strings.Trim(s, "0123456789abcdef") != "" {
		return diag.Advise(fmt.Errorf("%q is no name of a key of MKA", b), "write 2 to 64 hexadecimal digits, an even number of them, as in \"6261726e\"")
	}
	*c = CKN(s)
	return nil
}

// Describe is what the type is in the schema.
func (CKN) Describe() string { return "name of a key of MKA" }

// Priority is a key server priority.
type Priority int

// UnmarshalText wants one byte (IEEE 802.1X-2010, 9.5.1).
func (p *Priority) UnmarshalText(b []byte) error {
	return conf.Between(p, b, "key server priority", 0, 255, "")
}

// Describe is what the type is in the schema.
func (Priority) Describe() string { return "key server priority" }

// Window is a replay window.
type Window int

// UnmarshalText wants a number that wpa_supplicant takes for one.
func (w *Window) UnmarshalText(b []byte) error {
	return conf.Between(w, b, "number of packets", 0, 1<<31-1, "")
}

// Describe is what the type is in the schema.
func (Window) Describe() string { return "number of packets" }
