package referee_test

import (
	"strings"
	"testing"

	"github.com/nbr-dev/nbr/internal/lab"
)

// enterpriseSpec is a router with two SSIDs, of which one asks the router's own RADIUS server who gets in, and the
// other one that of another host by IPv6, which officeSpec is.
const enterpriseSpec = `
port "radio2" {
  mac = "02:00:00:00:00:00"
}

bridge "home" {
  ports = [port.lan1]
}

network "lan" {
  link = bridge.home
  ipv4 = "192.168.1.1/24"
  ipv6 = "fd00:1::1/64"
}

zone "home" {
  networks = [network.lan]
}

secret "key" {
  path = "/radius/own.key"
}

secret "anna" {
  path = "/radius/anna"
}

secret "office" {
  path = "/radius/office"
}

radius {
  certificate = "/radius/own.pem"
  key         = secret.key
  ca          = "/radius/ca.pem"

  user "anna" {
    password = secret.anna
  }

  user "laptop" {
    certificate = true
  }
}

radius_server "office" {
  address = "fd00:1::9"
  secret  = secret.office
}

wifi "near" {
  radio   = port.radio2
  country = "DE"
  band    = "2.4GHz"
  channel = 6

  ssid "Work" {
    network  = network.lan
    security = "wpa3-enterprise"
    radius   = radius
    bssid    = "02:00:00:00:00:00"
  }

  ssid "Office" {
    network  = network.lan
    security = "wpa2-enterprise"
    radius   = radius_server.office
    bssid    = "02:00:00:00:00:10"
  }
}
`

const officeSpec = `
network "lan" {
  link = port.lan1
  ipv4 = "192.168.1.9/24"
  ipv6 = "fd00:1::9/64"
}

zone "lan" {
  networks = [network.lan]
  allow    = ["radius"]
}

secret "key" {
  path = "/radius/office.key"
}

secret "gate" {
  path = "/radius/gate"
}

secret "bob" {
  path = "/radius/bob"
}

radius {
  networks    = [network.lan]
  certificate = "/radius/office.pem"
  key         = secret.key

  client "gate" {
    addresses = ["fd00:1::1/128"]
    secret    = secret.gate
  }

  user "bob" {
    password = secret.bob
  }
}
`

// ownServer and officeServer are what is shared with the servers. That of the office has what is no letter.
const (
	ownServer    = "0123456789abcdef0123456789abcdef"
	officeServer = `#=it's "a" $HOME \n secret|0x41`
)

// freeradiusFiles are FreeRADIUS, with what it reads and what its configuration takes of it, and the programs that the
// unit starts before it.
func freeradiusFiles(t *testing.T) map[string]string {
	t.Helper()
	programs := []string{"/usr/sbin/freeradius", "/usr/share/freeradius", "/usr/lib/x86_64-linux-gnu/ossl-modules/legacy.so", "/usr/bin/bash"}
	for _, name := range []string{"head", "od", "tr", "mv", "mkdir", "chgrp", "chmod", "cat", "chown", "sha256sum"} {
		programs = append(programs, "/usr/bin/"+name)
	}
	for _, name := range []string{"eap", "eap_tls", "eap_peap", "eap_mschapv2", "mschap", "files", "always"} {
		programs = append(programs, "/usr/lib/freeradius/rlm_"+name+".so")
	}
	for _, name := range []string{"eap", "radius", "server"} {
		programs = append(programs, "/usr/lib/freeradius/libfreeradius-"+name+".so")
	}
	return lab.Tools(t, programs...)
}

// enterpriseFiles are what TestGuestEnterpriseWiFi has in its guest.
func enterpriseFiles(t *testing.T) map[string]string {
	t.Helper()
	files := freeradiusFiles(t)
	house := func(name, spec string) *generated {
		g := fromText(t, spec)
		files["/radius/"+name+"/stage"] = write(t, strings.TrimPrefix(g.list(t, "systemd", "services", "freeradius", "serviceConfig", "ExecStartPre")[0].(string), "+text:"))
		files["/radius/"+name+"/radiusd.conf"] = write(t, debianPaths.Replace(strings.TrimPrefix(g.text(t, "services", "freeradius", "configDir"), "text:")))
		return g
	}
	g := house("own.d", enterpriseSpec)
	house("office.d", officeSpec)
	secrets := map[string]string{"/var/lib/nbr-radius/own": ownServer, "/radius/office": officeServer}
	files["/enterprise/radio2.conf"] = write(t, hostapdConfs(t, g, func(file string) string { return secrets[file] })["radio2"])
	files["/enterprise/router.hcl"] = write(t, strings.Replace(template, "  console_only", "  name_servers  = [\"192.0.2.53\"]\n  console_only", 1)+enterpriseSpec)
	ca, caPEM, _ := certificateOf(t, "house", nil, 90)
	_, otherPEM, _ := certificateOf(t, "other house", nil, 90)
	files["/radius/ca.pem"], files["/radius/other.pem"] = write(t, caPEM), write(t, otherPEM)
	for file, name := range map[string]string{"own": "radius.example.org", "office": "office.example.org", "laptop": "laptop", "stranger": "stranger"} {
		_, cert, key := certificateOf(t, name, ca, 90)
		files["/radius/"+file+".pem"], files["/radius/"+file+".key"] = write(t, cert), write(t, key)
	}
	return files
}
