package freeradius

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"slices"
	"strings"
	"time"

	"layeh.com/radius"
	"layeh.com/radius/rfc2759"
	"layeh.com/radius/rfc2865"

	"github.com/nbr-dev/nbr/verify/probe"
)

// radmin runs a command of FreeRADIUS' own console. Where FreeRADIUS does not run it ends as where it may not
// be asked.
func radmin(ctx context.Context, h probe.Host, command string) (string, error) {
	out, err := h.Run(ctx, "radmin", "-f", control, "-e", command)
	if err != nil {
		return "", err
	}
	if out.Exit != 0 {
		return "", fmt.Errorf("radmin -e %q: exit code %d", command, out.Exit)
	}
	return strings.TrimRight(string(out.Stdout), "\n"), nil
}

// clientsOf asks which blocks of addresses FreeRADIUS knows clients in.
var clientsOf = &probe.Probe[struct{}, []string]{Name: "freeradius.clients", Look: lookClients}

func lookClients(ctx context.Context, h probe.Host, _ struct{}) ([]string, error) {
	clients, err := radmin(ctx, h, "show client list")
	return listed(clients), err
}

// listed are the blocks of a list of clients, sorted. One address is without its length there.
func listed(text string) []string {
	var out []string
	for word := range strings.FieldsSeq(text) {
		if a, err := netip.ParseAddr(word); err == nil {
			word = netip.PrefixFrom(a, a.BitLen()).String()
		}
		out = append(out, word)
	}
	slices.Sort(out)
	return out
}

// A clientUse is a block of addresses, and the file with the secret of who asks from there.
type clientUse struct {
	Block string `json:"block"`
	File  string `json:"file"`
}

// MarshalText writes it as in "192.168.1.5/32 /var/lib/secrets/ap".
func (q clientUse) MarshalText() ([]byte, error) { return []byte(q.Block + " " + q.File), nil }

// A knownClient is what FreeRADIUS has of a client. No secret leaves the probe.
type knownClient struct {
	Known  bool   `json:"known"`
	Secret string `json:"secret,omitempty"` // one of the words below; empty of one that is not known and could be
}

// clientOf asks for a client by its addresses.
var clientOf = &probe.Probe[clientUse, knownClient]{Name: "freeradius.client", Look: lookClient}

const (
	sameSecret  = "the secret of the file, and Message-Authenticator"
	otherSecret = "another secret"
	unsigned    = "it may ask without Message-Authenticator"
	noFile      = "no such file"
	noSecret    = "no secret in the file"
)

func lookClient(ctx context.Context, h probe.Host, q clientUse) (knownClient, error) {
	clients, err := radmin(ctx, h, "show client list")
	if err != nil {
		return knownClient{}, err
	}
	out := knownClient{Known: slices.Contains(listed(clients), q.Block)}
	file, err := h.ReadFile(q.File)
	missing := errors.Is(err, fs.ErrNotExist)
	if err != nil && !missing {
		return out, err
	}
	secret, ok := line(file, shortestSecret)
	switch {
	case missing:
		out.Secret = noFile
		return out, nil
	case !ok:
		out.Secret = noSecret
		return out, nil
	case !out.Known:
		return out, nil
	}
	address, _, _ := strings.Cut(q.Block, "/")
	said, err := radmin(ctx, h, "show client config "+address)
	if err != nil {
		return out, err
	}
	settings := map[string]string{}
	for l := range strings.Lines(said) {
		if name, value, ok := strings.Cut(l, " = "); ok {
			settings[strings.TrimSpace(name)] = strings.TrimSuffix(value, "\n")
		}
	}
	switch {
	case settings["secret"] != strings.ReplaceAll(secret, `\`, `\\`):
		out.Secret = otherSecret
	case settings["require_message_authenticator"] != "yes" || settings["limit_proxy_state"] != "yes":
		out.Secret = unsigned
	default:
		out.Secret = sameSecret
	}
	return out, nil
}

// A server is what answers at an address.
type server struct {
	Answers bool `json:"answers"`
	Signed  bool `json:"signed"` // by a Message-Authenticator

	// Mark is what the configuration that runs calls itself.
	Mark string `json:"mark,omitempty"`
}

// serverAt asks at one of the router's own addresses whether a server is there (Status-Server, RFC 5997).
var serverAt = &probe.Probe[netip.Addr, server]{Name: "freeradius.server", Active: true, Look: lookServer}

func lookServer(ctx context.Context, h probe.Host, at netip.Addr) (server, error) {
	c, err := newClient(ctx, h, at, "")
	if err != nil || c == nil {
		return server{}, err
	}
	defer c.conn.Close()
	a, err := c.ask(radius.CodeStatusServer)
	if err != nil || a == nil {
		return server{}, err
	}
	mark, _ := a.says()
	return server{a.Code == radius.CodeAccessAccept, a.signed, mark}, nil
}

// says is what the server says of itself to the router: the mark of its configuration, and the digest of the
// file of the authority.
func (a *answer) says() (mark, ca string) {
	said, _ := rfc2865.ReplyMessage_GetStrings(a.Packet)
	said = append(said, "", "")
	return said[0], said[1]
}

// A certUse is where a certificate is shown, and the files that it and the authority of users are in; that of
// the authority is empty where no user has a certificate.
type certUse struct {
	At   netip.Addr `json:"at"`
	File string     `json:"file"`
	CA   string     `json:"ca,omitempty"`
}

// A certificate is what the server shows to devices.
type certificate struct {
	Answers   bool  `json:"answers"`
	Shown     bool  `json:"shown"`
	Same      bool  `json:"same"`                // it is that of the file
	Until     int64 `json:"until,omitempty"`     // when it ends, in seconds since 1970
	Authority bool  `json:"authority,omitempty"` // the server has read the file of the authority, and asks for its certificates
	CAUntil   int64 `json:"ca_until,omitempty"`  // when the first of that file ends
}

// certificateAt begins a conversation as a device does, and ends it when it has seen the certificate.
var certificateAt = &probe.Probe[certUse, certificate]{Name: "freeradius.certificate", Active: true, Look: lookCertificate}

var errSeen = errors.New("it has been seen")

func lookCertificate(ctx context.Context, h probe.Host, q certUse) (certificate, error) {
	files, _, err := readCertificates(h, q.File)
	if err != nil {
		return certificate{}, err
	}
	var cas []*x509.Certificate
	var digest string
	kind := byte(typePEAP)
	if q.CA != "" {
		kind = typeTLS
		if cas, digest, err = readCertificates(h, q.CA); err != nil {
			return certificate{}, err
		}
	}
	c, err := newClient(ctx, h, q.At, "nbr")
	if err != nil || c == nil {
		return certificate{}, err
	}
	defer c.conn.Close()
	read := false
	if q.CA != "" {
		a, err := c.ask(radius.CodeStatusServer)
		if err != nil || a == nil {
			return certificate{}, err
		}
		_, said := a.says()
		read = said == digest
	}
	t, err := c.begin(kind)
	if err != nil {
		return certificate{Answers: t.end != nil}, ended(err)
	}
	out := certificate{Answers: true}
	_ = tls.Client(t, &tls.Config{
		InsecureSkipVerify: true, // whatever it is, it is compared
		MaxVersion:         tls.VersionTLS12,
		VerifyPeerCertificate: func(raw [][]byte, _ [][]*x509.Certificate) error {
			out.Shown = true
			out.Same = len(files) > 0 && bytes.Equal(raw[0], files[0].Raw)
			if shown, err := x509.ParseCertificate(raw[0]); err == nil {
				out.Until = shown.NotAfter.Unix()
			}
			if q.CA != "" {
				return nil
			}
			return errSeen
		},
		GetClientCertificate: func(asked *tls.CertificateRequestInfo) (*tls.Certificate, error) {
			out.Authority = read && len(cas) > 0
			for _, ca := range cas {
				out.Authority = out.Authority && slices.ContainsFunc(asked.AcceptableCAs, func(name []byte) bool { return bytes.Equal(name, ca.RawSubject) })
				if end := ca.NotAfter.Unix(); out.CAUntil == 0 || end < out.CAUntil {
					out.CAUntil = end
				}
			}
			return nil, errSeen
		},
	}).HandshakeContext(ctx) // that there is no tunnel is an answer
	return out, cmp.Or(t.failed, ctx.Err())
}

// readCertificates reads the certificates of a file, among other things that PEM may have (RFC 7468 section 2),
// and its digest in hexadecimal. A file that is not there has none.
func readCertificates(h probe.Host, name string) (list []*x509.Certificate, digest string, err error) {
	b, err := h.ReadFile(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, "", err
	}
	digest = fmt.Sprintf("%x", sha256.Sum256(b))
	for block, rest := pem.Decode(b); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		if c, err := x509.ParseCertificate(block.Bytes); err == nil {
			list = append(list, c)
		}
	}
	return list, digest, nil
}

// A pair are the files of a certificate and its private key.
type pair struct {
	Certificate string `json:"certificate"`
	Key         string `json:"key"`
}

// MarshalText writes it as in "/var/lib/radius.pem /var/lib/secrets/radius.key".
func (q pair) MarshalText() ([]byte, error) { return []byte(q.Certificate + " " + q.Key), nil }

// pairOf asks whether a key is that of a certificate. Nothing of the key leaves the probe.
var pairOf = &probe.Probe[pair, string]{Name: "freeradius.pair", Look: lookPair}

// The answers.
const (
	fits    = "fits the certificate"
	misfits = "is another one, or none"
)

func lookPair(_ context.Context, h probe.Host, q pair) (string, error) {
	var files [2][]byte
	for i, name := range []string{q.Certificate, q.Key} {
		b, err := h.ReadFile(name)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
		files[i] = b
	}
	if _, err := tls.X509KeyPair(files[0], files[1]); err != nil {
		return misfits, nil // the message may hold some of the file
	}
	return fits, nil
}

// A loginUse is a user who comes with the password of a file.
type loginUse struct {
	At   netip.Addr `json:"at"`
	Name string     `json:"name"`
	File string     `json:"file"`
}

// MarshalText writes it as in "192.168.1.1 anna /var/lib/secrets/anna".
func (q loginUse) MarshalText() ([]byte, error) {
	return []byte(fmt.Sprintf("%s %s %s", q.At, q.Name, q.File)), nil
}

// A login is what becomes of a user who asks to be let in.
type login struct {
	Result string `json:"result"` // one of the words below, or of those of clients' files
	VLAN   string `json:"vlan,omitempty"`
}

const (
	accepted     = "accepted"
	rejected     = "rejected"
	rejectedSoon = "rejected before TLS"
	unsignedSays = "an answer without Message-Authenticator"
	noAnswer     = "no answer"
	noPassword   = "no password in the file"
)

// loginOf logs a user in by PEAP with MSCHAPv2, as a device does. No password leaves the probe.
var loginOf = &probe.Probe[loginUse, login]{Name: "freeradius.login", Active: true, Look: lookLogin}

func lookLogin(ctx context.Context, h probe.Host, q loginUse) (login, error) {
	file, err := h.ReadFile(q.File)
	if errors.Is(err, fs.ErrNotExist) {
		return login{Result: noFile}, nil
	}
	if err != nil {
		return login{}, err
	}
	password, ok := line(file, shortestPassword)
	if !ok {
		return login{Result: noPassword}, nil
	}
	c, err := newClient(ctx, h, q.At, q.Name)
	if err != nil {
		return login{}, err
	}
	if c == nil {
		return login{Result: noAnswer}, nil
	}
	defer c.conn.Close()
	t, err := c.begin(typePEAP)
	if err == nil {
		err = t.logIn(ctx, q.Name, password)
	}
	if err = ended(err); err != nil {
		return login{}, err
	}
	out := result(t.end)
	if t.id == 0 && out.Result == rejected { // whatever the password is
		out.Result = rejectedSoon
	}
	return out, nil
}

// result is what an answer says of a user.
func result(a *answer) login {
	switch {
	case a == nil:
		return login{Result: noAnswer}
	case !a.signed:
		return login{Result: unsignedSays}
	case a.Code == radius.CodeAccessAccept:
		return login{accepted, a.vlan()}
	}
	return login{Result: rejected}
}

// logIn goes on until the server ends the conversation. In the tunnel of PEAP messages of EAP have no head, but
// for those of results.
func (t *tunnel) logIn(ctx context.Context, name, password string) error {
	conn := tls.Client(t, &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS12}) // by certificateAt it is compared
	if err := conn.HandshakeContext(ctx); err != nil {
		if t.failed != nil || ctx.Err() != nil {
			return cmp.Or(t.failed, ctx.Err())
		}
		if t.end == nil {
			t.end = &answer{Packet: &radius.Packet{Code: radius.CodeAccessReject}, signed: true} // no TLS is no way in
		}
		return nil
	}
	var expected string
	for b := make([]byte, 4096); ; {
		n, err := conn.Read(b)
		if err != nil {
			return err
		}
		var say []byte
		switch in := b[:n]; {
		case n >= 5 && in[0] == eapRequest && in[4] == typeTLV: // a result, with which the peer agrees
			say = append([]byte{eapResponse}, in[1:]...)
		case in[0] == typeIdentity:
			say = append([]byte{typeIdentity}, name...)
		case in[0] == typeMSCHAPv2 && n >= 5+1+16 && in[1] == 1: // a challenge
			challenge, peer := bytes.Clone(in[6:22]), make([]byte, 16)
			_, _ = rand.Read(peer)
			response, err := rfc2759.GenerateNTResponse(challenge, peer, []byte(name), []byte(password))
			if err != nil {
				return err
			}
			if expected, err = rfc2759.GenerateAuthenticatorResponse(challenge, peer, response, []byte(name), []byte(password)); err != nil {
				return err
			}
			long := 4 + 1 + 49 + len(name)
			say = slices.Concat([]byte{typeMSCHAPv2, 2, in[2], byte(long >> 8), byte(long), 49}, peer, make([]byte, 8), response, []byte{0}, []byte(name))
		case in[0] == typeMSCHAPv2 && n >= 5 && in[1] == 3 && strings.HasPrefix(string(in[5:]), expected): // the server knows the password
			say = []byte{typeMSCHAPv2, 3}
		case in[0] == typeMSCHAPv2 && n >= 2: // a failure
			say = []byte{typeMSCHAPv2, 4}
		default:
			return fmt.Errorf("the server says something of type %d in the tunnel", in[0])
		}
		if _, err := conn.Write(say); err != nil {
			return err
		}
	}
}

// A tableUse is a name that a certificate could have.
type tableUse struct {
	At   netip.Addr `json:"at"`
	Name string     `json:"name"`
}

// MarshalText writes it as in "192.168.1.1 laptop".
func (q tableUse) MarshalText() ([]byte, error) { return []byte(q.At.String() + " " + q.Name), nil }

// tableOf asks what becomes of who has a certificate with a name, which none is shown for: it tells who would
// be accepted, and is no login.
var tableOf = &probe.Probe[tableUse, login]{Name: "freeradius.table", Active: true, Look: lookTable}

func lookTable(ctx context.Context, h probe.Host, q tableUse) (login, error) {
	c, err := newClient(ctx, h, q.At, q.Name)
	if err != nil {
		return login{}, err
	}
	if c == nil {
		return login{Result: noAnswer}, nil
	}
	defer c.conn.Close()
	a, err := c.ask(radius.CodeAccessRequest, &radius.AVP{Type: rfc2865.ServiceType_Type, Attribute: radius.NewInteger(authorizeOnly)})
	if err != nil {
		return login{}, err
	}
	return result(a), nil
}

// authorizeOnly is Authorize Only (RFC 5176 section 3.5).
const authorizeOnly = 17

// soon is how long before its end a certificate is found to end: one that has ended locks out all users at
// once.
const soon = 14 * 24 * time.Hour
