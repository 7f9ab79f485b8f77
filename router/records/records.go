// Package records reads records of DNS as a spec writes them: a line each, as in a zone's file
// (RFC 1035 section 5), with whole names.
package records

import (
	"errors"
	"strings"

	"github.com/miekg/dns"
)

// Parse reads one record. A name in it is whole with or without a dot at its end; ttl, in seconds,
// is that of a record that gives none. The owner comes in lower case.
func Parse(line string, ttl uint32) (dns.RR, error) {
	if strings.ContainsAny(line, "\n\r") {
		return nil, errors.New("it has more than one line")
	}
	p := dns.NewZoneParser(strings.NewReader(line+"\n"), ".", "")
	p.SetDefaultTTL(ttl)
	rr, _ := p.Next()
	switch err := p.Err(); {
	case err != nil:
		return nil, errors.New(strings.TrimPrefix(err.Error(), "dns: "))
	case rr == nil:
		return nil, errors.New("there is nothing in it")
	}
	rr.Header().Name = strings.ToLower(rr.Header().Name)
	return rr, nil
}

// Data is what stands behind the type of a record, as in a zone.
func Data(rr dns.RR) string {
	return strings.TrimSpace(strings.TrimPrefix(rr.String(), rr.Header().String()))
}

// Type is the name of a record's type.
func Type(rr dns.RR) string { return dns.TypeToString[rr.Header().Rrtype] }
