
# The prefix of 64 bits that an address is in.
network() {
  local -a left right
  local i empty part out=
  IFS=: read -ra left <<<"${1%%::*}"
  IFS=: read -ra right <<<"${1#*::}"
  [[ $1 == *::* ]] || right=()
  empty=$((8 - ${#left[@]} - ${#right[@]}))
  for ((i = 0; i < 4; i++)); do
    if ((i < ${#left[@]})); then part=${left[i]}
    elif ((i < ${#left[@]} + empty)); then part=0
    else part=${right[i - ${#left[@]} - empty]}; fi
    out+=$part:
  done
  echo "$out:/64"
}

# Keeps when each prefix was last on its link, in a file that survives a restart of the router,
# and prints those that are there no more and that hosts may still have (RFC 9096 section 3.5).
stale() {
  local now key when link address rest
  local -A last here
  printf -v now '%(%s)T' -1
  if [[ -r $state/prefixes ]]; then
    while read -r link address when; do last["$link $address"]=$when; done <"$state/prefixes"
  fi
  while read -r _ link _ address rest; do
    [[ -n ${valid[$link]-} && $address == */64 && " $rest " == *" dynamic "* ]] || continue
    here["$link $(network "${address%/64}")"]=1
  done < <(ip -6 -o address show scope global)
  for key in "${!here[@]}"; do last[$key]=$now; done
  for key in "${!last[@]}"; do
    link=${key% *}
    # A clock that was set back makes a time of the future, which is of late then.
    if [[ -n ${valid[$link]-} ]] && ((now - last[$key] < valid[$link])); then
      echo "$key ${last[$key]}" >&3
      [[ -n ${here[$key]-} ]] || echo "$key"
    fi
  done 3>"$state/prefixes.new" | sort
  mv "$state/prefixes.new" "$state/prefixes"
}

# The configuration of the spec, and in it what is so at present. Without a default route of its
# own the router is none for hosts, and leads to its own prefixes all the same (RFC 7084, G-4, G-5
# and L-3).
current() {
  local line link key route gone prefix lifetime
  gone=$(stale)
  route=$(ip -6 route show default type unicast)
  while IFS= read -r line; do
    case $line in
    "interface "*) link=${line#* } link=${link% *} ;;
    "  AdvDefaultLifetime "*)
      if [[ -n ${learnt[$link]-} ]]; then
        lifetime=${line##* } lifetime=${lifetime%;}
        [[ -n $route ]] || line="  AdvDefaultLifetime 0;"
        while read -r _ prefix _; do # dhcpcd's, for each prefix that is delegated
          [[ -z $prefix ]] || printf '  route %s {\n    AdvRouteLifetime %s;\n  };\n' "$prefix" "$lifetime"
        done < <(ip -6 route show type unreachable proto dhcp)
      fi
      ;;
    "  prefix ::/64 {")
      while read -r key; do
        [[ $key != "$link "* ]] || printf '  prefix %s {\n    AdvOnLink on;\n    AdvAutonomous %s;\n    AdvValidLifetime 0;\n    AdvPreferredLifetime 0;\n  };\n' "${key#* }" "${autonomous[$link]}"
      done <<<"$gone"
      ;;
    esac
    printf '%s\n' "$line"
  done <"$spec"
}

# What radvd was told last does not outlive this script, which may end between writing and telling:
# so it tells at its start, and again when systemd has not taken the job.
told=
again() {
  current >"$run/new" || return
  if [[ ! -e $run/radvd.conf || $(<"$run/new") != "$(<"$run/radvd.conf")" ]]; then
    mv "$run/new" "$run/radvd.conf"
    told=
  fi
  # One that does not run reads it at its start.
  [[ -n $told ]] || { systemctl try-reload-or-restart --no-block radvd.service && told=1; }
}
