
declare -A told

# fails says what ethtool(8) says, once: it is asked again and again, and a driver may only lack
# something until the port has a cable.
fails() {
  [[ -n ${told[$1]-} ]] || echo "$1: $2" >&2
  told[$1]=1
}

# A driver may begin the negotiation of a link anew when it is told what it does already.
eee() {
  local now
  if ! now=$(ethtool --show-eee "$1" 2>&1); then
    fails "eee of $1" "$now"
    return
  fi
  case $now in
  *"EEE status: enabled"*) now=on ;;
  *) now=off ;;
  esac
  [[ $now == "$2" ]] || now=$(ethtool --set-eee "$1" eee "$2" 2>&1) || fails "eee of $1" "$now"
}

off() {
  local said
  said=$(ethtool -K "$1" "$2" off 2>&1) || fails "$2 of $1" "$said"
}

rings() {
  local said
  said=$(ethtool -G "$@" 2>&1) || fails "rings of $1" "$said"
}

coalesce() {
  local said
  said=$(ethtool -C "$@" 2>&1) || fails "interrupts of $1" "$said"
}

declare -A offered

# Once for an interface: while there is no cable a driver does not know that it offers this already,
# and begins the negotiation anew.
once() {
  local is said
  is=$(ip -o link show dev "$1" 2>&1) && is=${is%%:*}
  [[ ${offered[$1]-} != "$is" ]] || return 0
  if said=$(ethtool -s "$@" 2>&1); then
    offered[$1]=$is
  else
    fails "speed of $1" "$said"
  fi
}

speed() { once "$1" speed "$2" duplex full autoneg "$3"; }

negotiate() { once "$1" autoneg on; }

# It is news when an alias is set, also to what it is.
alias_of() {
  local now
  if ! now=$(ip link show dev "$1" 2>&1); then
    fails "alias of $1" "$now"
  elif [[ $now$'\n' != *$'\n'"    alias $2"$'\n'* ]]; then
    now=$(ip link set dev "$1" alias "$2" 2>&1) || fails "alias of $1" "$now"
  fi
}
