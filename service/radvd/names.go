package radvd

import "strings"

// keywords are the words of radvd.conf(5) that radvd's scanner (scanner.l of 2.21) takes
// for themselves where a name is meant, in whatever case. Quotes do not help: they become
// part of the name.
var keywords = keywordSet(`
	abro clients dnssl high infinity interface low lowpanco medium nat64prefix off on prefix rdnss route
	autoignoreprefixes base6interface base6to4interface decrementlifetimes deprecateprefix flushdnssl
	flushrdnss homeagentlifetime homeagentpreference ignoreifmissing maxrtradvinterval mindelaybetweenras
	minrtradvinterval removeadvonexit removeroute unicastonly unrestrictedunicast
	adv6lbraddress advautonomous advcaptiveportalapi advcontextcompressionflag advcontextid
	advcontextlength advcontextprefix advcurhoplimit advdefaultlifetime advdefaultpreference
	advdhcpv6pdpreferred advdnssllifetime advhomeagentflag advhomeagentinfo advintervalopt advlifetime
	advlinkmtu advmanagedflag advmobrtrsupportflag advonlink advotherconfigflag advpreferredlifetime advramtu
	advrasolicitedunicast advrasrcaddress advrdnsslifetime advrdnssopen advrdnsspreference advreachabletime
	advretranstimer advroutelifetime advroutepreference advrouteraddr advsendadvert advsnacrouterflag
	advsourcelladdress advvalidlifetime advversionhigh advversionlow
`)

func keywordSet(words string) map[string]bool {
	out := map[string]bool{}
	for w := range strings.FieldsSeq(words) {
		out[w] = true
	}
	return out
}

// readable tells whether radvd reads a word as a name: it is neither a keyword nor a number.
func readable(name string) bool {
	return !keywords[strings.ToLower(name)] && strings.Trim(name, "0123456789.") != ""
}

// readableDomain tells whether radvd takes a domain for its DNSSL: it refuses an underscore
// (dnsslsuffix in gram.y).
func readableDomain(name string) bool { return readable(name) && !strings.Contains(name, "_") }
