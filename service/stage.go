package service

import (
	"fmt"

	"github.com/nbr-dev/nbr/nixgen"
)

// Watch starts a service of nbr's, which is given without .service, whenever one of the files is another
// one. It may start as often as that happens: at the fifth start in ten seconds, which the two files of one
// renewal can be, systemd would give up the service, and watch no file any more (systemd.unit(5),
// StartLimitIntervalSec=; systemd.path(5)). Services check that UNIT.path is active.
func Watch(m *nixgen.Module, from nixgen.Origin, unit string, files ...string) {
	m.Set(from, nixgen.Int(0), "systemd", "services", unit, "unitConfig", "StartLimitIntervalSec")
	m.Set(from, Strs([]string{"multi-user.target"}), "systemd", "paths", unit, "wantedBy")
	m.Set(from, Strs(files), "systemd", "paths", unit, "pathConfig", "PathChanged")
}

// StagePair is a shell script that puts a pair of certificate and key (PEM) into certificate.pem and key.pem
// of the folder that it runs in, and has a unit read them again. The two files of a renewal are written one
// after the other: while they are no pair, one that is staged stays, and where there is none, clients get a
// certificate that they refuse. systemd does not see what is written while the script runs
// (systemd.path(5), PathChanged), so it ends when the files are those that it has judged.
func StagePair(certificate, key, unit string) string {
	return fmt.Sprintf(`pair() {
  local public
  public=$(openssl pkey -in "$2" -pubout) && [ "$(openssl x509 -in "$1" -noout -pubkey)" = "$public" ]
}
sources() {
  cat %[1]s %[2]s 2>/dev/null | sha256sum
}
judged=
until [ "$judged" = "$(sources)" ]; do
  judged=$(sources)
  cat %[1]s >certificate.new || true
  cat %[2]s >key.new || true
  if ! pair certificate.new key.new; then
    echo "%[1]s is no certificate for the key in %[2]s: clients get the one before, or one that they refuse" >&2
    if pair certificate.pem key.pem 2>/dev/null; then
      continue
    fi
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=invalid -keyout key.new -out certificate.new
    chmod 0640 key.new
  fi
  mv key.new key.pem
  mv certificate.new certificate.pem
  systemctl --no-block try-reload-or-restart %[3]s.service
done
rm -f key.new certificate.new
`, certificate, key, unit)
}
