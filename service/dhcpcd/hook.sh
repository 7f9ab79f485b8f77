# dhcpcd has set what the lease says. What the spec has elsewhere stays there, and of the
# routes of option 121 those are kept that the spec takes.
nbr_number() (
  IFS=.
  # shellcheck disable=SC2086
  set -- $1
  echo "$((($1 << 24) + ($2 << 16) + ($3 << 8) + $4))"
)

# nbr_inside PREFIX OTHER… tells whether all of a prefix is in one of the others.
nbr_inside() {
  nbr_prefix=$1
  shift
  for nbr_other; do
    nbr_shift=$((32 - ${nbr_other#*/}))
    if [ "${nbr_prefix#*/}" -ge "${nbr_other#*/}" ] &&
      [ "$(($(nbr_number "${nbr_prefix%/*}") >> nbr_shift))" -eq "$(($(nbr_number "${nbr_other%/*}") >> nbr_shift))" ]; then
      return 0
    fi
  done
  return 1
}

nbr_lease() {
  nbr_gateways=$(ip -4 route show default dev "$interface" proto dhcp | while read -r _ _ nbr_via _; do echo "$nbr_via"; done)
  # dhcpcd's own route to a gateway outside of the lease's subnet has the protocol that
  # IfState takes for what was set by hand.
  ip -4 route show dev "$interface" proto boot | while read -r nbr_to nbr_rest; do
    for nbr_via in $nbr_gateways; do
      if [ "$nbr_to" = "$nbr_via" ]; then
        # shellcheck disable=SC2086
        ip -4 route replace "$nbr_to" dev "$interface" proto dhcp $nbr_rest || true
      fi
    done
  done
  ip -4 route show dev "$interface" proto dhcp | while read -r nbr_to _; do
    case $nbr_to in
    default) continue ;;
    */*) ;;
    *) nbr_to=$nbr_to/32 ;;
    esac
    # shellcheck disable=SC2086
    if nbr_inside "$nbr_to" $nbr_own; then
      nbr_why='the spec has it elsewhere'
    elif [ "$nbr_to" = "$new_network_number/$new_subnet_cidr" ] || nbr_inside "$nbr_to" $nbr_may; then
      continue
    else
      nbr_why='the spec does not list it'
    fi
    for nbr_via in $nbr_gateways; do
      [ "$nbr_to" = "$nbr_via/32" ] && continue 2
      # The way to the gateway stays, without that to its neighbours.
      if nbr_inside "$nbr_via/32" "$nbr_to"; then
        ip -4 route replace "$nbr_via/32" dev "$interface" proto dhcp src "$new_ip_address" || true
      fi
    done
    echo "nbr: $interface: no route to $nbr_to by DHCP: $nbr_why" >&2
    ip -4 route delete "$nbr_to" dev "$interface" proto dhcp || true
  done
}

if [ -n "${new_ip_address:-}" ]; then
  nbr_lease
fi
