# Writes the names of hosts with a lease into files that zones of DNS include, and has changed
# zones read again. Kea's lease files say all of it, so nothing is lost by a restart of either
# program, and a name ends with its lease.
leases=${NBR_LEASES:-/var/lib/kea/dhcp4.leases}
state=${NBR_STATE:-/var/lib/nbr-names}

# What servers were told does not outlive this script, which may end between writing and telling:
# so it tells at its start, and again when telling has failed.
declare -A told

names() {
  local now file zone old=() found=()
  printf -v now '%(%s)T' -1
  touch "$state/looked"
  for file in "$leases".completed "$leases".2 "$leases".1 "$leases"; do # as Kea reads them
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
    BEGIN {
      count = split(zones, all, " ")
      for (i = 1; i <= count; i++) { literal[i] = all[i]; gsub(/\./, "\\.", literal[i]) }
      n = split(subnets, pairs, " ")
      for (i = 1; i <= n; i++) { split(pairs[i], pair, "="); domain[pair[1]] = pair[2] }
      n = split(reserved, special, " ")
      for (i = 1; i <= n; i++) refused[special[i]] = 1
    }
    mode == "static" { owner = tolower($1); sub(/\.$/, "", owner); taken[owner] = 1; next }
    mode == "old" { owner = $1; sub(/\.$/, "", owner); if ($4 == "A") held[owner] = $NF; next }
    FNR == 1 { for (i in column) delete column[i]; for (i = 1; i <= NF; i++) column[$i] = i; next }
    NF < column["state"] || !column["state"] { next }
    {
      address = $column["address"]
      if (!(address in id)) order[++known] = address
      id[address] = $column["client_id"] != "" ? $column["client_id"] : $column["hwaddr"]
      label = tolower($column["hostname"])
      sub(/\..*/, "", label)
      name[address] = ""
      if ($column["valid_lifetime"] > 0 && $column["state"] == 0 && $column["expire"] > now && $column["subnet_id"] in domain &&
          length(label) < 64 && label ~ /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/ && !(label in refused))
        name[address] = label "." domain[$column["subnet_id"]]
    }
    END {
      # Who has a name keeps it; another host gets it when the lease has ended (RFC 4703).
      for (i = 1; i <= known; i++) {
        a = order[i]
        if (name[a] != "" && held[name[a]] == id[a]) holder[name[a]] = id[a]
      }
      for (i = 1; i <= known; i++) {
        a = order[i]
        if (name[a] == "" || name[a] in taken) continue
        if (!(name[a] in holder)) holder[name[a]] = id[a]
        if (holder[name[a]] != id[a]) continue
        put(name[a], "A " a " ; " id[a])
        split(a, part, ".")
        back = part[4] "." part[3] "." part[2] "." part[1] ".in-addr.arpa"
        if (!(back in taken)) put(back, "PTR " name[a] ".")
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
    for file in "$leases" "$leases".[12] "$leases".completed; do
      [[ ! $file -nt $state/looked ]] || break 2
    done
  done
done
