package conf

import (
	"slices"
	"testing"
)

type extent string

func (s *extent) UnmarshalText(b []byte) error { return OneOf(s, b, "extent", "small", "large") }

type origin string

func (origin) Describe() string { return `address, "auto" or "none"` }
func (origin) Names() string    { return "host" }

func TestAccepted(t *testing.T) {
	for _, tt := range []struct {
		what  attribute
		words []string
		names string
		fits  any
	}{
		{&Value[extent]{}, []string{"small", "large"}, "", nil},
		{&List[extent]{}, []string{"small", "large"}, "", nil},
		{&Value[bool]{}, []string{"true", "false"}, "", nil},
		{&Value[string]{}, nil, "", nil},
		{&Value[origin]{}, []string{"auto", "none"}, "host", nil},
		{&Ref[*thing]{}, nil, "", &thing{}},
		{&Refs[*thing]{}, nil, "", &thing{}},
		{&RefOr[*thing, extent]{}, []string{"small", "large"}, "", &thing{}},
	} {
		a := Attribute{accepted: tt.what.accepts()}
		if !slices.Equal(a.Words(), tt.words) || a.Names() != tt.names || a.Refers() != (tt.fits != nil) || a.Fits(tt.fits) != (tt.fits != nil) || a.Fits(3) {
			t.Errorf("%T: %q, %q, %v", tt.what, a.Words(), a.Names(), a.Refers())
		}
	}
}
