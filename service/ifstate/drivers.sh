
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
