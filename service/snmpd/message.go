package snmpd

import (
	"bytes"
	"crypto/aes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/binary"
	"math"
	"slices"
	"strconv"
	"strings"
)

// The versions in messages (RFC 3417 section 3; RFC 3412 section 6.1).
const (
	version1  = 0
	version2c = 1
	version3  = 3
)

// The tags of PDUs (RFC 3416 section 3).
const (
	getNextRequest = 0xa1
	response       = 0xa2
	report         = 0xa8
)

// The flags of a message (RFC 3412 section 6.4).
const (
	authFlag       = 1
	privFlag       = 2
	reportableFlag = 4
)

// macLength is that of usmHMAC192SHA256AuthProtocol (RFC 7860 section 4.2), saltLength that of
// usmAesCfb128Protocol (RFC 3826 section 3.1.1.4).
const (
	macLength  = 24
	saltLength = 8
)

// usmModel is the security model of RFC 3414.
const usmModel = 3

// An engine is a daemon of SNMPv3 as its messages name it (RFC 3414 section 2.2).
type engine struct {
	id          []byte
	boots, time int64
}

// A user is the name and the keys of a user at one engine.
type user struct {
	name          string
	authKey, priv []byte
}

// localKey makes a key of a passphrase (RFC 3414 appendix A.2 with the hash of RFC 7860 section 9.3).
func localKey(passphrase string, engineID []byte) []byte {
	const length = 1 << 20
	stream := bytes.Repeat([]byte(passphrase), length/len(passphrase)+1)[:length]
	ku := sha256.Sum256(stream)
	local := sha256.Sum256(slices.Concat(ku[:], engineID, ku[:]))
	return local[:]
}

// cfb is AES-128 in CFB mode, one way or the other (RFC 3826 section 3.1.3; NIST SP 800-38A section
// 6.3).
func cfb(e engine, key, salt, text []byte, decrypt bool) ([]byte, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	iv := binary.BigEndian.AppendUint32(nil, uint32(e.boots))
	iv = append(binary.BigEndian.AppendUint32(iv, uint32(e.time)), salt...)
	out := make([]byte, len(text))
	for i := 0; i < len(text); i += aes.BlockSize {
		block.Encrypt(iv, iv)
		part := text[i:min(i+aes.BlockSize, len(text))]
		for j, b := range part {
			out[i+j] = b ^ iv[j]
		}
		if decrypt {
			copy(iv, part)
		} else {
			copy(iv, out[i:])
		}
	}
	return out, nil
}

// The messages as encoding/asn1 writes them.
type (
	binding struct {
		Name  asn1.ObjectIdentifier
		Value asn1.RawValue
	}
	pdu struct {
		RequestID, ErrorStatus, ErrorIndex int
		Bindings                           []binding
	}
	communityMessage struct {
		Version   int
		Community []byte
		Data      asn1.RawValue
	}
	header struct {
		ID, MaxSize int
		Flags       []byte
		Model       int
	}
	security struct {
		EngineID    []byte
		Boots, Time int64
		User        []byte
		MAC, Salt   []byte
	}
	scoped struct {
		EngineID, Context []byte
		Data              asn1.RawValue
	}
	message struct {
		Version  int
		Header   header
		Security []byte
		Data     asn1.RawValue
	}
)

// next is a question for the object after others.
func next(id int, after ...OID) (asn1.RawValue, error) {
	p := pdu{RequestID: id, Bindings: []binding{}}
	for _, o := range after {
		var name asn1.ObjectIdentifier
		for part := range strings.SplitSeq(string(o), ".") {
			n, err := strconv.Atoi(part)
			if err != nil {
				return asn1.RawValue{}, err
			}
			name = append(name, n)
		}
		p.Bindings = append(p.Bindings, binding{name, asn1.NullRawValue})
	}
	b, err := asn1.Marshal(p)
	if err != nil {
		return asn1.RawValue{}, err
	}
	var raw asn1.RawValue
	if _, err := asn1.Unmarshal(b, &raw); err != nil {
		return asn1.RawValue{}, err
	}
	return asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: getNextRequest & 0x1f, IsCompound: true, Bytes: raw.Bytes}, nil
}

// askCommunity is a question of SNMPv1 or SNMPv2c.
func askCommunity(version int, community string, id int, after OID) ([]byte, error) {
	data, err := next(id, after)
	if err != nil {
		return nil, err
	}
	return asn1.Marshal(communityMessage{version, []byte(community), data})
}

// askUser is a question of SNMPv3. Of a user without keys, and of an engine without an identifier, it
// makes the engine say who it is (RFC 3414 section 4).
func askUser(e engine, u user, level byte, id int, salt []byte, after ...OID) ([]byte, error) {
	data, err := next(id, after...)
	if err != nil {
		return nil, err
	}
	return seal(e, u, level|reportableFlag, id, salt, data)
}

// seal makes a message of a PDU, with what its flags say.
func seal(e engine, u user, flags byte, id int, salt []byte, data asn1.RawValue) ([]byte, error) {
	s := security{EngineID: e.id, Boots: e.boots, Time: e.time, User: []byte(u.name)}
	m := message{version3, header{id, math.MaxUint16 - 28, []byte{flags}, usmModel}, nil, asn1.RawValue{}}
	inside, err := asn1.Marshal(scoped{e.id, nil, data})
	if err != nil {
		return nil, err
	}
	m.Data.FullBytes = inside
	if flags&privFlag != 0 {
		s.Salt = salt
		hidden, err := cfb(e, u.priv, salt, inside, false)
		if err != nil {
			return nil, err
		}
		m.Data = asn1.RawValue{Tag: asn1.TagOctetString, Bytes: hidden}
	}
	whole := func() ([]byte, error) {
		if m.Security, err = asn1.Marshal(s); err != nil {
			return nil, err
		}
		return asn1.Marshal(m)
	}
	if flags&authFlag == 0 {
		return whole()
	}
	s.MAC = make([]byte, macLength)
	b, err := whole()
	if err != nil {
		return nil, err
	}
	s.MAC = sign(u.authKey, b)
	return whole()
}

// sign is the code of a message, in which that is zero.
func sign(key, message []byte) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write(message)
	return mac.Sum(nil)[:macLength]
}

// A reply is what came back.
type reply struct {
	engine engine
	flags  byte
	pdu    byte  // report or response
	status int64 // of a response (RFC 3416 section 3)
	name   OID   // the first object
	value  []byte
	tag    byte // of the value
}

// A ber is a rest of values in the Basic Encoding Rules (X.690), which allow what the distinguished
// ones of encoding/asn1 do not, as longer lengths than need be.
type ber []byte

// take is the value at the beginning, which it removes; nil of another tag, or if it does not fit.
func (b *ber) take(tag byte) ber {
	in := *b
	if len(in) < 2 || in[0] != tag {
		return nil
	}
	length, in := int(in[1]), in[2:]
	if length > 127 {
		n := length & 127
		if n < 1 || n > 3 || len(in) < n {
			return nil
		}
		length = 0
		for _, c := range in[:n] {
			length = length<<8 | int(c)
		}
		in = in[n:]
	}
	if length > len(in) {
		return nil
	}
	*b = in[length:]
	return in[:length:length]
}

// number is an integer of at most eight bytes.
func (b *ber) number() (int64, bool) {
	in := b.take(asn1.TagInteger)
	if len(in) < 1 || len(in) > 8 {
		return 0, false
	}
	n := int64(int8(in[0]))
	for _, c := range in[1:] {
		n = n<<8 | int64(c)
	}
	return n, true
}

const tagSequence = 0x30

// parse reads the answer to a message. One that says it is of a user has to have the user's code.
func parse(b []byte, u user, id int) (reply, bool) {
	b = slices.Clone(b)
	all := ber(b)
	whole := all.take(tagSequence)
	version, ok := whole.number()
	if !ok || version != version3 {
		return reply{}, false
	}
	head := whole.take(tagSequence)
	of, ok := head.number()
	_, _ = head.number() // the largest message it takes
	flags := head.take(asn1.TagOctetString)
	if !ok || of != int64(id) || len(flags) != 1 {
		return reply{}, false
	}
	r := reply{flags: flags[0]}
	params := whole.take(asn1.TagOctetString)
	sec := params.take(tagSequence)
	r.engine.id = sec.take(asn1.TagOctetString)
	boots, ok1 := sec.number()
	time, ok2 := sec.number()
	_ = sec.take(asn1.TagOctetString) // the user
	mac, salt := sec.take(asn1.TagOctetString), sec.take(asn1.TagOctetString)
	if !ok1 || !ok2 {
		return reply{}, false
	}
	r.engine.boots, r.engine.time = boots, time
	if r.flags&authFlag != 0 {
		got := slices.Clone(mac)
		clear(mac) // in b
		if len(got) != macLength || !hmac.Equal(got, sign(u.authKey, b)) {
			return reply{}, false
		}
	}
	if r.flags&privFlag != 0 {
		hidden := whole.take(asn1.TagOctetString)
		if len(salt) != saltLength {
			return reply{}, false
		}
		plain, err := cfb(r.engine, u.priv, salt, hidden, true)
		if err != nil {
			return reply{}, false
		}
		whole = plain
	}
	inside := whole.take(tagSequence)
	_, _ = inside.take(asn1.TagOctetString), inside.take(asn1.TagOctetString) // the context
	return r, r.read(inside)
}

// read reads the PDU.
func (r *reply) read(in ber) bool {
	if len(in) == 0 || in[0] != response && in[0] != report {
		return false
	}
	r.pdu = in[0]
	p := in.take(r.pdu)
	_, _ = p.number() // the request, which has the identifier of the message
	status, ok1 := p.number()
	_, ok2 := p.number()
	list := p.take(tagSequence)
	first := list.take(tagSequence)
	r.status, r.name = status, oid(first.take(asn1.TagOID))
	if len(first) > 0 {
		r.tag = first[0]
		r.value = first.take(r.tag)
	}
	return ok1 && ok2
}

// oid reads an object identifier (X.690 section 8.19); empty if it is none.
func oid(b []byte) OID {
	var out []string
	add := func(n uint64) { out = append(out, strconv.FormatUint(n, 10)) }
	n := uint64(0)
	for _, c := range b {
		n = n<<7 | uint64(c&127)
		switch {
		case n > math.MaxUint32 || len(out) == 128:
			return ""
		case c > 127:
			continue
		case out == nil:
			first := min(n/40, 2)
			add(first)
			add(n - 40*first)
		default:
			add(n)
		}
		n = 0
	}
	return OID(strings.Join(out, "."))
}

// usmStats are the counters of reports (RFC 3414 section 5), by their number.
const usmStats OID = "1.3.6.1.6.3.15.1.1"

const (
	notInTime     = 2
	unknownUser   = 3
	unknownEngine = 4
	wrongDigest   = 5
)

// reason is the counter that a report is of, 0 if it is of none of them.
func (r reply) reason() int {
	if r.pdu != report || !r.name.below(usmStats) {
		return 0
	}
	number, _, _ := strings.Cut(strings.TrimPrefix(string(r.name), string(usmStats)+"."), ".")
	n, _ := strconv.Atoi(number) // 0 is none
	return n
}

// authorizationError is of a user who may not do what it asks for, such as to ask unencrypted (RFC
// 3416 section 3).
const authorizationError = 16

// endOfView is in place of a value where no object of the view follows (RFC 3416 section 3).
const endOfView = 0x82

// says is what a report or the status of a response says, for people.
func (r reply) says() string {
	switch {
	case r.pdu == report:
		return "a report of " + string(r.name)
	case r.status == authorizationError:
		return "it may not ask (authorizationError)"
	}
	return "error " + strconv.FormatInt(r.status, 10)
}
