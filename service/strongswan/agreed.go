package strongswan

import (
	"slices"
	"strings"

	"github.com/strongswan/govici/vici"
)

// names are charon's own of the algorithms of a proposal, as list-sas has them (the registries of IANA for
// IKEv2). A cipher's has the length of its key added.
var names = map[string]string{
	"AES_GCM_16-128": "aes128gcm16", "AES_GCM_16-192": "aes192gcm16", "AES_GCM_16-256": "aes256gcm16", "CHACHA20_POLY1305": "chacha20poly1305",
	"AES_CBC-128": "aes128", "AES_CBC-192": "aes192", "AES_CBC-256": "aes256",
	"HMAC_SHA2_256_128": "sha256", "HMAC_SHA2_384_192": "sha384", "HMAC_SHA2_512_256": "sha512",
	"PRF_HMAC_SHA2_256": "prfsha256", "PRF_HMAC_SHA2_384": "prfsha384", "PRF_HMAC_SHA2_512": "prfsha512",
	"MODP_2048": "modp2048", "MODP_3072": "modp3072", "MODP_4096": "modp4096",
	"ECP_256": "ecp256", "ECP_384": "ecp384", "ECP_521": "ecp521", "CURVE_25519": "curve25519",
}

// agreedOf is the proposal that an SA is of, in the words of the spec where there are some. A CHILD SA that came
// with its IKE SA has no group of its own.
func agreedOf(sa *vici.Message) string {
	var out []string
	for _, key := range []string{"encr-alg", "integ-alg", "prf-alg", "dh-group"} {
		name := text(sa, key)
		if size := text(sa, "encr-keysize"); key == "encr-alg" && size != "" && size != "0" && names[name] == "" {
			name += "-" + size
		}
		if word := names[name]; word != "" {
			name = word
		}
		if name != "" {
			out = append(out, name)
		}
	}
	return strings.Join(out, "-")
}

// agrees tells whether what was agreed on is of a proposal. One of IKE without a pseudo-random function has
// that of its integrity algorithm.
func agrees(agreed, proposal string) bool {
	words := strings.Split(proposal, "-")
	implied := !slices.ContainsFunc(words, func(w string) bool { return algorithms[w] == prf })
	for _, w := range strings.Split(agreed, "-") {
		if !slices.Contains(words, w) && !(implied && strings.HasPrefix(w, "prf") && slices.Contains(words, strings.TrimPrefix(w, "prf"))) {
			return false
		}
	}
	return true
}
