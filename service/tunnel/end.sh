
# The kernel sends nothing through a tunnel without an end of its own (ip6_tnl_xmit_ctl in
# net/ipv6/ip6_tunnel.c), so it gets the address by which the other end is reached now.
again() {
  [[ $(ip -6 -o route get "$remote" oif "$over" 2>/dev/null) =~ \ src\ ([0-9a-f:]+) ]] || return 0
  local address=${BASH_REMATCH[1]}
  [[ "$(ip -6 tunnel show "$tunnel") " == *" local $address "* ]] ||
    ip link set "$tunnel" type ip6tnl mode "$mode" local "$address" remote "$remote" encaplimit none
}
