package conf

import (
	"encoding"
	"errors"
	"reflect"
	"regexp"
)

// A Naming is a type of texts that are labels of blocks, as the name of a service in the allow of a zone.
type Naming interface {
	// Names is the type of these blocks.
	Names() string
}

func (v *Value[T]) accepts() accepted { return acceptedBy[T]() }

func (l *List[T]) accepts() accepted { return acceptedBy[T]() }

func (r *Ref[T]) accepts() accepted { return accepted{fits: fits[T]} }

func (r *Refs[T]) accepts() accepted { return accepted{fits: fits[T]} }

func (r *RefOr[T, V]) accepts() accepted {
	o := acceptedBy[V]()
	o.fits = fits[T]
	return o
}

func fits[T any](target any) bool {
	_, is := target.(T)
	return is
}

// wordRE fits a word among what a type takes besides, as in: address with prefix length, "auto" or "dhcp".
var wordRE = regexp.MustCompile(`"([^"]+)"`)

// acceptedBy is what values of a type can be. A type with few values says them itself, in the error of a text
// that is none of them: there is no second list.
func acceptedBy[T any]() accepted {
	var v T
	var o accepted
	if n, ok := any(v).(Naming); ok {
		o.names = n.Names()
	}
	if reflect.TypeFor[T]() == reflect.TypeFor[bool]() {
		o.words = []string{"true", "false"}
		return o
	}
	var not *notOneOf
	if u, ok := any(&v).(encoding.TextUnmarshaler); ok && errors.As(u.UnmarshalText([]byte("?")), &not) {
		o.words = not.words
		return o
	}
	for _, m := range wordRE.FindAllStringSubmatch(typeName[T](), -1) {
		o.words = append(o.words, m[1])
	}
	return o
}
