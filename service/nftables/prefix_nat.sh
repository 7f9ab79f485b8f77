# The 64 bits of the network that an address is in, as a number.
number() {
  local -a left right
  local i part
  IFS=: read -ra left <<<"${1%%::*}"
  IFS=: read -ra right <<<"${1#*::}"
  [[ $1 == *::* ]] || right=()
  number=0
  for ((i = 0; i < 4; i++)); do
    part=0
    if ((i < ${#left[@]})); then
      part=${left[i]}
    elif ((i >= 8 - ${#right[@]})); then
      part=${right[i - 8 + ${#right[@]}]}
    fi
    number=$((number << 16 | 16#${part:-0}))
  done
}

network() { # NUMBER
  printf -v network '%x:%x:%x:%x::/64' $(($1 >> 48 & 0xffff)) $(($1 >> 32 & 0xffff)) $(($1 >> 16 & 0xffff)) $(($1 & 0xffff))
}

# What of an earlier prefix conntrack knows goes on with addresses that are no more the router's.
forget() { # NUMBER
  local address network
  network "$1"
  conntrack -D -f ipv6 -d "$network" || true
  conntrack -L -f ipv6 -n | grep -o ' dst=[0-9a-f:]*' | sort -u | while IFS='=' read -r _ address; do
    number "$address"
    if ((number == $1)); then
      conntrack -D -f ipv6 -q "$address" || true
    fi
  done
} >/dev/null 2>&1

# Each translation is a line with the beginning of the names of its sets, the IAID of the delegated
# prefix, the number of the network in it and the prefix inside.
#
# A prefix is the router's for as long as dhcpcd's own route says so; which one is whose, another does.
# When the routes cannot be read all stays: no lease has ended.
refill() {
  local own told name iaid subnet inside prefix rest number network text='' now=''
  local -A valid of was
  own=$(ip -6 route show type unreachable proto dhcp) || return
  told=$(ip -6 route show type unreachable proto "$protocol") || return
  while read -r _ prefix _; do
    [[ -z $prefix ]] || valid[$prefix]=1
  done < <(printf '%s\n' "$own")
  while read -r _ prefix rest; do
    if [[ -n $prefix && -n ${valid[$prefix]-} && " $rest " =~ " metric "([0-9]+)" " ]]; then
      of[${BASH_REMATCH[1]}]=$prefix
    fi
  done < <(printf '%s\n' "$told")
  while read -r name iaid subnet inside; do
    [[ -n $name ]] || continue
    text+="flush set inet nbr ${name}_inside; flush set inet nbr ${name}_outside; flush map inet nbr ${name}_out"$'\n'
    prefix=${of[$iaid]-}
    # A prefix that is smaller than the spec asks for may have no network of that number.
    if [[ -z $prefix ]] || ((${prefix#*/} > 64 || subnet >= 1 << (64 - ${prefix#*/}))); then
      continue
    fi
    number "${prefix%/*}"
    number=$((number | subnet))
    network "$number"
    text+="add element inet nbr ${name}_inside { $inside }; add element inet nbr ${name}_outside { $network }; add element inet nbr ${name}_out { $inside : $network }"$'\n'
    now+="$number $prefix"$'\n'
  done < <(printf '%s\n' "$translations")
  # No here string: Bash writes a long one to a file, and the unit may write to no folder for those.
  printf '%s' "$text" | nft -f - || return 0 # the rules are not loaded: nothing passes
  if [[ -r $run/told ]]; then
    while read -r number prefix; do
      was[$number]=$prefix
    done <"$run/told"
  fi
  for number in "${!was[@]}"; do
    if [[ $'\n'$now == *$'\n'"$number "* ]]; then
      continue
    elif [[ -n ${valid[${was[$number]}]-} ]]; then
      now+="$number ${was[$number]}"$'\n' # connections may end in peace
    else
      forget "$number"
    fi
  done
  printf '%s' "$now" >"$run/told"
}

# The unit and a reload of the firewall may both be at it. The reload does not wait for long.
mkdir -p "$run"
exec 9>"$run/lock"
flock -w 10 9 && refill
