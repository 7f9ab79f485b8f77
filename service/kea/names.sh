# Writes the names of hosts with a lease into files that zones of DNS include, and has changed
# zones read again. Kea's lease files say all of it, so nothing is lost by a restart of either
# program, and a name ends with its lease.
leases=${NBR_LEASES:-/var/lib/kea}
state=${NBR_STATE:-/var/lib/nbr-names}

# What servers were told does not outlive this script, which may end between writing and telling:
# so it tells at its start, and again when telling has failed.
declare -A told

names() {
  local now file zone old=() found=()
  printf -v now '%(%s)T' -1
  touch "$state/looked"
  for file in "$leases"/dhcp{4,6}.leases{.completed,.2,.1,}; do # as Kea reads them
    [[ ! -r $file ]] || found+=("$file")
  done
  for zone in $zones; do
    : >"$state/$zone.new"
    [[ ! -r $state/$zone ]] || old+=("$state/$zone")
  done
  LC_ALL=C awk -v now="$now" -v zones="$zones" -v subnets="$subnets" -v reserved="$special" -v state="$state" '
    # zone is the smallest one that holds a name.
    function zone(name,   i, best) {
      for (i = 1; i <= count; i++)
        if (("." name) ~ ("\\." literal[i] "$") && length(all[i]) > length(best)) best = all[i]
      return best
    }
    function put(name, record) {
      if (zone(name) != "") print name ". 10 IN " record >(state "/" zone(name) ".new")
    }
    # host is by what a host is known in DHCPv4: its DUID (RFC 4361 section 6.1: ff, four bytes and
    # the DUID), another identifier, or its MAC address, which is an identifier too after 01.
    function host(identifier, mac) {
      if (identifier ~ /^ff(:..)(:..)(:..)(:..):/) return substr(identifier, length("ff:00:00:00:00:") + 1)
      return identifier == "" || identifier == "01:" mac ? mac : identifier
    }
    # same tells whether a lease of DHCPv4 is of the host with a DUID. Few hosts say that in DHCPv4.
    # Of those that say only their MAC address it is that with which Kea has seen the DUID.
    function same(id, duid) { return id == duid || (id, duid) in seen }
    # take tells whether the host of a lease has its name, which is then of no other host: who has
    # it as well by the other version of IP is the same one.
    function take(a,   n, t) {
      n = name[a]; t = type[a]
      if ((n, t) in holder) return holder[n, t] == id[a]
      if (t == "A" && (n, "AAAA") in holder && !same(id[a], holder[n, "AAAA"])) return 0
      if (t == "AAAA" && (n, "A") in holder && !same(holder[n, "A"], id[a])) return 0
      holder[n, t] = id[a]
      return 1
    }
    # back is the name of an address (RFC 1035 section 3.5, RFC 3596 section 2.5).
    function back(address,   part, rest, n, m, i, digits, out) {
      if (split(address, part, ".") == 4) return part[4] "." part[3] "." part[2] "." part[1] ".in-addr.arpa"
      split(address "::", rest, "::")
      n = split(rest[1], part, ":")
      m = split(rest[2], rest, ":")
      for (i = 1; i <= n; i++) digits = digits substr("0000" part[i], length(part[i]) + 1)
      for (i = n + m; i < 8; i++) digits = digits "0000"
      for (i = 1; i <= m; i++) digits = digits substr("0000" rest[i], length(rest[i]) + 1)
      for (i = length(digits); i > 0; i--) out = out substr(digits, i, 1) "."
      return out "ip6.arpa"
    }
    BEGIN {
      count = split(zones, all, " ")
      for (i = 1; i <= count; i++) { literal[i] = all[i]; gsub(/\./, "\\.", literal[i]) }
      n = split(subnets, pairs, " ")
      for (i = 1; i <= n; i++) { split(pairs[i], pair, "="); domain[pair[1]] = pair[2] }
      n = split(reserved, special, " ")
      for (i = 1; i <= n; i++) refused[special[i]] = 1
    }
    mode == "static" { owner = tolower($1); sub(/\.$/, "", owner); taken[owner] = 1; next }
    mode == "old" { owner = $1; sub(/\.$/, "", owner); held[owner, $4] = $NF; next }
    FNR == 1 {
      for (i in column) delete column[i]
      for (i = 1; i <= NF; i++) column[$i] = i
      family = "duid" in column ? "AAAA" : "A"
      next
    }
    NF < column["state"] || !column["state"] { next }
    family == "AAAA" && $column["lease_type"] != 0 { next } # a prefix
    {
      address = $column["address"]
      if (!(address in id)) order[++known] = address
      mac = $column["hwaddr"]
      if (family == "A")
        id[address] = host($column["client_id"], mac)
      else {
        id[address] = $column["duid"]
        if (mac != "") seen[mac, id[address]] = 1
      }
      type[address] = family
      label = tolower($column["hostname"])
      sub(/\..*/, "", label)
      subnet = family ":" $column["subnet_id"]
      name[address] = ""
      if ($column["valid_lifetime"] > 0 && $column["state"] == 0 && $column["expire"] > now && subnet in domain &&
          length(label) < 64 && label ~ /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/ && !(label in refused))
        name[address] = label "." domain[subnet]
    }
    END {
      # Who has a name keeps it; another host gets it when the lease has ended (RFC 4703).
      for (i = 1; i <= known; i++) {
        a = order[i]
        if (name[a] != "" && held[name[a], type[a]] == id[a]) take(a)
      }
      for (i = 1; i <= known; i++) {
        a = order[i]
        if (name[a] == "" || name[a] in taken || !take(a)) continue
        put(name[a], type[a] " " a " ; " id[a])
        if (!(back(a) in taken)) put(back(a), "PTR " name[a] ".")
      }
    }
  ' mode=static $files mode=old "${old[@]}" mode=leases FS=, "${found[@]}" || return
  for zone in $zones; do
    if [[ ! -r $state/$zone || $(<"$state/$zone.new") != "$(<"$state/$zone")" ]]; then
      cat "$state/$zone.new" >"$state/$zone" # its owner and mode stay
      told[$zone]=
    fi
    # A server that does not run reads it at its start.
    [[ -n ${told[$zone]-} ]] || { reload "$zone" && told[$zone]=1; } || true
  done
}

while :; do
  names || true
  for ((i = 0; i < 30; i++)); do # within a minute leases may end
    sleep 2
    for file in "$leases"/dhcp[46].leases*; do
      [[ ! $file -nt $state/looked ]] || break 2
    done
  done
done
